"""Statements as the drivers take them: written once in SQLAlchemy, compiled once for each database.

Rows pass through the types' own processors, so that both databases answer alike. A cell becomes
either the value that its type stands for or, for hot lists, what can be encoded at once.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from app.models.base import Instant

Process = Callable[[Any], Any]
Processor = Process | None
Select = sa.Select[*tuple[Any, ...]]
Statement = Select | sa.CompoundSelect[*tuple[Any, ...]] | sa.Update | sa.Insert


class Compiled(NamedTuple):
    """A statement as the driver takes it."""

    sql: str
    order: tuple[str, ...]
    defaults: dict[str, Any]
    binds: dict[str, Processor]
    results: tuple[tuple[int, Process], ...]
    wire: tuple[tuple[int, Process], ...]
    record: type[Any]

    def bound(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The parameters in the driver's order, as the driver stores them."""
        values = []
        for name in self.order:
            value = parameters[name] if name in parameters else self.defaults[name]
            processor = self.binds.get(name)
            values.append(value if processor is None else processor(value))
        return values


class Prepared:
    """A statement with named parameters that is compiled once for each database."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: sa.Dialect) -> Compiled:
        """The compiled form for this dialect, made at the first call."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = compile_statement(self.statement, dialect)
        return found


def compile_statement(statement: Any, dialect: sa.Dialect, *, whole: bool = False) -> Compiled:
    """Compiles with the types' own bind and result processors, as a Result would use them.

    `whole` says that all values are known, so that lists of them (IN) can be written out.
    """
    compiled = statement.compile(dialect=dialect)
    sql, order = compiled.string, tuple(compiled.positiontup or ())
    defaults = compiled.construct_params(_check=False)
    binds = {
        name: parameter.type.dialect_impl(dialect).bind_processor(dialect)
        for name, parameter in compiled.binds.items()
    }
    if whole:
        state = compiled.construct_expanded_state()
        sql, order = state.statement, tuple(state.positiontup or ())
        defaults = dict(state.parameters)
        for name, names in state.parameter_expansion.items():
            binds.update(dict.fromkeys(names, binds.get(name)))
    columns = list(statement.exported_columns)
    Record = namedtuple("Record", [column.key for column in columns])
    return Compiled(
        sql,
        order,
        defaults,
        binds,
        _needed(_value_of(column.type, dialect) for column in columns),
        _needed(_wire_of(column.type, dialect) for column in columns),
        Record,
    )


def _needed(processors: Iterable[Processor]) -> tuple[tuple[int, Process], ...]:
    return tuple((index, made) for index, made in enumerate(processors) if made is not None)


def _value_of(kind: Any, dialect: sa.Dialect) -> Processor:
    """What makes a driver's cell the value that the type stands for."""
    implementation = kind.dialect_impl(dialect)
    if isinstance(implementation, sa.JSON):
        return loaded
    return implementation.result_processor(dialect, None)


def loaded(cell: str | None) -> Any:
    """What a text of JSON says."""
    return None if cell is None else orjson.loads(cell)


def _wire_of(kind: Any, dialect: sa.Dialect) -> Processor:
    """What makes a driver's cell ready to be encoded: the same text, by a shorter way."""
    if isinstance(kind.dialect_impl(dialect), sa.JSON):
        return _fragment
    if dialect.name == "postgresql":
        return None
    if isinstance(kind, Instant):
        return _instant
    if isinstance(kind, sa.Uuid):
        return _id
    return None if isinstance(kind, sa.Enum) else _value_of(kind, dialect)


def _fragment(cell: str | None) -> Any:
    return None if cell is None else orjson.Fragment(cell)


def _instant(cell: str | None) -> str | None:
    """From SQLite's text; a fraction of zero is left out, as everywhere."""
    if cell is None:
        return None
    return f"{cell[:10]}T{cell[11:].removesuffix('.000000')}Z"


def _id(cell: str | None) -> str | None:
    if cell is None:
        return None
    return f"{cell[:8]}-{cell[8:12]}-{cell[12:16]}-{cell[16:20]}-{cell[20:]}"


def processed(
    found: Iterable[Sequence[Any]], processors: tuple[tuple[int, Process], ...]
) -> Iterable[Sequence[Any]]:
    """The rows with each of these processors applied to its column."""
    if not processors:
        return found
    made = []
    for row in found:
        cells = list(row)
        for index, processor in processors:
            cells[index] = processor(cells[index])
        made.append(cells)
    return made
