"""Patches computed here against the same patches sent to a real API server.

Each case patches an object by ``?dryRun=All`` and puts, also dry, the object that our code computed for the same patch: both
answers must be equal to the last field, so defaults and validation are the server's on both sides.
"""

from __future__ import annotations

import copy
import http.client
import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[2]
CASES_PER_BASE = 22
BASES = 10  # of each kind; three kinds
CONTENT_TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
}
Json = Any


class PatchTool:
    """Our patch code: a process that answers one JSON line with another."""

    def __init__(self) -> None:
        built = sorted(ROOT.glob("build/*/bin/patch-tool"), key=lambda path: path.stat().st_mtime)
        assert built, "patch-tool is not built"
        self._process = subprocess.Popen([str(built[-1])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, do: str, with_: str, kind: dict[str, str], target: Json, patch: Json) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"do": do, "with": with_, **kind, "target": target, "patch": patch}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def tool() -> Iterator[PatchTool]:
    tool = PatchTool()
    yield tool
    tool.close()


# --- random objects ---------------------------------------------------------------------------------------------------


class Draw:
    """Random parts of objects, valid by themselves; names come from small sets, so that two objects share many."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def some(self, names: str, least: int = 0) -> list[str]:
        chosen = [name for name in names if self.random.random() < 0.5]
        self.random.shuffle(chosen)
        return chosen if len(chosen) >= least else list(names[:least])

    def maybe(self, target: dict[str, Json], key: str, value: Json, chance: float = 0.5) -> None:
        if self.random.random() < chance:
            target[key] = value

    def text_map(self) -> dict[str, str]:
        return {key: str(self.random.randrange(3)) for key in self.some("abcd")}

    def container(self, name: str) -> dict[str, Json]:
        made: dict[str, Json] = {"name": name, "image": f"example.com/{name}:{self.random.randrange(3)}"}
        self.maybe(made, "imagePullPolicy", self.random.choice(["Always", "IfNotPresent"]))
        self.maybe(made, "args", self.some("xyz"))
        self.maybe(made, "env", [{"name": f"E{key}", "value": str(self.random.randrange(2))} for key in self.some("abcd")])
        self.maybe(made, "ports", [{"containerPort": 80 + ord(key)} for key in self.some("abc")])
        self.maybe(made, "volumeMounts", [{"mountPath": f"/{key}", "name": "v"} for key in self.some("abc")])
        self.maybe(made, "resources", {"limits": {"cpu": self.random.choice(["1", "500m"]), "memory": "1Gi"}})
        self.maybe(
            made, "securityContext", {"runAsUser": self.random.randrange(3), "capabilities": {"add": self.some("AB")}}, 0.3
        )
        self.maybe(made, "readinessProbe", {"httpGet": {"path": "/r", "port": 80}, "periodSeconds": 5}, 0.3)
        return made

    def volume(self, name: str) -> dict[str, Json]:
        sources: list[dict[str, Json]] = [{"emptyDir": {}}, {"emptyDir": {"medium": "Memory"}}, {"configMap": {"name": "c"}}]
        return {"name": name, **self.random.choice(sources)}

    def pod_spec(self) -> dict[str, Json]:
        made: dict[str, Json] = {
            "containers": [self.container(name) for name in self.some("pqrs", 1)],
            "volumes": [self.volume(name) for name in ["v", *self.some("wx")]],
        }
        self.maybe(made, "initContainers", [self.container(f"init-{name}") for name in self.some("ij")])
        self.maybe(made, "nodeSelector", self.text_map())
        self.maybe(made, "tolerations", [{"key": key, "operator": "Exists"} for key in self.some("abc")])
        self.maybe(made, "imagePullSecrets", [{"name": key} for key in self.some("abc")])
        self.maybe(
            made, "hostAliases", [{"ip": f"10.0.0.{ord(key)}", "hostnames": self.some("mn", 1)} for key in self.some("ab")]
        )
        self.maybe(made, "terminationGracePeriodSeconds", self.random.randrange(3))
        constraint = {"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
        self.maybe(made, "topologySpreadConstraints", [{**constraint, "topologyKey": key} for key in self.some("st")])
        return made

    def metadata(self, name: str) -> dict[str, Json]:
        made: dict[str, Json] = {"name": name}
        self.maybe(made, "labels", self.text_map())
        self.maybe(made, "annotations", self.text_map())
        self.maybe(made, "finalizers", [f"example.com/{key}" for key in self.some("abcd")])
        owners = [{"apiVersion": "v1", "kind": "Pod", "name": key, "uid": f"u-{key}"} for key in self.some("abc")]
        self.maybe(made, "ownerReferences", owners)
        return made

    def deployment(self, name: str) -> dict[str, Json]:
        labels = {"app": "x", **self.text_map()}
        template = {"metadata": {"labels": labels}, "spec": self.pod_spec()}
        spec: dict[str, Json] = {"replicas": 0, "selector": {"matchLabels": {"app": "x"}}, "template": template}
        strategies: list[dict[str, Json]] = [
            {"type": "Recreate"},
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": self.random.randrange(1, 3), "maxUnavailable": "30%"}},
        ]
        self.maybe(spec, "strategy", self.random.choice(strategies))
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": self.metadata(name), "spec": spec}

    def config_map(self, name: str) -> dict[str, Json]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": self.metadata(name), "data": self.text_map()}

    def service_account(self, name: str) -> dict[str, Json]:
        made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": self.metadata(name)}
        self.maybe(made, "secrets", [{"name": key} for key in self.some("abcd")], 0.8)
        self.maybe(made, "imagePullSecrets", [{"name": key} for key in self.some("abcd")], 0.8)
        return made

    # --- random patches: a part of a random object, with directives thrown in

    def part(self, value: Json, known: Json, where: str = "") -> Json:
        """A part of ``value`` as patch to ``known``: members left out, removed, replaced, reordered, elements deleted."""
        if isinstance(value, dict):
            return self.object_part(value, known if isinstance(known, dict) else {})
        if isinstance(value, list):
            return self.list_part(value, known if isinstance(known, list) else [])
        return value

    def object_part(self, value: dict[str, Json], known: dict[str, Json]) -> dict[str, Json]:
        made: dict[str, Json] = {}
        for key, inner in value.items():
            if key in ("name", "mountPath", "containerPort", "uid", "ip", "topologyKey"):  # merge keys mostly stay
                self.maybe(made, key, inner, 0.98)
            elif self.random.random() < 0.7:
                made[key] = self.part(inner, known.get(key))
                self.list_directives(made, key, known.get(key))
        for key in known:
            if key not in value and key not in ("apiVersion", "kind", "metadata", "spec", "status", "name"):
                self.maybe(made, key, None, 0.2)
        self.maybe(made, "$patch", self.random.choice(["replace", "delete", "nonsense"]), 0.01)
        if self.random.random() < 0.03:
            keep = [key for key in {**known, **made} if self.random.random() < 0.9 or key in made]
            made["$retainKeys"] = keep if self.random.random() < 0.9 else keep[:1]
        return made

    def list_part(self, value: list[Json], known: list[Json]) -> list[Json]:
        made = [self.part(inner, self.counterpart(inner, known)) for inner in value if self.random.random() < 0.8]
        if known and isinstance(known[0], dict):
            for inner in known:
                key = self.merge_key(inner)
                if key and self.random.random() < 0.15:
                    made.append({"$patch": "delete", key: inner[key]})
            if made and self.random.random() < 0.03:
                made.append({"$patch": self.random.choice(["replace", "merge"])})
        return made

    def list_directives(self, made: dict[str, Json], key: str, known: Json) -> None:
        value = made[key]
        if not isinstance(value, list) or not isinstance(known, list):
            return
        everything = known + [inner for inner in value if inner not in known]
        if everything and isinstance(everything[0], str):
            # What is added and deleted by one patch is in the list or not by chance.
            gone = [inner for inner in known if inner not in value and self.random.random() < 0.5]
            self.maybe(made, f"$deleteFromPrimitiveList/{key}", gone, 0.4)
            if self.random.random() < 0.4:
                made[f"$setElementOrder/{key}"] = self.order(value, known)
        elif everything and isinstance(everything[0], dict) and self.random.random() < 0.4:
            named = [inner for inner in value if "$patch" not in inner and self.merge_key(inner)]
            order = self.order([{self.merge_key(i): i[self.merge_key(i)]} for i in named], [])
            others = [{self.merge_key(i): i[self.merge_key(i)]} for i in known if self.merge_key(i)]
            for other in others:
                if other not in order and self.random.random() < 0.6:
                    order.insert(self.random.randrange(len(order) + 1), other)
            made[f"$setElementOrder/{key}"] = order

    def order(self, value: list[Json], known: list[Json]) -> list[Json]:
        made: list[Json] = list(dict.fromkeys(value)) if all(isinstance(i, str) for i in value) else list(value)
        for inner in known:
            if inner not in made and self.random.random() < 0.6:
                made.insert(self.random.randrange(len(made) + 1), inner)
        if len(made) > 1 and self.random.random() < 0.1:  # perhaps not the order of the patch any more
            self.random.shuffle(made)
        return made

    @staticmethod
    def merge_key(element: dict[str, Json]) -> str:
        for key in ("mountPath", "containerPort", "uid", "ip", "topologyKey", "name"):
            if key in element:
                return key
        return ""

    def counterpart(self, element: Json, known: list[Json]) -> Json:
        if isinstance(element, dict) and (key := self.merge_key(element)):
            return next((other for other in known if isinstance(other, dict) and other.get(key) == element[key]), None)
        return None


# --- the comparison ---------------------------------------------------------------------------------------------------


def compared(answer: tuple[int, Json]) -> Json:
    """What must agree: the object without its field ownership, or the refusal's code and causes."""
    code, body = answer
    if code >= 400:
        causes = (body.get("details") or {}).get("causes") or []
        return code, sorted((cause.get("reason"), cause.get("field")) for cause in causes)
    body = copy.deepcopy(body)
    body["metadata"].pop("managedFields", None)
    return code, body


class Ground:
    """One kind on the real server."""

    def __init__(self, plane: ControlPlane, tool: PatchTool, path: str, kind: dict[str, str]) -> None:
        self.plane, self.tool, self.path, self.kind = plane, tool, path, kind

    def create(self, body: Json) -> Json:
        code, made = self.plane.call("POST", self.path, body)
        assert code == 201, made
        made["metadata"].pop("managedFields")
        return {**self.type_meta(body), **made}

    @staticmethod
    def type_meta(body: Json) -> dict[str, str]:
        return {"apiVersion": body["apiVersion"], "kind": body["kind"]}

    def check(self, base: Json, with_: str, patch: Json, seed: str) -> str:
        """Sends the patch and puts our result; returns what came of it."""
        place = f"{self.path}/{base['metadata']['name']}?dryRun=All"
        try:
            theirs = self.plane.call("PATCH", place, patch, content_type=CONTENT_TYPES[with_])
        except http.client.RemoteDisconnected:  # it crashed while patching; we must not
            theirs = (500, None)
        ours = self.tool.ask("apply", with_, self.kind, base, patch)
        about = f"seed {seed}\npatch {json.dumps(patch)}\nbase {json.dumps(base)}"
        if "error" in ours:
            assert theirs[0] == ours["error"]["code"], f"{about}\nours {ours}\ntheirs {theirs}"
            return "refused"
        put = self.plane.call("PUT", place, ours["result"])
        if theirs[0] != 200:
            assert put[0] == theirs[0], f"{about}\nours {put}\ntheirs {theirs}"
        if compared(put) != compared(theirs):
            pytest.fail(f"{about}\ndifferent: {self.tool.ask('diff', 'json', {}, compared(theirs)[1], compared(put)[1])}")
        return "done" if theirs[0] == 200 else "invalid"


KINDS = {
    "deployment": ("/apis/apps/v1/namespaces/default/deployments", {"group": "apps", "version": "v1", "kind": "Deployment"}),
    "config_map": ("/api/v1/namespaces/default/configmaps", {"group": "", "version": "v1", "kind": "ConfigMap"}),
    "service_account": ("/api/v1/namespaces/default/serviceaccounts", {"group": "", "version": "v1", "kind": "ServiceAccount"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_random_strategic_patches(control_plane: ControlPlane, tool: PatchTool, kind: str) -> None:
    ground = Ground(control_plane, tool, *KINDS[kind])
    outcomes: dict[str, int] = {}
    for base_seed in range(BASES):
        draw = Draw(base_seed)
        base = ground.create(getattr(draw, kind)(f"patched-{base_seed}"))
        for case in range(CASES_PER_BASE):
            draw = Draw(1000 * base_seed + case)
            wanted = getattr(draw, kind)(base["metadata"]["name"])
            wanted.pop("apiVersion"), wanted.pop("kind"), wanted["metadata"].pop("name")
            outcome = ground.check(base, "strategic", draw.part(wanted, base), f"{kind} {base_seed} {case}")
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
    # The cases are worth their time only if most patches apply and some are refused.
    assert outcomes["done"] >= BASES * CASES_PER_BASE / 4, outcomes
    assert outcomes.get("refused", 0) >= 5, outcomes


@pytest.mark.parametrize("with_", CONTENT_TYPES)
def test_our_diffs_lead_a_real_server_to_the_wanted_object(control_plane: ControlPlane, tool: PatchTool, with_: str) -> None:
    path, kind = KINDS["deployment"]
    ground = Ground(control_plane, tool, path, kind)
    base = ground.create(Draw(77).deployment(f"diffed-{with_}"))
    place = f"{path}/{base['metadata']['name']}?dryRun=All"
    for seed in range(25):
        wanted = {**base, **Draw(seed).deployment(base["metadata"]["name"]), "status": base["status"]}
        wanted["metadata"] = {**base["metadata"], **wanted["metadata"]}
        patch = tool.ask("diff", with_, kind, base, wanted)["result"]
        patched = control_plane.call("PATCH", place, patch, content_type=CONTENT_TYPES[with_])
        assert compared(patched) == compared(control_plane.call("PUT", place, wanted)), f"seed {seed}: {json.dumps(patch)}"


JSON_PATCHES: list[list[dict[str, Json]]] = [
    [{"op": "replace", "path": "/data/absent", "value": "x"}],
    [{"op": "remove", "path": "/data/absent"}],
    [{"op": "test", "path": "/data/absent", "value": None}],
    [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "remove", "path": "/data/a"}],
    [{"op": "test", "path": "/data/a", "value": "2"}],
    [{"op": "test", "path": "/absent/a", "value": None}],
    [{"op": "copy", "from": "/data/a", "path": "/data/b"}],
    [{"op": "move", "from": "/data/a", "path": "/data/c~1d"}],
    [{"op": "move", "from": "/data/absent", "path": "/data/c"}],
    [{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/n"}],
    [{"op": "add", "path": "/metadata/finalizers/-1", "value": "example.com/n"}],
    [{"op": "add", "path": "/metadata/finalizers/1", "value": "example.com/n"}],
    [{"op": "add", "path": "/metadata/finalizers/9", "value": "example.com/n"}],
    [{"op": "remove", "path": "/metadata/finalizers/-1"}],
    [{"op": "remove", "path": "/metadata/finalizers/01"}],
    [{"op": "remove", "path": "/metadata/finalizers/x"}],
    [{"op": "replace", "path": "/metadata/finalizers/2", "value": "example.com/n"}],
    [{"op": "add", "path": "data/a", "value": "x"}],
    [{"op": "add", "path": "data", "value": {}}],
    [{"op": "add", "path": "", "value": {}}],
    [{"op": "add", "path": "/data/a/b", "value": "x"}],
    [{"op": "spin", "path": "/data/a"}],
    [{"path": "/data/a"}],
    [{"op": "add"}],
    [{"op": "move", "path": "/data/a"}],
    [{"op": "test", "path": "/metadata/labels", "value": {"l": "1"}}],
    [{"op": "test", "path": "/metadata/labels", "value": {"l": "1", "m": "2"}}],
    [{"op": "add", "path": "/data/new", "value": "<&>"}, {"op": "test", "path": "/data/new", "value": "<&>"}],
    [{"op": "remove", "path": "/metadata/labels"}, {"op": "add", "path": "/metadata/labels/l", "value": "2"}],
    [],
]


@pytest.mark.parametrize("patch", JSON_PATCHES, ids=json.dumps)
def test_json_patches(control_plane: ControlPlane, tool: PatchTool, patch: list[dict[str, Json]]) -> None:
    ground = Ground(control_plane, tool, *KINDS["config_map"])
    name = f"json-patched-{JSON_PATCHES.index(patch)}"
    metadata = {"name": name, "labels": {"l": "1"}, "finalizers": ["example.com/a", "example.com/b"]}
    base = ground.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}})
    ground.check(base, "json", patch, name)


MALFORMED: list[Json] = [{}, [], None, 7, "x", [1], [{"op": 1}], [{"path": 1}], [None], {"data": 1}]


@pytest.mark.parametrize("patch", MALFORMED, ids=json.dumps)
@pytest.mark.parametrize("with_", ["strategic", "json"])
def test_malformed_patches(control_plane: ControlPlane, tool: PatchTool, with_: str, patch: Json) -> None:
    ground = Ground(control_plane, tool, *KINDS["config_map"])
    name = f"malformed-{with_}-{MALFORMED.index(patch)}"
    base = ground.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
    ours = tool.ask("apply", with_, ground.kind, base, patch)
    # As text: the body of a request would be left out for None.
    theirs = control_plane.call("PATCH", f"{ground.path}/{name}?dryRun=All", json.dumps(patch), content_type=CONTENT_TYPES[with_])
    if "error" in ours:
        assert theirs[0] == ours["error"]["code"], theirs
    elif with_ == "json":
        assert theirs[0] == 200, theirs
