"""Update the containers of living pods, in controlled batches: an operator core in C++, scripted in Python.

import kruise

with kruise.Cluster() as cluster, kruise.Manager(cluster) as manager:
    client = cluster.client()
    client.apply("examples/cloneset.yaml")
    print(manager.plan("cloneset", "web").text())
"""

from __future__ import annotations

from . import errors
from ._core import __version__
from .client import Client, WatchEvent
from .cluster import Cluster, WriteEvent
from .errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Cause,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    KruiseError,
    NotFound,
    ServerError,
    TimedOut,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    UnsupportedMediaType,
)
from .manager import Manager, Plan, Reason, Write, plan
from .nodes import KubeletDelays, SimulatedNodes

__all__ = [
    "AlreadyExists",
    "ApiError",
    "BadRequest",
    "Cause",
    "Client",
    "Cluster",
    "Conflict",
    "Expired",
    "Forbidden",
    "Invalid",
    "KruiseError",
    "KubeletDelays",
    "Manager",
    "NotFound",
    "Plan",
    "Reason",
    "ServerError",
    "SimulatedNodes",
    "TimedOut",
    "TooManyRequests",
    "Unauthorized",
    "Unreachable",
    "UnsupportedMediaType",
    "WatchEvent",
    "Write",
    "WriteEvent",
    "__version__",
    "errors",
    "plan",
]
