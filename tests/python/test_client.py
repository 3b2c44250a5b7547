"""The verbs of `kruise.Client`, on an embedded cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import pytest

import kruise
from kruise.models import CloneSet, CloneSetSpec, Container, LabelSelector, ObjectMeta, PodSpec, PodTemplateSpec

from .objects import clone_set, config_map


def built(name: str = "web") -> CloneSet:
    pod = PodTemplateSpec(
        metadata=ObjectMeta(labels={"app": name}), spec=PodSpec(containers=[Container(name="main", image="nginx:1")])
    )
    spec = CloneSetSpec(replicas=1, selector=LabelSelector(match_labels={"app": name}), template=pod)
    return CloneSet(metadata=ObjectMeta(name=name), spec=spec)


def test_what_goes_in_as_a_model_comes_out_as_one(client: kruise.Client) -> None:
    made = client.create(built())
    assert_type(made, CloneSet)
    assert isinstance(made, CloneSet)
    read = client.get(CloneSet, "web")
    assert_type(read, CloneSet)
    assert read.metadata is not None
    assert read.metadata.uid
    assert read.spec is not None
    read.spec.replicas = 3
    replaced = client.replace(read)
    assert replaced.spec is not None
    assert replaced.spec.replicas == 3
    patched = client.patch(CloneSet, "web", {"spec": {"replicas": 4}})
    assert patched.spec is not None
    assert patched.spec.replicas == 4
    assert [one.KIND for one in client.list(CloneSet)] == ["CloneSet"]
    with client.watch(CloneSet, timeout=5) as changes:
        assert_type(next(changes).object, CloneSet)
    plain = client.get("clone", "web")
    assert_type(plain, dict[str, Any])
    assert plain["spec"]["replicas"] == 4


def test_kinds_go_by_every_name_of_theirs(client: kruise.Client) -> None:
    client.create(built())
    for word in ("clone", "cloneset", "clonesets", "CloneSet", "clonesets.apps.kruise.io", CloneSet):
        assert client.get(word, "web")
    with pytest.raises(kruise.KruiseError, match='the server has no kind "clonset"; did you mean cloneset'):
        client.get("clonset", "web")


def test_apply_takes_objects_models_files_and_folders(client: kruise.Client, tmp_path: Path) -> None:
    assert client.apply(config_map("a", x="1"))["data"] == {"x": "1"}
    assert isinstance(client.apply(built()), CloneSet)
    (tmp_path / "two.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    )
    (tmp_path / "three.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}}')
    (tmp_path / "notes.txt").write_text("no manifest")
    assert [one["metadata"]["name"] for one in client.apply(tmp_path / "two.yaml")] == ["b", "c"]
    assert [one["metadata"]["name"] for one in client.apply(str(tmp_path))] == ["d", "b", "c"]
    (tmp_path / "empty").mkdir()
    for what, message in (
        (tmp_path / "gone.yaml", r"gone.yaml: No such file"),
        (tmp_path / "empty", r"empty: no .yaml, .yml or .json file"),
        ("~/surely-not-there.yaml", rf"{Path.home()}/surely-not-there.yaml"),
    ):
        with pytest.raises(kruise.KruiseError, match=message):
            client.apply(what)
    (tmp_path / "bad.yaml").write_text("a: b\n  c: d\n")
    with pytest.raises(kruise.KruiseError, match=r"bad.yaml:2: "):
        client.apply(tmp_path / "bad.yaml")


def test_lists_by_labels_and_fields(client: kruise.Client) -> None:
    for name in ("a", "b"):
        client.create(config_map(name))
    client.create({**config_map("c"), "metadata": {"name": "c"}})

    def names(**options: Any) -> list[str]:
        return [one["metadata"]["name"] for one in client.list("cm", **options)]

    assert names(selector="app=web") == names(selector={"app": "web"}) == ["a", "b"]
    assert names(field_selector={"metadata.name": "c"}) == ["c"]
    assert {one["kind"] for one in client.list("cm")} == {"ConfigMap"}
    assert client.list("cm", namespace="kube-system", selector={"app": "web"}) == []
    assert len(client.list("cm", all_namespaces=True, selector={"app": "web"})) == 2


def test_mistakes_are_named(client: kruise.Client) -> None:
    client.create(config_map("a"))
    calls: list[tuple[Any, type[Exception], str]] = [
        (lambda: client.get("cm", ""), ValueError, "name: must not be empty"),
        (lambda: client.patch("cm", "a", [{"op": "remove", "path": "/data"}]), TypeError, 'a list is a patch of type="json"'),
        (lambda: client.patch("cm", "a", {}, type="json"), TypeError, "a list of operations"),
        (lambda: client.patch("cm", "a", {}, type="apply"), ValueError, "the verb apply"),  # type: ignore[call-overload]
        (lambda: client.create({"kind": "Pod"}), kruise.KruiseError, "apiVersion: required"),
        (lambda: client.apply({"apiVersion": "v1", "kind": "Pod"}), kruise.KruiseError, "metadata.name: required"),
        (lambda: client.create(3), TypeError, "as a dictionary or a model, found int"),  # type: ignore[call-overload]
        (lambda: client.create(config_map("a")), kruise.AlreadyExists, '"a" already exists'),
        (lambda: client.get("cm", "b"), kruise.NotFound, 'configmaps "b" not found'),
    ]
    for call, error, message in calls:
        with pytest.raises(error, match=message):
            call()


def test_errors_carry_code_reason_and_causes(client: kruise.Client) -> None:
    bad = built()
    assert bad.spec is not None
    bad.spec.replicas = "three"  # type: ignore[assignment]
    with pytest.raises(kruise.Invalid) as caught:
        client.create(bad)
    error = caught.value
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.causes[0].field == "spec.replicas"
    assert 'Invalid value: "string"' in error.causes[0].message
    assert str(error).endswith("(422 Invalid)")
    assert isinstance(error, kruise.ApiError)
    assert isinstance(error, kruise.KruiseError)
    client.create(config_map("a"))
    stale = client.get("cm", "a")
    client.patch("cm", "a", {"data": {"x": "1"}})
    with pytest.raises(kruise.Conflict):
        client.replace(stale)


def test_delete_and_wait(cluster: kruise.Cluster, client: kruise.Client) -> None:
    with kruise.Manager(cluster):
        client.create(clone_set(replicas=2))
        web = client.wait("clone", "web", lambda web: web["status"]["readyReplicas"] == 2, timeout=20)
        assert web["status"]["replicas"] == 2
        with pytest.raises(TimeoutError, match=r"clone web: not as wanted after 0.2 s"):
            client.wait("clone", "web", lambda web: web["status"]["replicas"] == 9, timeout=0.2)
        with pytest.raises(TimeoutError, match=r"clone web: not deleted after 0.2 s"):
            client.wait("clone", "web", "deleted", timeout=0.2)
        pod = client.list("pods")[0]["metadata"]["name"]
        client.delete("pod", pod)
        client.wait("pod", pod, "deleted", timeout=20)
        client.wait("pod", "never-there", "deleted", timeout=20)
    assert client.delete("pod", "never-there", missing_ok=True) is None
    with pytest.raises(kruise.NotFound):
        client.delete("pod", "never-there")


def test_tables_are_what_kubectl_shows(cluster: kruise.Cluster, client: kruise.Client) -> None:
    with kruise.Manager(cluster):
        client.create(clone_set(replicas=2))
        client.wait("clone", "web", lambda web: web["status"]["readyReplicas"] == 2, timeout=20)
    table = client.table("pods", selector={"app": "web"})
    assert table.columns[:4] == ("Name", "Ready", "Status", "Restarts")
    assert table.column("Status") == ["Running", "Running"]
    assert [row["Ready"] for row in table.records()] == ["1/1", "1/1"]
    lines = str(table).splitlines()
    assert lines[0].split()[:4] == ["NAME", "READY", "STATUS", "RESTARTS"]
    assert len(lines) == len(table) + 1 == 3
    assert table._repr_html_().count("<tr>") == 3
    assert "Node" in client.table("pods", wide=True).columns
    assert client.table("clone", all_namespaces=True).columns[0] == "Namespace"
    assert table.column("Age")[0].endswith("s")
    with pytest.raises(KeyError, match="there are Name, Ready"):
        table.column("nope")
    assert len(client.table("pods", namespace="kube-system")) == 0


def test_a_watch_brings_what_there_is_and_every_change(client: kruise.Client) -> None:
    client.create(config_map("a"))
    seen: list[tuple[str, str]] = []
    with client.watch("cm", selector={"app": "web"}, timeout=10) as changes:
        for event in changes:
            seen.append((event.type, event.object["metadata"]["name"]))
            match len(seen):
                case 1:
                    assert repr(event) == "<WatchEvent ADDED ConfigMap default/a>"
                    client.patch("cm", "a", {"data": {"x": "1"}})
                case 2:
                    client.delete("cm", "a")
                case 3:
                    break
    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert list(changes) == []


def test_in_virtual_time_a_watch_ends_when_nothing_is_due() -> None:
    with kruise.Cluster(virtual=True) as cluster:
        client = cluster.client()
        client.create(config_map("a"))
        assert [event.type for event in client.watch("cm", selector="app=web")] == ["ADDED"]
