"""Makes the images of the tests, with no registry: one static program (app.c), packed as an OCI archive that containerd imports."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

APP = Path(__file__).with_name("app.c")
Json = dict[str, Any]


@dataclass(frozen=True)
class Image:
    """A name with its tag, and what differs between the images: their configuration (all share the one layer)."""

    name: str
    version: str
    mode: str = "serve"
    environment: dict[str, str] = field(default_factory=dict)


PAUSE = Image("kruise.test/pause:1", "pause", mode="pause")


def versions(repository: str, count: int) -> list[Image]:
    """``repository:v1`` to ``repository:v<count>``, each of which answers /version with its tag."""
    return [Image(f"{repository}:v{number}", f"v{number}") for number in range(1, count + 1)]


def build_app(folder: Path) -> Path:
    """Compiles the program statically."""
    program = folder / "app"
    subprocess.run(["cc", "-std=gnu11", "-O1", "-static", "-s", "-Wall", "-Wextra", "-Werror", "-o", program, APP], check=True)
    return program


def write_archive(program: Path, images: Iterable[Image], archive: Path) -> None:
    """An OCI image layout as one tar file; containerd takes each image's name from an annotation of the index."""
    blobs: dict[str, bytes] = {}

    def blob(data: bytes, media_type: str) -> Json:
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    layer = _tar({"app": (program.read_bytes(), 0o755)})
    layer_blob = blob(layer, "application/vnd.oci.image.layer.v1.tar")
    manifests = []
    for image in images:
        environment = {"VERSION": image.version, **image.environment}
        config: Json = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/app", image.mode], "Env": [f"{name}={value}" for name, value in environment.items()]},
            "rootfs": {"type": "layers", "diff_ids": [layer_blob["digest"]]},
        }
        manifest: Json = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [layer_blob],
        }
        described = blob(json.dumps(manifest).encode(), manifest["mediaType"])
        manifests.append({**described, "annotations": {"io.containerd.image.name": image.name}})
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
    files = {f"blobs/sha256/{digest}": (data, 0o644) for digest, data in blobs.items()}
    files["oci-layout"] = (b'{"imageLayoutVersion":"1.0.0"}', 0o644)
    files["index.json"] = (json.dumps(index).encode(), 0o644)
    archive.write_bytes(_tar(files))


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
