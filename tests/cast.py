"""The cast: named people in every standing, and the API as they use it.

People, memberships and terms are put in place by the services that the API itself uses; everything
that a test is about goes over HTTP, with real tokens.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import col

from app import clock, jobs, settings, tokens
from app.db import Database
from app.main import create_app
from app.models import (
    Agreement,
    Community,
    Membership,
    Person,
    Position,
    Session,
    Term,
    TermBasis,
    new_id,
)
from app.services import mails, memberships, recipients, sealing, terms
from tests.contract import ContractTransport

PASSWORD = "a quiet court in March"
# One cheap hash for the whole cast: what is tested is not how long argon2 takes.
_HASH = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(PASSWORD)

DTC = "drug-treatment-court"
WELLNESS = "wellness-courts"
ROUNDTABLE = "judicial-roundtable"


@dataclass
class Someone:
    """One person of the cast, and the API as they call it."""

    api: "Api"
    id: UUID
    name: str
    email: str
    token: str
    session_id: UUID
    memberships: dict[str, UUID] = field(default_factory=dict)
    terms: dict[str, UUID] = field(default_factory=dict)

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return await self.api.call(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.call("POST", path, json=json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.call("PUT", path, json=json, **options)

    async def patch(self, path: str, json: Any, **options: Any) -> httpx.Response:
        """PATCH with the ETag of what is there now, unless the test says otherwise."""
        headers = options.pop("headers", None)
        if headers is None:
            etag = (await self.get(path)).headers.get("etag")
            headers = {"If-Match": etag} if etag else {}
        return await self.call("PATCH", path, json=json, headers=headers, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.call("DELETE", path, **options)


class Api:
    """The application on one database."""

    def __init__(self, database: Database, client: httpx.AsyncClient, edge: Any) -> None:
        self.database = database
        self.client = client
        self.edge = edge

    @classmethod
    @asynccontextmanager
    async def on(cls, url: str) -> AsyncIterator["Api"]:
        database = Database(url, 8)
        await _compiling_once(database)
        edge = create_app(database)
        transport = ContractTransport(edge)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://testserver", timeout=30
        ) as client:
            yield cls(database, client, edge)
        await database.close()

    # Anybody, without an account

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        path = (
            path
            if path.startswith(("/api/", "/health", "/docs", "/openapi", "http"))
            else f"/api/v1{path}"
        )
        return await self.client.request(method, path, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.call("POST", path, json=json, **options)

    @asynccontextmanager
    async def elsewhere(self, address: str) -> AsyncIterator[None]:
        """What is called inside comes from another address of the network."""
        transport: Any = self.client._transport
        here, transport.client = transport.client, (address, 50000)
        yield
        transport.client = here

    # People

    async def person(
        self,
        name: str,
        *,
        agreed: bool = True,
        occupation: str | None = "Court coordinator",
        affiliation: str | None = "Provincial Court",
        language: str = "en",
    ) -> Someone:
        """Somebody with an account and a running sign-in, who has agreed to the rules."""
        now = clock.now()
        slug = "".join(c if c.isalnum() else "." for c in name.lower())
        email = f"{slug}@example.org"
        person = Person(
            name=name,
            email=email,
            email_key=email,
            email_verified_at=now,
            password_hash=_HASH,
            occupation=occupation,
            affiliation=affiliation,
            language=language,
            created_at=now,
            updated_at=now,
        )
        session = Session(
            person_id=person.id,
            client="test",
            created_at=now,
            last_used_at=now,
            expires_at=now + timedelta(days=30),
        )
        async with self.database.work() as work:
            work.add(person)
            await work.flush()
            work.add(session)
            if agreed:
                work.add(
                    Agreement(person_id=person.id, rules_version=1, agreed_at=now, language="en")
                )
        token = tokens.access_token(person.id, session.id)
        return Someone(self, person.id, name, email, token, session.id)

    async def member(self, name: str, community: str = DTC, **options: Any) -> Someone:
        """Somebody who belongs to a community."""
        someone = await self.person(name, **options)
        await self.join(someone, community)
        return someone

    async def join(self, someone: Someone, community: str = DTC) -> UUID:
        """Begins a membership that has run since yesterday a year ago."""
        async with self.database.work() as work:
            found = await self._community(work, community)
            membership = await memberships.begin(work, found.id, someone.id)
            membership.since_on = clock.today() - timedelta(days=366)
            someone.memberships[community] = membership.id
            return membership.id

    async def leader(
        self,
        name: str,
        position: str,
        community: str = DTC,
        *,
        starts: int = -30,
        ends: int = 365,
        **options: Any,
    ) -> Someone:
        """A member who holds a position, from and to days counted from today."""
        someone = await self.member(name, community, **options)
        await self.hold(someone, position, community, starts=starts, ends=ends)
        return someone

    async def hold(
        self,
        someone: Someone,
        position: str,
        community: str | None = DTC,
        *,
        starts: int = -30,
        ends: int | None = 365,
    ) -> UUID:
        """Begins a term, in a community or (None) in the association."""
        today, now = clock.today(), clock.now()
        async with self.database.work() as work:
            place = (await self._community(work, community)).id if community else None
            term = Term(
                community_id=place,
                position_code=position,
                person_id=someone.id,
                starts_on=today + timedelta(days=starts),
                ends_on=today + timedelta(days=ends) if ends is not None else None,
                basis=TermBasis.ELECTION,
                recorded_at=now,
                updated_at=now,
            )
            await terms.record(work, None, term, await work.get_one(Position, position))
            someone.terms[position] = term.id
            return term.id

    async def staff(
        self, name: str = "Stella Staff", position: str = "staff", **options: Any
    ) -> Someone:
        """Somebody who holds a position in the association."""
        someone = await self.person(name, **options)
        await self.hold(someone, position, None, ends=None if position == "staff" else 365)
        return someone

    async def _community(self, work: Any, slug: str) -> Community:
        return await work.entity(sa.select(Community).where(col(Community.slug) == slug))

    async def community_id(self, slug: str = DTC) -> UUID:
        async with self.database.work() as work:
            return (await self._community(work, slug)).id

    # Putting the world in a state

    async def change(self, model: Any, thing_id: Any, **values: Any) -> None:
        """Writes columns of one row: what a past or a mishap has left behind."""
        async with self.database.work() as work:
            await work.execute(sa.update(model).where(model.id == thing_id).values(**values))

    async def read(self, statement: Any) -> list[Any]:
        """Rows as they stand in the database."""
        async with self.database.work() as work:
            return list((await work.execute(statement)).all())

    async def ended_membership(self, someone: Someone, community: str = DTC) -> None:
        """The membership ended a minute ago, as the service ends it."""
        await self.change(
            Membership,
            someone.memberships[community],
            ended_at=clock.now() - timedelta(minutes=1),
            ending="ended",
        )

    async def discussion(
        self, author: Someone, community: str = DTC, **body: Any
    ) -> dict[str, Any]:
        """A discussion that somebody starts."""
        answer = await author.post(
            f"/communities/{community}/discussions",
            {"title": "Incentives that work", "body": "What *works*?", "tags": [], "language": "en"}
            | body,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def reply(
        self, author: Someone, discussion: dict[str, Any], body: str = "We tried."
    ) -> dict[str, Any]:
        """A reply that somebody writes."""
        answer = await author.post(
            f"/discussions/{discussion['id']}/posts",
            {"body": body, "reply_to_id": None, "language": "en"},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def report(
        self, reporter: Someone, post: dict[str, Any], rule: str = "no-attacks"
    ) -> None:
        """A report that somebody makes."""
        answer = await reporter.post(f"/posts/{post['id']}/reports", {"rule": rule, "note": None})
        assert answer.status_code == 201, answer.text

    # What the worker does

    async def announce(self) -> None:
        """What the worker says of the calendar, on the log."""
        for announcer in jobs.ANNOUNCERS:
            if await announcer.due(self.database.reader):
                async with self.database.work() as work:
                    await announcer.announce(work)

    async def work_off(self) -> list[EmailMessage]:
        """One round of the worker without its engine: seals, and sends what is due. The mails
        that went out in it."""
        before = set(_mailbox().glob("*.eml"))
        while True:
            async with self.database.work() as work:
                if await sealing.seal(work, recipients.cause) < sealing.BATCH:
                    break
        for mail_id in await mails.due(self.database.reader, limit=1000):
            await mails.deliver(self.database, mail_id)
        sent = sorted(set(_mailbox().glob("*.eml")) - before)
        return [_parsed(path) for path in sent]


_first: dict[str, sa.Engine] = {}


async def _compiling_once(database: Database) -> None:
    """Statements are compiled once for all tests of a process: what they become depends on the
    kind of the database alone, and doing it anew was a quarter of the time that a test takes."""
    engine = database.engine.sync_engine
    if engine.name not in _first:
        async with database.engine.connect():  # its dialect asks the database which one it is
            _first[engine.name] = engine
    first = _first[engine.name]
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


def _mailbox() -> Path:
    return Path(settings.get().mail.removeprefix("file://"))


def _parsed(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)  # type: ignore[return-value]


def text_of(mail: EmailMessage) -> str:
    """The words of a mail."""
    return mail.get_content()


def token_in(mail: EmailMessage) -> str:
    """The one token that a mail carries, from the fragment of its link."""
    text = text_of(mail)
    assert text.count("token=") == 1, text
    return text.split("#token=")[1].split()[0].strip()


def mail_to(mails_sent: list[EmailMessage], address: str) -> EmailMessage:
    """The one mail to an address."""
    found = [mail for mail in mails_sent if address in mail["To"]]
    assert len(found) == 1, [mail["Subject"] for mail in found]
    return found[0]


def day(offset: int) -> str:
    """A day counted from today, as it goes over the wire."""
    return (clock.today() + timedelta(days=offset)).isoformat()


def on(offset: int) -> date:
    """A day counted from today."""
    return clock.today() + timedelta(days=offset)


def unknown_id() -> UUID:
    """An id that was never given to anything."""
    return new_id()
