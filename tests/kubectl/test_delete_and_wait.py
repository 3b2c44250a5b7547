"""kubectl delete with each cascade, and kubectl wait."""

from __future__ import annotations

import time
from pathlib import Path

from .conftest import wait_ready
from .kubectl import Kubectl
from .manifests import CLONE_SET, POD

DELETED = 'cloneset.apps.kruise.io "web" deleted from {} namespace\n'


def test_in_the_background_the_pods_follow(web: Kubectl) -> None:
    assert web("delete", "clone", "web") == DELETED.format(web.namespace)
    web("wait", "pods", "-l", "app=web", "--for=delete", "--timeout=30s")
    assert web.names("clone,pods") == []


def test_in_the_foreground_the_pods_go_first(web: Kubectl) -> None:
    web("patch", web.names("pods")[0], "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    web("delete", "clone", "web", "--cascade=foreground", "--wait=false")
    web("wait", "clone/web", "--for=jsonpath={.metadata.finalizers[0]}=foregroundDeletion", "--timeout=30s")
    held = web.json("clone", "web")
    assert held["metadata"]["deletionTimestamp"], "kept while a pod is"
    for pod in web.names("pods"):
        web("patch", pod, "-p", '{"metadata":{"finalizers":null}}')
    web("wait", "clone/web", "--for=delete", "--timeout=30s")
    assert web.names("clone,pods") == []


def test_orphans_stay(web: Kubectl) -> None:
    pods = web.names("pods")
    assert web("delete", "clone", "web", "--cascade=orphan") == DELETED.format(web.namespace)
    assert web.names("pods") == pods
    assert web("get", "pods", "-o", "jsonpath={.items[*].metadata.ownerReferences}").strip() == ""
    web("apply", "-f", "-", stdin=CLONE_SET)
    wait_ready(web, 3)
    assert set(pods) < set(web.names("pods")), "a new set never takes over what it has not made"


def test_by_file_and_by_label(web: Kubectl, manifest: Path) -> None:
    web("create", "configmap", "a")
    web("create", "configmap", "b")
    web("label", "configmap", "a", "app=web")
    web("delete", "configmap", "-l", "app=web")
    assert web.names("configmaps") == ["configmap/b"]
    web("delete", "configmap", "--all")
    assert web.names("configmaps") == []
    assert web("delete", "-f", str(manifest)) == DELETED.format(web.namespace)
    assert "NotFound" in web.fails("delete", "-f", str(manifest))
    assert web("delete", "-f", str(manifest), "--ignore-not-found") == ""


def test_grace_periods(lone: Kubectl) -> None:
    forced = lone.run("delete", "pod", "lone", "--grace-period=0", "--force")
    assert (forced.out, forced.status) == (f'pod "lone" force deleted from {lone.namespace} namespace\n', 0)
    assert lone.names("pods") == []
    held = POD.replace("metadata: {name: lone,", "metadata: {name: lone, finalizers: [example.com/hold],")
    lone("apply", "-f", "-", stdin=held)
    lone("wait", "pod/lone", "--for=condition=Ready", "--timeout=30s")
    lone("delete", "pod", "lone", "--grace-period=7", "--wait=false")
    metadata = lone.json("pod", "lone")["metadata"]
    assert metadata["deletionGracePeriodSeconds"] in (7, 0), "0 once the kubelet has stopped the containers"
    assert "Terminating" in lone("get", "pod", "lone") or "Completed" in lone("get", "pod", "lone")
    lone("patch", "pod", "lone", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    lone("wait", "pod/lone", "--for=delete", "--timeout=30s")


def test_a_pod_that_is_deleted_is_replaced(web: Kubectl) -> None:
    pods = web.names("pods")
    web("delete", pods[0])
    wait_ready(web, 3)
    web("wait", pods[0], "--for=delete", "--timeout=30s")
    assert len(set(web.names("pods")) - set(pods)) == 1


def test_a_dry_run_deletes_nothing(web: Kubectl) -> None:
    assert "(server dry run)" in web("delete", "clone", "web", "--dry-run=server")
    assert web("get", "clone", "web", "-o", "jsonpath={.metadata.deletionTimestamp}") == ""


def test_a_namespace_goes_with_all_that_is_in_it(web: Kubectl) -> None:
    web("create", "configmap", "cm")
    web("delete", "namespace", web.namespace)
    assert web.names("clone,pods,configmaps") == []
    assert "NotFound" in web.fails("get", "namespace", web.namespace)
    web("create", "namespace", web.namespace)


def test_wait(web: Kubectl) -> None:
    pods = web.names("pods")
    said = web("wait", "pods", "-l", "app=web", "--for=condition=Ready", "--timeout=30s")
    assert said == "".join(f"{pod} condition met\n" for pod in pods)
    web(
        "patch",
        "clone",
        "web",
        "--type=merge",
        "-p",
        '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:2"}]}}}}',
    )
    web("wait", "clone/web", "--for=jsonpath={.status.updatedReadyReplicas}=3", "--timeout=30s")
    web("wait", "clone/web", "--for=jsonpath={.status.observedGeneration}=2", "--timeout=30s")
    with web.started("wait", "configmap/late", "--for=create", "--timeout=30s") as waiting:
        web("create", "configmap", "late")
        assert waiting.wait(30) == 0


def test_wait_ends_at_its_time_limit(web: Kubectl) -> None:
    begin = time.monotonic()
    said = web.fails("wait", "clone/web", "--for=jsonpath={.status.readyReplicas}=9", "--timeout=1s")
    assert said == "error: timed out waiting for the condition on clonesets/web"
    assert 0.9 < time.monotonic() - begin < 15
    assert "timed out waiting for the condition" in web.fails("wait", "clone/web", "--for=delete", "--timeout=1s")
