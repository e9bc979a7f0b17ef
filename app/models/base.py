"""What every table is made of: ids, instants, days, texts in two languages, closed sets."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import uuid_utils.compat as uuid_utils
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = SQLModel.metadata

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC. SQLite keeps it without its zone, in text that sorts by time."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What a cursor's text is read back as."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuses naive values: a time without a zone is a mistake."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Gives back what was stored, always aware, always UTC."""
        if value is None or value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class has_item(FunctionElement[bool]):
    """The condition that a JSON list has a text among its items: `has_item(column, text)`."""

    type = sa.Boolean()
    inherit_cache = True


class is_empty(FunctionElement[bool]):
    """The condition that a JSON list has no item."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(has_item, "postgresql")
def _has_item_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    items, item = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({items} @> to_jsonb(CAST({item} AS TEXT)))"


@compiles(has_item, "sqlite")
def _has_item_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    items, item = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({items}) WHERE json_each.value = {item})"


@compiles(is_empty, "postgresql")
def _is_empty_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"(jsonb_array_length({compiler.process(element.clauses, **options)}) = 0)"


@compiles(is_empty, "sqlite")
def _is_empty_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(json_array_length({compiler.process(element.clauses, **options)}) = 0)"


def new_id() -> UUID:
    """A UUIDv7: unique without asking the database, and in order of making."""
    return uuid_utils.uuid7()


def identity(**options: Any) -> Any:
    """The primary key, made in Python so that a row knows its id before it is stored."""
    return Field(default_factory=new_id, primary_key=True, **options)


def reference(target: str, *, nullable: bool = False, **options: Any) -> Any:
    """A foreign key to `table.column`."""
    default = {"default": None} if nullable else {}
    return Field(foreign_key=target, nullable=nullable, **default, **options)


def instant(*, nullable: bool = False, **options: Any) -> Any:
    """A column of instants."""
    default = {"default": None} if nullable else {}
    return Field(sa_type=Instant, nullable=nullable, **default, **options)


def json(**options: Any) -> Any:
    """A column of JSON: JSONB on PostgreSQL, text on SQLite."""
    return Field(sa_type=Json, **({"nullable": False} | options))


def one_of(members: type[StrEnum], name: str, **options: Any) -> Any:
    """A column that takes the values of an enumeration, by a CHECK that a test compares with it."""
    kind = sa.Enum(
        members,
        name=name,
        values_callable=lambda found: [member.value for member in found],
        native_enum=False,
        create_constraint=True,
        length=40,
    )
    return Field(sa_type=kind, **options)


def text(**options: Any) -> Any:
    """A column of text without a limit of its own; the schema bounds what is written to it."""
    return Field(sa_type=sa.Text, **options)
