"""The condition that a column's value is one of many, as one parameter.

`column.in_(values)` writes the statement anew for each number of values; this one is compiled once.
"""

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class _Several(TypeDecorator[list[Any]]):
    """Values of one type: an array on PostgreSQL, a list in JSON on SQLite."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: Any) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """What the database takes."""
        return dialect.type_descriptor(
            sa.ARRAY(self.item) if dialect.name == "postgresql" else sa.Text()
        )

    def process_bind_param(self, value: Iterable[Any] | None, dialect: sa.Dialect) -> Any:
        """The values, as a list or as JSON."""
        listed = list(value or ())
        if dialect.name == "postgresql":
            return listed
        ready = self.item.dialect_impl(dialect).bind_processor(dialect)
        return orjson.dumps([ready(one) for one in listed] if ready else listed).decode()


class _Among(FunctionElement[bool]):
    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """As it is. SQLite, which has no booleans, would be given `(...) = 1`, for which it finds
        no index and reads the whole table."""
        return self


def among(column: Any, name: str) -> Any:
    """The condition that a column has one of the values that the parameter `name` lists."""
    # Text without a length: a cast to one would cut what is too long, which might then be found.
    item = sa.Text() if column.type.python_type is str else column.type
    return _Among(column, sa.bindparam(name, type_=_Several(item)))


@compiles(_Among, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} = ANY ({values}))"


@compiles(_Among, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"
