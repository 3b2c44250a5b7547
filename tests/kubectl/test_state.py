"""`kruise cluster up --state PATH`: what was acknowledged outlives the process, however that ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .cluster_process import ClusterUp, call, kruise
from .conftest import wait_ready
from .kubectl import Kubectl
from .manifests import CLONE_SET

MAPS = "/api/v1/namespaces/default/configmaps"
WRITERS = 4


@dataclass
class Writer:
    """Creates, changes and deletes config maps of its own until the server is gone, and remembers what it was answered."""

    number: int
    kept: dict[str, int] = field(default_factory=dict)  # by name: the newest count that was acknowledged
    deleted: set[str] = field(default_factory=set)
    in_doubt: str = ""  # what it was writing when no answer came
    versions: list[int] = field(default_factory=list)
    count: int = 0

    def run(self, cluster: ClusterUp, enough: threading.Event, total: int) -> None:
        choose = random.Random(self.number)
        with (
            cluster.connection() as connection,
            contextlib.suppress(OSError, http.client.HTTPException, json.JSONDecodeError),
        ):
            while True:
                self._write(connection, choose)
                if len(self.versions) >= total:
                    enough.set()

    def _write(self, connection: http.client.HTTPConnection, choose: random.Random) -> None:
        self.count += 1
        data = {"data": {"count": str(self.count), "filling": "x" * choose.randrange(3000)}}
        old = choose.choice([*self.kept, ""])
        if not old:
            name = f"w{self.number}-{self.count}"
            self.in_doubt = name
            status, answer = call(connection, "POST", MAPS, {"metadata": {"name": name}, **data})
            assert status == 201, answer
        elif choose.random() < 0.3:
            name = self.in_doubt = old
            status, answer = call(connection, "DELETE", f"{MAPS}/{name}")
            assert status == 200, answer
            self.deleted.add(name)
            del self.kept[name]
            return
        else:
            name = self.in_doubt = old
            status, answer = call(connection, "PATCH", f"{MAPS}/{name}", data)
            assert status == 200, answer
        self.kept[name] = self.count
        self.versions.append(int(answer["metadata"]["resourceVersion"]))


def write_until_killed(cluster: ClusterUp, writers: list[Writer], each: int) -> None:
    enough = threading.Event()
    threads = [threading.Thread(target=writer.run, args=(cluster, enough, each)) for writer in writers]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    cluster.kill()
    for thread in threads:
        thread.join(60)


def check(cluster: ClusterUp, writers: list[Writer]) -> int:
    """That all that was acknowledged is there. Returns the list's resourceVersion."""
    status, listed = cluster.call("GET", MAPS)
    assert status == 200
    stored = {item["metadata"]["name"]: item for item in listed["items"]}
    for writer in writers:
        for name in writer.deleted:
            assert name not in stored, f"{name} was deleted"
        for name, count in writer.kept.items():
            if name == writer.in_doubt and (name not in stored or stored[name]["data"]["count"] != str(count)):
                continue  # the write without an answer was made
            assert stored[name]["data"]["count"] == str(count), name
    newest = max(version for writer in writers for version in writer.versions)
    version = int(listed["metadata"]["resourceVersion"])
    assert version >= newest, "resourceVersions never go back"
    return version


def watch(cluster: ClusterUp, version: int) -> list[dict[str, Any]]:
    """The events of config maps that a watch from ``version`` gives until it has caught up."""
    with cluster.connection() as connection:
        connection.request("GET", f"{MAPS}?watch=true&resourceVersion={version}&timeoutSeconds=1")
        return [json.loads(line) for line in connection.getresponse().read().splitlines()]


def test_every_acknowledged_write_outlives_kill_9(tmp_path: Path) -> None:
    """Three times, with a CloneSet being rolled out meanwhile."""
    kubectl = Kubectl(kubeconfig=tmp_path / "kruise.kubeconfig", home=tmp_path)
    seen = 0
    uids: set[str] = set()
    for round_ in range(3):
        writers = [Writer(number=10 * round_ + number) for number in range(WRITERS)]
        with ClusterUp(tmp_path, "--state", "state") as cluster:
            kubectl("apply", "-f", "-", stdin=CLONE_SET.replace("nginx:1", f"nginx:{round_}"))
            made = json.loads(kubectl("create", "configmap", f"round-{round_}", "-o", "json"))["metadata"]
            assert int(made["resourceVersion"]) > seen
            assert made["uid"] not in uids
            uids.add(made["uid"])
            write_until_killed(cluster, writers, each=60)
        with ClusterUp(tmp_path, "--state", "state") as cluster:
            seen = check(cluster, writers)
            first = watch(cluster, version=writers[0].versions[0])
            assert [event["object"].get("code") for event in first] == [410], "from before the restart: list again"
            cluster.call("PATCH", f"{MAPS}/round-{round_}", {"data": {"a": "b"}})
            later = watch(cluster, version=seen)
            assert [event["type"] for event in later] == ["MODIFIED"]
            assert int(later[0]["object"]["metadata"]["resourceVersion"]) > seen
            wait_ready(kubectl, 3)
            assert kubectl("get", "clone", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == f"nginx:{round_}"
            assert cluster.stop() == 0


def keep_one(folder: Path) -> bytes:
    """Leaves a state file with the config maps ``kept`` and, written last, ``last``. Returns its bytes."""
    with ClusterUp(folder, "--state", "state", "--nodes", "0", "--no-manager") as cluster:
        for name in ("kept", "last"):
            assert cluster.call("POST", MAPS, {"metadata": {"name": name}})[0] == 201
        cluster.kill()
    return (folder / "state").read_bytes()


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_last_record_that_was_cut_off_is_survived(tmp_path: Path, cut: int) -> None:
    whole = keep_one(tmp_path)
    (tmp_path / "state").write_bytes(whole[:-cut])
    (tmp_path / "state.new").write_bytes(whole[: len(whole) // 2])  # from a rewrite that did not get to its end
    with ClusterUp(tmp_path, "--state", "state", "--nodes", "0", "--no-manager") as cluster:
        assert cluster.call("GET", f"{MAPS}/kept")[0] == 200
        assert cluster.call("GET", f"{MAPS}/last")[0] == 404
        assert cluster.call("POST", MAPS, {"metadata": {"name": "last"}})[0] == 201


def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    whole = bytearray(keep_one(tmp_path))
    middle = whole.index(b"\n", len(whole) // 2) + 10
    whole[middle] = 0
    (tmp_path / "state").write_bytes(whole)
    done = kruise(tmp_path, "cluster", "up", "--state", "state")
    assert done.returncode == 1
    line = bytes(whole).count(b"\n", 0, middle) + 1
    assert done.stderr.startswith(f"kruise: --state: state file {tmp_path}/state:{line}: damaged")
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "state").read_bytes() == whole


def test_one_state_serves_one_cluster(tmp_path: Path) -> None:
    with ClusterUp(tmp_path, "--state", "state", "--nodes", "0"):
        done = kruise(tmp_path, "cluster", "up", "--state", "state", "--kubeconfig", "other")
        assert (done.stderr, done.returncode) == (
            f"kruise: --state: state file {tmp_path}/state: another cluster is using it\n",
            1,
        )
        assert not (tmp_path / "other").exists()
