"""The verbs that read: get in all its forms, describe, explain, api-resources, auth, logs, version, cluster-info."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .kubectl import Kubectl
from .manifests import CLONE_SET

COLUMNS = ["NAME", "DESIRED", "UPDATED", "UPDATED_READY", "UPDATED_AVAILABLE", "READY", "TOTAL", "AGE"]


def test_get_shows_the_columns_of_the_definition(web: Kubectl) -> None:
    head, row = web("get", "clone").splitlines()
    assert head.split() == COLUMNS
    assert row.split()[:-1] == ["web", "3", "3", "3", "3", "3", "3"]
    assert re.fullmatch(r"\d+s", row.split()[-1])
    head, row = web("get", "cloneset.apps.kruise.io/web", "-o", "wide").splitlines()
    assert head.split() == [*COLUMNS, "CONTAINERS", "IMAGES", "SELECTOR"]
    assert row.split()[-5:] == ["main", "side", "nginx:1", "envoy:1", "app=web"]


def test_get_shows_pods_as_people_know_them(web: Kubectl) -> None:
    head, *rows = web("get", "pods", "-o", "wide").splitlines()
    assert head.split()[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    for row in rows:
        name, ready, status, restarts, _, address, node, *_ = row.split()
        assert name.startswith("web-")
        assert (ready, status, restarts) == ("2/2", "Running", "0")
        assert re.fullmatch(r"10\.\d+\.\d+\.\d+", address)
        assert node.startswith("node-")
    assert len(rows) == 3


def test_get_in_every_format(web: Kubectl) -> None:
    assert web.json("clone", "web")["spec"]["replicas"] == 3
    text = web("get", "clone", "web", "-o", "yaml")
    assert "\nkind: CloneSet\n" in text
    assert "managedFields" not in text
    assert web("get", "clone", "web", "-o", "jsonpath={.spec.replicas} {.status.readyReplicas}") == "3 3"
    assert web("get", "clone", "-o", "name") == "cloneset.apps.kruise.io/web\n"
    assert web("get", "clone", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas").split() == ["N", "R", "web", "3"]
    assert web("get", "clone", "web", "--no-headers", "--show-labels").split()[-1] == "<none>"
    assert web("get", "clone", "web", "--subresource=scale", "-o", "jsonpath={.kind} {.status.selector}") == "Scale app=web"


def test_get_selects(web: Kubectl) -> None:
    pods = web.names("pods")
    assert len(pods) == 3
    web("label", pods[0], "stage=canary")
    assert web.names("pods", "-l", "app=web,stage!=canary") == pods[1:]
    assert web.names("pods", "-l", "stage in (canary, blue)") == pods[:1]
    assert web.names("pods", "-l", "app=other") == []
    name = pods[1].removeprefix("pod/")
    assert web.names("pods", f"--field-selector=metadata.name={name}") == pods[1:2]
    assert web.names("pods", "--field-selector=status.phase=Running") == pods
    node = web("get", pods[2], "-o", "jsonpath={.spec.nodeName}")
    assert pods[2] in web.names("pods", f"--field-selector=spec.nodeName={node}")
    assert web.names("pods", "--field-selector=status.phase!=Running") == []
    empty = web.run("get", "pods", "-l", "app=other")
    assert (empty.out, empty.err, empty.status) == ("", f"No resources found in {web.namespace} namespace.\n", 0)


def test_get_in_all_namespaces_and_in_small_pages(web: Kubectl) -> None:
    rows = web("get", "pods", "-A", "--no-headers", "-l", "app=web").splitlines()
    assert [row.split()[1] for row in rows if row.split()[0] == web.namespace] == [
        name.removeprefix("pod/") for name in web.names("pods")
    ]
    whole = web("get", "pods", "-A", "-o", "name", "--chunk-size=0")
    for size in (1, 2):
        assert web("get", "pods", "-A", "-o", "name", f"--chunk-size={size}") == whole
    web("create", "configmap", "a")
    web("create", "configmap", "b")
    sorted_by_age = web("get", "configmaps", "--sort-by=.metadata.creationTimestamp", "--no-headers").splitlines()
    assert [row.split()[0] for row in sorted_by_age] == ["a", "b"]


def test_get_several_kinds(web: Kubectl) -> None:
    kinds = {name.split("/")[0] for name in web.names("clone,pods,events")}
    assert kinds == {"cloneset.apps.kruise.io", "pod", "event"}
    assert len([name for name in web("get", "all", "-o", "name").split() if name.startswith("pod/")]) == 3


def test_get_watch(web: Kubectl) -> None:
    with web.started("get", "clone", "web", "-w", "--no-headers") as watch:
        assert watch.stdout
        assert watch.stdout.readline().split()[:2] == ["web", "3"]
        web("scale", "clone", "web", "--replicas=4")
        for line in watch.stdout:
            if line.split()[1:7] == ["4"] * 6:
                break
        web("delete", "clone", "web", "--wait=false")
        rest = watch.stdout.readline()
        assert rest.split()[0] == "web"
    with web.started("get", "pods", "-l", "app=web", "--watch-only", "--output-watch-events", "-o", "name") as watch:
        assert watch.stdout
        web("apply", "-f", "-", stdin=CLONE_SET)
        assert any("pod/web-" in line for line in watch.stdout)


def test_describe_a_clone_set(web: Kubectl) -> None:
    text = web("describe", "clone", "web")
    assert re.search(r"^Name: +web$", text, re.M)
    assert re.search(r"^ +Updated Ready Replicas: +3$", text, re.M)
    events = text[text.index("Events:") :]
    assert len(re.findall(r"Normal +SuccessfulCreate +\S+ +cloneset-controller +created pod web-\w+", events)) == 3


def test_describe_a_pod(web: Kubectl) -> None:
    text = web("describe", "pods", "-l", "app=web")
    assert len(re.findall(r"^Controlled By: +CloneSet/web$", text, re.M)) == 3
    assert len(re.findall(r"^    Image: +nginx:1$", text, re.M)) == 3
    assert len(re.findall(r"^  Ready +True", text, re.M)) == 3
    assert len(re.findall(r"^Node: +node-\d/10\.", text, re.M)) == 3


def test_describe_a_node(web: Kubectl) -> None:
    pods = web.json("pods")["items"]
    node = pods[0]["spec"]["nodeName"]
    text = web("describe", "node", node)
    assert re.search(r"^  Ready +True .*KubeletReady", text, re.M)
    assert re.search(rf"^Lease:\n  HolderIdentity: +{node}\n.*\n  RenewTime: +\w+, ", text, re.M)
    listed = text[text.index("Non-terminated Pods:") :]
    for pod in pods:
        assert (pod["metadata"]["name"] in listed) == (pod["spec"]["nodeName"] == node)


def test_events(web: Kubectl) -> None:
    assert web("events", "--for", "clone/web").count("SuccessfulCreate") == 3
    assert web("get", "events", "--field-selector=reason=SuccessfulCreate", "-o", "name").count("event/web.") == 3


def test_explain_our_kinds(kubectl: Kubectl) -> None:
    text = kubectl("explain", "clonesets", "--recursive")
    assert text.startswith("GROUP:      apps.kruise.io\nKIND:       CloneSet\nVERSION:    v1alpha1\n")
    for field in ("minReadySeconds\t<integer>", "podsToDelete\t<[]string>", "partition\t", "labelsHandler\t<map[string]string>"):
        assert field in text
    field = kubectl("explain", "clone.spec.scaleStrategy.podsToDelete")
    assert "FIELD: podsToDelete <[]string>" in field
    assert len(field[field.index("DESCRIPTION:") :].split()) > 8, "a description, not a name alone"
    assert 'field "nothing" does not exist' in kubectl.fails("explain", "clone.spec.nothing")


def test_explain_definitions(kubectl: Kubectl) -> None:
    text = kubectl("explain", "crd", "--recursive")
    assert text.startswith("GROUP:      apiextensions.k8s.io\nKIND:       CustomResourceDefinition\nVERSION:    v1\n")
    assert "storage\t<boolean> -required-" in text


def test_explain_pods(kubectl: Kubectl) -> None:
    assert "containers\t<[]Container> -required-" in kubectl("explain", "pods.spec")
    assert "FIELD: image <string>" in kubectl("explain", "pod.spec.containers.image")
    assert "imagePullPolicy\t<string>" in kubectl("explain", "pods", "--recursive")


def test_api_resources(kubectl: Kubectl) -> None:
    rows = [row.split() for row in kubectl("api-resources", "--no-headers").splitlines()]
    assert ["clonesets", "clone", "apps.kruise.io/v1alpha1", "true", "CloneSet"] in rows
    assert ["pods", "po", "v1", "true", "Pod"] in rows
    assert ["nodes", "no", "v1", "false", "Node"] in rows
    assert kubectl("api-resources", "--api-group=apps.kruise.io", "-o", "name") == "clonesets.apps.kruise.io\n"
    versions = kubectl("api-versions").split()
    assert {"v1", "apps/v1", "apps.kruise.io/v1alpha1"} <= set(versions)
    assert "apps.kruise.io/v1beta1" not in versions


def test_may_do_everything(kubectl: Kubectl) -> None:
    for asked in (["create", "pods"], ["delete", "clonesets"], ["*", "*"], ["impersonate", "users"], ["get", "/metrics"]):
        assert kubectl("auth", "can-i", *asked) == "yes\n"
    assert re.search(r"^\*\.\* +\[] +\[] +\[\*]$", kubectl("auth", "can-i", "--list"), re.M)
    assert re.search(r"^Username +\S", kubectl("auth", "whoami"), re.M)


@pytest.mark.parametrize(
    "arguments", [["lone"], ["lone", "-c", "side"], ["lone", "-f"], ["lone", "--previous"], ["-l", "app=lone"]]
)
def test_logs_say_that_there_are_none(lone: Kubectl, arguments: list[str]) -> None:
    assert 'pod "lone" runs on a simulated node: its containers are pretended and write no logs' in lone.fails("logs", *arguments)


@pytest.mark.parametrize("arguments", [["exec", "lone", "--", "ls"], ["attach", "lone"], ["port-forward", "lone", "8080:80"]])
def test_what_pretended_containers_cannot_do_is_said(lone: Kubectl, arguments: list[str]) -> None:
    assert "its containers are pretended" in lone.fails(*arguments)


def test_version_and_cluster_info(kubectl: Kubectl) -> None:
    client, server = (re.search(rf"^{side} Version: (v1\.34\.\d+)", kubectl("version"), re.M) for side in ("Client", "Server"))
    assert client
    assert server
    url = kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
    assert kubectl("cluster-info").startswith(f"Kubernetes control plane is running at {url}\n")
    assert kubectl("get", "--raw", "/readyz") == "ok"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["get", "nothings"], 'error: the server doesn\'t have a resource type "nothings"'),
        (["get", "pod", "nobody"], 'Error from server (NotFound): pods "nobody" not found'),
        (["get", "clone", "nobody"], 'Error from server (NotFound): clonesets.apps.kruise.io "nobody" not found'),
        (["get", "pods", "-l", "a in (b"], "unable to parse requirement: found '', expected: ',' or ')'"),
        (["get", "pods", "--field-selector=spec.nothing=x"], "field label not supported: spec.nothing"),
        (["get", "--raw", "/apis/nothing/v1"], "Error from server (NotFound): the server could not find the requested resource"),
        (["delete", "clone", "nobody"], 'Error from server (NotFound): clonesets.apps.kruise.io "nobody" not found'),
        (["delete", "namespace", "default"], 'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted'),
        (["create", "configmap", "Bad_Name"], 'ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain'),
        (["create", "configmap", "x", "--namespace=nowhere"], 'namespaces "nowhere" not found'),
        (["scale", "node", "node-0", "--replicas=1"], "the server could not find the requested resource"),
        (["wait", "pod/nobody", "--for=condition=Ready", "--timeout=1s"], 'Error from server (NotFound): pods "nobody" not found'),
        (["set", "image", "clone/nobody", "main=x"], 'Error from server (NotFound): clonesets.apps.kruise.io "nobody" not found'),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_bad_requests(kubectl: Kubectl, arguments: list[str], says: str) -> None:
    assert says in kubectl.fails(*arguments)


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("apiVersion: apps.kruise.io/v1\nkind: CloneSet\nmetadata: {name: x}\n", 'no matches for kind "CloneSet" in version "apps.kruise.io/v1"'),
        (CLONE_SET.replace("replicas: 3", "replicass: 3"), 'strict decoding error: unknown field "spec.replicass"'),
        (CLONE_SET.replace("replicas: 3", "replicas: three"), "spec.replicas"),
        (CLONE_SET.replace("replicas: 3", "replicas: -3"), 'The CloneSet "web" is invalid: .spec.replicas: Invalid value: -3'),
        (CLONE_SET.replace("  selector: {matchLabels: {app: web}}\n", ""), 'The CloneSet "web" is invalid: spec.selector: Required value'),
        (POD + "spec: {}\n", 'The Pod "p" is invalid: spec.containers: Required value'),
        (POD + "spec: {containers: [{name: a}]}\n", 'The Pod "p" is invalid: spec.containers[0].image: Required value'),
        (POD + "spec: {containers: [{name: a, image: x, imge: y}]}\n", 'strict decoding error: unknown field "spec.containers[0].imge"'),
    ],
    ids=["kind", "unknown-field", "wrong-type", "negative", "no-selector", "no-containers", "no-image", "unknown-pod-field"],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["create", "apply"])
def test_bad_manifests(kubectl: Kubectl, tmp_path: Path, verb: str, text: str, says: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    refused = kubectl.fails(verb, "-f", str(path))
    assert says in refused
    assert len(refused.splitlines()) <= 3, refused
    assert kubectl.names("clone,pods") == []
