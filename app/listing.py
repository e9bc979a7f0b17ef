"""Pages of a list by keyset: the same cost for the first page and for the ten-thousandth."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app import cursors, errors
from app.reader import Prepared, Reader, Row, encoded
from app.statements import Select

# Of one page: most who ask for it at the same time are of a few kinds.
KEPT_ANSWERS = 4


class Page(NamedTuple):
    """What a list was asked for, and the ETags of what the client has of it already."""

    limit: int
    cursor: str | None
    fingerprint: str
    total: bool
    known: frozenset[str] = frozenset()


class Ready(NamedTuple):
    """An answer that is encoded already, and what its headers say of it."""

    body: bytes
    next_cursor: str | None = None
    etag: str | None = None
    version: int | None = None


class Unchanged(Exception):  # it is no error
    """The client has what this ETag names."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


class Listing:
    """A query and the order of its pages, compiled once for the first page and for the next ones.

    All columns of the order run in one direction, so that one comparison of rows continues the
    list where it stopped, on an index, at the same cost for any page. `marks` are columns of the
    query that tell a row from any other and from what it was before.
    """

    def __init__(
        self,
        query: Select,
        *order: Any,
        descending: bool = False,
        marks: tuple[Any, ...] = (),
    ) -> None:
        names = [column.key for column in query.selected_columns]
        self._places = [names.index(column.key) for column in order]
        self._mark_places = [names.index(mark.key) for mark in marks]
        self._form = ",".join(names)
        self._types = [column.type.python_type for column in order]
        ordered = query.order_by(*(c.desc() if descending else c.asc() for c in order))
        limited = ordered.limit(sa.bindparam("page_limit", type_=sa.Integer))
        self.first = Prepared(limited)
        stopped = [
            sa.bindparam(f"after_{index}", type_=column.type) for index, column in enumerate(order)
        ]
        left: Any = order[0] if len(order) == 1 else sa.tuple_(*order)
        right: Any = stopped[0] if len(order) == 1 else sa.tuple_(*stopped)
        beyond = left < right if descending else left > right
        self.next = Prepared(limited.where(beyond))
        self.first_marks = Prepared(limited.with_only_columns(*marks))
        self.next_marks = Prepared(limited.where(beyond).with_only_columns(*marks))
        self.count = Prepared(
            sa.select(sa.func.count().label("total")).select_from(query.subquery())
        )

    def after(self, page: Page) -> dict[str, Any]:
        """The parameters that continue from the page's cursor; refuses a forged one."""
        if page.cursor is None:
            return {}
        values = cursors.opened(page.cursor, page.fingerprint)
        if len(values) != len(self._types):
            raise errors.CursorInvalid
        try:
            return {
                f"after_{index}": _read_back(value, kind)
                for index, (value, kind) in enumerate(zip(values, self._types, strict=True))
            }
        except (TypeError, ValueError) as error:
            raise errors.CursorInvalid from error

    async def marks(self, reader: Reader, values: dict[str, Any]) -> bytes:
        """The digest of the marks of a page's rows; nothing else is read."""
        statement = self.next_marks if "after_0" in values else self.first_marks
        return _digest([list(row) for row in await reader.wire(statement, **values)])

    async def rows(self, reader: Reader, values: dict[str, Any]) -> "Rows":
        """A page's rows, ready to be encoded (`Reader.wire`)."""
        found = await reader.wire(self.next if "after_0" in values else self.first, **values)
        return Rows(found, _digest([[row[place] for place in self._mark_places] for row in found]))

    def etag(self, marks: bytes, page: Page, said: Any) -> str:
        """What tells one answer from any other: its rows' marks, the list and how many of it were
        asked for, its form, and what it says of the caller."""
        told = encoded([self._form, page.limit, page.fingerprint, said])
        return f'"{hashlib.blake2b(told + marks, digest_size=12).hexdigest()}"'

    async def walk(self, reader: Reader, size: int, **parameters: Any) -> AsyncIterator[list[Row]]:
        """All pages, one after the other, each as it is when its turn has come."""
        after: dict[str, Any] = {}
        while True:
            statement = self.next if after else self.first
            rows = await reader.rows(statement, **parameters, **after, page_limit=size)
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = {f"after_{index}": rows[-1][at] for index, at in enumerate(self._places)}

    def cursor(self, row: Row, page: Page) -> str:
        """The cursor that continues after this row."""
        return cursors.sealed([row[place] for place in self._places], page.fingerprint)


def _digest(marks: list[Any]) -> bytes:
    return hashlib.blake2b(encoded(marks), digest_size=16).digest()


def _read_back(value: Any, kind: type) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is UUID:
        return UUID(value)
    if kind is date:
        return date.fromisoformat(value)
    if not isinstance(value, kind):
        raise TypeError(kind)
    return value


class Listed(NamedTuple):
    """One page of a list: its rows, the cursor of the next page, the total where asked for."""

    rows: list[Row]
    next_cursor: str | None
    total: int | None


class Rows:
    """The rows of a page with the digest of their marks, and answers that were made of them."""

    def __init__(self, rows: list[Row], marks: bytes) -> None:
        self.rows = rows
        self.marks = marks
        self.answers: dict[str, Ready] = {}

    def weight(self) -> int:
        """About how many bytes they take."""
        return len(encoded(self.rows))


async def page(reader: Reader, listing: Listing, asked: Page, **parameters: Any) -> Listed:
    """One page. One more row than asked for is read, to know whether there is a next page."""
    after = listing.after(asked)
    statement = listing.next if after else listing.first
    rows = await reader.rows(statement, **parameters, **after, page_limit=asked.limit + 1)
    return await _listed(reader, listing, asked, rows, parameters)


async def hot_page(
    reader: Reader,
    listing: Listing,
    asked: Page,
    said: Any,
    show: Callable[[list[Row]], list[Any]],
    **parameters: Any,
) -> Ready:
    """One page, encoded, with its ETag.

    The rows are read once for all who ask for them at the same time, and encoded once for those
    of them who are shown the same. `show` makes the items of the answer, and what it says of the
    caller is `said`. Raises Unchanged where the client has it, having read the rows' marks alone.
    """
    values = {**parameters, **listing.after(asked), "page_limit": asked.limit + 1}
    key = tuple(values.items())
    if asked.known and not asked.total:
        marks = await reader.shared((listing, "marks", key), lambda: listing.marks(reader, values))
        etag = listing.etag(marks, asked, said)
        if not asked.known.isdisjoint((etag, "*")):
            raise Unchanged(etag)
    found = await reader.shared(
        (listing, "rows", key), lambda: listing.rows(reader, values), Rows.weight
    )
    etag = listing.etag(found.marks, asked, said)
    ready = None if asked.total else found.answers.get(etag)
    if ready is None:
        listed = await _listed(reader, listing, asked, found.rows, parameters)
        body = encoded(
            {"items": show(listed.rows), "next_cursor": listed.next_cursor, "total": listed.total}
        )
        if asked.total:  # it tells of what is on no page of the reader's
            return Ready(body, listed.next_cursor)
        ready = Ready(body, listed.next_cursor, etag)
        if len(found.answers) < KEPT_ANSWERS:
            found.answers[etag] = ready
    return ready


async def _listed(
    reader: Reader, listing: Listing, asked: Page, rows: list[Row], parameters: dict[str, Any]
) -> Listed:
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    total = await reader.scalar(listing.count, **parameters) if asked.total else None
    return Listed(rows, listing.cursor(rows[-1], asked) if more else None, total)
