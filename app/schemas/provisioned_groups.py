"""What a directory wants of a group: whom to put in and take out, and under which identifier.

A PATCH of a group is read here as changes of a set, in all the ways in which identity providers
write one, so that nobody needs the whole group in hand to change one member of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from scim2_models import Context, Path
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    ValuePath,
)

from app import provisioning_errors
from app.schemas.provisioning import POLICY, Group, operations_of, understood

MOST_MEMBERS = 5000
_OPS = ("add", "remove", "replace")
_URN = str(Group.__schema__).lower() + ":"


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a group's members: these are put in, taken out, or are all there are."""

    op: str
    users: frozenset[UUID]

    def after(self, before: frozenset[UUID]) -> frozenset[UUID]:
        """The members when this step is done."""
        if self.op == "replace":
            return self.users
        return before | self.users if self.op == "add" else before - self.users


@dataclass(slots=True)
class Wanted:
    """What becomes of a group. Without steps its members stay as they are."""

    steps: list[Step] = field(default_factory=list)
    identified: bool = False
    external_id: str | None = None

    def after(self, before: frozenset[UUID]) -> frozenset[UUID]:
        """The members when all is done."""
        for step in self.steps:
            before = step.after(before)
        return before


def whole(body: dict[str, Any]) -> Wanted:
    """A group as it was sent whole: with `members` these are all, without they stay.

    Raises the refusals of provisioning_errors.
    """
    rest = {name: value for name, value in body.items() if name.lower() != "members"}
    group = _group(rest, Context.RESOURCE_REPLACEMENT_REQUEST)
    wanted = Wanted(identified=True, external_id=group.external_id)
    if len(rest) < len(body):
        members, *others = (value for name, value in body.items() if name.lower() == "members")
        if others:
            raise provisioning_errors.SyntaxUnusable
        wanted.steps.append(Step("replace", _ids(members)))
    return wanted


def patched(body: dict[str, Any]) -> Wanted:
    """A group as its PATCH wants it. What is not kept, the name too, is left alone without a word:
    directories send their own name for a group along with its members.

    Raises the refusals of provisioning_errors.
    """
    wanted = Wanted()
    for operation in operations_of(body):
        op, path = str(operation.get("op")).lower(), operation.get("path")
        if op not in _OPS:
            raise provisioning_errors.ValueUnusable
        value = operation.get("value")
        if op != "remove" and "value" not in operation:
            raise provisioning_errors.ValueUnusable
        for name, selected, given in _targets(op, path, value):
            _change(wanted, op, name, selected, given)
    if sum(len(step.users) for step in wanted.steps) > MOST_MEMBERS:
        raise provisioning_errors.TooMuch
    return wanted


def _targets(op: str, path: Any, value: Any) -> Iterator[tuple[str, frozenset[UUID] | None, Any]]:
    """What an operation is about: attributes with the entries that a path selects and a value."""
    if path is None or path == "":
        if op == "remove":
            raise provisioning_errors.TargetMissing
        if not isinstance(value, dict):
            raise provisioning_errors.ValueUnusable
        yield from (
            (str(name).lower().removeprefix(_URN), None, item) for name, item in value.items()
        )
        return
    with understood():
        read = Path[Group](path)
        name = str(read.attr).lower()
        selected = read.value_filter
    if selected is None:
        yield name.removesuffix(".value"), None, value
        return
    if name != "members" or op != "remove" or not isinstance(read.ast, Comparison | ValuePath):
        raise provisioning_errors.PathUnusable
    yield name, frozenset(_selected(selected)), None


def _selected(node: FilterNode) -> Iterator[UUID]:
    """The ids that a filter of members names: `value eq "..."`, and several with `or`."""
    if isinstance(node, LogicalExpr) and node.op == LogicalOperator.or_:
        for term in node.terms:
            yield from _selected(term)
    elif (
        isinstance(node, Comparison)
        and node.op == CompareOperator.eq
        and node.attr_path.attr.lower() == "value"
    ):
        named = _id(node.value)
        yield from () if named is None else (named,)
    else:
        raise provisioning_errors.PathUnusable


def _change(
    wanted: Wanted, op: str, name: str, selected: frozenset[UUID] | None, value: Any
) -> None:
    if name == "externalid":
        given = None if op == "remove" else value
        group = _group({"externalId": given}, Context.DEFAULT)
        wanted.identified, wanted.external_id = True, group.external_id
    elif name == "members" and op == "remove":
        chosen = selected if selected is not None else _chosen(value)
        everybody = Step("replace", frozenset())
        wanted.steps.append(everybody if chosen is None else Step("remove", chosen))
    elif name == "members":
        wanted.steps.append(Step(op, _ids(value)))


def _chosen(value: Any) -> frozenset[UUID] | None:
    """The members whom a list of values names to be taken out; None where there is no list.

    What cannot be an id names nobody, and nobody is taken out.
    """
    if value is None:
        return None
    ids = (_id(given) for given in _values(value))
    return frozenset(found for found in ids if found is not None)


def _ids(value: Any) -> frozenset[UUID]:
    """The users whom a list of members names. Raises MemberUnknown for what cannot be one."""
    ids = [_id(given) for given in _values(value)]
    if None in ids:
        raise provisioning_errors.MemberUnknown
    return frozenset(found for found in ids if found is not None)


def _id(value: Any) -> UUID | None:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        return None


def _values(value: Any) -> list[Any]:
    entries = [] if value is None else value if isinstance(value, list) else [value]
    if len(entries) > MOST_MEMBERS:
        raise provisioning_errors.TooMuch
    return [_value(entry) for entry in entries]


def _value(entry: Any) -> Any:
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, dict):
        raise provisioning_errors.ValueUnusable
    named = {str(name).lower(): item for name, item in entry.items()}
    return named.get("value")


def _group(body: dict[str, Any], context: Context) -> Group:
    with understood():
        return Group.model_validate(body, scim_ctx=context, scim_policy=POLICY)
