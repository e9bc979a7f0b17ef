"""This machine's database: the services directly, as its operator."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from app import clock, errors
from app.alone import Alone
from app.commands.places import Refused, Shown, in_words
from app.db import Database
from app.policy import Standing
from app.schemas.membership_exports import ExportFormat
from app.schemas.membership_imports import (
    MembershipImport,
    MembershipImportApplication,
    MembershipImportCreate,
    MembershipImportRow,
)
from app.services import (
    import_pages,
    import_rows,
    import_runs,
    membership_exports,
    membership_imports,
    operators,
)
from app.services.rosters import Filters

PAGE = 500
# How long to wait for somebody else who runs imports on this database, before looking again.
TURN_SECONDS = 0.2
_FILTERS = TypeAdapter(Filters)


@contextmanager
def _in_words() -> Iterator[None]:
    """Refusals of services as a command says them."""
    try:
        yield
    except errors.Problem as problem:
        said = in_words(problem.document("en", "", "", ""))
        raise Refused(said, problem.code) from problem
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Refused(wrong) from error


class Local:
    """A database, and who acts on it where."""

    def __init__(self, database: Database, standing: Standing) -> None:
        self._database = database
        self._reader = database.reader
        self._standing = standing

    @classmethod
    @asynccontextmanager
    async def at(cls, database: Database, community: str | None) -> AsyncIterator["Local"]:
        """The operator, in a community or in the association as a whole."""
        try:
            with _in_words():
                standing = await operators.standing_of(database.reader, community)
            yield cls(database, standing)
        finally:
            await database.close()

    async def send(self, file: Path, asked: dict[str, str]) -> Shown:
        """Hands a file in; the import."""
        with _in_words():
            body = MembershipImportCreate.model_validate({"file": ""} | asked)
            opened = await membership_imports.look(
                self._reader, self._standing, file, file.name, body
            )
            async with self._database.work() as work:
                return _import(await membership_imports.create(work, self._standing, opened))

    async def get(self, import_id: str) -> Shown:
        """The import as it stands now."""
        with _in_words():
            return _import(await import_pages.get(self._reader, self._standing, _id(import_id)))

    async def act(self, import_id: str, act: str, body: dict[str, Any] | None) -> Shown:
        """Asks for an application or a reversal."""
        found = _id(import_id)
        with _in_words():
            async with self._database.work() as work:
                if act == "reversal":
                    return _import(await membership_imports.reverse(work, self._standing, found))
                asked = MembershipImportApplication.model_validate(body).model_dump()
                return _import(await membership_imports.apply(work, self._standing, found, asked))

    async def rows(self, import_id: str) -> AsyncIterator[Shown]:
        """The rows of which something is said, in the order of the file."""
        wanted = import_rows.listing((), True)
        async for page in wanted.walk(self._reader, PAGE, **{"import": _id(import_id)}):
            for row in page:
                shown = MembershipImportRow.model_validate(import_rows.shown(row))
                yield shown.model_dump(mode="json")

    async def report(self, import_id: str) -> AsyncIterator[bytes]:
        """The file again, with what became of each row."""
        with _in_words():
            found = await import_pages.find_kept(self._reader, self._standing, _id(import_id))
            headings = found.headings
            async for piece in import_rows.report(self._reader, found.id, headings, "en", None):
                yield piece

    async def export(self, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        """A roster as a file."""
        given = dict(asked)
        form, source = ExportFormat(given.pop("format")), given.pop("source", None)
        with _in_words():
            filters = _FILTERS.validate_python(given)
            if filters.as_of and filters.as_of > clock.today():
                raise Refused("as_of: a day that has not come yet")
            export = await membership_exports.begin(
                self._database, self._standing, filters, form, source
            )
            async for piece in membership_exports.pieces(self._reader, export, self._same):
                yield piece

    async def _same(self) -> Standing:
        """The operator's rights do not end."""
        return self._standing

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Runs imports, unless a worker beside does it already."""
        try:
            async with asyncio.TaskGroup() as both:
                working = both.create_task(self._run_imports())
                yield
                working.cancel()
        except BaseExceptionGroup as failed:
            with _in_words():
                raise failed.exceptions[0] from failed

    async def _run_imports(self) -> None:
        alone = Alone(self._database.url, "imports")
        try:
            while True:
                if alone.still() or await alone.enter():
                    while await import_runs.run_next(self._database):
                        continue
                await asyncio.sleep(TURN_SECONDS)
        finally:
            await alone.leave()


def _import(shown: dict[str, Any]) -> Shown:
    return MembershipImport.model_validate(shown).model_dump(mode="json")


def _id(import_id: str) -> UUID:
    try:
        return UUID(import_id)
    except ValueError as error:
        raise Refused("An import's id is a UUID, as `cop import` prints it.") from error
