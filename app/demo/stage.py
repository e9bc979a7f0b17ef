"""The people of the demo, each acting through the services that the API itself uses.

So what they leave behind is real: accounts with passwords, activity with its actor, identity lines
as they were, seats that the constraints have checked.
"""

import asyncio
import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, tokens
from app.db import Database
from app.models import JoinOutcome, JoinRequest, MailedToken, Person, TokenPurpose
from app.policy import Standing
from app.preconditions import Expected
from app.schemas.base import address_key
from app.schemas.join_requests import JoinRequestCreate
from app.services import auth, join_confirmations, join_decisions, join_submissions, people
from app.services import standing as standings
from app.services.mailed_links import LIFETIMES

CLIENT = auth.Client("cop demo", "127.0.0.1")
FORM = (
    "name",
    "communities",
    "occupation",
    "occupation_code",
    "affiliation",
    "area_of_interest",
    "territory",
    "language",
)
ANY_VERSION = Expected(None)


@dataclass(frozen=True, slots=True)
class Player:
    """One person of the cast who can sign in."""

    person_id: UUID
    email: str
    password: str
    session_id: UUID | None = None


def address_of(name: str) -> str:
    """The address of a person of the demo, from their name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(c if c.isalnum() or c in "- " else "" for c in plain).split()
    return ".".join(words) + "@example.org"


def password_of(person_id: UUID) -> str:
    """A password of 80 random bits: another in each database, the same when asked for again.

    It follows from the server's secret and the person's random id, so it is stored nowhere.
    """
    digest = hmac.new(tokens.key("demo"), person_id.bytes, hashlib.sha256).digest()
    letters = base64.b32encode(digest[:10]).decode().lower()
    return "-".join(letters[index : index + 4] for index in range(0, 16, 4))


def day(offset: int) -> date:
    """A day counted from the one on which the demo is filled."""
    return clock.today() + timedelta(days=offset)


class Stage:
    """One database on which the cast acts."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.players: dict[str, Player] = {}

    async def act(
        self,
        who: str | None,
        where: str | None,
        service: Callable[..., Awaitable[Any]],
        *arguments: Any,
    ) -> Any:
        """One act of one person in one community, as one request would be: its own unit of work,
        with the standing that the person has at that moment. Nobody (None) may act too."""
        standing = await self.standing(who, where)
        async with self.database.work() as work:
            return await service(work, standing, *arguments)

    async def standing(self, who: str | None, where: str | None) -> Standing:
        """What somebody may do in a community (or in the association) at this moment."""
        place = standings.at(where) if where else standings.NOWHERE
        player = self.players[who] if who else None
        if player is None or player.session_id is None:
            return await standings.of_nobody(self.database.reader, place)
        return await standings.of_person(
            self.database.reader, player.person_id, player.session_id, place
        )

    # How people come to be here

    async def appoint(self, who: dict[str, Any]) -> None:
        """An account for a position in the association, as the operator makes it."""
        until = day(who["until_day"]) if "until_day" in who else None
        async with self.database.work() as work:
            await people.create_staff(
                work,
                name=who["name"],
                email=address_of(who["name"]),
                position=who["position"],
                password_hash=None,
                until=until,
            )

    async def ask(self, who: dict[str, Any], *, confirmed: bool = True) -> list[dict[str, Any]]:
        """Somebody sends the form and confirms the address; the requests that then wait."""
        nobody = await self.standing(None, None)
        form = {name: who[name] for name in FORM}
        form |= {
            "email": address_of(who["name"]),
            "agrees_to_rules_version": nobody.rules_in_force,
        }
        body = JoinRequestCreate.model_validate(form).model_dump()
        received = await self.act(None, None, join_submissions.submit, body)
        if not confirmed:
            return received
        async with self.database.work() as work:
            request = await work.get_one(JoinRequest, received[0]["id"])
            return await join_confirmations.confirm(
                work, nobody, request.email_key, request.submission_id
            )

    async def admit(self, who: dict[str, Any], by: str) -> None:
        """Somebody asks, and is accepted wherever they asked."""
        for request in await self.ask(who):
            await self.act(
                by,
                request["community"]["slug"],
                join_decisions.decide,
                request["id"],
                JoinOutcome.ACCEPTED,
                None,
                ANY_VERSION,
            )

    async def sign_in(self, cast: list[dict[str, Any]]) -> None:
        """Each chooses the password that will be printed, and signs in, both by a link."""
        known = await self.found(cast)
        await asyncio.gather(*(self._sign_in(key, player) for key, player in known.items()))

    async def _sign_in(self, key: str, player: Player) -> None:
        choosing = await self._link(player, TokenPurpose.FIRST_PASSWORD)
        await auth.choose_password(self.database, choosing, player.password)
        entering = await self._link(player, TokenPurpose.SIGN_IN)
        async with self.database.work() as work:
            session = await auth.sign_in_by_link(work, entering, CLIENT)
        self.players[key] = replace(player, session_id=session["session_id"])

    async def _link(self, player: Player, purpose: TokenPurpose) -> str:
        """The token of a link that is handed over without a mail."""
        token, now = tokens.opaque(), clock.now()
        async with self.database.work() as work:
            work.add(
                MailedToken(
                    token_hash=tokens.hashed(token),
                    purpose=purpose,
                    person_id=player.person_id,
                    email_key=address_key(player.email),
                    created_at=now,
                    expires_at=now + LIFETIMES[purpose],
                )
            )
        return token

    async def sign_out(self) -> None:
        """Everybody leaves the stage."""
        for key in self.players:
            await self.act(key, None, auth.end_session, None)

    async def found(self, cast: list[dict[str, Any]]) -> dict[str, Player]:
        """Those of the cast who have an account."""
        addresses = {address_of(who["name"]): who["key"] for who in cast}
        rows = await self.database.reader.rows(
            sa.select(Person.id, Person.email).where(col(Person.email_key).in_(list(addresses)))
        )
        return {
            addresses[row.email]: Player(row.id, row.email, password_of(row.id)) for row in rows
        }
