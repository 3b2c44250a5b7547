"""Which pods a scale-in takes."""

from __future__ import annotations

from .ground import Ground, clone_set


def test_the_cheapest_to_delete_go_first(ground: Ground) -> None:
    ground.create()
    ground.settled()
    names = [pod["metadata"]["name"] for pod in ground.pods()]
    for name, cost in zip(names, ("5", "-10", "0", "100", "-1"), strict=True):
        annotation = {"controller.kubernetes.io/pod-deletion-cost": cost}
        ground.client.patch("pods", name, {"metadata": {"annotations": annotation}})
    ground.client.scale("clone", "web", 3)
    ground.settled()
    assert {pod["metadata"]["name"] for pod in ground.pods()} == {names[0], names[2], names[3]}


def test_topology_domains_are_evened_out(ground: Ground) -> None:
    template = clone_set()["spec"]["template"]
    template["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "example.com/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": "web"}},
        }
    ]
    ground.until(lambda: len(ground.client.list("nodes")) >= 4)
    nodes = sorted(node["metadata"]["name"] for node in ground.client.list("nodes"))
    for node in nodes:
        zone = "small" if node == nodes[0] else "large"
        ground.client.patch("nodes", node, {"metadata": {"labels": {"example.com/zone": zone}}})
    ground.create(replicas=8, template=template)
    ground.settled()

    def in_small() -> int:
        return sum(1 for pod in ground.pods() if pod["spec"]["nodeName"] == nodes[0])

    few = in_small()
    assert 0 < few < 4  # pods are spread over the nodes, so that the zone of one node has the fewest
    ground.client.scale("clone", "web", 2 * few)
    ground.settled()
    assert in_small() == few
