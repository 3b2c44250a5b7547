"""The tree keeps its rules, and each rule is shown to fail on a planted violation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import tidy_rules as rules

Rule = Callable[[rules.Tree], list[str]]
RULES: list[Rule] = [
    rules.upward_includes,
    rules.heavy_headers,
    rules.banned_calls,
    rules.sleeps_in_tests,
    rules.unmarked_generated,
    rules.long_files,
    rules.stale_exceptions,
    rules.upward_imports,
]


@pytest.fixture(scope="module")
def tree() -> dict[str, str]:
    return rules.repository()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule, tree: dict[str, str]) -> None:
    found = rule(tree)
    assert not found, "\n" + "\n".join(found)


PLANTED: list[tuple[Rule, str, str]] = [
    (rules.upward_includes, "cpp/base/time.cpp", '#include "api/pod.hpp"\n'),
    (rules.upward_includes, "cpp/cluster/api_server.cpp", '#include "cache/store.hpp"\n'),
    (rules.upward_includes, "cpp/cluster/api_server.cpp", '#include "controllers/cloneset/plan.hpp"\n'),
    (rules.upward_includes, "cpp/workload/ranking.cpp", '#include "cluster/local_client.hpp"\n'),
    (rules.upward_includes, "cpp/controllers/daemonset/plan.cpp", '#include "controllers/cloneset/numbers.hpp"\n'),
    (rules.upward_includes, "cpp/novel/thing.cpp", "int x;\n"),
    (rules.heavy_headers, "cpp/patch/diff.hpp", "#include <nlohmann/json.hpp>\n"),
    (rules.heavy_headers, "cpp/api/meta.cpp", "#include <spdlog/spdlog.h>\n"),
    (rules.heavy_headers, "cpp/cache/store.cpp", "#include <httplib.h>\n"),
    (rules.banned_calls, "cpp/runtime/work_queue.cpp", "auto t = std::chrono::steady_clock::now();\n"),
    (rules.banned_calls, "cpp/workload/ids.cpp", "std::mt19937 engine;\n"),
    (rules.banned_calls, "cpp/client/kubeconfig.cpp", 'auto* p = std::getenv("KUBECONFIG");\n'),
    (rules.banned_calls, "cpp/cache/reflector.cpp", "std::jthread worker_;\n"),
    (rules.banned_calls, "cpp/cache/reflector.cpp", "std::this_thread::sleep_for(1s);\n"),
    (rules.banned_calls, "cpp/controllers/cloneset/plan.cpp", "int s = ::socket(AF_INET, SOCK_STREAM, 0);\n"),
    (rules.sleeps_in_tests, "tests/cpp/cache/store_test.cpp", "std::this_thread::sleep_for(1s);\n"),
    (rules.sleeps_in_tests, "tests/scenarios/test_scale.py", "import time\ntime.sleep(1)\n"),
    (rules.unmarked_generated, "cpp/api/generated/clone_set.hpp", "#pragma once\n"),
    (rules.long_files, "cpp/cluster/everything.cpp", "int x;\n" * (rules.LINES_MAX + 1)),
    (rules.upward_imports, "python/kruise/__init__.py", "import kruise.cli\n"),
    (rules.upward_imports, "python/kruise/client.py", "from . import manager\n"),
    (rules.upward_imports, "python/kruise/errors.py", "from .client import Client\n"),
    (rules.upward_imports, "python/kruise/models/_model.py", "from ..cluster import Cluster\n"),
    (rules.upward_imports, "python/kruise/__init__.py", "import rich.table\n"),
    (rules.upward_imports, "python/kruise/unknown.py", "x = 1\n"),
]


@pytest.mark.parametrize(
    ("rule", "path", "text"), PLANTED, ids=[f"{rule.__name__}-{i}" for i, (rule, _, _) in enumerate(PLANTED)]
)
def test_the_rule_finds_a_planted_violation(rule: Rule, path: str, text: str) -> None:
    assert rule({path: text})


HARMLESS: list[tuple[Rule, str, str]] = [
    (rules.upward_includes, "cpp/runtime/act.cpp", '#include "cache/store.hpp"\n#include "client/client.hpp"\n'),
    (rules.heavy_headers, "cpp/patch/diff.hpp", "#include <nlohmann/json_fwd.hpp>\n"),
    (rules.banned_calls, "cpp/api/meta.hpp", "// std::jthread is made by base, and getenv( called there\n"),
    (rules.banned_calls, "cpp/cache/store.cpp", 'const char* kText = "std::thread";\nauto id = std::thread::id();\n'),
    (rules.long_files, "cpp/api/generated/core.cpp", "int x;\n" * (rules.LINES_MAX + 1)),
    (rules.upward_imports, "python/kruise/client.py", "from . import _core\nfrom .errors import KruiseError\n"),
    (rules.upward_imports, "python/kruise/__init__.py", "def show():\n    import rich\n"),
]


@pytest.mark.parametrize(
    ("rule", "path", "text"), HARMLESS, ids=[f"{rule.__name__}-{i}" for i, (rule, _, _) in enumerate(HARMLESS)]
)
def test_the_rule_lets_the_harmless_pass(rule: Rule, path: str, text: str) -> None:
    assert not rule({path: text})


def test_an_exception_nobody_needs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAY_BE_LONGER", {"cpp/api/short.cpp": "no reason left"})
    monkeypatch.setattr(rules, "MAY_POLL", {"tests/real/wait.py": "no reason left"})
    monkeypatch.setattr(rules, "HEAVY_BUDGET", {"spdlog": {"base": 99}})
    assert len(rules.stale_exceptions({"cpp/api/short.cpp": "int x;\n", "tests/real/wait.py": ""})) == 3
