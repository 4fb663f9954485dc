"""Which of our errors a function can raise: read from its source, and from that of all it names.

What a statement in SQL, a manager's method or the framework calls is not followed.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from config.api.errors import DomainError

_OURS = ("config.", "tenants.", "accounts.", "backups.", "trading.")
Method = tuple[FunctionType, type | None]  # a function, and the class whose `self` it takes


def raised_by(function: Callable[..., Any], owner: type | None = None) -> set[type[DomainError]]:
    """`owner` is the class that `self` is of."""
    waiting = list(_functions(function, owner))
    seen, found = set(waiting), set()
    while waiting:
        for named in _named(*waiting.pop()):
            if isinstance(named, Raised):
                found.add(named.error)
            elif named not in seen:
                seen.add(named)
                waiting.append(named)
    return found


class Raised:
    """An error that stands after `raise`."""

    def __init__(self, error: type[DomainError]) -> None:
        self.error = error


def _named(function: FunctionType, owner: type | None) -> Iterator[Method | Raised]:
    known = {**vars(builtins), **function.__globals__, **({"self": owner} if owner else {})}
    for node in _nodes(function):
        if isinstance(node, ast.Raise) and node.exc is not None:
            called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            error = _value(called, known)
            if isinstance(error, type) and issubclass(error, DomainError):
                yield Raised(error)
        elif isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and node.id != "self"):
            holder = _value(node.value, known) if isinstance(node, ast.Attribute) else None
            yield from _functions(_value(node, known), holder if _is_class(holder) else None)


@cache
def _nodes(function: FunctionType) -> list[ast.AST]:
    return list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))


def _value(node: ast.AST, known: dict[str, Any]) -> Any:
    """What a name stands for; None where only running it would tell."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        holder = _value(node.value, known)
        is_plain = isinstance(holder, ModuleType) or _is_class(holder)
        return inspect.getattr_static(holder, node.attr, None) if is_plain else None
    return None


def _functions(value: Any, owner: type | None) -> Iterator[Method]:
    """A function of ours, a property's, or all of a class of ours."""
    if isinstance(value, property):
        value = value.fget
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    if _is_class(value):
        if value.__module__.startswith(_OURS) and not issubclass(value, DomainError):
            for part in vars(value).values():
                if not isinstance(part, type):
                    yield from _functions(part, value)
        return
    value = inspect.unwrap(value) if callable(value) else None
    if isinstance(value, FunctionType) and value.__module__.startswith(_OURS):
        is_written = not value.__code__.co_filename.startswith("<")  # a dataclass makes its own
        if is_written and not value.__qualname__.endswith("<lambda>"):
            yield value, owner


def _is_class(value: Any) -> bool:
    return isinstance(value, type)
