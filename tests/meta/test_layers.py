"""The law of imports: ARCHITECTURE.md lists the modules in reading order; each imports only what stands above it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "greendns"

HEADING = "## Rooms, in reading order"
LOADING_SECTION = "files become snapshots"
FIRST_WITH_GEVENT = "server"

# Time, chance and the outside world come in as arguments.
IMPURE = frozenset("socket os time logging random threading".split())
# Below the section of loading JSON is read and written by these alone: `_status` is JSON (G180).
JSON_ALLOWED = frozenset(("chaos",))


def listing() -> list[str]:
    """The lines of the fenced block below the heading."""
    below = (ROOT / "ARCHITECTURE.md").read_text().partition(f"{HEADING}\n")[2]
    block = re.search(r"^```[a-z]*\n(.*?)^```", below, re.MULTILINE | re.DOTALL)
    assert block is not None, f"ARCHITECTURE.md must have a fenced block below «{HEADING}»"
    return block[1].splitlines()


def module_of(line: str) -> str | None:
    """The module that a line of the list is about; None for sections and continuations."""
    words = line.split()
    return words[0].removesuffix(".py") if words and words[0].endswith(".py") else None


MODULES = [module for module in map(module_of, listing()) if module is not None and module != "__init__"]
PURE = [
    module
    for module in map(module_of, "\n".join(listing()).partition(f"-- {LOADING_SECTION}")[0].splitlines())
    if module is not None and module != "__init__"
]

each_module = pytest.mark.parametrize("module", MODULES)


def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{module}.py").read_text(), f"{module}.py")


def own_imports(module: str) -> set[str]:
    """The modules of the package that one imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.level:
            found.update([node.module] if node.module else [alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("greendns"):
            found.add((node.module or "").partition(".")[2] or node.names[0].name)
        elif isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[2] for alias in node.names if alias.name.startswith("greendns."))
    # A module of C and its twin of Python are one room.
    return {name.removeprefix("_") for name in found - {"__version__", "build_text"}}


def foreign_imports(module: str) -> set[str]:
    """The top names of all that a module imports from elsewhere, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
    return found - {"__future__"}


def test_every_module_is_in_the_list_once() -> None:
    """And every one in the list is there."""
    present = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem not in ("__init__", "__main__"))

    assert sorted(MODULES) == present


def test_the_list_has_its_sections() -> None:
    """Otherwise the rules below would hold for nothing."""
    assert {"errors", "name", "answer"} <= set(PURE)
    assert FIRST_WITH_GEVENT in MODULES
    assert len(PURE) < len(MODULES)


@each_module
def test_a_module_imports_only_what_stands_above_it(module: str) -> None:
    """Reading from the top, nothing is met before it is explained."""
    above = set(MODULES[: MODULES.index(module)])

    assert own_imports(module) <= above, f"{module}.py imports {sorted(own_imports(module) - above)}"


@pytest.mark.parametrize("module", MODULES[: MODULES.index(FIRST_WITH_GEVENT)])
def test_gevent_is_unknown_before_the_edge(module: str) -> None:
    """Nothing that answers or loads can switch greenlets."""
    assert not foreign_imports(module) & {"gevent", "greenlet"}


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_knows_no_clock_no_chance_and_no_outside(module: str) -> None:
    """Nor JSON, which is of the files, except where answers are JSON."""
    forbidden = IMPURE if module in JSON_ALLOWED else IMPURE | {"json"}

    assert not foreign_imports(module) & forbidden


@each_module
def test_nobody_patches_the_standard_library(module: str) -> None:
    """A process that serves DNS is not monkey-patched."""
    text = (PACKAGE / f"{module}.py").read_text()

    assert "gevent.monkey" not in text
    assert "from gevent import monkey" not in text


# -- no mutable state of a module
#
# What can be seen in the source: a name of the module that holds a list, dict, set or the like, and that some function
# of the same module changes; and `global`. What another module changes is not seen.

CONTAINERS = frozenset("list dict set bytearray deque Counter defaultdict OrderedDict".split())
CHANGING = frozenset(
    "append appendleft add clear discard extend insert pop popitem popleft remove reverse setdefault sort".split()
) | {"update"}


def mutable_names(module: ast.Module) -> set[str]:
    """The names of a module that hold something that can be changed in place."""
    found: set[str] = set()
    for node in module.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and is_mutable(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update(target.id for target in targets if isinstance(target, ast.Name))
    return found


def is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in CONTAINERS
    return isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))


def changed_names(module: ast.Module) -> set[str]:
    """Names that are changed in place, deleted from, or declared global anywhere inside a function."""
    found: set[str] = set()
    functions = [
        node for node in ast.walk(module) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    ]
    for node in [inner for function in functions for inner in ast.walk(function)]:
        if isinstance(node, ast.Global):
            found.update(node.names)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.update(name_of(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            found.update(name_of(node.func.value))
    return found


def name_of(node: ast.expr) -> set[str]:
    return {node.id} if isinstance(node, ast.Name) else set()


def globals_of(module: ast.Module) -> set[str]:
    return {name for node in ast.walk(module) if isinstance(node, ast.Global) for name in node.names}


@pytest.mark.parametrize("module", [module for module in MODULES if module != "worker"])
def test_a_module_keeps_no_state(module: str) -> None:
    """Tables of a module are made once and only read; nothing is declared global."""
    parsed = tree(module)

    assert not mutable_names(parsed) & changed_names(parsed)
    assert not globals_of(parsed)


def test_state_of_a_module_would_be_seen() -> None:
    """The check above is not blind."""
    parsed = ast.parse("A = {}\nB: list[int] = []\nC = [1]\ndef f():\n    A[1] = 2\n    B.append(1)\n    return C[0]\n")

    assert mutable_names(parsed) & changed_names(parsed) == {"A", "B"}
