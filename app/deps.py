"""The HTTP edge: the unit of work, the reader, who calls, what they may do here, which page."""

import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from sqlmodel import SQLModel

from app import errors, preconditions, tokens
from app.db import Database, Work
from app.listing import Page
from app.policy import READING, Capability, Standing
from app.preconditions import Expected
from app.reader import Reader
from app.services import credentials, ownership
from app.services import standing as standings
from app.services.standing import NOWHERE, Where

DEFAULT_LIMIT, MAXIMUM_LIMIT = 25, 100
# The docs page names an OAuth2 client without id and secret beside the form that signs in.
NO_CLIENT = "Basic Og=="


# Dependencies are `async def` though they await nothing: FastAPI sends plain ones to a thread.


async def database(request: Request) -> Database:
    """The database of the application that answers this request."""
    return _database(request)


def _database(request: Request) -> Database:
    return request.app.state.database


async def unit_of_work(request: Request) -> AsyncIterator[Work]:
    """One request's unit of work, and what an Idempotency-Key is bound to."""
    async with _database(request).work() as work:
        state, scope = request.scope["state"], request.scope
        state["work"] = work
        if "body_for_key" not in state:  # a form has said already what it is
            state["body_for_key"] = b"" if state.get("secret_body") else await request.body()
        query = scope["query_string"].decode("latin-1")
        state["operation"] = f"{request.method} {scope['path']}?{query}"
        yield work


# scope="function": the commit happens before the answer leaves, never after.
SessionDep = Annotated[Work, Depends(unit_of_work, scope="function")]


DatabaseDep = Annotated[Database, Depends(database)]


async def _reader(request: Request) -> Reader:
    return _database(request).reader


ReaderDep = Annotated[Reader, Depends(_reader)]


def claims(request: Request) -> tokens.Caller | None:
    """Who the bearer token says is calling; None without one. A bad one is a 401 anywhere."""
    header = request.headers.get("authorization")
    if header is None or header == NO_CLIENT:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise errors.TokenInvalid
    token = token.strip()
    personal = token.startswith(tokens.PERSONAL)
    found = tokens.personal(token) if personal else tokens.verified(token)
    request.state.credential = found.credential
    return found


def client_credentials(request: Request) -> str | None:
    """What HTTP Basic says of an OAuth2 client, still encoded; None where it says nothing."""
    header = request.headers.get("authorization", NO_CLIENT)
    scheme, _, said = header.partition(" ")
    return said.strip() if scheme.lower() == "basic" and header != NO_CLIENT else None


def mailed_link(request: Request) -> str | None:
    """The link that somebody was mailed with a form of theirs and sends as a bearer, by its hash;
    whose it is, and whether it is good, the service reads."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip().startswith(tokens.LINK):
        return None
    found = tokens.link(token.strip())
    request.state.credential = found.credential
    return found.token_hash


async def _link(request: Request) -> str | None:
    return mailed_link(request)


LinkDep = Annotated[str | None, Depends(_link)]


class May:
    """The dependency behind `may`: works out the caller's standing and refuses early.

    The order is the contract's: 401 without (good) credentials, then 404 for what the caller may
    not see, then 403 with its reasons for what they may see and not do.
    """

    def __init__(
        self,
        capability: Capability | None,
        within: type[SQLModel] | None,
        seen_with: Capability | None,
        own: bool,
        anybody: bool = False,
        content: bool = False,
        or_with: Capability | None = None,
        machines: bool | None = None,
        client: bool = False,
        linked: bool = False,
        place_asked: bool = False,
    ) -> None:
        self.place_asked = place_asked
        self.linked = linked
        self.machines = machines
        self.client = client
        self.capability = capability
        self.within = within
        self.seen_with = seen_with
        self.own = own
        self.anybody = anybody
        self.content = content
        self.or_with = or_with

    async def __call__(self, request: Request) -> Standing:
        """The caller's standing here.

        Raises Unauthenticated, TokenInvalid, NotFound, PermissionDenied, RulesAgreementRequired.
        """
        by_client = self.client and client_credentials(request) is not None
        by_link = self.linked and mailed_link(request) is not None
        caller = None if by_client or by_link else claims(request)
        reader = _database(request).reader
        if caller is None:
            if self.capability is None and not (self.anybody or by_link):
                raise errors.Unauthenticated
            nobody = await standings.of_nobody(reader)
            if self.capability is not None and not (self.own and by_link):
                nobody.require(self.capability)  # 401 before the path says anything
        where = self._where(request)
        if by_link:
            # A stranger everywhere: whether the link is good is told before what the path leads to.
            where = NOWHERE
        if caller is None:
            found = nobody if where is NOWHERE else await standings.of_nobody(reader, where)
        else:
            found = await credentials.standing_of(reader, caller, where)
            await credentials.note_use(_database(request), found)
        request.state.person_id = found.person.id if found.person else None
        if not (self.own and by_link):
            self._refuse(found)
            await self._refuse_unseen(request, found)
        if found.bounds is not None and self._in_person(request.method):
            found.refuse_machines(self.capability)
        return found

    def _in_person(self, method: str) -> bool:
        """True for what people do themselves, signed in, whatever the scopes of a token: all that
        no capability stands for, and acts where a capability only lets one see the thing."""
        if self.machines is not None:
            return not self.machines
        if self.capability is None:
            return not self.anybody
        return method not in ("GET", "HEAD") and self.capability in READING

    def _where(self, request: Request) -> Where:
        if self.within is not None:
            return standings.through(self.within, self._thing(request, self.within))
        given = request.query_params if self.place_asked else request.path_params
        community = given.get("community")
        return NOWHERE if community is None else standings.at(community)

    def _thing(self, request: Request, within: type[SQLModel]) -> UUID:
        try:
            return UUID(request.path_params[f"{within.__tablename__}_id"])
        except ValueError as error:
            raise errors.NotFound from error

    def _shows(self, found: Standing) -> bool:
        """True if the caller sees such things here, whosever they are."""
        needed = (self.seen_with, self.capability, self.or_with)
        sees = found.sees_page if self.capability is None else found.sees(self.capability)
        return sees and any(found.can(one) for one in needed if one)

    async def _refuse_unseen(self, request: Request, found: Standing) -> None:
        """What is there for its own person alone is not there for others, whatever they send."""
        if not self.own or self.within is None or self._shows(found):
            return
        thing = self._thing(request, self.within)
        if not await ownership.is_own(_database(request).reader, found, self.within, thing):
            raise errors.NotFound

    def _refuse(self, found: Standing) -> None:
        if self.capability is None:
            if found.community is not None and not found.sees_page and not self.own:
                raise errors.NotFound
            return
        if self.content and not found.sees_content:
            raise errors.NotFound
        if self.own and found.person is not None and found.reaches(self.capability):
            # What is one's own is there even where its community shows nothing else.
            return
        if not found.sees(self.capability) or (self.within and not self._shows(found)):
            raise errors.NotFound
        also = self.or_with is not None and not found.can(self.capability)
        found.require(self.or_with if also and found.can(self.or_with) else self.capability)


def may(
    capability: Capability | None,
    *,
    within: type[SQLModel] | None = None,
    seen_with: Capability | None = None,
    own: bool = False,
    content: bool = False,
    or_with: Capability | None = None,
    machines: bool | None = None,
    linked: bool = False,
    place_asked: bool = False,
) -> Any:
    """The caller's standing where the path leads, refused unless it allows this.

    `within` names the table of the thing in the path; `seen_with` the capability with which that
    thing can be seen (without it, it is not there: 404). With `own` the thing's own person may
    do it too, or whoever has its link, and the service decides. Without a capability, being signed
    in is enough. What is `content` is the inside of a restricted community, whatever the
    capability. `or_with` names another capability that allows it as well. `machines` says that
    tokens of scripts and partners may ask for it too, or may not, where that does not follow from
    the capability (`_in_person`). With `linked` the link that was mailed with a form is taken as a
    bearer too: whoever holds it stands there as a stranger, and the service looks at the link
    (`LinkDep`). With `place_asked`
    the community, if there is one, stands in the query and not in the path.
    """
    return Depends(
        May(
            capability,
            within,
            seen_with or capability,
            own,
            content=content,
            or_with=or_with,
            machines=machines,
            linked=linked,
            place_asked=place_asked,
        )
    )


SignedIn = Annotated[Standing, may(None)]
# Signing in and its mails are nobody's to give or take; credentials that are sent must be good.
Anybody = Annotated[Standing, Depends(May(None, None, None, own=False, anybody=True))]
# The same, and an OAuth2 client may say by HTTP Basic who it is: the sign-in judges it.
AnybodyOrClient = Annotated[
    Standing, Depends(May(None, None, None, own=False, anybody=True, client=True))
]


async def _expected(if_match: Annotated[str | None, Header()] = None) -> Expected:
    return preconditions.read(if_match)


async def _expected_required(if_match: Annotated[str | None, Header()] = None) -> Expected:
    if if_match is None:
        raise errors.PreconditionRequired
    return preconditions.read(if_match)


ExpectedDep = Annotated[Expected, Depends(_expected)]
ExpectedRequired = Annotated[Expected, Depends(_expected_required)]


def fingerprint(path: str, filters: list[tuple[str, str]]) -> str:
    """What a cursor is bound to: one list, with the same filters."""
    return hashlib.sha256(repr((path, filters)).encode()).hexdigest()


async def _page(
    request: Request,
    limit: Annotated[
        int, Query(ge=1, le=MAXIMUM_LIMIT, description="How many items at most.")
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=1000, description="next_cursor of the page before.")
    ] = None,
    include: Annotated[
        Literal["total"] | None, Query(description="total: also count the whole list.")
    ] = None,
) -> Page:
    filters = sorted(
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in ("limit", "cursor", "include")
    )
    return Page(
        limit,
        cursor,
        fingerprint(request.scope["path"], filters),
        include == "total",
        preconditions.known(request.headers.get("if-none-match")),
    )


PageDep = Annotated[Page, Depends(_page)]


async def _file(request: Request) -> bytes:
    return await request.body()


# A body that is a file as it is.
FileDep = Annotated[bytes, Depends(_file)]
