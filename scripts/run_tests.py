"""Runs every test that was built: GoogleTest under ctest, then pytest, and counts them together.

A skipped test fails the run unless ALLOW_SKIP=1 is in the environment. Usage: scripts/run_tests.py [--jobs N] [PYTEST ARGUMENTS]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
RESULTS = ROOT / "build" / "test-results"
NO_TESTS_COLLECTED = 5


@dataclass
class Count:
    """How many test cases of a run came out how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add_report(self, report: Path) -> None:
        """Adds the cases of a JUnit report, GoogleTest's or pytest's."""
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
            elif case.find("skipped") is not None:
                self.skipped += 1
            else:
                self.passed += 1


def run_real_build() -> bool:
    """Builds the real control plane before the tests that need it, so that no test's time limit pays for it."""
    begin = time.monotonic()
    has_node = subprocess.run([sys.executable, ROOT / "tests" / "node" / "real_node.py", "--check"], check=False).returncode == 0
    names = ["kube-scheduler", "kubelet"] if has_node else []
    done = subprocess.run([ROOT / "tests" / "real" / "build.sh", *names], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print("test: the real control plane could not be built; the tests that need it will not pass", file=sys.stderr)
        return False
    print(f"real control plane: {done.stdout.strip()} ({time.monotonic() - begin:.0f} s)", flush=True)
    return True


def run_clients_build() -> bool:
    """Builds the Go clients that the embedded cluster is tried with."""
    done = subprocess.run([ROOT / "tests" / "clients" / "build.sh"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print("test: the Go clients could not be built; the tests that need them will not pass", file=sys.stderr)
    return done.returncode == 0


def run_ctest(jobs: int) -> bool:
    """Runs the GoogleTest executables; each writes its cases to RESULTS/cpp."""
    environment = {**os.environ, "GTEST_OUTPUT": f"xml:{RESULTS / 'cpp'}/"}
    command = ["ctest", "--test-dir", str(BUILD), "--output-on-failure", "--no-tests=ignore", "--timeout", "600", "-j", str(jobs)]
    return subprocess.run(command, env=environment, check=False).returncode == 0


def run_pytest(jobs: int, arguments: list[str]) -> bool:
    """Runs pytest on all test folders, in as many processes as there are cores."""
    command = [sys.executable, "-m", "pytest", "-n", str(jobs), "--dist", "worksteal", f"--junitxml={RESULTS / 'pytest.xml'}"]
    return subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode in (0, NO_TESTS_COLLECTED)


def main() -> int:
    """Runs all and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options, pytest_arguments = parser.parse_known_args()
    shutil.rmtree(RESULTS, ignore_errors=True)
    (RESULTS / "cpp").mkdir(parents=True)

    outcomes = [run_real_build(), run_clients_build(), run_ctest(options.jobs), run_pytest(options.jobs, pytest_arguments)]

    count = Count()
    for report in sorted(RESULTS.rglob("*.xml")):
        count.add_report(report)
    skips_allowed = os.environ.get("ALLOW_SKIP") == "1"
    if count.skipped and not skips_allowed:
        print(f"test: {count.skipped} skipped, which fails the run (ALLOW_SKIP=1 allows it)", file=sys.stderr)
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped", flush=True)
    good = all(outcomes) and count.failed == 0 and count.passed > 0 and (count.skipped == 0 or skips_allowed)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
