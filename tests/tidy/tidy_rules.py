"""The rules of the tree as functions from files to complaints, so that each can be shown to fail on a planted violation.

A tree is a mapping of paths, relative to the repository's root, to text. Each rule returns one line a violation: `path:line: what, and
what to use instead`.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

Tree = Mapping[str, str]

ROOT = Path(__file__).resolve().parents[2]

# --- the layers of cpp/ -------------------------------------------------------------------------------------------------------

_CORE = ["base", "api", "patch", "client", "cache", "runtime", "workload"]
# What a folder of cpp/ may include. `cluster` knows nothing of what runs on it; `controllers` nothing of where they run.
MAY_INCLUDE: dict[str, set[str]] = {
    **{layer: set(_CORE[: index + 1]) for index, layer in enumerate(_CORE)},
    "cluster": {"base", "api", "patch", "client", "cluster"},
    "controllers": {*_CORE, "controllers"},
    "webhook": {*_CORE, "webhook"},
    "daemon": {"base", "api", "patch", "client", "cache", "runtime", "daemon"},
    "session": {*_CORE, "cluster", "controllers", "session"},
    "bindings": {*_CORE, "cluster", "controllers", "webhook", "daemon", "session", "bindings"},
    "main": {*_CORE, "cluster", "controllers", "webhook", "daemon", "session", "main"},
}

# --- heavy headers: where they may be, and in how many .cpp files of a folder ---------------------------------------------------

HEAVY = {
    "spdlog": r"spdlog/",
    "CLI11": r"CLI/",
    "nlohmann": r"nlohmann/json\.hpp",
    "simdjson": r"simdjson\.h",
    "pybind11": r"pybind11/",
    "httplib": r"httplib\.h",
    "yaml-cpp": r"yaml-cpp/",
    "curl": r"curl/",
}
# Of these a header may be part: curl/curl.h is light, and the bindings' own headers are read by that folder alone.
MAY_BE_IN_HEADERS = {("curl", "client"), ("pybind11", "bindings")}
HEAVY_BUDGET: dict[str, dict[str, int]] = {
    "spdlog": {"base": 1},
    "CLI11": {"main": 2},
    "nlohmann": {
        "api": 1,
        "patch": 12,
        "client": 2,
        "cluster": 66,  # the embedded server edits trees everywhere: verbs, kinds, owners of fields, what is wrong with pods
        "session": 4,
        "workload": 6,
        "controllers": 6,
        "runtime": 3,
        "bindings": 4,
    },
    "simdjson": {"api": 4, "client": 2, "cache": 6, "cluster": 4, "runtime": 2, "workload": 2, "controllers": 3},
    "pybind11": {"bindings": 12},
    "httplib": {"cluster": 1, "runtime": 1},
    "yaml-cpp": {"client": 2, "cluster": 1},
    "curl": {"client": 4},
}

# --- calls that belong to one place -----------------------------------------------------------------------------------------------

BANNED: list[tuple[str, str, set[str], str]] = [
    (
        "reads a clock",
        r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|\bclock_gettime\b|\bgettimeofday\b|\bstd::time\(",
        {"base"},
        "take base::Clock",
    ),
    (
        "draws random numbers",
        r"\brandom_device\b|\bmt19937|\bdefault_random_engine\b|\bgetrandom\(|\bsrand\(|\bstd::rand\(|\bRAND_bytes\b",
        {"base"},
        "take base::Random",
    ),
    ("sleeps", r"\bsleep_for\b|\bsleep_until\b|\busleep\(|\bnanosleep\(", {"base"}, "post_after on base::Executor"),
    (
        "reads the environment",
        r"\b(?:secure_)?getenv\(|\bsetenv\(|\benviron\b",
        {"base"},
        "let base read it, or take it as an argument",
    ),
    (
        "makes a thread",
        r"\bstd::j?thread\b(?!::)|\bstd::async\b|\bpthread_create\b",
        {"base"},
        "post on a base::Executor; base::Loop owns threads",
    ),
    (
        "opens a socket",
        r"(?<![\w.>])(?:::)?(?:socket|getaddrinfo)\(|\bcurl_(?:easy|multi)_init\b|\bhttplib::",
        {"client", "cluster", "runtime", "webhook", "daemon"},
        "go through client::Client",
    ),
]
SLEEP_IN_TESTS = re.compile(r"\bsleep_for\b|\bsleep_until\b|\busleep\(|\b(?:time|asyncio)\.sleep\(")
# Files that may wait by polling, each because what it waits for is another process that tells nobody when it is ready.
MAY_POLL: dict[str, str] = {
    "tests/real/manager_process.py": "leases, probes and objects of other processes can only be asked for",
    "tests/real/control_plane.py": "the readiness of kube-apiserver can only be asked for",
    "tests/conformance/sequence.py": "a real server's garbage collection and bookkeeping can only be asked for",
    "tests/node/sandbox.py": "whether a control group is free of processes can only be asked for",
    "tests/scenarios/server_log.py": "what a real control plane does can only be asked for",
    "tests/real/interruptions.py": "a manager is killed at random moments",
    "tests/real/test_simulated_nodes.py": "the simulator under test runs in another process",
    "tests/real/test_control_plane.py": "the end of a process that is not our child can only be asked for",
}

# --- sizes ------------------------------------------------------------------------------------------------------------------------

LINES_MAX = 500
MAY_BE_LONGER: dict[str, str] = {
    "tests/cpp/client/rest_client_test.cpp": "one server in the test answers all its cases",
    "tests/cpp/controllers/update_test.cpp": "one table of cases, read from top to bottom",
}

# --- the modules of python/kruise, from the lowest to the highest: a module imports only those before it in this list --------------

PYTHON_ORDER = [
    "kruise._core",
    "kruise.errors",
    "kruise.models",
    "kruise._kinds",
    "kruise._manifests",
    "kruise._table",
    "kruise._watch",
    "kruise.client",
    "kruise.nodes",
    "kruise.cluster",
    "kruise.faults",
    "kruise.manager",
    "kruise",
    "kruise.testing",
    "kruise.demo",
    "kruise.cli",
    "kruise.__main__",
]
PYTHON_SLOW = {"typer", "rich", "ruamel"}
MAY_IMPORT_SLOW = {"kruise.demo", "kruise.cli"}


def repository() -> dict[str, str]:
    """The text of every C++, Python and shell file that is tracked or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    wanted = (".cpp", ".hpp", ".py", ".pyi", ".sh")
    return {
        name: (ROOT / name).read_text(encoding="utf-8") for name in listed if name.endswith(wanted) and (ROOT / name).is_file()
    }


def is_generated(path: str, text: str) -> bool:
    """Whether the file says in its first line that a command wrote it."""
    return bool(re.match(r"(//|#|\"\"\").*[Gg]enerated by", text.split("\n", 1)[0])) or "/generated/" in path


def layer_of(path: str) -> str | None:
    """The folder of cpp/ that the file lies in."""
    parts = PurePosixPath(path).parts
    return parts[1] if len(parts) > 2 and parts[0] == "cpp" else None


def without_comments(text: str) -> str:
    """C++ with its comments and literals blanked, lines kept."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL
    )
    return pattern.sub(lambda match: " " + "\n" * match.group().count("\n"), text)


def includes(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, kind of bracket and name of each include."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line):
            yield number, match[1], match[2]


def upward_includes(tree: Tree) -> list[str]:
    """A folder of cpp/ includes only itself and what the table allows; a controller never another controller."""
    found = []
    for path, text in tree.items():
        layer = layer_of(path)
        if layer is None or not path.endswith((".cpp", ".hpp")):
            continue
        if layer not in MAY_INCLUDE:
            found.append(f"{path}:1: cpp/{layer} is no layer; add it to MAY_INCLUDE and to docs/architecture.md")
            continue
        for number, bracket, name in includes(text):
            target = PurePosixPath(name).parts[0]
            if bracket != '"' or target not in MAY_INCLUDE:
                continue
            if target not in MAY_INCLUDE[layer]:
                allowed = ", ".join(sorted(MAY_INCLUDE[layer]))
                found.append(f"{path}:{number}: {layer} includes {name}; it may use {allowed}")
            elif layer == target == "controllers" and PurePosixPath(name).parts[1] != PurePosixPath(path).parts[2]:
                found.append(f"{path}:{number}: a controller includes another ({name}); what both need goes to cpp/workload")
    return found


def heavy_headers(tree: Tree) -> list[str]:
    """Headers that take long to compile are never in a .hpp, and in few .cpp files."""
    found = []
    users: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path, text in tree.items():
        layer = layer_of(path)
        if layer is None or is_generated(path, text):
            continue
        for number, _, name in includes(text):
            for library, pattern in HEAVY.items():
                if not re.match(pattern, name):
                    continue
                if path.endswith(".hpp") and (library, layer) not in MAY_BE_IN_HEADERS:
                    found.append(f"{path}:{number}: <{name}> in a header; keep it in a .cpp (nlohmann has json_fwd.hpp)")
                users[library][layer].add(path)
    for library, layers in users.items():
        for layer, paths in layers.items():
            budget = HEAVY_BUDGET[library].get(layer, 0)
            if len(paths) > budget:
                listed = ", ".join(sorted(paths))
                found.append(f"cpp/{layer}: {len(paths)} files include {library}, {budget} may (HEAVY_BUDGET): {listed}")
    return found


def banned_calls(tree: Tree) -> list[str]:
    """Clocks, randomness, sleeps, environment, threads and sockets are touched where they belong and nowhere else."""
    found = []
    for path, text in tree.items():
        layer = layer_of(path)
        if layer is None or not path.endswith((".cpp", ".hpp")):
            continue
        for number, line in enumerate(without_comments(text).splitlines(), 1):
            for what, pattern, allowed, instead in BANNED:
                if layer not in allowed and re.search(pattern, line):
                    found.append(f"{path}:{number}: {what}; {instead}")
    return found


def sleeps_in_tests(tree: Tree) -> list[str]:
    """No test waits for a fixed time."""
    found = []
    for path, text in tree.items():
        if not path.startswith("tests/") or path in MAY_POLL or path.startswith("tests/tidy/"):
            continue
        for number, line in enumerate(without_comments(text).splitlines() if path.endswith("pp") else text.splitlines(), 1):
            if SLEEP_IN_TESTS.search(line):
                found.append(f"{path}:{number}: sleeps; use virtual time, or wait for what happens (a condition with a limit)")
    return found


def unmarked_generated(tree: Tree) -> list[str]:
    """What lies in a folder of generated files says so in its first line, with the command that writes it."""
    return [
        f"{path}:1: lies under generated/ and does not begin with a comment 'Generated by …' that names `make generate`"
        for path, text in tree.items()
        if "/generated/" in path and not re.match(r"(//|#|\"\"\").*[Gg]enerated by .*make generate", text.split("\n", 1)[0])
    ]


def long_files(tree: Tree) -> list[str]:
    """A file is one noun; past LINES_MAX lines it is several."""
    found = []
    for path, text in tree.items():
        lines = text.count("\n")
        if lines > LINES_MAX and path not in MAY_BE_LONGER and not is_generated(path, text):
            found.append(
                f"{path}:{lines}: {lines} lines, at most {LINES_MAX}; split it, or list it in MAY_BE_LONGER with the reason"
            )
    return found


def stale_exceptions(tree: Tree) -> list[str]:
    """An exception that nothing needs any more is taken off its list."""
    found = [f"MAY_POLL lists {path}, which does not sleep" for path in MAY_POLL if not SLEEP_IN_TESTS.search(tree.get(path, ""))]
    found += [
        f"MAY_BE_LONGER lists {path}, which has at most {LINES_MAX} lines"
        for path in MAY_BE_LONGER
        if tree.get(path, "").count("\n") <= LINES_MAX
    ]
    used = Counter(
        (library, layer_of(path))
        for path, text in tree.items()
        if not is_generated(path, text)
        for library, pattern in HEAVY.items()
        if any(re.match(pattern, name) for _, _, name in includes(text))
    )
    slack = 24
    for library, layers in HEAVY_BUDGET.items():
        found += [
            f"HEAVY_BUDGET allows {library} in {budget} files of cpp/{layer}, which has {used[library, layer]}; lower it"
            for layer, budget in layers.items()
            if budget > used[library, layer] + slack
        ]
    return found


def python_module(path: str) -> str:
    """The dotted name of a file of python/."""
    parts = list(PurePosixPath(path).with_suffix("").parts[1:])
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(text: str, package: str) -> Iterator[tuple[int, str, bool]]:
    """Line, module and whether it is imported at once (not inside a function or for types only) of each import.

    `package` is what a relative import of one dot starts from. Of `from package import name` both forms are given where the
    name may be a module.
    """
    tree = ast.parse(text)
    late: set[ast.AST] = set()
    for node in ast.walk(tree):
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        lazy = lazy or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        if lazy:
            late.update(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, node not in late
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            modules = {f"{module}.{alias.name}" for alias in node.names} & set(PYTHON_ORDER)
            for name in sorted(modules) or [module]:
                yield node.lineno, name, node not in late


def rank(module: str) -> int | None:
    """The place of a module, or of the package it belongs to, in PYTHON_ORDER."""
    while module:
        if module in PYTHON_ORDER:
            return PYTHON_ORDER.index(module)
        if "." not in module or module.rpartition(".")[0] == "kruise":
            return None
        module = module.rpartition(".")[0]
    return None


def upward_imports(tree: Tree) -> list[str]:
    """A module of python/kruise imports only what stands before it in PYTHON_ORDER, slow libraries only where the terminal is."""
    found = []
    for path, text in tree.items():
        if not path.startswith("python/") or not path.endswith(".py"):
            continue
        module = python_module(path)
        place = rank(module)
        if place is None:
            found.append(f"{path}:1: {module} has no place in PYTHON_ORDER; give it one")
            continue
        package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
        for number, name, at_once in imports_of(text, package):
            target = rank(name) if name.split(".")[0] == "kruise" else None
            if target is not None and target > place and at_once:
                found.append(f"{path}:{number}: {module} imports {name}, which stands above it in PYTHON_ORDER")
            if name.split(".")[0] in PYTHON_SLOW and at_once and not any(module.startswith(m) for m in MAY_IMPORT_SLOW):
                found.append(f"{path}:{number}: {name} is slow to import; import it in the function that needs it")
    return found
