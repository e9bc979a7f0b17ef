"""Signing in: passwords, refresh tokens that rotate, and links that work once.

Nothing here tells a stranger whether an address is known: the answers are the same, and so is the
work behind them. What must survive a refusal is written in a unit of work of its own.
"""

import hashlib
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, settings, tokens
from app.db import Database, Work, insert_ignoring
from app.models import (
    ActorKind,
    JoinRequest,
    MailedToken,
    Person,
    ProposalSupporter,
    RefreshToken,
    Session,
    SignInFailure,
    TokenPurpose,
)
from app.policy import Standing
from app.reader import Reader
from app.schemas.base import address_key
from app.services import access_tokens, join_confirmations, passwords, proposal_forms

LOST_ANSWER = timedelta(seconds=30)
FAILURE_WINDOW = timedelta(minutes=15)
PASSWORD_PURPOSES = (TokenPurpose.PASSWORD, TokenPurpose.FIRST_PASSWORD)


class Client(NamedTuple):
    """What is known of the client that signs in."""

    name: str
    address: str


# Signing in with a password


def failure_key(email_key: str, client: Client) -> str:
    """Under what failures are counted: an account (or an OAuth2 client) and a network address."""
    return hashlib.sha256(f"{email_key}\n{client.address}".encode()).hexdigest()


async def sign_in(
    database: Database, username: str, password: str, client: Client
) -> dict[str, Any]:
    """Tokens for an address and its password. Raises CredentialsInvalid, SignInThrottled."""
    key = address_key(username)
    failures = failure_key(key, client)
    await refuse_throttled(database.reader, failures)
    row = await database.reader.first(
        sa.select(Person.id, Person.password_hash, Person.deactivated_at).where(
            col(Person.email_key) == key
        )
    )
    good = await passwords.matches(password, row.password_hash if row else None)
    if row is None or not good or row.deactivated_at is not None:
        async with database.work() as work:
            await count_failure(work, failures)
        raise errors.CredentialsInvalid
    async with database.work() as work:
        await work.execute(sa.delete(SignInFailure).where(col(SignInFailure.key_hash) == failures))
        return await _start_session(work, row.id, client, "password")


async def refuse_throttled(reader: Reader, key_hash: str) -> None:
    """Raises SignInThrottled after too many failures in a quarter of an hour."""
    row = await reader.first(
        sa.select(SignInFailure.failures, SignInFailure.window_starts_at).where(
            col(SignInFailure.key_hash) == key_hash
        )
    )
    if row is None:
        return
    ends = row.window_starts_at + FAILURE_WINDOW
    left = (ends - clock.now()).total_seconds()
    if left > 0 and row.failures >= settings.get().failed_sign_ins_per_quarter_hour:
        raise errors.SignInThrottled(headers={"Retry-After": str(int(left) + 1)})


async def count_failure(work: Work, key_hash: str) -> None:
    """Counts by account and network address together: nobody locks somebody else out."""
    now = clock.now()
    first = {"key_hash": key_hash, "window_starts_at": now, "failures": 0}
    await work.execute(insert_ignoring(work, SignInFailure, first))
    known = await work.locked(SignInFailure, key_hash)
    if known.window_starts_at + FAILURE_WINDOW < now:
        known.window_starts_at, known.failures = now, 0
    known.failures += 1


async def _start_session(work: Work, person_id: UUID, client: Client, how: str) -> dict[str, Any]:
    now = clock.now()
    lasts = timedelta(days=settings.get().refresh_token_days)
    session = Session(
        person_id=person_id,
        client=client.name,
        created_at=now,
        last_used_at=now,
        expires_at=now + lasts,
    )
    refresh = tokens.opaque()
    work.add(session)
    await work.flush()
    work.add(RefreshToken(token_hash=tokens.hashed(refresh), session_id=session.id, issued_at=now))
    activity.record(
        work, "session.started", None, session.id, actor=(ActorKind.PERSON, person_id), how=how
    )
    return _tokens(session, refresh)


def _tokens(session: Session, refresh: str) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token(session.person_id, session.id),
        "token_type": "bearer",
        "expires_in": settings.get().access_token_seconds,
        "refresh_token": refresh,
        "refresh_expires_in": int((session.expires_at - clock.now()).total_seconds()),
        "session_id": session.id,
    }


# Staying signed in


async def refresh(database: Database, refresh_token: str) -> dict[str, Any]:
    """The next pair of tokens; the one presented is spent.

    A spent one that comes back within 30 seconds, while its successor is unused, gets that same
    successor: the answer was lost. Later, or once the successor was used, somebody has copied it:
    the whole session ends. Raises RefreshTokenInvalid.
    """
    async with database.work() as work:
        answer = await _rotate(work, refresh_token)
    if answer is None:
        raise errors.RefreshTokenInvalid
    return answer


async def _rotate(work: Work, refresh_token: str) -> dict[str, Any] | None:
    now = clock.now()
    presented = await work.get(RefreshToken, tokens.hashed(refresh_token), with_for_update=True)
    if presented is None:
        return None
    session = await work.locked(Session, presented.session_id)
    person = await work.get(Person, session.person_id)
    over = session.ended_at is not None or session.expires_at <= now
    if over or person is None or person.deactivated_at is not None:
        return None
    following = tokens.successor(refresh_token)
    if presented.spent_at is None:
        presented.spent_at = now
        work.add(
            RefreshToken(token_hash=tokens.hashed(following), session_id=session.id, issued_at=now)
        )
        session.last_used_at = now
        return _tokens(session, following)
    successor = await work.get(RefreshToken, tokens.hashed(following))
    lost = now - presented.spent_at <= LOST_ANSWER
    if lost and successor is not None and successor.spent_at is None:
        return _tokens(session, following)
    _end(work, session, "reuse", (ActorKind.SYSTEM, None))
    return None


def _end(work: Work, session: Session, how: str, actor: tuple[ActorKind, UUID | None]) -> None:
    session.ended_at = clock.now()
    activity.record(work, "session.ended", None, session.id, actor=actor, how=how)


async def end_session(work: Work, standing: Standing, session_id: UUID | None) -> None:
    """Ends one of the caller's sign-ins at this instant. Raises NotFound for anybody else's."""
    session = await work.locked(Session, session_id or standing.session_id)
    if session.person_id != standing.me.id or session.ended_at is not None:
        raise errors.NotFound
    _end(work, session, "signed_out", standing.actor)


async def end_all_sessions(work: Work, person_id: UUID, standing: Standing | None) -> None:
    """Ends every sign-in of a person, because the password or the account changed."""
    found = await work.execute(
        sa.select(Session).where(
            col(Session.person_id) == person_id, col(Session.ended_at).is_(None)
        )
    )
    actor = standing.actor if standing else (ActorKind.PERSON, person_id)
    for session in found.scalars():
        _end(work, session, "account_changed", actor)


async def sessions(reader: Reader, standing: Standing) -> list[dict[str, Any]]:
    """The caller's sign-ins that have not ended, the latest first."""
    rows = await reader.rows(
        sa.select(
            Session.id,
            Session.client,
            Session.created_at,
            Session.last_used_at,
            Session.expires_at,
        )
        .where(
            col(Session.person_id) == standing.me.id,
            col(Session.ended_at).is_(None),
            col(Session.expires_at) > standing.now,
        )
        .order_by(col(Session.id).desc())
        .limit(200)
    )
    return [row._asdict() | {"current": row.id == standing.session_id} for row in rows]


# Mailed links


async def inspect(reader: Reader, token: str, *purposes: TokenPurpose) -> dict[str, Any]:
    """Whether a link is still good; asking changes nothing."""
    row = await reader.first(
        sa.select(MailedToken.expires_at).where(
            col(MailedToken.token_hash) == tokens.hashed(token), _usable(*purposes)
        )
    )
    return {"valid": row is not None, "expires_at": row.expires_at if row else None}


def _usable(*purposes: TokenPurpose) -> Any:
    return sa.and_(
        col(MailedToken.purpose).in_(purposes),
        col(MailedToken.used_at).is_(None),
        col(MailedToken.expires_at) > clock.now(),
    )


async def _used(work: Work, token: str, *purposes: TokenPurpose) -> MailedToken:
    """The token of a link, used by this. Raises MailedTokenInvalid."""
    found = await work.execute(
        sa.select(MailedToken)
        .where(col(MailedToken.token_hash) == tokens.hashed(token), _usable(*purposes))
        .with_for_update()
    )
    mailed = found.scalars().first()
    if mailed is None:
        raise errors.MailedTokenInvalid
    mailed.used_at = clock.now()
    return mailed


async def confirm_email(work: Work, standing: Standing, token: str) -> dict[str, Any]:
    """Proves an address: the requests made with it on that form now wait for a decision, or what
    it proposes or supports counts."""
    mailed = await _used(work, token, TokenPurpose.EMAIL_VERIFICATION)
    if mailed.submission_id is None:
        raise errors.MailedTokenInvalid
    form_id, key = mailed.submission_id, mailed.email_key
    proposal = await proposal_forms.confirm(work, standing, form_id, key)
    confirmed = await join_confirmations.confirm(work, standing, key, form_id)
    row = await work.one(
        sa.select(JoinRequest.email)
        .where(col(JoinRequest.submission_id) == form_id)
        .union_all(sa.select(ProposalSupporter.email).where(col(ProposalSupporter.id) == form_id))
    )
    return {
        "email": row.email,
        "verified_at": mailed.used_at,
        "join_requests": confirmed,
        "proposal": proposal,
    }


async def choose_password(
    database: Database, token: str, password: str, *, revoke_access_tokens: bool = True
) -> None:
    """Sets the password by a mailed link; every other such link and every sign-in ends with it,
    and, where asked for, every token for a script.

    Raises MailedTokenInvalid, PasswordWeak.
    """
    row = await database.reader.first(
        sa.select(Person.email)
        .join(MailedToken, col(MailedToken.person_id) == Person.id)
        .where(col(MailedToken.token_hash) == tokens.hashed(token), _usable(*PASSWORD_PURPOSES))
    )
    if row is None:
        raise errors.MailedTokenInvalid
    passwords.refuse_weak(password, row.email)
    stored = await passwords.hashed(password)  # slow, so before anything is locked
    async with database.work() as work:
        mailed = await _used(work, token, *PASSWORD_PURPOSES)
        person = await work.locked(Person, mailed.person_id)
        if person.deactivated_at is not None:
            raise errors.MailedTokenInvalid
        now = clock.now()
        await work.execute(
            sa.update(MailedToken)
            .where(
                col(MailedToken.person_id) == person.id,
                col(MailedToken.purpose).in_(PASSWORD_PURPOSES),
                col(MailedToken.used_at).is_(None),
            )
            .values(used_at=now)
        )
        first = person.password_hash is None
        person.password_hash = stored
        person.email_verified_at = person.email_verified_at or now
        await end_all_sessions(work, person.id, None)
        if revoke_access_tokens:
            await access_tokens.revoke_all(work, None, person.id)
        activity.record(
            work,
            "account.password_chosen",
            None,
            person.id,
            actor=(ActorKind.PERSON, person.id),
            first=first,
        )


async def sign_in_by_link(work: Work, token: str, client: Client) -> dict[str, Any]:
    """Tokens for whoever holds a sign-in link. Raises MailedTokenInvalid."""
    mailed = await _used(work, token, TokenPurpose.SIGN_IN)
    person = await work.get(Person, mailed.person_id)
    if person is None or person.deactivated_at is not None:
        raise errors.MailedTokenInvalid
    return await _start_session(work, person.id, client, "link")
