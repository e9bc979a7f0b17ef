"""Where a command acts: the same questions, whether the answers come from a database or the web."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

# What somebody waits for; in any other state nothing happens until somebody asks for it.
UNDER_WAY = ("waiting", "planning", "applying", "reversing")

Shown = dict[str, Any]

_USUAL = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}


def in_words(problem: Mapping[str, Any]) -> str:
    """What a problem says, with what is wrong where, and the facts to which it refers."""
    wrong = [
        f"{error.get('pointer') or error.get('parameter')}: {error['detail']}"
        for error in problem.get("errors", [])
    ]
    facts = [
        f"{name}: {value}"
        for name, value in problem.items()
        if name not in _USUAL and isinstance(value, str | int)
    ]
    return " ".join([problem["detail"], *wrong, *(f"({fact})" for fact in facts)])


class Refused(Exception):
    """It could not be done: why, in a sentence or two, and the code of the refusal, if any."""

    def __init__(self, said: str, code: str | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.code = code


class Place(Protocol):
    """Imports and exports, in the shape in which the API has them. Everything raises Refused."""

    async def send(self, file: Path, asked: dict[str, str]) -> Shown:
        """Hands a file in; the import."""
        ...

    async def get(self, import_id: str) -> Shown:
        """The import as it stands now."""
        ...

    async def act(self, import_id: str, act: str, body: dict[str, Any] | None) -> Shown:
        """Asks for an application or a reversal."""
        ...

    def rows(self, import_id: str) -> AsyncIterator[Shown]:
        """The rows of which something is said, in the order of the file."""
        ...

    def report(self, import_id: str) -> AsyncIterator[bytes]:
        """The file again, with what became of each row."""
        ...

    def export(self, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        """A roster as a file."""
        ...

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """While it lasts somebody does what imports ask for."""
        ...
