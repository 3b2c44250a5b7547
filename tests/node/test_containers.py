"""Updates in place of real containers: what stays, what changes, and what goes wrong in the middle."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import kruise
from manager_process import QUICK_ELECTION, ManagerProcess, wait
from scenarios.ground import clone_set

from .ground import BROKEN, SAME_AS_V1, WEB, NodeCluster, NodeGround, Object, conditions, container, template

pytestmark = pytest.mark.real
V1, V2, V3 = (f"{WEB}:v{number}" for number in (1, 2, 3))


def rolled_out(ground: NodeGround, replicas: int) -> None:
    ground.settled(updatedReplicas=replicas, updatedReadyReplicas=replicas, updatedAvailableReplicas=replicas)


def started(ground: NodeGround, replicas: int, **spec: Any) -> dict[str, Object]:
    """A set of that many pods, ready; its pods by name."""
    ground.create(**{"replicas": replicas, "template": template(), **spec})
    ground.settled()
    return {pod["metadata"]["name"]: pod for pod in ground.pods()}


def test_an_update_in_place_restarts_one_container_and_nothing_else(ground: NodeGround) -> None:
    before = started(ground, 3)
    assert [ground.version(pod) for pod in before.values()] == ["v1"] * 3
    ground.set_image(V2)
    rolled_out(ground, 3)
    for pod in ground.pods():
        old = before[pod["metadata"]["name"]]
        assert pod["metadata"]["uid"] == old["metadata"]["uid"]
        assert pod["status"]["podIP"] == old["status"]["podIP"]
        assert pod["spec"]["nodeName"] == old["spec"]["nodeName"]
        assert container(pod)["restartCount"] == 1
        assert container(pod)["imageID"] != container(old)["imageID"]
        assert container(pod)["containerID"] != container(old)["containerID"]
        assert container(pod, "log") == container(old, "log")
        assert ground.version(pod) == "v2"
        assert ground.notes(pod, "starts") == ["v1", "v2"]
        assert ground.notes(pod, "ends") == ["v1"]  # it was asked to end, not killed
        assert conditions(pod)["InPlaceUpdateReady"] == conditions(pod)["Ready"] == "True"


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_during_the_grace_period_the_old_container_serves_without_being_ready(ground: NodeGround) -> None:
    grace = {"gracePeriodSeconds": 3}
    (name,) = started(ground, 1, updateStrategy={"type": "InPlaceOnly", "inPlaceUpdateStrategy": grace})
    service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    ground.client.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service})
    ground.until(lambda: endpoints(ground) == [True])
    ground.set_image(V2)
    ground.until(lambda: in_grace(ground) == [name])
    waiting = ground.pod(name)
    assert conditions(waiting)["InPlaceUpdateReady"] == conditions(waiting)["Ready"] == "False"
    assert conditions(waiting)["ContainersReady"] == "True"
    assert ground.version(waiting) == "v1"
    ground.until(lambda: endpoints(ground) == [False])
    rolled_out(ground, 1)
    after = ground.pod(name)
    drained = next(each for each in waiting["status"]["conditions"] if each["type"] == "InPlaceUpdateReady")
    ended = container(after)["lastState"]["terminated"]["finishedAt"]
    assert (time_of(ended) - time_of(drained["lastTransitionTime"])).total_seconds() >= 3 - 1  # both have whole seconds
    assert ground.version(after) == "v2"
    ground.until(lambda: endpoints(ground) == [True])


def endpoints(ground: NodeGround) -> list[bool]:
    """Whether each endpoint of the service ``web`` is ready."""
    slices = ground.client.list("endpointslices", selector="kubernetes.io/service-name=web")
    return [each["conditions"]["ready"] for slice_ in slices for each in slice_.get("endpoints") or []]


def test_a_pod_is_not_ready_before_its_gate_is(ground: NodeGround) -> None:
    """The kubelet asks for the condition that the manager writes; a gate of the user's own holds a pod back the same way."""
    gated = template(spec={"readinessGates": [{"conditionType": "example.com/Checked"}]})
    ground.create(replicas=2, template=gated, updateStrategy={"type": "InPlaceIfPossible", "maxUnavailable": 1})
    ground.until(lambda: [conditions(pod).get("InPlaceUpdateReady") for pod in ground.pods()] == ["True"] * 2)
    ground.until(lambda: [conditions(pod).get("ContainersReady") for pod in ground.pods()] == ["True"] * 2)
    assert [conditions(pod)["Ready"] for pod in ground.pods()] == ["False"] * 2
    for pod in ground.pods():
        check(ground, pod, "True")
    ground.settled()
    ground.set_image(V2)
    rolled_out(ground, 2)
    for pod in ground.pods():
        assert conditions(pod)["example.com/Checked"] == "True"
        assert {gate["conditionType"] for gate in pod["spec"]["readinessGates"]} >= {"InPlaceUpdateReady", "example.com/Checked"}
        assert container(pod)["restartCount"] == 1


def check(ground: NodeGround, pod: Object, status: str) -> None:
    condition = {"type": "example.com/Checked", "status": status}
    body = {"status": {"conditions": [condition]}}
    ground.client.patch("pods", pod["metadata"]["name"], body, type="strategic", subresource="status")


def test_claims_and_their_content_are_kept(ground: NodeGround) -> None:
    for number in range(2):
        make_volume(ground, f"{ground.namespace}-{number}")
    with_claim = template(spec={"volumes": []})
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": ground.namespace,
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    before = started(ground, 2, template=with_claim, volumeClaimTemplates=[claim])
    claims = {each["metadata"]["name"]: each["metadata"]["uid"] for each in ground.client.list("persistentvolumeclaims")}
    assert len(claims) == 2
    ground.set_image(V2)
    rolled_out(ground, 2)
    assert {pod["metadata"]["uid"] for pod in ground.pods()} == {pod["metadata"]["uid"] for pod in before.values()}
    assert [volume_notes(ground, pod) for pod in ground.pods()] == [["v1", "v2"]] * 2
    # One that somebody else deletes comes back under its name, with its claim and what is in it.
    name = sorted(before)[0]
    ground.client.delete("pods", name)
    ground.until(lambda: name in {pod["metadata"]["name"] for pod in ground.pods()})
    rolled_out(ground, 2)
    assert ground.pod(name)["metadata"]["uid"] != before[name]["metadata"]["uid"]
    assert volume_notes(ground, ground.pod(name)) == ["v1", "v2", "v2"]
    assert {each["metadata"]["name"]: each["metadata"]["uid"] for each in ground.client.list("persistentvolumeclaims")} == claims
    # Scaling in takes the claim of the pod that goes.
    ground.client.scale("clone", "web", 1)
    ground.settled()
    ground.until(lambda: len(ground.client.list("persistentvolumeclaims")) == 1)
    kept = ground.client.list("persistentvolumeclaims")[0]["metadata"]
    assert claims[kept["name"]] == kept["uid"]


def make_volume(ground: NodeGround, name: str) -> None:
    """A folder of the node, for one claim of a class of the scenario's own."""
    folder = ground.node.path(f"lib/volumes/{name}")
    folder.mkdir(parents=True)
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [ground.node.name]}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": ground.namespace,
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": f"/var/lib/volumes/{name}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
    code, answer = ground.plane.call("POST", "/api/v1/persistentvolumes", volume)
    assert code == 201, answer


def volume_notes(ground: NodeGround, pod: Object) -> list[str]:
    claim = pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    volume = ground.client.get("persistentvolumeclaims", claim)["spec"]["volumeName"]
    return ground.node.path(f"lib/volumes/{volume}/starts").read_text().split()


@pytest.mark.parametrize("image", [BROKEN.name, f"{WEB}:nowhere"], ids=["never-ready", "not-to-be-pulled"])
def test_a_rollback_takes_back_what_was_tried_and_touches_nothing_else(ground: NodeGround, image: str) -> None:
    before = started(ground, 3, updateStrategy={"type": "InPlaceOnly", "maxUnavailable": 1})
    ground.set_image(image)
    ground.until(lambda: len(bad(ground, image)) == 1)
    (tried,) = bad(ground, image)
    ground.set_image(V1)
    rolled_out(ground, 3)
    for pod in ground.pods():
        name = pod["metadata"]["name"]
        assert pod["metadata"]["uid"] == before[name]["metadata"]["uid"]
        assert ground.version(pod) == "v1"
        if name != tried:
            assert container(pod) == container(before[name])
    assert container(ground.pod(tried))["restartCount"] >= 1


def bad(ground: NodeGround, image: str) -> list[str]:
    """The pods of which the node has said that the image does not do."""
    found = []
    for pod in ground.pods():
        status = container(pod)
        why = status["state"].get("waiting", {}).get("reason", "")
        if pod["spec"]["containers"][0]["image"] == image and (
            status["image"] == image or why.startswith(("ErrImage", "ImagePull"))
        ):
            found.append(pod["metadata"]["name"])
    return found


LIVENESS = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1}


def test_a_liveness_probe_that_fails_in_the_middle(ground: NodeGround) -> None:
    """While it waits in its grace period the old container is restarted by the kubelet; the update comes all the same, once."""
    strategy = {"type": "InPlaceOnly", "maxUnavailable": 1, "inPlaceUpdateStrategy": {"gracePeriodSeconds": 4}}
    before = started(ground, 2, template=template(livenessProbe=LIVENESS), updateStrategy=strategy)
    ground.set_image(V2)
    ground.until(lambda: len(in_grace(ground)) == 1)
    (hit,) = in_grace(ground)
    ground.node.get(before[hit]["status"]["podIP"], "/fail")
    ground.until(lambda: container(ground.pod(hit))["restartCount"] == 1)
    restarted = ground.pod(hit)
    assert container(restarted)["imageID"] == container(before[hit])["imageID"]
    rolled_out(ground, 2)
    counts = {pod["metadata"]["name"]: container(pod)["restartCount"] for pod in ground.pods()}
    assert counts == {name: 2 if name == hit else 1 for name in before}
    assert ground.notes(ground.pod(hit), "starts") == ["v1", "v1", "v2"]
    assert [ground.version(pod) for pod in ground.pods()] == ["v2"] * 2


def in_grace(ground: NodeGround) -> list[str]:
    key = "apps.kruise.io/inplace-update-grace"
    return [pod["metadata"]["name"] for pod in ground.pods() if key in pod["metadata"].get("annotations", {})]


def test_a_container_that_exits_holds_the_rollout_until_it_is_back(ground: NodeGround) -> None:
    """One pod of the two is down by itself: with maxUnavailable 1 the other is not touched before it serves again."""
    before = started(ground, 2, updateStrategy={"type": "InPlaceOnly", "maxUnavailable": 1, "partition": 1})
    ground.set_image(V2)
    ground.settled(updatedReplicas=1, updatedReadyReplicas=1)
    (updated,) = [pod for pod in ground.pods() if ground.version(pod) == "v2"]
    name = updated["metadata"]["name"]
    exit_container(ground, updated)
    ground.edit(updateStrategy={"partition": 0})
    rolled_out(ground, 2)
    counts = {pod["metadata"]["name"]: container(pod)["restartCount"] for pod in ground.pods()}
    assert counts == {each: 2 if each == name else 1 for each in before}
    assert ground.notes(ground.pod(name), "starts") == ["v1", "v2", "v2"]
    last = container(ground.pod(name))["lastState"]["terminated"]
    assert last["exitCode"] == 3


def exit_container(ground: NodeGround, pod: Object) -> None:
    """Returns when the kubelet has seen it."""
    count = container(pod)["restartCount"]
    with pytest.raises(ConnectionResetError):
        ground.node.get(pod["status"]["podIP"], "/exit")

    def seen() -> bool:
        now = ground.pod(pod["metadata"]["name"])
        return conditions(now)["Ready"] == "False" or container(now)["restartCount"] > count

    ground.until(seen)


def test_a_kubelet_that_is_restarted_in_the_middle(ground: NodeGround) -> None:
    """While no kubelet reports, nothing counts as done; the new one carries the update out, once."""
    before = started(ground, 2, updateStrategy={"type": "InPlaceOnly", "maxUnavailable": 1})
    ground.node.kill_kubelet()
    try:
        ground.set_image(V2)
        ground.until(lambda: [pod["spec"]["containers"][0]["image"] for pod in ground.pods()].count(V2) == 1)
        ground.settle()
        assert ground.status()["updatedReplicas"] == 1
        assert ground.status().get("updatedReadyReplicas", 0) == 0
        assert [pod["spec"]["containers"][0]["image"] for pod in ground.pods()].count(V2) == 1
        assert [ground.version(pod) for pod in ground.pods()] == ["v1"] * 2  # containers go on without a kubelet
    finally:
        ground.node.start_kubelet()
    rolled_out(ground, 2)
    for pod in ground.pods():
        old = before[pod["metadata"]["name"]]
        assert (pod["metadata"]["uid"], pod["status"]["podIP"]) == (old["metadata"]["uid"], old["status"]["podIP"])
        assert container(pod)["restartCount"] == 1
        assert ground.notes(pod, "starts") == ["v1", "v2"]


def test_two_names_of_one_image(ground: NodeGround) -> None:
    """The container is started anew although the image is the same, byte for byte, and containerd goes on to report the old name."""
    started(ground, 1)
    ground.set_image(SAME_AS_V1.name)
    rolled_out(ground, 1)
    (pod,) = ground.pods()
    assert pod["spec"]["containers"][0]["image"] == SAME_AS_V1.name
    assert container(pod)["restartCount"] == 1


HOOKED = {"example.com/hooked": "true"}
HOOK = {"labelsHandler": HOOKED}
STATE = "lifecycle.apps.kruise.io/state"


def in_state(ground: NodeGround, state: str) -> list[str]:
    return [pod["metadata"]["name"] for pod in ground.pods() if pod["metadata"]["labels"][STATE] == state]


def release(ground: NodeGround, name: str, value: str = "false") -> None:
    ground.client.patch("pods", name, {"metadata": {"labels": {"example.com/hooked": value}}})


def test_hooks_hold_the_container_itself(ground: NodeGround) -> None:
    """Until its owner lets go a pod runs the old image untouched, and is not asked to end."""
    before = started(
        ground,
        2,
        template=template(labels=HOOKED),
        lifecycle={"inPlaceUpdate": HOOK, "preDelete": HOOK},
        updateStrategy={"type": "InPlaceOnly", "maxUnavailable": "100%"},
    )
    ground.set_image(V2)
    ground.until(lambda: len(in_state(ground, "PreparingUpdate")) == 2)
    ground.settle()
    for pod in ground.pods():
        assert container(pod) == container(before[pod["metadata"]["name"]])
        assert ground.version(pod) == "v1"
    for name in before:
        release(ground, name)
    ground.until(lambda: len(in_state(ground, "Updated")) == 2)
    assert [ground.version(pod) for pod in ground.pods()] == ["v2"] * 2
    for name in before:
        release(ground, name, "true")
    rolled_out(ground, 2)

    ground.client.scale("clone", "web", 1)
    ground.until(lambda: len(in_state(ground, "PreparingDelete")) == 1)
    (leaving,) = in_state(ground, "PreparingDelete")
    ground.settle()
    assert ground.version(ground.pod(leaving)) == "v2"
    assert ground.notes(ground.pod(leaving), "ends") == ["v1"]
    release(ground, leaving)
    ground.settled()
    ground.until(lambda: leaving not in {pod["metadata"]["name"] for pod in ground.client.list("pods")})


def test_the_executable_killed_in_the_middle(node_cluster: NodeCluster, tmp_path: Path) -> None:
    """kruise-manager as a process, killed while the first pod is being updated; the next one goes on, and each container restarts once."""
    with NodeGround.namespace_on(node_cluster) as (namespace, _):
        client = kruise.Client(kubeconfig=node_cluster.real.plane.kubeconfig, namespace=namespace)
        strategy = {"type": "InPlaceOnly", "maxUnavailable": 1, "inPlaceUpdateStrategy": {"gracePeriodSeconds": 1}}

        def done() -> bool:
            status = client.get("clone", "web").get("status", {})
            return bool(status.get("updatedReadyReplicas") == status.get("availableReplicas") == 3)

        def manager() -> ManagerProcess:
            flags = (f"--namespace={namespace}", *QUICK_ELECTION)
            return ManagerProcess(node_cluster.real.plane.kubeconfig, tmp_path, *flags, namespace=namespace)

        def images() -> list[str]:
            return [pod["spec"]["containers"][0]["image"] for pod in client.list("pods")]

        with manager() as first:
            client.create(clone_set(replicas=3, template=template(), updateStrategy=strategy))
            wait("the set is ready", done, 60)
            before = {pod["metadata"]["uid"]: pod["status"]["podIP"] for pod in client.list("pods")}
            client.patch("clone", "web", {"spec": {"template": template(image=V2)}})
            wait("one pod has the new image", lambda: V2 in images(), 60)
            first.kill(signal.SIGKILL)
            first.wait_exit(5)
        with manager():
            wait("the rollout is done", lambda: images() == [V2] * 3 and done(), 90)
        after = client.list("pods")
        assert {pod["metadata"]["uid"]: pod["status"]["podIP"] for pod in after} == before
        assert [container(pod)["restartCount"] for pod in after] == [1] * 3
        assert [node_cluster.node.get(pod["status"]["podIP"], "/version")[1] for pod in after] == ["v2"] * 3
