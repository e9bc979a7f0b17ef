"""Requests to join: who sees what of them, and lists of them."""

from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import clock, errors
from app.db import Source
from app.listing import Listing
from app.models import (
    Community,
    JoinInquiry,
    JoinRequest,
    JoinRequestLink,
    JoinRequestStatus,
    Person,
)
from app.policy import Capability, Standing
from app.reader import Prepared
from app.services import addresses, communities, import_rows
from app.services.addresses import OwnAddress
from app.services.join_states import DECIDED, KNOWN, OPEN, STATE, closed_on, in_state

# How long an applicant follows a request by the link that they were mailed, once it is closed.
FOLLOWED = timedelta(days=60)
# How many earlier requests of the same person a request is shown with.
EARLIER = 20

_Decider = aliased(Person)
REQUESTS = sa.select(
    JoinRequest.id,
    JoinRequest.submission_id,
    STATE,
    JoinRequest.origin,
    JoinRequest.name,
    JoinRequest.email,
    JoinRequest.email_key,
    JoinRequest.occupation,
    JoinRequest.occupation_code,
    JoinRequest.affiliation,
    JoinRequest.area_of_interest,
    JoinRequest.answers,
    JoinRequest.territory,
    JoinRequest.language,
    JoinRequest.message,
    JoinRequest.notes,
    JoinRequest.rules_version,
    JoinRequest.privacy_notice_version,
    JoinRequest.submitted_at,
    JoinRequest.verified_at,
    JoinRequest.answer_due_on,
    JoinRequest.withdrawn_because,
    JoinRequest.decided_at,
    JoinRequest.decided_by,
    JoinRequest.comment,
    JoinRequest.membership_id,
    JoinRequest.updated_at,
    JoinRequest.version,
    *communities.REFERENCE,
    col(_Decider.name).label("decider"),
).select_from(
    sa.join(JoinRequest, Community, col(Community.id) == JoinRequest.community_id).outerjoin(
        _Decider, col(_Decider.id) == JoinRequest.decided_by
    )
)
_KNOWN = REQUESTS.where(KNOWN)
_ONE = Prepared(_KNOWN.where(col(JoinRequest.id) == sa.bindparam("request", type_=sa.Uuid)))
_SAME_FORM = Prepared(
    _KNOWN.where(
        col(JoinRequest.submission_id) == sa.bindparam("submission", type_=sa.Uuid),
        col(JoinRequest.id) != sa.bindparam("request", type_=sa.Uuid),
    ).order_by(col(JoinRequest.id))
)
_EARLIER = Prepared(
    _KNOWN.where(
        col(JoinRequest.community_id) == sa.bindparam("community", type_=sa.Uuid),
        col(JoinRequest.email_key) == sa.bindparam("address", type_=sa.String),
        col(JoinRequest.id) < sa.bindparam("request", type_=sa.Uuid),
    )
    .order_by(col(JoinRequest.id).desc())
    .limit(EARLIER)
)
_INQUIRIES = Prepared(
    sa.select(
        JoinInquiry.question,
        JoinInquiry.asked_at,
        JoinInquiry.asked_by,
        JoinInquiry.answer,
        JoinInquiry.answered_at,
        col(Person.name).label("asker"),
    )
    .join(Person, col(Person.id) == JoinInquiry.asked_by)
    .where(col(JoinInquiry.join_request_id) == sa.bindparam("request", type_=sa.Uuid))
    .order_by(col(JoinInquiry.id))
)
_LINK = Prepared(
    sa.select(JoinRequestLink.submission_id).where(
        col(JoinRequestLink.token_hash) == sa.bindparam("link", type_=sa.String)
    )
)


# Who looks


class Onlooker(NamedTuple):
    """Somebody who asks about requests: what they may do, and which requests are their own: those
    of their proven address, or, for whoever came by a mailed link, those of its form."""

    standing: Standing
    address: OwnAddress = OwnAddress(None, None)
    submission_id: UUID | None = None

    @property
    def reads(self) -> bool:
        """True for those who may read the requests here."""
        return self.standing.can(Capability.JOIN_REQUESTS_READ)

    def asked(self, row: Any) -> bool:
        """True if a request is the onlooker's own."""
        if self.submission_id is not None:
            return row.submission_id == self.submission_id
        return self.address.proven is not None and row.email_key == self.address.proven

    def decides(self, row: Any) -> bool:
        """True if the onlooker may decide about a request, which nobody does about their own."""
        own = row.email_key == self.address.said
        return not own and self.standing.can(Capability.JOIN_REQUESTS_DECIDE)


async def onlooker(source: Source, standing: Standing, link: str | None = None) -> Onlooker:
    """Who asks: somebody signed in, somebody with a mailed link, or a machine.

    Raises TokenInvalid for a link that never was.
    """
    if link is not None:
        found = await source.first(_LINK, link=link)
        if found is None:
            raise errors.TokenInvalid
        return Onlooker(standing, submission_id=found.submission_id)
    return Onlooker(standing, await addresses.own(source, standing))


async def find(source: Source, who: Onlooker, request_id: UUID) -> Any:
    """The request's row, if it exists for the caller.

    Raises NotFound, and TokenInvalid for a link by which it is followed no longer.
    """
    row = await source.first(_ONE, request=request_id, today=clock.today())
    if row is None or not (who.reads or who.asked(row)):
        raise errors.NotFound
    closed = closed_on(row)
    if who.submission_id is not None and closed and closed + FOLLOWED < clock.today():
        raise errors.TokenInvalid
    return row


async def find_own(source: Source, who: Onlooker, request_id: UUID) -> None:
    """Raises NotFound, or PermissionDenied where the request is there and somebody else's."""
    if not who.asked(await find(source, who, request_id)):
        who.standing.refuse_others(Capability.JOIN_REQUESTS_SUBMIT)


# What they see


async def get(
    source: Source, standing: Standing, request_id: UUID, link: str | None = None
) -> dict[str, Any]:
    """One request, for those who may read the requests of its community and for its applicant.

    Raises NotFound, TokenInvalid.
    """
    return await read(source, await onlooker(source, standing, link), request_id)


async def read(source: Source, who: Onlooker, request_id: UUID) -> dict[str, Any]:
    """The same for somebody who is known already."""
    row = await find(source, who, request_id)
    inquiries = await source.rows(_INQUIRIES, request=row.id)
    about = {"request": row.id, "today": clock.today()}
    earlier = same_form = None
    if who.reads:
        place = {"community": row.community_id, "address": row.email_key}
        earlier = [_brief(one, who) for one in await source.rows(_EARLIER, **about, **place)]
    if who.asked(row):
        found = await source.rows(_SAME_FORM, **about, submission=row.submission_id)
        same_form = [receipt(one) for one in found]
    return {
        **shown(row, who),
        "inquiries": [_inquiry(one, who) for one in inquiries],
        "earlier": earlier,
        "same_form": same_form,
    }


def _inquiry(row: Any, who: Onlooker) -> dict[str, Any]:
    asker = {"id": row.asked_by, "name": row.asker} if who.reads else None
    return {**row._asdict(), "asked_by": asker}


def _brief(row: Any, who: Onlooker) -> dict[str, Any]:
    return {**row._asdict(), "decision": _decision(row, who)}


def shown(row: Any, who: Onlooker) -> dict[str, Any]:
    """A request as this caller sees it; who decided is for those who may read the requests."""
    return {
        **row._asdict(),
        "community": communities.reference(row),
        "notes": [_note(note) for note in row.notes],
        "decision": _decision(row, who),
        "viewer": {"can": _affordances(row, who)},
    }


def _note(note: dict[str, Any]) -> dict[str, Any]:
    return {**import_rows.in_words(note), "about": note["column"]}


def _decision(row: Any, who: Onlooker) -> dict[str, Any] | None:
    if row.status not in DECIDED:
        return None
    decider = {"id": row.decided_by, "name": row.decider} if row.decider and who.reads else None
    return {
        "outcome": row.status,
        "comment": row.comment,
        "decided_at": row.decided_at,
        "decided_by": decider,
    }


def _affordances(row: Any, who: Onlooker) -> list[str]:
    if row.status not in OPEN:
        return []
    asking = row.status == JoinRequestStatus.INFORMATION_REQUESTED
    if who.asked(row):
        in_person = who.standing.bounds is None
        answering = ["give_join_information"] if asking else []
        return [*answering, "withdraw_join_request"] if in_person else []
    if not who.decides(row):
        return []
    archived = who.standing.here.archived
    return ["decide_join_request", *([] if asking or archived else ["request_join_information"])]


def receipt(row: Any) -> dict[str, Any]:
    """A request as its applicant is told of it where it is one of several."""
    return {
        "id": row.id,
        "status": row.status,
        "community": communities.reference(row),
        "submitted_at": row.submitted_at,
        "rules_version": row.rules_version,
        "privacy_notice_version": row.privacy_notice_version,
    }


# Lists


@lru_cache
def listing(statuses: tuple[JoinRequestStatus, ...]) -> Listing:
    """The requests of a community in these states (or in any), the earliest first."""
    query = _KNOWN.where(col(JoinRequest.community_id) == sa.bindparam("community", type_=sa.Uuid))
    if statuses:
        query = query.where(sa.or_(*(in_state(status) for status in statuses)))
    return Listing(query, col(JoinRequest.id))


def asked(
    standing: Standing, statuses: list[JoinRequestStatus] | None
) -> tuple[Listing, dict[str, Any]]:
    """The requests here as a caller asked for them."""
    found = listing(tuple(sorted(set(statuses or ()))))
    return found, {"community": standing.here.id, "today": clock.today()}
