"""docs/attacks.md says what the tests do, all of them and no others."""

from __future__ import annotations

from tests.attacks import page


def test_the_page_is_what_the_tests_say() -> None:
    """`python -m tests.attacks.page` writes it again."""
    assert page.PAGE.read_text() == page.page()


def test_every_attack_is_on_the_page() -> None:
    told = page.page()
    for file in page.PAGE.parents[1].glob("tests/attacks/test_*.py"):
        assert f"`tests/attacks/{file.name}`" in told
        for line in file.read_text().splitlines():
            if line.startswith("def test_"):
                name = line.removeprefix("def test_").partition("(")[0].replace("_", " ")
                assert f"| {name[:1].upper()}{name[1:]} |" in told
