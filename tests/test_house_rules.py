"""The house rules that a program can measure: sizes, names, docstrings, and what may stand where.

Tests are held to the size rules only. A rule that is wrong for one file gets a named exception here, with its
reason, never a weaker number for all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MODULE_LINES = 300
FUNCTION_LINES = 50
POSITIONAL_PARAMETERS = 4
NESTING = 3
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "processor"}

# A migration is read once, from top to bottom, and never edited: splitting it hides the order of its steps.
LONG_FUNCTIONS_ALLOWED = ("receiver/storage/migrations/versions/",)
PRINT_ALLOWED = ("receiver/cli/",)
# The outermost doors: what falls through them would be a broken connection or a traceback on a terminal.
BROAD_EXCEPT_ALLOWED = (
    "receiver/http/app.py",
    "receiver/cli/",
    "receiver/flows/relay_outbox.py",
    "connect_client/cli/main.py",
    "receiver/couriers/function.py",
    "receiver/couriers/in_turn.py",
)
# A problem carries the path that its sender knows, and these two find problems in a decoded order.
PROBLEM_PATHS = ("receiver/orders/rules.py", "receiver/flows/accept_order.py")
WIRE_NAMES_ALLOWED = ("receiver/soap/", "connect_client/", *PROBLEM_PATHS)

MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:work|root|tmp/v\d+)/")
NOT_OURS = {"node_modules", "build", "dist", "__pycache__"}
UNFINISHED = re.compile(r"#.*\b(?:TODO|FIXME|XXX)\b")
CONDITION = re.compile(r"\b(?:when|once|until|after)\b", re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While
Compound = Loop | ast.If | ast.With | ast.AsyncWith | ast.Try | ast.TryStar | ast.Match


class Module:
    """A source file, on disk or not; `path` is relative to the checkout, with forward slashes."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text, self.tree = path, text, ast.parse(text)

    def functions(self) -> Iterator[Function]:
        """Functions and methods at any depth, in no promised order."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def at(self, node: ast.stmt | ast.expr | ast.excepthandler, finding: str) -> str:
        """The finding behind the place where an editor opens it."""
        return f"{self.path}:{node.lineno}: {finding}"


Rule = Callable[[Module], Iterator[str]]


def our_files() -> tuple[Path, ...]:
    """Every file of the checkout but databases and the tools' folders; of the hidden folders, .ci is ours."""
    tops = [top for top in ROOT.iterdir() if top.is_file() or top.name == ".ci" or top.name[0] != "."]
    found = [file for top in tops for file in (top.rglob("*") if top.is_dir() else [top]) if file.is_file()]
    ours = [file.relative_to(ROOT) for file in sorted(found) if ".db" not in file.suffixes]
    return tuple(file for file in ours if NOT_OURS.isdisjoint(file.parts))


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The Python files below the folders."""
    files = [file for file in our_files() if file.parts[0] in folders and file.suffix == ".py"]
    return tuple(Module(file.as_posix(), (ROOT / file).read_text(encoding="utf-8")) for file in files)


def assert_kept(rule: Rule, *folders: str, allowed: tuple[str, ...] = ()) -> None:
    """Fail with every finding of the rule outside the allowed paths, one a line."""
    checked = [module for module in modules(*folders) if not module.path.startswith(allowed)]
    findings = [finding for module in checked for finding in rule(module)]
    assert checked, f"no Python file below {folders}"
    assert not findings, "\n" + "\n".join(findings)


def long_modules(module: Module) -> Iterator[str]:
    """Counts every line, blank ones and docstrings too."""
    lines = len(module.text.splitlines())
    if lines > MODULE_LINES:
        yield f"{module.path}:{MODULE_LINES}: {lines} lines, at most {MODULE_LINES}"


def long_functions(module: Module) -> Iterator[str]:
    """Counts from `def` to the last line, the docstring included."""
    for function in module.functions():
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES:
            yield module.at(function, f"{function.name} has {lines} lines, at most {FUNCTION_LINES}")


def crowded_signatures(module: Module) -> Iterator[str]:
    """Leaves out self and cls, which no caller writes."""
    for function in module.functions():
        names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
        count = len([name for name in names if name not in {"self", "cls"}])
        if count > POSITIONAL_PARAMETERS:
            limit = f"at most {POSITIONAL_PARAMETERS}"
            yield module.at(function, f"{function.name} takes {count} positional parameters, {limit}")


def deep_nesting(module: Module) -> Iterator[str]:
    """Counts compound statements; a function inside a function starts anew, and elif is no deeper than if."""
    pending: list[tuple[ast.AST, int]] = [(module.tree, 0)]
    while pending:
        node, depth = pending.pop()
        for child in ast.iter_child_nodes(node):
            is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
            below = depth + 1 if isinstance(child, Compound) and not is_elif else depth
            if below > max(depth, NESTING) and isinstance(child, ast.stmt):
                yield module.at(child, f"nested {below} deep, at most {NESTING}")
            pending.append((child, 0 if isinstance(child, Function | ast.ClassDef) else below))


def missing_docstrings(module: Module) -> Iterator[str]:
    """Asks it of modules, public classes, functions and methods; not of what a function holds."""
    if ast.get_docstring(module.tree) is None:
        yield f"{module.path}:1: the module has no docstring"
    scopes: list[ast.Module | ast.ClassDef] = [module.tree]
    while scopes:
        for node in scopes.pop().body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
                continue
            if ast.get_docstring(node) is None:
                yield module.at(node, f"{node.name} has no docstring")
            if isinstance(node, ast.ClassDef):
                scopes.append(node)


def empty_names(module: Module) -> Iterator[str]:
    """Looks at each word of each part of the path: `order_utils` is as empty as `utils`."""
    words = set(re.split(r"[/_.]", module.path))
    for word in sorted(words & EMPTY_NAMES):
        yield f"{module.path}:1: '{word}' says nothing about what is inside"


def prints(module: Module) -> Iterator[str]:
    """A service speaks through its log."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield module.at(node, "print() outside the command line")


def broad_excepts(module: Module) -> Iterator[str]:
    """Finds a bare except, Exception and BaseException, alone or in a tuple."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            names = {each.id for each in ast.walk(node.type or node) if isinstance(each, ast.Name)}
            if node.type is None or names & {"Exception", "BaseException"}:
                yield module.at(node, "catches everything; name what can happen")


def endless_todos(module: Module) -> Iterator[str]:
    """A TODO is welcome when it says when it goes."""
    for number, line in enumerate(module.text.splitlines(), start=1):
        if UNFINISHED.search(line) and not CONDITION.search(line):
            yield f"{module.path}:{number}: no condition (when, once, until, after) for its removal"


@cache
def wire_names() -> frozenset[str]:
    """The contract's names of two words or more; a single word such as Name is ordinary English too."""
    declared = re.compile(r'<xs:[^>]*\bname="((?:[A-Z]+[a-z0-9]+){2,})"')
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "wsdl").glob("*.wsdl")]
    return frozenset(name for text in texts for name in declared.findall(text))


def stray_wire_names(module: Module) -> Iterator[str]:
    """Looks into every string, f-strings included, except docstrings."""
    docstrings = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            for name in sorted(wire_names() & set(re.findall(r"\w+", node.value))):
                yield module.at(node, f"the wire name {name} belongs in receiver/soap")


def test_modules_are_short() -> None:
    assert_kept(long_modules, "receiver", "connect_client", "tests")


def test_functions_are_short() -> None:
    assert_kept(long_functions, "receiver", "connect_client", "tests", allowed=LONG_FUNCTIONS_ALLOWED)


WITHOUT_EXCEPTION = (crowded_signatures, deep_nesting, missing_docstrings, empty_names, endless_todos)


@pytest.mark.parametrize("rule", WITHOUT_EXCEPTION)
def test_the_packages_keep_the_rules_that_know_no_exception(rule: Rule) -> None:
    assert_kept(rule, "receiver", "connect_client")


def test_only_the_command_line_prints() -> None:
    assert_kept(prints, "receiver", "connect_client", allowed=PRINT_ALLOWED)


def test_only_the_outermost_doors_catch_everything() -> None:
    assert_kept(broad_excepts, "receiver", "connect_client", allowed=BROAD_EXCEPT_ALLOWED)


def test_wire_names_stay_on_the_wire() -> None:
    assert {"ClientOrderRef", "OrderItem", "ErpOrderNo"} <= wire_names()
    assert_kept(stray_wire_names, "receiver", "connect_client", allowed=WIRE_NAMES_ALLOWED)


def test_no_file_names_a_path_of_one_machine() -> None:
    texts = {file: (ROOT / file).read_text(encoding="utf-8", errors="replace") for file in our_files()}
    found = [(file, path) for file, text in texts.items() for path in MACHINE_PATH.finditer(text)]
    places = [f"{file}:{path.string.count(chr(10), 0, path.start()) + 1}: {path[0]}" for file, path in found]
    assert not places, "\n" + "\n".join(places)


def test_the_wheel_lists_every_package() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = config["options"]["packages"].split()
    folders = {Path(module.path).parent for module in modules("receiver", "connect_client")}
    assert listed == sorted({".".join(folder.parts) for folder in folders} | {"connect_client.wsdl"})


@pytest.mark.parametrize(
    ("rule", "snippet"),
    [
        (long_modules, "x = 1\n" * (MODULE_LINES + 1)),
        (long_functions, "def f():\n" + "    x = 1\n" * FUNCTION_LINES),
        (crowded_signatures, "def f(self, a, b, /, c, d, e=1, *, g): ..."),
        (deep_nesting, "def f():\n for a in b:\n  with a:\n   if a: pass\n   elif b:\n    while a: pass"),
        (missing_docstrings, "'Said.'\nclass A:\n  'Said.'\n  def f(self): ...\n  def _g(self): ..."),
        (empty_names, ""),
        (prints, "print('here')"),
        (broad_excepts, "try: pass\nexcept (ValueError, Exception): pass"),
        (endless_todos, "# TO" + "DO make it faster"),
        (stray_wire_names, "'ClientOrderRef in a docstring'\nx = f'{1}/Items/OrderItem[1]'"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_each_rule_finds_the_code_that_breaks_it(rule: Rule, snippet: str) -> None:
    findings = list(rule(Module("receiver/order_utils.py", snippet)))
    assert len(findings) == 1
    assert re.match(r"receiver/order_utils\.py:\d+: .", findings[0])
