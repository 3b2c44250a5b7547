"""The real control plane for the tests of this folder."""

from fixtures import control_plane, full_control_plane

__all__ = ["control_plane", "full_control_plane"]
