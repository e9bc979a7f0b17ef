"""Filters and orders of SCIM as SQL, over the attributes that can be asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from scim2_models import Path, SearchRequest
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from app import provisioning_errors
from app.schemas.base import address_key

Condition = Any
Operators = Mapping[CompareOperator, Callable[[Any, Any], Condition]]

_SAME: Operators = {
    CompareOperator.eq: lambda column, value: column == value,
    CompareOperator.ne: lambda column, value: sa.or_(column != value, column.is_(None)),
}
_ORDERED: Operators = {
    **_SAME,
    CompareOperator.gt: lambda column, value: column > value,
    CompareOperator.ge: lambda column, value: column >= value,
    CompareOperator.lt: lambda column, value: column < value,
    CompareOperator.le: lambda column, value: column <= value,
}


def _like(column: Any, pattern: str) -> Condition:
    return column.like(sa.func.lower(pattern), escape="\\")


def _plain(value: str) -> str:
    """Text as it stands inside a pattern."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _lowered(compare: Callable[[Any, Any], Condition]) -> Callable[[Any, Any], Condition]:
    return lambda column, value: compare(column, sa.func.lower(value))


# On columns in lower case; the database makes the other side so too, in its own way.
_WORDS: Operators = {
    **{op: _lowered(compare) for op, compare in _ORDERED.items()},
    CompareOperator.co: lambda column, value: _like(column, f"%{_plain(value)}%"),
    CompareOperator.sw: lambda column, value: _like(column, f"{_plain(value)}%"),
    CompareOperator.ew: lambda column, value: _like(column, f"%{_plain(value)}"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute as SQL has it: how it compares, and (`within`) in which of several values."""

    expression: Any
    operators: Operators
    read: Callable[[Any], Any]
    within: Callable[[Condition], Condition] | None = None

    def compared(self, op: CompareOperator, value: Any) -> Condition:
        """The condition of a comparison. Raises FilterUnusable for one that is not offered."""
        compare = self.operators.get(op)
        if value is None and op in _SAME:
            empty = self.expression.is_(None)
            return empty if op is CompareOperator.eq else sa.not_(empty)
        if compare is None or value is None:
            raise provisioning_errors.FilterUnusable
        return compare(self.expression, self.read(value))


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise provisioning_errors.FilterUnusable
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half a character, which no column holds
        raise provisioning_errors.FilterUnusable from error
    return value


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false"):
        raise provisioning_errors.FilterUnusable
    return str(value).lower() == "true"


def _instant(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_text(value))
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise provisioning_errors.FilterUnusable from error


def _id(value: Any) -> UUID | None:
    """The id; what cannot be one is nobody's, and so nothing equals it."""
    try:
        return UUID(_text(value))
    except ValueError:
        return None


def words(column: Any) -> Column:
    """Text that is compared without regard to case, as far as the database knows cases."""
    return Column(sa.func.lower(column), _WORDS, _text)


def address(column: Any) -> Column:
    """The key of an address."""
    return Column(column, _WORDS, lambda value: address_key(_text(value)))


def exact(column: Any) -> Column:
    """Text that is compared as it stands."""
    return Column(column, _SAME, _text)


def flag(column: Any) -> Column:
    """True or false."""
    return Column(column, _SAME, _flag)


def instant(column: Any) -> Column:
    """A moment."""
    return Column(column, _ORDERED, _instant)


def identifier(column: Any, within: Callable[[Condition], Condition] | None = None) -> Column:
    """The id of a resource; `within` makes of a condition on one of several that there is one."""
    return Column(column, _SAME, _id, within)


Columns = Mapping[str, Column]


class _Conditions(FilterVisitor[Condition]):
    """The condition that a filter states; `head` is the attribute whose values it is about."""

    def __init__(self, columns: Columns, head: str = "") -> None:
        self.columns = columns
        self.head = head

    def _column(self, path: AttrPath) -> Column:
        parts = [self.head, path.attr, path.sub_attr]
        name = ".".join(part for part in parts if part).lower()
        found = self.columns.get(name) or self.columns.get(f"{name}.value")
        if found is None:
            raise provisioning_errors.FilterUnusable
        return found

    def _stated(self, path: AttrPath, condition: Callable[[Column], Condition]) -> Condition:
        column = self._column(path)
        stated = condition(column)
        return column.within(stated) if column.within and not self.head else stated

    def visit_comparison(self, node: Comparison) -> Condition:
        """A comparison with a value."""
        return self._stated(node.attr_path, lambda column: column.compared(node.op, node.value))

    def visit_present(self, node: Present) -> Condition:
        """That there is a value."""
        return self._stated(node.attr_path, lambda column: column.expression.is_not(None))

    def visit_not(self, node: Not) -> Condition:
        """The contrary, which holds of what has no value too."""
        return sa.not_(sa.func.coalesce(self.visit(node.expr), sa.false()))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        """All of them, or one of them."""
        join = sa.and_ if node.op == LogicalOperator.and_ else sa.or_
        return join(*(self.visit(term) for term in node.terms))

    def visit_value_path(self, node: ValuePath) -> Condition:
        """That one of several values is so."""
        if self.head:
            raise provisioning_errors.FilterUnusable
        head = node.attr_path.attr.lower()
        column = self.columns.get(f"{head}.value")
        if column is None or column.within is None:
            raise provisioning_errors.FilterUnusable
        return column.within(_Conditions(self.columns, head).visit(node.val_filter))


def condition(asked: SearchRequest[Any], columns: Columns) -> Condition:
    """What a query asks for, as a condition. Raises FilterUnusable."""
    return sa.true() if asked.filter is None else _Conditions(columns).visit(asked.filter.ast)


def order(asked: SearchRequest[Any], columns: Columns, otherwise: Any) -> tuple[Any, ...]:
    """The order that a query asks for; what has no value comes last, or first when it descends.

    Raises PathUnusable for what cannot be sorted by.
    """
    if asked.sort_by is None:
        return (otherwise,)
    path: Path[Any] = asked.sort_by
    column = columns.get(path.attr.lower())
    if column is None or column.within is not None:
        raise provisioning_errors.PathUnusable
    by = column.expression
    if asked.sort_order == SearchRequest.SortOrder.descending:
        return by.desc().nulls_first(), otherwise
    return by.asc().nulls_last(), otherwise
