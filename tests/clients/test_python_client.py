"""The official Python client on the embedded cluster."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

kubernetes: Any = importlib.import_module("kubernetes")  # it has no types
dynamic: Any = importlib.import_module("kubernetes.dynamic")

NAMESPACE = "default"


@pytest.fixture
def api(url: str) -> Any:
    configuration = kubernetes.client.Configuration(host=url)
    return kubernetes.client.ApiClient(configuration)


def _config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_objects_are_made_read_changed_and_deleted(api: Any) -> None:
    core = kubernetes.client.CoreV1Api(api)
    made = core.create_namespaced_config_map(NAMESPACE, _config_map("crud", a="1"))
    assert made.metadata.managed_fields[0].manager == "OpenAPI-Generator"
    made.data["a"] = "2"
    assert core.replace_namespaced_config_map("crud", NAMESPACE, made).data == {"a": "2"}
    with pytest.raises(kubernetes.client.ApiException) as refused:
        core.replace_namespaced_config_map("crud", NAMESPACE, made)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    assert core.patch_namespaced_config_map("crud", NAMESPACE, {"data": {"b": "1"}}).data == {"a": "2", "b": "1"}
    assert [
        item.metadata.name for item in core.list_namespaced_config_map(NAMESPACE, field_selector="metadata.name=crud").items
    ] == ["crud"]
    core.delete_namespaced_config_map("crud", NAMESPACE)
    with pytest.raises(kubernetes.client.ApiException) as gone:
        core.read_namespaced_config_map("crud", NAMESPACE)
    assert gone.value.status == 404


def test_a_watch_goes_on_from_a_list(api: Any) -> None:
    core = kubernetes.client.CoreV1Api(api)
    core.create_namespaced_config_map(NAMESPACE, _config_map("seen"))
    version = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    core.patch_namespaced_config_map("seen", NAMESPACE, {"data": {"x": "1"}})
    core.delete_namespaced_config_map("seen", NAMESPACE)
    seen = [
        (event["type"], event["object"].metadata.name)
        for event in kubernetes.watch.Watch().stream(
            core.list_namespaced_config_map, NAMESPACE, resource_version=version, timeout_seconds=1
        )
    ]
    assert seen == [("MODIFIED", "seen"), ("DELETED", "seen")]


def test_a_deployment_is_scaled(api: Any) -> None:
    apps = kubernetes.client.AppsV1Api(api)
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "main", "image": "nginx"}]}}
    apps.create_namespaced_deployment(
        NAMESPACE,
        {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}},
    )
    scale = apps.patch_namespaced_deployment_scale("d", NAMESPACE, {"spec": {"replicas": 4}})
    assert scale.spec.replicas == 4
    assert apps.read_namespaced_deployment("d", NAMESPACE).spec.replicas == 4


def test_the_dynamic_client_discovers_and_applies(api: Any) -> None:
    client = dynamic.DynamicClient(api)
    config_maps = client.resources.get(api_version="v1", kind="ConfigMap")
    one = config_maps.server_side_apply(_config_map("applied", a="1"), namespace=NAMESPACE, field_manager="one")
    assert one.data.to_dict() == {"a": "1"}
    with pytest.raises(dynamic.exceptions.ConflictError):
        config_maps.server_side_apply(_config_map("applied", a="2"), namespace=NAMESPACE, field_manager="two")
    taken = config_maps.server_side_apply(
        _config_map("applied", a="2"), namespace=NAMESPACE, field_manager="two", force_conflicts=True
    )
    assert [entry.manager for entry in taken.metadata.managedFields] == ["two"]
    assert client.resources.get(api_version="apps/v1", kind="Deployment").name == "deployments"
