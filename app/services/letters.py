"""What one mail says: its words in its reader's language, from the data as it is when it is sent.

A letter that has become untrue, or whose reader may not know of it any more, is not written. One
to an address that is not proven repeats nothing that was typed into a form, not even a name.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts
from app.db import Work
from app.models import (
    Association,
    Community,
    EligibilityVerification,
    Mail,
    Membership,
    Person,
    Post,
    Review,
    ReviewStatus,
    Rule,
    TokenPurpose,
)
from app.schemas.base import address_key
from app.services import (
    election_letters,
    eligibility_letters,
    grant_letters,
    import_letters,
    invitation_letters,
    join_letters,
    leadership_letters,
    mailed_links,
    membership_letters,
    proposal_letters,
    succession_letters,
    token_letters,
    unclaimed_profiles,
    unsubscriptions,
    waiting,
    welcome_letters,
)
from app.services.seating import membership_runs


@dataclass(frozen=True, slots=True)
class Letter:
    """What one mail says and to whom.

    `said` are the things that a reminder counted; `unsubscribe_link` makes it one.
    """

    address: str
    language: str
    name: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    body: str = "body"
    said: frozenset[UUID] = frozenset()
    unsubscribe_link: str | None = None


async def write(work: Work, mail: Mail) -> Letter | None:
    """The letter of a queued mail, with its one-time link if it has one; None drops the mail."""
    if mail.kind in TO_ADDRESS:
        return await TO_ADDRESS[mail.kind](work, mail)
    if mail.kind in eligibility_letters.LETTERS and mail.recipient_id is None:
        return await _to_applicant(work, mail)
    person = await work.get(Person, mail.recipient_id) if mail.recipient_id else None
    if person is None or person.deactivated_at is not None:
        return None
    return await TO_PERSON[mail.kind](work, mail, person)


def _to(person: Person, body: str = "body", **facts: str) -> Letter:
    name = person.name if person.email_verified_at else None
    return Letter(person.email, _language(person.language), name, facts, body)


def _language(language: str) -> str:
    return language if language in texts.LANGUAGES else texts.LANGUAGES[0]


async def _community(work: Work, community_id: UUID, language: str) -> str:
    community = await work.get_one(Community, community_id)
    return texts.one_line(community.name, language)


# To an address, with or without an account


async def _about_request(work: Work, mail: Mail) -> Letter | None:
    """To an applicant; by name once the address is proven."""
    return _to_form(await join_letters.write(work, mail.kind, mail.subject_id))


def _to_form(said: join_letters.Said | None) -> Letter | None:
    if said is None:
        return None
    request = said.request
    name = request.name if request.verified_at else None
    return Letter(request.email, _language(request.language), name, said.facts, said.body)


async def _email_verification(work: Work, mail: Mail) -> Letter | None:
    """Asked for again: for the latest form that waits for proof of its address.

    An account proves its address by choosing a password, and needs no such link.
    """
    key = address_key(mail.address or "")
    request = await join_letters.awaiting(work, key)
    form = await proposal_letters.awaiting(work, key)
    if form is not None and (request is None or form.id > request.id):
        said = await proposal_letters.confirmation(work, form)
        return Letter(form.email, _language(form.language), facts=said.facts)
    return None if request is None else _to_form(await join_letters.confirmation(work, request))


async def _account(work: Work, mail: Mail) -> Person | None:
    """The active account of the address that a stranger typed.

    The mail goes to the account's own address: two addresses can look alike to the key and still
    be different people's.
    """
    found = sa.select(Person).where(
        col(Person.email_key) == address_key(mail.address or ""),
        col(Person.deactivated_at).is_(None),
    )
    return (await work.execute(found)).scalars().first()


async def _password_reset(work: Work, mail: Mail) -> Letter | None:
    """To choose another password; or again the link to choose the first one, which lasts longer."""
    person = await _account(work, mail)
    first = person is not None and person.password_hash is None
    purpose = TokenPurpose.FIRST_PASSWORD if first else TokenPurpose.PASSWORD
    return await _with_link(work, mail, purpose)


async def _sign_in_link(work: Work, mail: Mail) -> Letter | None:
    return await _with_link(work, mail, TokenPurpose.SIGN_IN)


async def _with_link(work: Work, mail: Mail, purpose: TokenPurpose) -> Letter | None:
    person = await _account(work, mail)
    if person is None:
        return None
    link = await mailed_links.of_account(work, purpose, person)
    return _to(person, link=link)


# To a person with an account


async def _welcome(work: Work, mail: Mail, person: Person) -> Letter | None:
    account = await unclaimed_profiles.account_of(work, person)
    if account is None or account.deactivated_at is not None:
        return None
    language = _language(account.language)
    said = await welcome_letters.write(work, mail.subject_id, person, account, language)
    return None if said is None else _to(account, said[0], **said[1])


async def _waiting(work: Work, mail: Mail, person: Person) -> Letter | None:
    if await unsubscriptions.stopped(work, person.id, mail.kind):
        return None
    found = await waiting.for_person(work, mail.kind, person)
    if not found:
        return None
    language = _language(person.language)
    lines = [
        texts.text(
            "mails",
            "waiting_line",
            language,
            community=texts.one_line(one.community, language),
            count=len(one.ids),
        )
        for one in found
    ]
    key = unsubscriptions.key(person.id, mail.kind)
    return Letter(
        person.email,
        language,
        person.name if person.email_verified_at else None,
        {"lines": "\n".join(lines)},
        said=frozenset().union(*(one.ids for one in found)),
        unsubscribe_link=mailed_links.unsubscription(key),
    )


async def _about_membership(work: Work, mail: Mail, person: Person) -> Letter | None:
    language = _language(person.language)
    found = await membership_letters.facts(work, mail.kind, mail.subject_id, language)
    return None if found is None else _to(person, found[0], **found[1])


async def _about_verification(work: Work, mail: Mail, person: Person) -> Letter | None:
    language = _language(person.language)
    said = await eligibility_letters.write(work, mail.kind, mail.subject_id, language)
    return None if said is None else _to(person, said[0], **said[1])


async def _to_applicant(work: Work, mail: Mail) -> Letter | None:
    """About a verification, to somebody without an account; by name once the address is proven."""
    verification = await work.get(EligibilityVerification, mail.subject_id)
    if verification is None:
        return None
    request = await eligibility_letters.applicant(work, verification)
    if request is None:
        return None
    language = _language(request.language)
    said = await eligibility_letters.write(work, mail.kind, mail.subject_id, language)
    name = request.name if request.verified_at else None
    return None if said is None else Letter(request.email, language, name, said[1], said[0])


async def _about_leadership(work: Work, mail: Mail, person: Person) -> Letter | None:
    said = await leadership_letters.write(work, mail, person, _language(person.language))
    return None if said is None else _to(person, said[0], **said[1])


async def _post_hidden(work: Work, mail: Mail, person: Person) -> Letter | None:
    review = await work.get(Review, mail.subject_id)
    if review is None or review.status != ReviewStatus.DECIDED:
        return None
    facts = await _post(work, review, person)
    if facts is None:
        return None
    found = sa.select(col(Rule.heading)).where(
        col(Rule.rules_version) == review.rules_version, col(Rule.code) == review.rule
    )
    heading = (await work.execute(found)).scalars().first()
    rule = texts.one_line(heading, _language(person.language)) if heading else review.rule or "-"
    return _to(person, **facts, rule=rule, reason=review.reason or "-")


async def _post_restored(work: Work, mail: Mail, person: Person) -> Letter | None:
    review = await work.get(Review, mail.subject_id)
    if review is None or review.status != ReviewStatus.REVERSED:
        return None
    facts = await _post(work, review, person)
    return None if facts is None else _to(person, **facts)


async def _post(work: Work, review: Review, person: Person) -> dict[str, str] | None:
    """Where the post stands; None where its author may not know of that community any more."""
    post = await work.get(Post, review.post_id)
    community = await work.get(Community, review.community_id)
    if post is None or community is None:
        return None
    if community.eligible_occupations or not community.listed:
        belongs = sa.select(col(Membership.id)).where(
            col(Membership.community_id) == community.id,
            col(Membership.person_id) == person.id,
            membership_runs(clock.today()),
        )
        if (await work.execute(belongs)).first() is None:
            return None
    return {
        "community": texts.one_line(community.name, _language(person.language)),
        "link": mailed_links.discussion(post.discussion_id),
    }


async def _about_proposal(work: Work, mail: Mail) -> Letter | None:
    """To somebody who stands behind a proposal; by name once the address is proven."""
    said = await proposal_letters.write(work, mail.kind, mail.subject_id)
    if said is None:
        return None
    form = said.form
    name = form.name if form.verified_at else None
    return Letter(form.email, _language(form.language), name, said.facts, said.body)


async def _invitation(work: Work, mail: Mail) -> Letter | None:
    said = await invitation_letters.write(work, mail.subject_id)
    if said is None:
        return None
    return Letter(said.address, _language(said.language), said.name, said.facts, said.body)


async def _proposal_opened(work: Work, mail: Mail, person: Person) -> Letter | None:
    found = await proposal_letters.opened(work, mail.subject_id, _language(person.language))
    return None if found is None else _to(person, **found)


async def _founding_member(work: Work, mail: Mail, person: Person) -> Letter | None:
    language = _language(person.language)
    said = await proposal_letters.founding(work, mail.subject_id, person, language)
    return None if said is None else _to(person, said[0], **said[1])


async def _about_grants(work: Work, mail: Mail, person: Person) -> Letter | None:
    language = _language(person.language)
    found = await grant_letters.facts(work, mail.kind, mail.subject_id, person.id, language)
    return None if found is None else _to(person, **found)


async def _about_election(work: Work, mail: Mail, person: Person) -> Letter | None:
    language = _language(person.language)
    found = await election_letters.facts(work, mail.kind, mail.subject_id, person, language)
    return None if found is None else _to(person, found[0], **found[1])


async def _about_succession(work: Work, mail: Mail, person: Person) -> Letter | None:
    language = _language(person.language)
    found = await succession_letters.facts(work, mail.kind, mail.subject_id, person, language)
    return None if found is None else _to(person, found[0], **found[1])


async def _about_token(work: Work, mail: Mail, person: Person) -> Letter | None:
    found = await token_letters.facts(work, mail.kind, mail.subject_id, person)
    return None if found is None else _to(person, **found)


async def _imported(work: Work, mail: Mail, person: Person) -> Letter | None:
    account = await unclaimed_profiles.account_of(work, person)
    if account is None or account.deactivated_at is not None:
        return None
    language = _language(account.language)
    found = await import_letters.facts(work, mail.subject_id, person, account, language)
    return None if found is None else _to(account, found[0], **found[1])


async def _password_changed(_work: Work, _mail: Mail, person: Person) -> Letter | None:
    return _to(person)


async def association(work: Work) -> Association:
    """The row that says whose server this is."""
    return (await work.execute(sa.select(Association))).scalars().one()


TO_ADDRESS: Mapping[str, Callable[[Work, Mail], Awaitable[Letter | None]]] = {
    **dict.fromkeys(proposal_letters.LETTERS, _about_proposal),
    **dict.fromkeys(join_letters.LETTERS, _about_request),
    "email_verification": _email_verification,
    "invitation": _invitation,
    "password_reset": _password_reset,
    "sign_in_link": _sign_in_link,
}
TO_PERSON: Mapping[str, Callable[[Work, Mail, Person], Awaitable[Letter | None]]] = {
    **dict.fromkeys(leadership_letters.LETTERS, _about_leadership),
    **dict.fromkeys(membership_letters.LETTERS, _about_membership),
    **dict.fromkeys(eligibility_letters.LETTERS, _about_verification),
    **dict.fromkeys(election_letters.LETTERS, _about_election),
    **dict.fromkeys(succession_letters.LETTERS, _about_succession),
    **dict.fromkeys(token_letters.LETTERS, _about_token),
    "founding_member": _founding_member,
    "grant_change_proposed": _about_grants,
    "grant_change_refused": _about_grants,
    "grant_changed": _about_grants,
    "imported": _imported,
    "password_changed": _password_changed,
    "proposal_opened": _proposal_opened,
    "post_hidden": _post_hidden,
    "post_restored": _post_restored,
    "requests_waiting": _waiting,
    "reviews_waiting": _waiting,
    "verifications_waiting": _waiting,
    "welcome": _welcome,
}
