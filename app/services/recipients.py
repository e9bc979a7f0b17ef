"""Who is mailed when something happens, about what, and not twice."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity as happenings
from app import clock, settings
from app.db import Work
from app.models import (
    Activity,
    EligibilityVerification,
    Mail,
    MailStatus,
    Review,
    ReviewAction,
)
from app.policy import Capability
from app.services import (
    election_letters,
    eligibility_letters,
    grants,
    invitation_letters,
    join_letters,
    proposal_letters,
    succession_letters,
    token_letters,
    unsubscriptions,
    waiting,
)
from app.services.mail_queue import queue


async def cause(work: Work, activity: Activity) -> None:
    """Queues the mails that one activity causes; an activity is to be given to this once.

    Nobody is mailed about what they did themselves, save that their password was changed or a
    token for a script was made: it may have been somebody else in their name.
    """
    if activity.facts.get("invite") is False:
        return  # an import tells only those whom it was asked to tell
    kind = happenings.KINDS.get(activity.kind)
    for mail_kind in kind.mails if kind else ():
        if mail_kind in waiting.GATHERED:
            await _remind(work, mail_kind, activity)
        else:
            await RECIPIENTS[mail_kind](work, mail_kind, activity)


async def _remind(work: Work, mail_kind: str, activity: Activity) -> None:
    """Those who may decide are reminded, in one mail for all that waits for them."""
    if activity.community_id is None:
        return
    told = await waiting.deciders(work, mail_kind, activity.community_id) - {activity.actor_id}
    if mail_kind == "reviews_waiting":
        review = await work.get(Review, UUID(activity.subject_id))
        told -= {review.author_id} if review else set()
    for person_id in sorted(told):
        if not await unsubscriptions.stopped(work, person_id, mail_kind):
            await gather(work, mail_kind, person_id)


async def gather(work: Work, mail_kind: str, person_id: UUID) -> None:
    """One reminder soon, but not before some time has passed since the one before."""
    known = settings.get()
    after = clock.now() + timedelta(seconds=known.gather_seconds)
    last = await work.one(
        sa.select(sa.func.max(Mail.sent_at).label("sent_at")).where(
            col(Mail.recipient_id) == person_id,
            col(Mail.kind) == mail_kind,
            col(Mail.status) == MailStatus.SENT,
        )
    )
    if last.sent_at is not None:
        after = max(after, last.sent_at + timedelta(minutes=known.gather_again_minutes))
    await queue(
        work, mail_kind, person_id, recipient_id=person_id, subject_id=None, send_after=after
    )


async def _applicant(work: Work, mail_kind: str, activity: Activity) -> None:
    found = await join_letters.reader(work, mail_kind, activity)
    if found is not None:
        address, about = found
        await queue(work, mail_kind, about, address=address, subject_id=about)


async def _newcomer(work: Work, mail_kind: str, activity: Activity) -> None:
    await _person(work, mail_kind, activity, UUID(activity.facts["person_id"]), once=True)


async def _person_of_facts(work: Work, mail_kind: str, activity: Activity) -> None:
    await _person(work, mail_kind, activity, UUID(activity.facts["person_id"]))


async def _holder_and_managers(work: Work, mail_kind: str, activity: Activity) -> None:
    await _person_of_facts(work, mail_kind, activity)
    await _managers(work, mail_kind, activity)


async def _managers(work: Work, mail_kind: str, activity: Activity) -> None:
    """Those who run the community's elections, and so fill its seats."""
    if activity.community_id is None:
        return
    told = await waiting.holders(work, Capability.ELECTIONS_MANAGE, activity.community_id)
    told -= {UUID(activity.facts["person_id"])} if "person_id" in activity.facts else set()
    for person_id in sorted(told):
        await _person(work, mail_kind, activity, person_id, each=True)


async def _account(work: Work, mail_kind: str, activity: Activity) -> None:
    """Whoever chose the password is told too: it may have been somebody else in their name."""
    if not activity.facts["first"]:
        person_id = UUID(activity.subject_id)
        await queue(work, mail_kind, activity.id, recipient_id=person_id, subject_id=person_id)


async def _owner(work: Work, mail_kind: str, activity: Activity) -> None:
    person_id, token_id = UUID(activity.facts["person_id"]), UUID(activity.subject_id)
    await queue(work, mail_kind, activity.id, recipient_id=person_id, subject_id=token_id)


async def _author_of_hidden(work: Work, mail_kind: str, activity: Activity) -> None:
    if activity.facts["action"] == ReviewAction.HIDE:
        await _author(work, mail_kind, activity)


async def _author(work: Work, mail_kind: str, activity: Activity) -> None:
    """The post's author, if the decision had hidden it."""
    review = await work.get(Review, UUID(activity.subject_id))
    if review is not None and review.action == ReviewAction.HIDE:
        await _person(work, mail_kind, activity, review.author_id)


async def _holders_of_the_table(work: Work, mail_kind: str, activity: Activity) -> None:
    """Everybody else who may change the permission table, and whoever proposed the change."""
    change_id = UUID(activity.facts.get("change_id", activity.subject_id))
    told = await grants.holders(work)
    told |= {UUID(activity.facts["proposed_by"])} if "proposed_by" in activity.facts else set()
    for person_id in sorted(told - {activity.actor_id}):
        about = f"{activity.id}:{person_id}"
        await queue(work, mail_kind, about, recipient_id=person_id, subject_id=change_id)


async def _readers_of_election(work: Work, mail_kind: str, activity: Activity) -> None:
    for person_id in sorted(
        await election_letters.readers(work, mail_kind, UUID(activity.subject_id))
    ):
        await _person(work, mail_kind, activity, person_id, each=True)


async def _readers_of_succession(work: Work, mail_kind: str, activity: Activity) -> None:
    subject_id = UUID(activity.subject_id)
    for person_id in sorted(await succession_letters.readers(work, mail_kind, subject_id)):
        await _person(work, mail_kind, activity, person_id)


async def _behind_proposal(work: Work, mail_kind: str, activity: Activity) -> None:
    for form in await proposal_letters.readers(work, mail_kind, activity):
        about = f"{activity.id}:{form.id}"
        await queue(work, mail_kind, about, address=form.email, subject_id=form.id)


async def _deciders_of_proposal(work: Work, mail_kind: str, activity: Activity) -> None:
    for person_id in sorted(await proposal_letters.deciders(work)):
        await _person(work, mail_kind, activity, person_id, each=True)


async def _imported(work: Work, mail_kind: str, activity: Activity) -> None:
    """One mail for all that an import brought somebody."""
    person_id, import_id = (UUID(activity.facts[name]) for name in ("person_id", "import_id"))
    about = f"{import_id}:{person_id}"
    await queue(work, mail_kind, about, recipient_id=person_id, subject_id=import_id)


async def _invited(work: Work, mail_kind: str, activity: Activity) -> None:
    await invitation_letters.send(work, mail_kind, UUID(activity.facts["mail_id"]))


async def _proposer(work: Work, mail_kind: str, activity: Activity) -> None:
    await _person(work, mail_kind, activity, UUID(activity.facts["proposed_by"]))


async def _person(
    work: Work,
    mail_kind: str,
    activity: Activity,
    person_id: UUID,
    *,
    once: bool = False,
    each: bool = False,
) -> None:
    """Somebody else than who did it; `once` for each subject, otherwise for each activity, or for
    `each` of several readers of it."""
    if person_id == activity.actor_id:
        return
    subject_id = UUID(activity.subject_id)
    about: UUID | str = subject_id if once else activity.id
    if each:
        about = f"{activity.id}:{person_id}"
    await queue(work, mail_kind, about, recipient_id=person_id, subject_id=subject_id)


async def _verified_person(work: Work, mail_kind: str, activity: Activity) -> None:
    """Whom a verification is about; an applicant without an account at the address of the form."""
    verification = await work.get(EligibilityVerification, UUID(activity.subject_id))
    if verification is None:
        return
    if verification.person_id is not None:
        await _person(work, mail_kind, activity, verification.person_id)
        return
    request = await eligibility_letters.applicant(work, verification)
    if request is not None:
        about = verification.id
        await queue(work, mail_kind, about, address=request.email, subject_id=about)


RECIPIENTS: Mapping[str, Callable[[Work, str, Activity], Awaitable[None]]] = {
    **dict.fromkeys(election_letters.LETTERS, _readers_of_election),
    **dict.fromkeys(succession_letters.LETTERS, _readers_of_succession),
    **dict.fromkeys(proposal_letters.LETTERS, _behind_proposal),
    **dict.fromkeys(join_letters.LETTERS, _applicant),
    **dict.fromkeys(token_letters.LETTERS, _owner),
    "imported": _imported,
    "invitation": _invited,
    "founding_member": _newcomer,
    "grant_change_proposed": _holders_of_the_table,
    "grant_change_refused": _proposer,
    "grant_changed": _holders_of_the_table,
    "membership_ended": _person_of_facts,
    **dict.fromkeys(eligibility_letters.LETTERS, _verified_person),
    "membership_begun": _person_of_facts,
    "membership_paused": _person_of_facts,
    "membership_resumed": _person_of_facts,
    "membership_suspended": _person_of_facts,
    "password_changed": _account,
    "proposal_opened": _deciders_of_proposal,
    "post_hidden": _author_of_hidden,
    "post_restored": _author,
    "suspension_lifted": _person_of_facts,
    "acting_started": _person_of_facts,
    "term_ending_soon": _holder_and_managers,
    "term_recorded": _person_of_facts,
    "term_removed": _person_of_facts,
    "term_started": _person_of_facts,
    "vacancy_opened": _managers,
    "welcome": _newcomer,
}
