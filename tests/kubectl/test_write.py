"""The verbs that write: apply, diff, create, replace, patch, scale, label, annotate."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import wait_ready
from .kubectl import ROOT, Kubectl
from .manifests import CLONE_SET, POD

IMAGE = "jsonpath={.spec.template.spec.containers[0].image}"
CHANGED = CLONE_SET.replace("nginx:1", "nginx:2")


def test_apply_creates_changes_and_leaves(kubectl: Kubectl, manifest: Path) -> None:
    assert kubectl("apply", "-f", str(manifest)) == "cloneset.apps.kruise.io/web created\n"
    assert kubectl("apply", "-f", str(manifest)) == "cloneset.apps.kruise.io/web unchanged\n"
    manifest.write_text(CHANGED)
    assert kubectl("apply", "-f", str(manifest)) == "cloneset.apps.kruise.io/web configured\n"
    assert kubectl("get", "clone", "web", "-o", IMAGE) == "nginx:2"


def test_apply_takes_out_what_the_file_no_longer_says(kubectl: Kubectl) -> None:
    labelled = CLONE_SET.replace("{name: web}", "{name: web, labels: {tier: x}}")
    full = labelled.replace("tier: x", "tier: x, team: a").replace("minReadySeconds: 0", "minReadySeconds: 7")
    kubectl("apply", "-f", "-", stdin=full)
    kubectl("label", "clone", "web", "mine=kept")
    kubectl("apply", "-f", "-", stdin=labelled.replace("  minReadySeconds: 0\n", ""))
    web = kubectl.json("clone", "web")
    assert "minReadySeconds" not in web["spec"]
    assert web["metadata"]["labels"] == {"tier": "x", "mine": "kept"}, "applied labels go, those of others stay"


def test_apply_the_definitions_of_the_chart(kubectl: Kubectl) -> None:
    """They are there already, from whoever made the cluster; kubectl learns from OpenAPI how their kind is patched."""
    done = kubectl.run("apply", "-f", str(ROOT / "charts" / "kruise" / "crds"))
    assert done.status == 0, done.err
    assert "clonesets.apps.kruise.io configured" in done.out
    assert [line for line in done.err.splitlines() if "kubectl.kubernetes.io/last-applied-configuration" not in line] == []
    done = kubectl.run("apply", "-f", str(ROOT / "charts" / "kruise" / "crds"))
    assert done.status == 0, done.err
    assert all(line.endswith(" unchanged") for line in done.out.splitlines())
    assert done.err == ""


def test_apply_merges_lists_of_built_in_kinds_by_their_keys(lone: Kubectl) -> None:
    lone("patch", "pod", "lone", "-p", '{"spec":{"tolerations":[{"key":"mine","operator":"Exists","effect":"NoExecute"}]}}')
    assert lone("apply", "-f", "-", stdin=POD.replace("nginx:1", "nginx:2")) == "pod/lone configured\n"
    spec = lone.json("pod", "lone")["spec"]
    assert [c["image"] for c in spec["containers"]] == ["nginx:2", "envoy:1"]
    assert "mine" in [t.get("key") for t in spec["tolerations"]]


def test_apply_server_side_by_one_manager(kubectl: Kubectl) -> None:
    applied = "cloneset.apps.kruise.io/web serverside-applied\n"
    labelled = CHANGED.replace("{name: web}", "{name: web, labels: {team: a}}")
    assert kubectl("apply", "--server-side", "-f", "-", stdin=labelled) == applied
    assert kubectl("apply", "--server-side", "-f", "-", stdin=CLONE_SET) == applied
    web = kubectl.json("clone", "web", "--show-managed-fields")
    assert web["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1"
    assert "labels" not in web["metadata"], "a field that its manager applies no more goes"
    assert [(f["manager"], f["operation"]) for f in web["metadata"]["managedFields"] if f["operation"] == "Apply"] == [
        ("kubectl", "Apply")
    ]


def test_apply_server_side_with_force_takes_fields_over(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=CLONE_SET)
    done = kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=other", "-f", "-", stdin=CHANGED)
    assert done == "cloneset.apps.kruise.io/web serverside-applied\n"
    assert kubectl("get", "clone", "web", "-o", IMAGE) == "nginx:2"


def test_a_dry_run_on_the_server_judges_and_stores_nothing(kubectl: Kubectl) -> None:
    assert (
        kubectl("apply", "--dry-run=server", "-f", "-", stdin=CLONE_SET)
        == "cloneset.apps.kruise.io/web created (server dry run)\n"
    )
    assert "NotFound" in kubectl.fails("get", "clone", "web")
    refused = kubectl.fails("apply", "--dry-run=server", "-f", "-", stdin=CLONE_SET.replace("replicas: 3", "replicas: -3"))
    assert "spec.replicas" in refused
    kubectl("apply", "-f", "-", stdin=CLONE_SET)
    kubectl("apply", "--dry-run=server", "-f", "-", stdin=CHANGED)
    assert kubectl("get", "clone", "web", "-o", IMAGE) == "nginx:1"


def test_diff_tells_by_its_status(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=CLONE_SET)
    same = kubectl.run("diff", "-f", "-", stdin=CLONE_SET)
    assert (same.out, same.err, same.status) == ("", "", 0)
    differs = kubectl.run("diff", "-f", "-", stdin=CHANGED)
    assert differs.status == 1
    lines = differs.out.splitlines()
    assert "-      - image: nginx:1" in lines
    assert "+      - image: nginx:2" in lines
    assert kubectl("get", "clone", "web", "-o", IMAGE) == "nginx:1"


def test_create_from_a_file(kubectl: Kubectl, manifest: Path) -> None:
    assert kubectl("create", "-f", str(manifest)) == "cloneset.apps.kruise.io/web created\n"
    again = kubectl.fails("create", "-f", str(manifest))
    assert again == (
        f'Error from server (AlreadyExists): error when creating "{manifest}": clonesets.apps.kruise.io "web" already exists'
    )


def test_create_a_namespace(kubectl: Kubectl) -> None:
    name = f"{kubectl.namespace}-made"
    assert kubectl("create", "namespace", name) == f"namespace/{name} created\n"
    assert kubectl("get", "namespace", name, "-o", "jsonpath={.status.phase}") == "Active"
    assert "already exists" in kubectl.fails("create", "namespace", name)
    assert kubectl("delete", "namespace", name) == f'namespace "{name}" deleted\n'


def test_create_a_config_map(kubectl: Kubectl, tmp_path: Path) -> None:
    blob = bytes(range(256))
    (tmp_path / "blob").write_bytes(blob)
    (tmp_path / "text").write_text("grüße\n")
    made = kubectl(
        "create", "configmap", "cm", "--from-literal=a=b", f"--from-file={tmp_path}/blob", f"--from-file={tmp_path}/text"
    )
    assert made == "configmap/cm created\n"
    stored = kubectl.json("configmap", "cm")
    assert stored["data"] == {"a": "b", "text": "grüße\n"}
    assert base64.b64decode(stored["binaryData"]["blob"]) == blob


@pytest.mark.parametrize(
    ("kind", "arguments", "type_", "keys"),
    [
        ("generic", ["--from-literal=p=q"], "Opaque", ["p"]),
        ("docker-registry", ["--docker-server=r", "--docker-username=u", "--docker-password=p"], "kubernetes.io/dockerconfigjson", [".dockerconfigjson"]),
    ],
)  # fmt: skip
def test_create_a_secret(kubectl: Kubectl, kind: str, arguments: list[str], type_: str, keys: list[str]) -> None:
    assert kubectl("create", "secret", kind, "s", *arguments) == "secret/s created\n"
    stored = kubectl.json("secret", "s")
    assert (stored["type"], list(stored["data"])) == (type_, keys)
    if kind == "generic":
        assert base64.b64decode(stored["data"]["p"]) == b"q"


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["deployment", "x", "--image=nginx", "--replicas=2"], "deployment"),
        (["service", "clusterip", "x", "--tcp=80:8080"], "service"),
        (["serviceaccount", "x"], "serviceaccount"),
        (["job", "x", "--image=nginx"], "job"),
        (["poddisruptionbudget", "x", "--selector=app=web", "--min-available=1"], "poddisruptionbudget"),
        (["cronjob", "x", "--image=nginx", "--schedule=* * * * *"], "cronjob"),
        (["ingress", "x", "--rule=a.b/c*=web:80"], "ingress"),
        (["quota", "x", "--hard=pods=2,cpu=1500m"], "quota"),
        (["role", "x", "--verb=get,list", "--resource=pods,clonesets.apps.kruise.io"], "role"),
        (["rolebinding", "x", "--role=r", "--user=u"], "rolebinding"),
        (["clusterrole", "x", "--verb=get", "--non-resource-url=/metrics"], "clusterrole"),
        (["clusterrolebinding", "x", "--clusterrole=r", "--serviceaccount=default:s"], "clusterrolebinding"),
        (["priorityclass", "x", "--value=5", "--description=d"], "priorityclass"),
    ],
)
def test_create_other_kinds(kubectl: Kubectl, arguments: list[str], kind: str) -> None:
    """kubectl sends these as protobuf: what arrives is what it says it would send."""
    wanted = json.loads(kubectl("create", *arguments, "--dry-run=client", "-o", "json"))
    kubectl("create", *arguments)
    stored = kubectl.json(kind, "x")
    assert stored["metadata"]["name"] == "x"
    assert _missing(wanted, stored) == []


def test_create_a_token(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "robot")
    token = kubectl("create", "token", "robot", "--duration=1h", "--audience=here")
    header, claims, signature = token.strip().split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (header, claims)]
    assert (decoded[0]["alg"], signature) == ("none", "")
    assert decoded[1]["aud"] == ["here"]
    assert decoded[1]["sub"].endswith(":robot")
    assert decoded[1]["exp"] - decoded[1]["iat"] == 3600


def _missing(wanted: Any, stored: Any, path: str = "") -> list[str]:
    """Paths of what is in `wanted` and not the same in `stored`; what is empty says nothing, and quantities may be written otherwise."""
    if isinstance(wanted, dict):
        has = stored if isinstance(stored, dict) else {}
        return [fault for key, item in wanted.items() if item for fault in _missing(item, has.get(key), f"{path}.{key}")]
    if isinstance(wanted, list):
        if not isinstance(stored, list) or len(stored) != len(wanted):
            return [path]
        return [fault for index, item in enumerate(wanted) for fault in _missing(item, stored[index], f"{path}[{index}]")]
    return [] if wanted == stored else [f"{path}: {wanted} is {stored}"]


def test_create_a_tls_secret(kubectl: Kubectl, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    kubectl("create", "secret", "tls", "s", f"--cert={certificate}", f"--key={key}")
    stored = kubectl.json("secret", "s")
    assert stored["type"] == "kubernetes.io/tls"
    assert base64.b64decode(stored["data"]["tls.key"]) == key.read_bytes()


def test_replace(kubectl: Kubectl, manifest: Path) -> None:
    assert "NotFound" in kubectl.fails("replace", "-f", str(manifest))
    kubectl("create", "-f", str(manifest))
    stale = kubectl.json("clone", "web")
    manifest.write_text(CHANGED)
    assert kubectl("replace", "-f", str(manifest)) == "cloneset.apps.kruise.io/web replaced\n"
    assert "the object has been modified" in kubectl.fails("replace", "-f", "-", stdin=json.dumps(stale))
    before = kubectl("get", "clone", "web", "-o", "jsonpath={.metadata.uid}")
    kubectl("replace", "--force", "-f", str(manifest))
    assert kubectl("get", "clone", "web", "-o", "jsonpath={.metadata.uid}") != before


@pytest.mark.parametrize(
    ("type_", "patch"),
    [("merge", '{"spec":{"replicas":4}}'), ("json", '[{"op":"replace","path":"/spec/replicas","value":4}]')],
)
def test_patch_a_clone_set(web: Kubectl, type_: str, patch: str) -> None:
    assert web("patch", "clone", "web", f"--type={type_}", "-p", patch) == "cloneset.apps.kruise.io/web patched\n"
    assert web("patch", "clone", "web", f"--type={type_}", "-p", patch) == "cloneset.apps.kruise.io/web patched (no change)\n"
    wait_ready(web, 4)


def test_patch_a_pod_strategically(lone: Kubectl) -> None:
    patch = '{"spec":{"containers":[{"name":"side","image":"envoy:2"}]}}'
    assert lone("patch", "pod", "lone", "-p", patch) == "pod/lone patched\n"
    assert lone("get", "pod", "lone", "-o", "jsonpath={.spec.containers[*].image}") == "nginx:1 envoy:2"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-p", '{"spec":{"replicas":4}}'], "application/strategic-merge-patch+json is not supported by apps.kruise.io/v1alpha1"),
        (["--type=json", "-p", '[{"op":"test","path":"/spec/replicas","value":9}]'], "The request is invalid"),
        (["--type=json", "-p", '[{"op":"replace","path":"/spec/nothing/here","value":9}]'], "The request is invalid"),
        (["--type=merge", "-p", '{"spec":{"replicas":-1}}'], 'The CloneSet "web" is invalid: .spec.replicas: Invalid value: -1'),
        (["--type=merge", "-p", '{"spec":'], "error decoding patch"),
        (["--type=merge", "-p", '{"metadata":{"resourceVersion":"1"}}'], "the object has been modified"),
    ],
)
def test_patches_that_are_refused(kubectl: Kubectl, arguments: list[str], says: str) -> None:
    kubectl("create", "-f", "-", stdin=CLONE_SET)
    refused = kubectl.fails("patch", "clone", "web", *arguments)
    assert says in refused
    assert "exception" not in refused
    assert kubectl("get", "clone", "web", "-o", "jsonpath={.spec.replicas}") == "3"


def test_patch_a_status(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "cm")
    assert "NotFound" in kubectl.fails("patch", "configmap", "cm", "--subresource=status", "--type=merge", "-p", "{}")
    kubectl("create", "-f", "-", stdin=POD)
    condition = '{"status":{"conditions":[{"type":"mine","status":"True"}]}}'
    kubectl("patch", "pod", "lone", "--subresource=status", "-p", condition)
    assert "mine" in [c["type"] for c in kubectl.json("pod", "lone")["status"]["conditions"]]


def test_scale(web: Kubectl) -> None:
    assert web("scale", "clone", "web", "--replicas=2") == "cloneset.apps.kruise.io/web scaled\n"
    wait_ready(web, 2)
    assert len(web.names("pods", "-l", "app=web")) == 2
    assert web.fails("scale", "clone", "web", "--replicas=5", "--current-replicas=7") == "error: Expected replicas to be 7, was 2"
    assert "scaled" in web("scale", "clone/web", "--replicas=4", "--current-replicas=2")
    wait_ready(web, 4)


@pytest.mark.parametrize(("verb", "place"), [("label", "labels"), ("annotate", "annotations")])
def test_label_and_annotate(kubectl: Kubectl, verb: str, place: str) -> None:
    def kept() -> dict[str, str]:
        got: dict[str, str] = kubectl.json("clone", "web")["metadata"].get(place, {})
        return got

    kubectl("create", "-f", "-", stdin=CLONE_SET)
    kubectl(verb, "clone", "web", "team=a", "tier=front")
    assert kept() == {"team": "a", "tier": "front"}
    assert "--overwrite is false" in kubectl.fails(verb, "clone", "web", "team=b")
    kubectl(verb, "clone", "web", "team=b", "tier-", "--overwrite")
    assert kept() == {"team": "b"}
    assert "name part must consist of" in kubectl.fails(verb, "clone", "--all", "bad key=1")
    assert kept() == {"team": "b"}


def test_label_by_selector(web: Kubectl) -> None:
    web("label", "pods", "-l", "app=web", "stage=canary")
    assert len(web.names("pods", "-l", "stage=canary")) == 3


def test_verbs_for_nodes(lone: Kubectl) -> None:
    node = lone("get", "pod", "lone", "-o", "jsonpath={.spec.nodeName}")
    try:
        assert lone("cordon", node) == f"node/{node} cordoned\n"
        assert "SchedulingDisabled" in lone("get", "node", node)
        assert "pod/lone evicted" in lone("drain", node, "--force", "--pod-selector=app=lone", "--timeout=30s")
        assert lone.names("pods") == []
    finally:
        assert lone("uncordon", node) == f"node/{node} uncordoned\n"
