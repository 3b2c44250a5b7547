"""Update the containers of living pods, in controlled batches: an operator core in C++, scripted in Python.

    import kruise

    with kruise.Cluster() as cluster, kruise.Manager(cluster) as manager:
        client = cluster.client()
        client.apply("examples/cloneset.yaml")
        client.wait("cloneset", "web", lambda web: web["status"]["readyReplicas"] == web["spec"]["replicas"])
        print(client.table("pods"))
        print(manager.plan("cloneset", "web"))

Where to look: ``help(kruise.Client)`` (objects, with kubectl's verbs), ``help(kruise.Cluster)`` (a cluster in this process),
``help(kruise.Manager)`` and ``help(kruise.plan)`` (the controllers), :mod:`kruise.models` (typed builders), :mod:`kruise.errors`,
:mod:`kruise.testing` (fixtures for pytest).
"""

from __future__ import annotations

from . import errors
from ._core import __version__
from .client import Client, Table, Watch, WatchEvent
from .cluster import Cluster, LaggingView, WriteEvent
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
from .faults import Faults
from .manager import Manager, Plan, Reason, Write, plan, show_logs
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
    "Faults",
    "Forbidden",
    "Invalid",
    "KruiseError",
    "KubeletDelays",
    "LaggingView",
    "Manager",
    "NotFound",
    "Plan",
    "Reason",
    "ServerError",
    "SimulatedNodes",
    "Table",
    "TimedOut",
    "TooManyRequests",
    "Unauthorized",
    "Unreachable",
    "UnsupportedMediaType",
    "Watch",
    "WatchEvent",
    "Write",
    "WriteEvent",
    "__version__",
    "errors",
    "plan",
    "show_logs",
]


def __dir__() -> list[str]:
    return [*__all__, "models", "testing"]
