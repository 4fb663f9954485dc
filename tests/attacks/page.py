"""What was tried, read off the tests: `python -m tests.attacks.page` writes docs/attacks.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).resolve().parent
PAGE = _HERE.parents[1] / "docs" / "attacks.md"
_HEAD = """# What has been tried

Written by `python -m tests.attacks.page` from `tests/attacks/`; a guard holds this page to them.
Each line is a test, sent over real sockets or by the application's own role. What is defended how,
and what is not, says [security.md](security.md).
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_HEAD, *(_section(file) for file in sorted(_HERE.glob("test_*.py")))])


def _section(file: Path) -> str:
    module = ast.parse(file.read_text())
    title = f"## {_sentence(_first_line(module))}"
    told = f"`tests/attacks/{file.name}`"
    return (
        "\n".join(
            [title, "", told, "", "| what holds | how it is tried |", "|---|---|", *_rows(module)]
        )
        + "\n"
    )


def _rows(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            holds = node.name.removeprefix("test_").replace("_", " ")
            yield f"| {_sentence(holds)} | {_escaped(_first_line(node))} |"


def _first_line(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The docstring's first paragraph; "" where there is none."""
    return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())


def _sentence(words: str) -> str:
    return _escaped(words[:1].upper() + words[1:]).rstrip(".")


def _escaped(words: str) -> str:
    return words.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
