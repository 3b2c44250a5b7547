"""The real control plane, for any test that names its fixtures."""

from fixtures import control_plane, full_control_plane, manager_plane, world

__all__ = ["control_plane", "full_control_plane", "manager_plane", "world"]
