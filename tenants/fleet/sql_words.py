"""SQL cut into statements and words, so that rules are about words and not about what is quoted.
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(
    r"""
    (?P<space> \s+ | --[^\n]* )
  | (?P<body> \$(?P<tag>(?:[^\W\d]\w*)?)\$ .*? \$(?P=tag)\$ )
  | (?P<text> [eE]'(?:[^'\\]|\\.|'')*' | (?:[bBnNxX]|[uU]&)?'(?:[^']|'')*' )
  | (?P<name> "(?:[^"]|"")*" )
  | (?P<bare> [^\W\d][\w$]* )
  | (?P<number> \d[\w.]* )
  | (?P<mark> [^'"] )
    """,
    re.X | re.S,
)
_COMMENT = re.compile(r"/\*|\*/")
TEXT, BODY = "''", "$$"  # what stands for a literal, and for one between dollars


class Unreadable(ValueError):
    """Something is opened and never closed."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Bare words are in capitals, names in quotes as they are written; `source` is all of it."""

    words: tuple[str, ...]
    source: str

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def outside(self) -> str:
        """Without what stands in parentheses."""
        leveled = zip(self.words, levels(self.words), strict=True)
        return " ".join(
            word for word, level in leveled if level == 0 or (level == 1 and word == "(")
        )

    def parts(self) -> Iterator[Statement]:
        """What commas part outside of parentheses."""
        part: list[str] = []
        for word, level in zip(self.words, levels(self.words), strict=True):
            if word == "," and level == 0:
                yield Statement(tuple(part), self.source)
                part = []
            else:
                part.append(word)
        yield Statement(tuple(part), self.source)

    def after(self, number: int) -> Statement:
        """Without the first so many words."""
        return Statement(self.words[number:], self.source)


def statements(sql: str) -> Iterator[Statement]:
    """Those that are not empty. Raises Unreadable."""
    words: list[str] = []
    start = 0
    for word, end in _words(sql):
        if word != ";":
            words.append(word)
            continue
        if words:
            yield Statement(tuple(words), sql[start : end - 1])
        words, start = [], end
    if words:
        yield Statement(tuple(words), sql[start:])


def name(word: str) -> str:
    """A table's or column's, as the catalogue has it."""
    return word[1:-1].replace('""', '"') if word.startswith('"') else word.lower()


def levels(words: tuple[str, ...]) -> Iterator[int]:
    """How many parentheses each word stands in; they themselves stand in their own."""
    level = 0
    for word in words:
        level += word == "("
        yield level
        level -= word == ")"


def _words(sql: str) -> Iterator[tuple[str, int]]:
    """Each, and where it ends. Raises Unreadable."""
    at = 0
    while at < len(sql):
        if sql.startswith("/*", at):
            at = _end_of_comment(sql, at)
            continue
        found = _WORD.match(sql, at)
        if found is None:
            raise Unreadable
        at = found.end()
        if found.lastgroup != "space":
            yield _plain(found), at


def _plain(found: re.Match[str]) -> str:
    """Raises Unreadable for dollars that open what they don't close."""
    if found["body"]:
        return BODY
    if found["text"]:
        return TEXT
    if found["name"]:
        return re.sub(r"\s", "_", found[0])
    if found["bare"]:
        return found["bare"].upper()
    if found[0] == "$" and not found.string[found.end() : found.end() + 1].isdigit():
        raise Unreadable
    return found[0]


def _end_of_comment(sql: str, at: int) -> int:
    """They nest. Raises Unreadable."""
    depth = 0
    for mark in _COMMENT.finditer(sql, at):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise Unreadable
