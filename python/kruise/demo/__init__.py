"""``kruise demo``: one rollout after the other on an embedded cluster, shown live. Nothing in it is faked."""

from __future__ import annotations

from .run import run

__all__ = ["run"]
