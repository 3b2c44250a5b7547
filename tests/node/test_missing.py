"""What a machine lacks for a real node is told in words that help."""

from __future__ import annotations

import os

import pytest

from . import real_node
from .sandbox import SandboxError


def refuse(self: object) -> None:
    raise SandboxError("mount -t proc proc /proc: status 32")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("COMMANDS", ("sh", "no-such-containerd", "no-such-runc"), "needs no-such-containerd, no-such-runc"),
        ("PLUGINS", ("/nowhere/cni",), "containernetworking-plugins), in /nowhere/cni"),
        (
            "Sandbox",
            type("Refusing", (), {"__enter__": refuse, "__exit__": refuse}),
            "refuses: mount -t proc proc /proc: status 32",
        ),
    ],
)
@pytest.mark.usefixtures("real_node")
def test_each_thing_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: object, says: str) -> None:
    monkeypatch.setattr(real_node, name, value)
    assert says in real_node.missing()


def test_without_root_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "needs root" in real_node.missing()
