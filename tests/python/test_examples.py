"""Every manifest of examples/ applies, and does what a newcomer hopes for: all its pods come up."""

from __future__ import annotations

from pathlib import Path

import pytest

from kruise import testing

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_comes_up(path: Path) -> None:
    with testing.cluster() as (cluster, client, manager):
        sets = [applied for applied in client.apply(path) if applied["kind"] == "CloneSet"]
        assert sets
        for one in sets:
            name = one["metadata"]["name"]

            def up(name: str = name) -> bool:
                now = client.get("cloneset", name)
                return bool(now.get("status", {}).get("availableReplicas") == now["spec"]["replicas"])

            cluster.run_until(up, timeout=600)
            plan = manager.plan("cloneset", name)
            assert plan is not None
            assert plan.error is None


def test_the_list_of_examples_names_each() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.yaml") if f"`{path.name}`" not in listed] == []
