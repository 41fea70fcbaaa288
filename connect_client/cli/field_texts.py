"""What the docstrings below the fields of a message say, for the help of its options.

Python keeps no such docstrings, so they are read from the source, and only when somebody asks for help.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise


def field_texts(message: type) -> Mapping[str, str]:
    """The docstring of each field, those of its parents too; empty where the source was not shipped."""
    texts: dict[str, str] = {}
    for ancestor in reversed(message.__mro__):
        module = sys.modules[ancestor.__module__]
        if ancestor.__module__.startswith("connect_client."):
            texts |= dict(_below_fields(_class_in(_source(module.__name__), ancestor.__name__)))
    return texts


@functools.cache
def _source(module: str) -> ast.Module:
    try:
        return ast.parse(inspect.getsource(sys.modules[module]))
    except OSError:
        return ast.Module(body=[], type_ignores=[])


def _class_in(module: ast.Module, name: str) -> list[ast.stmt]:
    found = [node.body for node in module.body if isinstance(node, ast.ClassDef) and node.name == name]
    return found[0] if found else []


def _below_fields(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, after in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            yield field.target.id, inspect.cleandoc(str(ast.literal_eval(after.value)))
