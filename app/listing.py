"""Pages of a list by keyset: the same cost for the first page and for the ten-thousandth."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app import cursors, errors
from app.reader import Prepared, Reader, Row


class Page(NamedTuple):
    """What a list was asked for."""

    limit: int
    cursor: str | None
    fingerprint: str
    total: bool


class Listing:
    """A query and the order of its pages, compiled once for the first page and for the next ones.

    All columns of the order run in one direction, so that one comparison of rows continues the
    list where it stopped, on an index, at the same cost for any page.
    """

    def __init__(self, query: sa.Select[Any], *order: Any, descending: bool = False) -> None:
        self.query = query
        names = [column.key for column in query.selected_columns]
        self._places = [names.index(column.key) for column in order]
        self._types = [column.type.python_type for column in order]
        ordered = query.order_by(*(c.desc() if descending else c.asc() for c in order))
        self.first = Prepared(ordered.limit(sa.bindparam("page_limit", type_=sa.Integer)))
        marks = [
            sa.bindparam(f"after_{index}", type_=column.type) for index, column in enumerate(order)
        ]
        left: Any = order[0] if len(order) == 1 else sa.tuple_(*order)
        right: Any = marks[0] if len(order) == 1 else sa.tuple_(*marks)
        beyond = left < right if descending else left > right
        self.next = Prepared(
            ordered.where(beyond).limit(sa.bindparam("page_limit", type_=sa.Integer))
        )
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

    def cursor(self, row: Row, page: Page) -> str:
        """The cursor that continues after this row."""
        return cursors.sealed([row[place] for place in self._places], page.fingerprint)


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


async def page(
    reader: Reader, listing: Listing, asked: Page, *, wire: bool = False, **parameters: Any
) -> Listed:
    """One page; with `wire`, its rows are ready to be encoded (`Reader.wire`).

    One more row than asked for is read, to know whether there is a next page.
    """
    after = listing.after(asked)
    statement = listing.next if after else listing.first
    read = reader.wire if wire else reader.rows
    rows = await read(statement, **parameters, **after, page_limit=asked.limit + 1)
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    total = await reader.scalar(listing.count, **parameters) if asked.total else None
    return Listed(rows, listing.cursor(rows[-1], asked) if more else None, total)
