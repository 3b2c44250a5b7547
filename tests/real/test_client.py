"""The REST client (C++) against a real API server: the cases are in cpp/client_test.cpp."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from built import built
from control_plane import ADMIN_TOKEN, ControlPlane

EXEC_VERSION = "client.authentication.k8s.io/v1"


def _program(path: Path, status: dict[str, str]) -> str:
    """A credential program that prints the status."""
    answer = {"kind": "ExecCredential", "apiVersion": EXEC_VERSION, "status": status}
    path.with_suffix(".json").write_text(json.dumps(answer))
    path.write_text(f"#!/bin/sh\ncat {path.with_suffix('.json')}\n")
    path.chmod(0o700)
    return str(path)


@pytest.fixture
def kubeconfigs(control_plane: ControlPlane, tmp_path: Path) -> Path:
    plane = control_plane
    certificate, key = plane.client_certificate
    (tmp_path / "token.txt").write_text(ADMIN_TOKEN + "\n")
    (tmp_path / "rotating-token").write_text(ADMIN_TOKEN)
    (tmp_path / "other-ca.crt").write_bytes(_other_authority(tmp_path))

    def exec_user(name: str, status: dict[str, str]) -> dict[str, object]:
        command = _program(tmp_path / name, status)
        return {"exec": {"apiVersion": EXEC_VERSION, "command": command, "interactiveMode": "Never", "provideClusterInfo": True}}

    admin = {"token": ADMIN_TOKEN}
    no_ca = {"certificate-authority-data": None}
    write = plane.write_kubeconfig
    write(tmp_path / "token")
    write(tmp_path / "certificate", _as_data(certificate, key))
    write(tmp_path / "certificate-files", {"client-certificate": str(certificate), "client-key": str(key)})
    write(tmp_path / "token-file", {"tokenFile": "token.txt"})
    write(tmp_path / "exec", exec_user("exec-helper", {"token": ADMIN_TOKEN}))
    pair = {"clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()}
    write(tmp_path / "exec-certificate", exec_user("exec-certificate-helper", pair))
    write(tmp_path / "insecure", admin, **no_ca, **{"insecure-skip-tls-verify": True})
    write(tmp_path / "server-name", admin, **{"tls-server-name": "kubernetes.default.svc"})
    write(
        tmp_path / "impersonate", {**admin, "as": "someone", "as-groups": ["system:masters"], "as-user-extra": {"why": ["test"]}}
    )
    write(tmp_path / "rotating", {"tokenFile": "rotating-token"})
    write(tmp_path / "wrong-token", {"token": "wrong"})
    write(tmp_path / "viewer", {"token": "viewer-token"})
    write(tmp_path / "wrong-ca", admin, **no_ca, **{"certificate-authority": "other-ca.crt"})
    write(tmp_path / "wrong-server-name", admin, **{"tls-server-name": "other.example"})
    write(tmp_path / "nobody-listens", admin, server="https://127.0.0.1:1")
    return tmp_path


def test_client(kubeconfigs: Path) -> None:
    done = subprocess.run(
        [built("test_client_real"), "--gtest_brief=1"],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
        env={"KRUISE_TEST_KUBECONFIGS": str(kubeconfigs), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_user_agents_reach_the_audit_log(control_plane: ControlPlane, kubeconfigs: Path) -> None:
    subprocess.run(
        [built("test_client_real"), "--gtest_brief=1", "--gtest_filter=UserAgent.*"],
        check=True,
        capture_output=True,
        timeout=60,
        env={"KRUISE_TEST_KUBECONFIGS": str(kubeconfigs), "PATH": "/usr/bin:/bin"},
    )
    agents = {json.loads(line).get("userAgent") for line in control_plane.audit_log.read_text().splitlines()}
    assert {"kruise-manager", "kruise-manager/cloneset-controller"} <= agents


def _as_data(certificate: Path, key: Path) -> dict[str, str]:
    return {
        "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
        "client-key-data": base64.b64encode(key.read_bytes()).decode(),
    }


def _other_authority(folder: Path) -> bytes:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "1"]
    subprocess.run([*command, "-keyout", "/dev/null", "-out", str(folder / "other.crt")], check=True, capture_output=True)
    return (folder / "other.crt").read_bytes()
