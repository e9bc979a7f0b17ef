"""Mails about succession plans: a candidate is asked, and whoever asked is told the answer."""

from uuid import UUID

from sqlmodel import col

from app import clock, texts
from app.db import Work
from app.models import Community, ConsentState, Person, Position, SuccessionCandidate
from app.models.succession import consent_of
from app.policy import Capability
from app.services import waiting
from app.services.succession_candidates import CANDIDATES

LETTERS = ("succession_proposed", "succession_answered")


async def readers(work: Work, kind: str, subject_id: UUID) -> set[UUID]:
    """The candidate who is asked, or whoever asked; nobody about somebody who is none any more."""
    candidate = await work.get(SuccessionCandidate, subject_id)
    if candidate is None:
        return set()
    return {candidate.person_id if kind == "succession_proposed" else candidate.proposed_by}


async def facts(
    work: Work, kind: str, subject_id: UUID | None, person: Person, language: str
) -> tuple[str, dict[str, str]] | None:
    """Which body one mail has, and its facts; None where it has become untrue, or its reader may
    not know of it any more."""
    row = await work.first(
        CANDIDATES.where(col(SuccessionCandidate.id) == subject_id), today=clock.today()
    )
    if row is None:
        return None
    consent, body = consent_of(row), "body"
    if kind == "succession_proposed":
        if consent is not ConsentState.ASKED:
            return None
    else:
        keepers = await waiting.holders(work, Capability.SUCCESSION_MANAGE, row.community_id)
        if consent is ConsentState.ASKED or person.id not in keepers:
            return None
        body = "body" if consent is ConsentState.GIVEN else "body_withdrawn"
    position = await work.get_one(Position, row.position)
    community = await work.get_one(Community, row.community_id)
    return body, {
        "position": texts.one_line(position.title, language),
        "community": texts.one_line(community.name, language),
        "candidate": row.name,
        "proposer": row.proposer,
    }
