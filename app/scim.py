"""SCIM over HTTP (RFC 7644): who may call, how requests are read, how answers and refusals look.

It stands beside the contract of /api/v1: its media type, its errors and its ways of paging and
patching are the protocol's own. The edge, the unit of work and the standing are those of the house.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from scim2_models import (
    Context,
    Error,
    ListResponse,
    Resource,
    ResponseParameters,
    SearchRequest,
)

from app import deps, errors, provisioning_errors, texts
from app.policy import Capability, Standing
from app.problem import Problem
from app.reader import encoded
from app.routing import MALFORMED, Route
from app.schemas.provisioning import (
    MEDIA_TYPE,
    POLICY,
    PREFIX,
    Group,
    User,
    read_search,
    understood,
)
from app.services import credentials, provisioning
from app.services import standing as standings
from app.services.provisioned_users import Found
from app.services.standing import NOWHERE, Where

_TAKEN_TYPES = (MEDIA_TYPE, "application/json")
_KEYWORDS = {errors.Malformed: "invalidSyntax", errors.Invalid: "invalidValue"}


# Refusals (3.12)


def speaks(path: str) -> bool:
    """True for what is answered in the words of SCIM."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def refusal(problem: Problem, language: str) -> bytes:
    """A refusal of ours as SCIM has it: a status, its keyword if there is one, and a sentence."""
    keyword = getattr(problem, "scim_type", None) or _KEYWORDS.get(type(problem))
    detail = texts.text("problems", f"{problem.code}.detail", language, **problem.facts)
    said = Error(status=status_of(problem), scim_type=keyword, detail=detail)
    return encoded(said.model_dump())


def status_of(problem: Problem) -> int:
    """The status that SCIM has for it: what is wrong with a request's shape is 400 there."""
    return 400 if problem.status == 422 else problem.status


# Who calls, and where


async def _provisioner(request: Request) -> Standing:
    return await _standing(request, NOWHERE)


async def _provisioner_of_group(request: Request, group_id: str) -> Standing:
    """The standing in the community that is the group; where the partner may not provision, there
    is none."""
    found = await _standing(request, standings.at(str(_id(group_id))))
    if not found.reached or not found.sees(Capability.MEMBERSHIPS_MANAGE):
        raise errors.NotFound
    return found


async def _standing(request: Request, where: Where) -> Standing:
    """The standing of a partner's machine. Raises Unauthenticated, TokenInvalid, PartnerRequired,
    PermissionDenied, and then only NotFound."""
    caller = deps.claims(request)
    if caller is None:
        raise errors.Unauthenticated
    reader = (await deps.database(request)).reader
    found = await credentials.standing_of(reader, caller)
    provisioning.partner_of(found)
    return found if where is NOWHERE else await credentials.standing_of(reader, caller, where)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise errors.NotFound from error


async def _user_id(user_id: str) -> UUID:
    return _id(user_id)


Provisioner = Annotated[Standing, Depends(_provisioner)]
GroupProvisioner = Annotated[Standing, Depends(_provisioner_of_group)]
UserId = Annotated[UUID, Depends(_user_id)]
IfMatch = Annotated[str | None, Header(alias="If-Match")]


# What is asked


async def _body(request: Request) -> dict[str, Any]:
    """The body, an object. Raises MediaTypeUnsupported, Malformed, SyntaxUnusable."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind not in _TAKEN_TYPES:
        raise errors.MediaTypeUnsupported
    read = await request.json()
    if read is MALFORMED:
        raise errors.Malformed
    if not isinstance(read, dict):
        raise provisioning_errors.SyntaxUnusable
    return read


Body = Annotated[dict[str, Any], Depends(_body)]

_ASKED = ("filter", "sortBy", "sortOrder", "startIndex", "count")
_SELECTED = ("attributes", "excludedAttributes")


def _query(request: Request, names: Sequence[str]) -> dict[str, str]:
    """The parameters of the protocol; others are left alone, as it wants."""
    named = {name.lower(): value for name, value in request.query_params.items()}
    return {name: named[name.lower()] for name in names if named.get(name.lower())}


class _Asked:
    """The dependency that reads a query of resources of one kind, from the address."""

    def __init__(self, kind: type[Resource[Any]]) -> None:
        self.kind = kind

    async def __call__(self, request: Request) -> SearchRequest[Any]:
        """What is asked. Raises FilterUnusable, PathUnusable, ValueUnusable."""
        return read_search(_query(request, (*_ASKED, *_SELECTED)), self.kind)


class _Searched(_Asked):
    """The same, from the body of a search."""

    async def __call__(self, request: Request) -> SearchRequest[Any]:
        """What is asked. Raises besides MediaTypeUnsupported, Malformed, SyntaxUnusable."""
        return read_search(await _body(request), self.kind)


class _Selected:
    """The dependency that reads which attributes of a resource are wanted."""

    def __init__(self, kind: type[Resource[Any]]) -> None:
        self.model: Any = ResponseParameters[kind]  # ty: ignore[invalid-type-form]

    async def __call__(self, request: Request) -> ResponseParameters[Any]:
        """What is wanted. Raises PathUnusable, ValueUnusable."""
        with understood():
            return self.model.model_validate(_query(request, _SELECTED), scim_policy=POLICY)


AskedUsers = Annotated[SearchRequest[Any], Depends(_Asked(User))]
AskedGroups = Annotated[SearchRequest[Any], Depends(_Asked(Group))]
SearchedUsers = Annotated[SearchRequest[Any], Depends(_Searched(User))]
SearchedGroups = Annotated[SearchRequest[Any], Depends(_Searched(Group))]
OfUser = Annotated[ResponseParameters[Any], Depends(_Selected(User))]
OfGroup = Annotated[ResponseParameters[Any], Depends(_Selected(Group))]


# Answers


def answer(
    resource: Resource[Any], wanted: ResponseParameters[Any] | None = None, status: int = 200
) -> Response:
    """A resource, with its version as ETag; a new one with its location too."""
    headers = {}
    if resource.meta is not None and resource.meta.version is not None:
        headers["ETag"] = resource.meta.version
    if status == 201 and resource.meta is not None and resource.meta.location is not None:
        headers["Location"] = resource.meta.location
    return _sent(_written(resource, wanted), status, headers)


async def patched(
    wanted: ResponseParameters[Any], resource: Callable[[], Awaitable[Resource[Any]]]
) -> Response:
    """Nothing, but for whoever names attributes: a large group is not sent for one member of it."""
    if not (wanted.attributes or wanted.excluded_attributes):
        return Response(status_code=204)
    return answer(await resource(), wanted)


def listed(found: Found, wanted: ResponseParameters[Any]) -> Response:
    """A page of resources."""
    resources = [_written(resource, wanted) for resource in found.resources]
    return _page(found.total, found.start, resources)


def everything(resources: Sequence[Resource[Any]]) -> Response:
    """All of the few resources there are."""
    return _page(len(resources), 1, [_written(resource, None) for resource in resources])


def _page(total: int, start: int, resources: list[dict[str, Any]]) -> Response:
    envelope = {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
    return _sent(envelope, 200, {})


def _written(resource: Resource[Any], wanted: ResponseParameters[Any] | None) -> dict[str, Any]:
    """A resource as it goes over the wire, with the attributes that are wanted."""
    written = resource.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wanted
    )
    if isinstance(resource, Group) and resource.user_ids and _wants_members(wanted):
        written["members"] = [_member(user_id) for user_id in resource.user_ids]
    return written


def _member(user_id: UUID) -> dict[str, Any]:
    where = provisioning.location(User, user_id)
    return {"value": str(user_id), "$ref": where, "type": User.__name__}


def _wants_members(wanted: ResponseParameters[Any] | None) -> bool:
    if wanted is None:
        return True
    if wanted.attributes:
        return any(path.parts[:1] == ("members",) for path in wanted.attributes)
    return not any(path.parts == ("members",) for path in wanted.excluded_attributes or ())


def _sent(document: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    return Response(encoded(document), status, headers, MEDIA_TYPE)


class ScimRoute(Route):
    """An operation of SCIM: as any other is run, but with the protocol's own parameters."""

    def _refuse_wrong_parameters(self, request: Request) -> None:
        """Leaves parameters alone that the protocol does not know."""


def router() -> APIRouter:
    """A router of operations under /scim/v2, which the contract of /api/v1 does not list."""
    return APIRouter(
        prefix=PREFIX, route_class=ScimRoute, include_in_schema=False, redirect_slashes=False
    )
