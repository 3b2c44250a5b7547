"""Scenarios of tests/scenarios that need no simulated node, on a real one: their pods run real containers here."""

from __future__ import annotations

import pytest

from scenarios.test_lifecycle import (
    test_in_place_hook,
    test_pre_delete_cancelled_by_scaling_out,
    test_pre_delete_hook,
    test_pre_normal_hook,
    test_rollback_while_preparing,
)
from scenarios.test_update import test_by_replacing, test_partition_lowered_step_by_step

pytestmark = pytest.mark.real

__all__ = [
    "test_by_replacing",
    "test_in_place_hook",
    "test_partition_lowered_step_by_step",
    "test_pre_delete_cancelled_by_scaling_out",
    "test_pre_delete_hook",
    "test_pre_normal_hook",
    "test_rollback_while_preparing",
]
