"""What simulated nodes can be told, each by what a user of the API sees of it. Virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import kruise

DELAYS = kruise.KubeletDelays(schedule=0.1, pull=2, start=1, ready=1, stop=1, node_grace=40, pull_backoff=10)
READY_S = 10.0


class World:
    """A cluster of two nodes, and short questions about its pods."""

    def __init__(self, cluster: kruise.Cluster) -> None:
        self.cluster, self.client, self.kubelets = cluster, cluster.client(), cluster.kubelets

    def create(self, name: str, image: str = "web:1") -> None:
        spec = {"containers": [{"name": "main", "image": image}]}
        self.client.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})

    def pod(self, name: str) -> dict[str, Any]:
        return self.client.get("pod", name)

    def container(self, name: str) -> dict[str, Any]:
        statuses = self.pod(name).get("status", {}).get("containerStatuses") or [{}]
        container: dict[str, Any] = statuses[0]
        return container

    def waits_for(self, name: str) -> str | None:
        reason: str | None = self.container(name).get("state", {}).get("waiting", {}).get("reason")
        return reason

    def condition(self, kind: str, name: str) -> str | None:
        conditions = self.client.get(kind, name).get("status", {}).get("conditions", [])
        return next((c["status"] for c in conditions if c["type"] == "Ready"), None)

    def ready(self, name: str) -> bool:
        return self.condition("pod", name) == "True"

    def until_ready(self, *names: str, timeout: float = READY_S) -> float:
        """How many seconds it took."""
        begin = self.cluster.now()
        self.cluster.run_until(lambda: all(self.ready(name) for name in names), timeout=timeout)
        return (self.cluster.now() - begin).total_seconds()


@pytest.fixture
def world() -> Iterator[World]:
    with kruise.Cluster(virtual=True, nodes=2, delays=DELAYS) as cluster:
        yield World(cluster)


def test_they_take_as_long_as_the_delays_say(world: World) -> None:
    world.create("a")
    assert 4.1 <= world.until_ready("a") < 5


def test_slow(world: World) -> None:
    world.kubelets.slow(10)
    world.create("a")
    assert world.until_ready("a", timeout=100) > 40
    world.kubelets.slow(1)
    world.create("b", "other:1")
    assert world.until_ready("b") < 5


@pytest.mark.parametrize("factor", [-1, 0, float("nan"), float("inf")])
def test_slow_takes_sensible_factors_only(world: World, factor: float) -> None:
    with pytest.raises((kruise.KruiseError, ValueError), match="factor"):
        world.kubelets.slow(factor)


def test_an_image_that_fails_and_heals(world: World) -> None:
    world.kubelets.fail_image("web:bad")
    world.create("a", "web:bad")
    world.create("b", "web:1")
    world.until_ready("b")
    assert world.waits_for("a") == "ErrImagePull"
    world.cluster.run_until(lambda: world.waits_for("a") == "ImagePullBackOff", timeout=20)
    world.cluster.run_for(600)
    assert not world.ready("a")
    world.kubelets.heal_image("web:bad")
    world.until_ready("a", timeout=330)  # the longest back-off is five minutes


def test_containers_that_never_become_ready(world: World) -> None:
    world.kubelets.never_ready("web:stuck")
    world.create("a", "web:stuck")
    world.create("b")
    world.until_ready("b")
    world.cluster.run_for(3600)
    assert "running" in world.container("a")["state"]
    assert not world.container("a")["ready"]
    assert world.condition("pod", "a") == "False"


def test_two_tags_of_one_image(world: World) -> None:
    world.kubelets.same_image("web:latest", "web:1")
    for name, image in (("a", "web:1"), ("b", "web:latest"), ("c", "web:2")):
        world.create(name, image)
    world.until_ready("a", "b", "c")
    first, second, third = (world.container(name)["imageID"] for name in "abc")
    assert first == second != third


def test_a_node_is_lost_and_comes_back(world: World) -> None:
    for name in "abcd":
        world.create(name)
    world.until_ready(*"abcd")
    on = {name: world.pod(name)["spec"]["nodeName"] for name in "abcd"}
    assert set(on.values()) == {"node-0", "node-1"}
    world.kubelets.lose_node("node-1")
    world.cluster.run_for(30)
    assert world.condition("node", "node-1") == "True", "nobody has noticed yet"
    world.cluster.run_for(15)
    assert world.condition("node", "node-1") == "Unknown"
    assert world.condition("node", "node-0") == "True"
    assert {name: world.ready(name) for name in on} == {name: node == "node-0" for name, node in on.items()}
    world.kubelets.restore_node("node-1")
    world.until_ready(*"abcd", timeout=60)
    assert world.condition("node", "node-1") == "True"
    assert [world.container(name)["restartCount"] for name in "abcd"] == [0] * 4


def test_a_container_crashes_and_is_started_anew(world: World) -> None:
    world.create("a")
    world.until_ready("a")
    before = world.container("a")
    world.kubelets.crash_container("default", "a", "main")
    world.cluster.run_until(lambda: world.container("a")["restartCount"] == 1, timeout=60)
    world.until_ready("a", timeout=60)
    after = world.container("a")
    assert after["containerID"] != before["containerID"]
    assert after["lastState"]["terminated"]["exitCode"] != 0


def test_a_pod_fails_for_good(world: World) -> None:
    world.create("a")
    world.until_ready("a")
    world.kubelets.fail_pod("default", "a")
    world.cluster.run_for(600)
    assert world.pod("a")["status"]["phase"] == "Failed"


def test_what_is_not_there_is_named(world: World) -> None:
    with pytest.raises(kruise.KruiseError, match="nowhere"):
        world.kubelets.lose_node("nowhere")
    with pytest.raises(kruise.KruiseError, match="nobody"):
        world.kubelets.fail_pod("default", "nobody")
    with pytest.raises(kruise.KruiseError, match="nobody"):
        world.kubelets.crash_container("default", "nobody", "main")
    world.create("a")
    world.until_ready("a")
    with pytest.raises(kruise.KruiseError, match="other"):
        world.kubelets.crash_container("default", "a", "other")


def test_jitter_is_drawn_from_the_seed() -> None:
    def seconds(seed: int) -> list[float]:
        delays = kruise.KubeletDelays(pull=5, jitter=1.0)
        with kruise.Cluster(virtual=True, nodes=1, seed=seed, delays=delays) as cluster:
            world = World(cluster)
            took = []
            for number in range(3):
                world.create(f"p{number}", f"image:{number}")
                took.append(world.until_ready(f"p{number}", timeout=60))
            return took

    assert seconds(1) == seconds(1) != seconds(2)
    assert all(5 < took < 20 for took in seconds(1))


@pytest.mark.parametrize("delays", [{"pull": -1}, {"start": 90000}, {"jitter": float("nan")}])
def test_delays_are_judged(delays: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"KubeletDelays.{next(iter(delays))}"):
        kruise.KubeletDelays(**delays)
