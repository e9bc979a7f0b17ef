"""The page of promises: in the README's words, with tests that there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGE = (ROOT / "docs" / "promises.md").read_text("utf-8")
KEPT, NOT_YET = PAGE.split("## Not promised yet", 1)


def rows(tables: str) -> dict[str, str]:
    """The cells of every row: what is promised, and what is said of it."""
    found = dict(re.findall(r"^\| (.+?) \| (.+) \|$", tables, re.MULTILINE))
    return {promise: said for promise, said in found.items() if promise != "promise"}


def known_tests() -> set[str]:
    """Every test by its file and its name."""
    return {
        f"{path.name}::{node.name}"
        for path in (ROOT / "tests").glob("test_*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_promise_of_the_readme_is_there_and_no_other() -> None:
    promised = README.split("## What is promised", 1)[1].split("**Not built yet.**")[0]
    bullets = re.findall(r"^- (.+(?:\n  .+)*)", promised, re.MULTILINE)
    assert [" ".join(bullet.split()) for bullet in bullets] == list(rows(KEPT))


def test_every_promise_names_its_tests_and_they_are_there() -> None:
    there = known_tests()
    for promise, said in rows(KEPT).items():
        named = said.split("<br>")
        assert [name for name in named if name.strip("`") not in there] == [], promise


def test_what_is_not_promised_yet_says_what_is_missing() -> None:
    missing = rows(NOT_YET)
    assert missing.keys().isdisjoint(rows(KEPT)) and all(missing.values())
