"""A current client-go informer, and helm with a small chart, on the embedded cluster."""

from __future__ import annotations

import json
import subprocess
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

HERE = Path(__file__).resolve().parent
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def _send(url: str, method: str, path: str, body: Any = None, form: str = "json") -> Any:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": f"application/{form}"})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status < 400, text
        return json.loads(text)
    finally:
        connection.close()


def test_an_informer_sees_what_there_is_and_what_happens(url: str, go_clients: Path) -> None:
    _send(url, "POST", CONFIG_MAPS, {"metadata": {"name": "before"}, "data": {"k": "0"}})
    with subprocess.Popen([go_clients / "informer", url, "default"], stdout=subprocess.PIPE, text=True) as informer:
        try:
            assert informer.stdout is not None
            first = {informer.stdout.readline().strip() for _ in range(2)}  # its handler and its start run side by side
            assert first == {"added before 0", "synced 1"}
            _send(url, "POST", CONFIG_MAPS, {"metadata": {"name": "new"}, "data": {"k": "1"}})
            _send(url, "PATCH", f"{CONFIG_MAPS}/new", {"data": {"k": "2"}}, "merge-patch+json")
            _send(url, "DELETE", f"{CONFIG_MAPS}/before")
            seen = [informer.stdout.readline().strip() for _ in range(3)]
            assert seen == ["added new 1", "updated new 2", "deleted before 0"]
        finally:
            informer.kill()


@pytest.fixture
def helm(url: str, go_clients: Path, tmp_path: Path) -> Any:
    """Runs helm on the cluster; its homes are in a folder of the test."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": {}}],
                "current-context": "c",
            }
        )
    )

    def run(*arguments: str) -> str:
        environment = {"HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            [go_clients / "helm", *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_helm_installs_upgrades_rolls_back_and_removes(url: str, helm: Any) -> None:
    deployment = "/apis/apps/v1/namespaces/default/deployments/release"
    helm("install", "release", str(HERE / "chart"))
    assert _send(url, "GET", f"{CONFIG_MAPS}/release")["data"] == {"k": "hello"}
    assert _send(url, "GET", deployment)["metadata"]["annotations"]["meta.helm.sh/release-name"] == "release"
    helm("upgrade", "release", str(HERE / "chart"), "--set", "replicas=3,word=bye")
    assert _send(url, "GET", deployment)["spec"]["replicas"] == 3
    assert _send(url, "GET", f"{CONFIG_MAPS}/release")["data"] == {"k": "bye"}
    helm("rollback", "release", "1")
    assert _send(url, "GET", deployment)["spec"]["replicas"] == 1
    history = json.loads(helm("history", "release", "-o", "json"))
    assert [entry["status"] for entry in history] == ["superseded", "superseded", "deployed"]
    assert "deployed" in helm("list")
    helm("uninstall", "release")
    names = [item["metadata"]["name"] for item in _send(url, "GET", "/apis/apps/v1/namespaces/default/deployments")["items"]]
    assert "release" not in names
