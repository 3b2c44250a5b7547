"""kubectl edit, with scripts for editors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from .kubectl import Done, Kubectl
from .manifests import CLONE_SET


class Editor:
    """Runs one shell command a visit on the file ($1), and keeps what it was shown at each."""

    def __init__(self, folder: Path, *commands: str) -> None:
        self._folder = folder
        lines = ["#!/bin/sh", f"cd {folder}", "n=$(ls shown-* 2>/dev/null | wc -l)", 'cp "$1" "shown-$n"', 'case "$n" in']
        lines += [f"{number}) {command} ;;" for number, command in enumerate(commands)]
        lines += ["*) exit 9 ;;", "esac"]
        self.path = folder / "editor"
        self.path.write_text("\n".join(lines) + "\n")
        self.path.chmod(0o755)

    def edit(self, kubectl: Kubectl, *what: str) -> Done:
        return replace(kubectl, environment={"KUBE_EDITOR": str(self.path)}).run("edit", *what)

    def shown(self) -> list[str]:
        return [path.read_text() for path in sorted(self._folder.glob("shown-*"))]


@pytest.fixture
def stored(kubectl: Kubectl) -> Kubectl:
    kubectl("create", "-f", "-", stdin=CLONE_SET)
    kubectl("label", "clone", "web", "team=a")
    return kubectl


def replicas(kubectl: Kubectl) -> str:
    return kubectl("get", "clone", "web", "-o", "jsonpath={.spec.replicas}")


def test_a_change_is_stored(stored: Kubectl, tmp_path: Path) -> None:
    done = Editor(tmp_path, "sed -i 's/replicas: 3/replicas: 5/' \"$1\"").edit(stored, "clone", "web")
    assert (done.out, done.status) == ("cloneset.apps.kruise.io/web edited\n", 0)
    assert replicas(stored) == "5"


def test_no_change_sends_nothing(stored: Kubectl, tmp_path: Path) -> None:
    before = stored("get", "clone", "web", "-o", "jsonpath={.metadata.generation}")
    done = Editor(tmp_path, "true").edit(stored, "clone", "web")
    assert (done.out + done.err, done.status) == ("Edit cancelled, no changes made.\n", 0)
    assert stored("get", "clone", "web", "-o", "jsonpath={.metadata.generation}") == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("s/replicas: 3/replicas: -1/", 'clonesets.apps.kruise.io "web" was not valid:\n# * .spec.replicas: Invalid value: -1'),
        ("s/minReadySeconds: 0/minReadySecond: 0/", 'strict decoding error: unknown field "spec.minReadySecond"'),
        ("s/team: a/team: -a-/", "a valid label must be an empty string or consist of"),
    ],
)
def test_an_invalid_change_is_explained_and_opened_again(stored: Kubectl, tmp_path: Path, change: str, says: str) -> None:
    mend = f"sed -i -e '{_reverse(change)}' -e 's/replicas: 3/replicas: 5/' \"$1\""
    editor = Editor(tmp_path, f"sed -i '{change}' \"$1\"", mend)
    done = editor.edit(stored, "clone", "web")
    assert (done.out, done.status) == ("cloneset.apps.kruise.io/web edited\n", 0), done
    first, second = editor.shown()
    assert says not in first
    assert says in second
    assert replicas(stored) == "5"


def test_giving_up_on_an_invalid_change_stores_nothing(stored: Kubectl, tmp_path: Path) -> None:
    done = Editor(tmp_path, "sed -i 's/replicas: 3/replicas: -1/' \"$1\"", "true").edit(stored, "clone", "web")
    assert done.status == 1
    assert "Edit cancelled, no valid changes were saved." in done.err
    assert replicas(stored) == "3"


def test_a_pod_is_patched_strategically(lone: Kubectl, tmp_path: Path) -> None:
    done = Editor(tmp_path, "sed -i 's/image: nginx:1/image: nginx:2/' \"$1\"").edit(lone, "pod", "lone")
    assert (done.out, done.status) == ("pod/lone edited\n", 0)
    assert lone("get", "pod", "lone", "-o", "jsonpath={.spec.containers[*].image}") == "nginx:2 envoy:1"


def _reverse(change: str) -> str:
    _, old, new, _ = change.split("/")
    return f"s/{new}/{old}/"
