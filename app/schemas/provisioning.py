"""Users and groups as SCIM has them (RFC 7643): what a partner's directory sends and is shown.

A group is a community. Of a user there is what it takes to find or to make an account; what else a
directory knows is taken without complaint and not kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, PrivateAttr, TypeAdapter, ValidationError
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    Context,
    Error,
    Mutability,
    PatchOp,
    Reference,
    Required,
    Resource,
    SCIMException,
    ScimPolicy,
    SearchRequest,
    Uniqueness,
)

from app import provisioning_errors
from app.models import ProvisionedUser
from app.schemas.base import Email, line

PREFIX = "/scim/v2"
MEDIA_TYPE = "application/scim+json"
MOST_RESULTS, DEFAULT_RESULTS = 200, 100
LONGEST_FILTER = 2000
MOST_OPERATIONS = 100
LONGEST_PATH = 500

# The liberties that large identity providers take with the protocol.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


def _checked(kind: Any) -> AfterValidator:
    """Checks text as the rest of the house does; an empty one is no value (RFC 7643, 2.5)."""
    adapter: TypeAdapter[str] = TypeAdapter(kind)

    def check(value: str | None) -> str | None:
        return adapter.validate_python(value) if value and value.strip() else None

    return AfterValidator(check)


_NAME = _checked(Annotated[str, *line(1, 200)])


class Name(ComplexAttribute):
    """A name in its parts."""

    formatted: Annotated[str | None, _NAME] = None
    """The whole name, as it is written."""

    family_name: Annotated[str | None, _NAME] = None
    """The family name."""

    given_name: Annotated[str | None, _NAME] = None
    """The given name."""


class GroupOfUser(ComplexAttribute):
    """A group that a user is in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The id of the group, which is the community's."""

    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Where the group is."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The name of the community, in English."""

    type: Annotated[str | None, Mutability.read_only] = Field(None, examples=["direct"])
    """Always direct: groups are not nested."""


class User(Resource[Any]):
    """Somebody in the partner's directory. No account of the association is shown or changed."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    external_id: Annotated[
        str | None, CaseExact.true, Uniqueness.server, _checked(Annotated[str, *line(1, 256)])
    ] = None
    """The user's identifier in the partner's directory."""

    user_name: Annotated[str | None, Uniqueness.server, Required.true, _checked(Email)] = None
    """The user's e-mail address, by which an account is found or made."""

    name: Name | None = None
    """The user's name in its parts."""

    display_name: Annotated[str | None, _NAME] = None
    """The name under which an account begins. Its owner may correct it there."""

    active: bool | None = None
    """Whether the memberships that this directory began run."""

    groups: Annotated[list[GroupOfUser] | None, Mutability.read_only] = None
    """The groups into which this directory has put the user."""


class Member(ComplexAttribute):
    """A user in a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of the user."""

    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Where the user is."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always User: groups are not nested."""


class Group(Resource[Any]):
    """A community, with those of its members whom this directory has put there."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    external_id: Annotated[
        str | None, CaseExact.true, Uniqueness.server, _checked(Annotated[str, *line(1, 256)])
    ] = None
    """The group's identifier in the partner's directory."""

    display_name: Annotated[str | None, Mutability.read_only] = None
    """The name of the community, in English."""

    members: list[Member] | None = None
    """The users whom this directory has put into the group and whose membership runs."""

    # The members of a group that is sent: thousands of them are not worth a model each.
    _user_ids: list[UUID] = PrivateAttr(default_factory=list)

    @property
    def user_ids(self) -> list[UUID]:
        """The users in a group that goes over the wire."""
        return self._user_ids

    def holding(self, user_ids: list[UUID]) -> "Group":
        """This group with these users in it."""
        self._user_ids = user_ids
        return self


# Reading


@contextmanager
def understood() -> Iterator[None]:
    """What the protocol's own models find wrong inside becomes a refusal of ours, which repeats
    nothing that was sent."""
    try:
        yield
    except SCIMException as wrong:
        raise provisioning_errors.of(wrong.scim_type) from wrong
    except ValidationError as wrong:
        raise provisioning_errors.of(
            Error.from_validation_error(wrong.errors()[0]).scim_type
        ) from wrong
    except (ValueError, TypeError, RecursionError) as wrong:
        raise provisioning_errors.ValueUnusable from wrong


def read_user(body: dict[str, Any], context: Context) -> User:
    """A user as it was sent whole. Raises the refusals of provisioning_errors."""
    with understood():
        return User.model_validate(body, scim_ctx=context, scim_policy=POLICY)


def read_search(body: dict[str, Any], kind: type[Resource[Any]]) -> SearchRequest[Any]:
    """A query, whether it came in an address or in a body."""
    filtered = body.get("filter")
    if isinstance(filtered, str) and len(filtered) > LONGEST_FILTER:
        raise provisioning_errors.FilterUnusable
    model: Any = SearchRequest[kind]  # ty: ignore[invalid-type-form]
    with understood():
        return model.model_validate(body, scim_ctx=Context.SEARCH_REQUEST, scim_policy=POLICY)


def operations_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations of a PATCH, as many and as long as one reads."""
    named = {name.lower(): value for name, value in body.items()}
    found = named.get("operations")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise provisioning_errors.SyntaxUnusable
    if len(found) > MOST_OPERATIONS:
        raise provisioning_errors.TooMuch
    read = [{name.lower(): value for name, value in one.items()} for one in found]
    paths = [one["path"] for one in read if one.get("path") is not None]
    if not all(isinstance(path, str) and len(path) <= LONGEST_PATH for path in paths):
        raise provisioning_errors.PathUnusable
    return read


def patched_user(user: User, body: dict[str, Any]) -> User:
    """The user as a PATCH leaves it."""
    operations_of(body)
    with understood():
        patch = PatchOp[User].model_validate(
            body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
        )
        patch.patch(user, scim_policy=POLICY)
    return user


def columns_of(user: User) -> dict[str, Any]:
    """What is kept of a user as it was sent."""
    name = user.name or Name()
    return {
        "user_name": user.user_name,
        "external_id": user.external_id,
        "display_name": user.display_name,
        "formatted_name": name.formatted,
        "given_name": name.given_name,
        "family_name": name.family_name,
        "active": user.active,
    }


def user_of(row: ProvisionedUser) -> User:
    """A user as it is kept, without its groups."""
    parts = (row.formatted_name, row.family_name, row.given_name)
    name = Name(formatted=parts[0], family_name=parts[1], given_name=parts[2])
    return User(
        id=str(row.id),
        external_id=row.external_id,
        user_name=row.user_name,
        name=name if any(parts) else None,
        display_name=row.display_name,
        active=row.active,
    )
