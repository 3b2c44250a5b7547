"""Models read what an API server sends, write the same, and keep what they do not know."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kruise.models import (
    CloneSet,
    CloneSetSpec,
    CloneSetUpdateStrategy,
    Container,
    LabelSelector,
    ModelError,
    ObjectMeta,
    PersistentVolumeClaim,
    PodSpec,
    PodTemplateSpec,
    ResourceRequirements,
)
from kruise.models._model import Model

FULL: dict[str, Any] = {
    "apiVersion": "apps.kruise.io/v1alpha1",
    "kind": "CloneSet",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "generation": 3,
        "creationTimestamp": "2021-03-01T08:00:00Z",
        "labels": {"app": "web"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u", "controller": True}],
        "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
        "futureMeta": 1,
    },
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "novel": [1, None]}]}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
        "scaleStrategy": {"podsToDelete": ["web-a"], "maxUnavailable": "10%", "disablePVCReuse": False},
        "updateStrategy": {
            "type": "InPlaceIfPossible",
            "partition": 3,
            "paused": True,
            "priorityStrategy": {"weightPriority": [{"weight": 5, "matchSelector": {"matchLabels": {"k": "v"}}}]},
            "scatterStrategy": [{"key": "k", "value": "v"}],
            "inPlaceUpdateStrategy": {"gracePeriodSeconds": 1},
        },
        "lifecycle": {"preDelete": {"labelsHandler": {"l": "1"}}, "inPlaceUpdate": {}},
        "minReadySeconds": None,
        "futureSpec": {"deep": [1.5, None, "x"]},
    },
    "status": {
        "replicas": 1,
        "conditions": [{"type": "FailedScale", "status": "True", "lastTransitionTime": "2021-03-01T08:00:00Z"}],
    },
}


def test_everything_survives_a_round_trip() -> None:
    model = CloneSet.from_dict(FULL)
    assert model.to_dict() == FULL
    assert list(model.to_dict()) == list(FULL)
    assert CloneSet.from_dict(model.to_dict()) == model


def test_fields_are_typed() -> None:
    model = CloneSet.from_dict(FULL)
    assert model.metadata is not None
    assert model.spec is not None
    assert model.spec.update_strategy is not None
    assert model.metadata.creation_timestamp == datetime(2021, 3, 1, 8, tzinfo=UTC)
    assert model.spec.update_strategy.partition == 3
    assert model.spec.lifecycle is not None
    assert model.spec.lifecycle.in_place_update is not None
    assert model.spec.min_ready_seconds is None
    assert model.spec.extra == {"minReadySeconds": None, "futureSpec": {"deep": [1.5, None, "x"]}}
    assert model.metadata.extra == {"futureMeta": 1}


def test_absent_is_not_written_and_null_is_kept() -> None:
    assert CloneSetSpec().to_dict() == {}
    assert CloneSetSpec(replicas=0).to_dict() == {"replicas": 0}
    assert CloneSetSpec.from_dict({"replicas": None}).to_dict() == {"replicas": None}
    spec = CloneSetSpec.from_dict({"replicas": None})
    spec.replicas = 4
    assert spec.to_dict() == {"replicas": 4}


def test_builders_take_keywords_only_and_refuse_unknown_names() -> None:
    build: Any = CloneSetSpec
    with pytest.raises(TypeError):
        build(3)
    with pytest.raises(TypeError):
        build(replica=3)
    with pytest.raises(AttributeError):
        build().replica = 3


def test_a_set_is_built_in_a_few_lines() -> None:
    model = CloneSet(
        metadata=ObjectMeta(name="web"),
        spec=CloneSetSpec(
            replicas=2, selector=LabelSelector(match_labels={"a": "b"}), update_strategy=CloneSetUpdateStrategy(max_surge="25%")
        ),
    )
    assert model.to_dict() == {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "updateStrategy": {"maxSurge": "25%"}},
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "Pod"}, "kind: expected 'CloneSet', found 'Pod'"),
        ({"apiVersion": "v1"}, "apiVersion: expected 'apps.kruise.io/v1alpha1', found 'v1'"),
        ({"spec": []}, "spec: expected an object, found list"),
        ({"spec": {"replicas": "3"}}, "spec.replicas: expected an integer, found str"),
        ({"spec": {"replicas": True}}, "spec.replicas: expected an integer, found bool"),
        (
            {"spec": {"updateStrategy": {"partition": 1.5}}},
            "spec.updateStrategy.partition: expected an integer or a string, found float",
        ),
        (
            {"spec": {"scaleStrategy": {"podsToDelete": ["a", 1]}}},
            r"spec.scaleStrategy.podsToDelete\[1\]: expected a string, found int",
        ),
        ({"metadata": {"labels": {"a": 1}}}, "metadata.labels.a: expected a string, found int"),
        ({"metadata": {"creationTimestamp": "soon"}}, "metadata.creationTimestamp: 'soon' is not a time"),
    ],
)
def test_errors_name_the_member(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        CloneSet.from_dict(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None)  # a busy machine is no error
@given(st.dictionaries(st.sampled_from(["replicas", "selector", "template", "lifecycle", "updateStrategy", "later"]), JSON))
def test_any_object_is_kept_or_refused(data: dict[str, Any]) -> None:
    try:
        model = CloneSetSpec.from_dict(data)
    except ModelError:
        return
    assert model.to_dict() == data


def test_templates_are_built_from_models_or_dictionaries() -> None:
    pod = PodTemplateSpec(
        metadata=ObjectMeta(labels={"app": "web"}),
        spec=PodSpec(
            containers=[
                Container(name="main", image="nginx:1", resources=ResourceRequirements(limits={"cpu": "500m", "memory": 1024}))
            ]
        ),
    )
    claim = PersistentVolumeClaim(metadata=ObjectMeta(name="data"))
    spec = CloneSetSpec(template=pod, volume_claim_templates=[claim, {"metadata": {"name": "logs"}}])
    written = spec.to_dict()
    assert written["template"] == {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "nginx:1", "resources": {"limits": {"cpu": "500m", "memory": 1024}}}]},
    }
    assert [c["metadata"]["name"] for c in written["volumeClaimTemplates"]] == ["data", "logs"]
    # What comes back is a dictionary, to the letter; a model of it is one call away.
    again = CloneSetSpec.from_dict(written).template
    assert isinstance(again, dict)
    assert PodTemplateSpec.from_dict(again) == pod


def test_help_tells_meaning_unit_and_default() -> None:
    text = inspect.getdoc(CloneSetUpdateStrategy) or ""
    assert "max_unavailable: How many pods may be unavailable at once during an update" in text
    assert "Default 20%" in text


def test_modules_are_imported_when_they_are_needed() -> None:
    code = (
        "import sys, kruise.models as m; assert 'kruise.models.apps_v1alpha1' not in sys.modules; "
        "m.ObjectMeta; assert 'kruise.models.apps_v1alpha1' not in sys.modules; m.CloneSet; assert 'kruise.models.apps_v1alpha1' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_name_can_be_imported() -> None:
    import kruise.models

    for name in kruise.models.__all__:
        assert getattr(kruise.models, name).__module__.startswith("kruise.models.")
    with pytest.raises(AttributeError):
        kruise.models.Nonsense  # noqa: B018
    assert issubclass(CloneSet, Model)
