"""`kruise explain` as a user types it, against a cluster on a port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import kruise
from kruise.cluster import kubeconfig

from .ground import DELAYS, clone_set


def explain(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from kruise.cli import main; main()", "explain", *arguments, "--kubeconfig", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_explain_names_the_rule_and_its_figures(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    with kruise.Cluster(nodes=1, delays=DELAYS) as cluster:
        config.write_text(kubeconfig(cluster.serve()))
        cluster.client().create(clone_set(replicas=2))
        said = explain(config, "cloneset/web")
        assert said.returncode == 0, said.stderr
        assert "create" in said.stdout
        missing = explain(config, "cloneset/other")
        assert missing.returncode == 1
        assert 'cloneset "other" not found' in missing.stderr
