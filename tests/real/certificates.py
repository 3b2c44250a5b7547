"""Keys and certificates of a test cluster."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Certificates:
    """By the openssl command, in a folder."""

    folder: Path

    def authority(self, name: str) -> None:
        self._key(name)
        self._run(
            "req", "-x509", "-new", "-key", f"{name}.key", "-days", "30", "-subj", "/CN=kruise-test-ca", "-out", f"{name}.crt"
        )

    def signed(self, name: str, subject: str, extension: str) -> None:
        self._key(name)
        (self.folder / f"{name}.ext").write_text(extension + "\n")
        self._run("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
        self._run(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30"),
            *("-extfile", f"{name}.ext", "-out", f"{name}.crt"),
        )

    def key_pair(self, name: str) -> None:
        self._key(name)
        self._run("pkey", "-in", f"{name}.key", "-pubout", "-out", f"{name}.pub")

    def _key(self, name: str) -> None:
        self._run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        (self.folder / f"{name}.key").chmod(0o600)

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], check=False, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]} failed:\n{done.stderr}")
