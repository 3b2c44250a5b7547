"""Workloads for Kubernetes that are updated in place: the kruise manager, its embedded cluster and its client, in Python."""

from kruise._core import __version__

__all__ = ["__version__"]
