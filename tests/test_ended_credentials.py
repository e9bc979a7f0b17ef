"""Credentials of machines from their beginning to their end: what their owner is told, what ends
them beside their last day, and when they are forgotten."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import col

from app import clock, texts
from app.models import AccessToken, Activity, ActorKind, PartnerCredential, Person
from app.services import retention
from tests.answers import code, leaves, ok
from tests.cast import DTC, Api, Someone, day, mail_to, text_of, token_in
from tests.machines import credential_of, machine_of, partner_of, script_of
from tests.test_mail import assert_in_language, kind_of

ROSTER = f"/communities/{DTC}/memberships"
OTHER_PASSWORD = "three herons over the harbour"
ENDING_SOON = sa.select(Activity.facts).where(col(Activity.kind) == "access_token.ending_soon")


def later(days: int) -> time_machine.travel:
    """As if so many days had passed."""
    return time_machine.travel(clock.now() + timedelta(days=days), tick=False)


async def reset(api: Api, owner: Someone, **choice: Any) -> None:
    """A new password, chosen by the link that was mailed."""
    await api.work_off()
    await api.post("/auth/password-resets", {"email": owner.email})
    link = token_in(mail_to(await api.work_off(), owner.email))
    body = {"token": link, "password": OTHER_PASSWORD} | choice
    ok(await api.post("/auth/password-resets/confirmation", body), 204)


# What the owner is told


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_the_owner_is_told_of_a_token_and_a_week_before_it_ends(
    api: Api, language: str
) -> None:
    owner = await api.member("Otto Owner", language=language)
    await script_of(owner, "memberships:read", name="Nightly roster")
    made = mail_to(await api.work_off(), owner.email)
    assert await kind_of(api, made) == "access_token_created"
    assert "Nightly roster" in text_of(made) and day(30) in text_of(made)
    last = day(30)
    with later(22):
        await api.announce()
        assert await api.work_off() == []
    with later(24):
        async with leaves(api, ("access_token.ending_soon", ActorKind.SYSTEM)):
            await api.announce()
            await api.announce()  # once
        ending = mail_to(await api.work_off(), owner.email)
    assert await kind_of(api, ending) == "access_token_ending_soon"
    assert last in ending["Subject"] and "cop_pat_" not in text_of(ending)
    ((facts,),) = await api.read(ENDING_SOON)
    assert facts == {"person_id": str(owner.id), "expires_on": last}
    for kind, mail in (("access_token_created", made), ("access_token_ending_soon", ending)):
        assert_in_language(kind, mail, language)


async def test_what_is_revoked_or_was_short_from_the_beginning_is_not_announced(api: Api) -> None:
    owner = await api.member("Otto Owner")
    await script_of(owner, "memberships:read", expires_on=day(5))
    await script_of(owner, "memberships:read")
    (latest, _) = ok(await owner.get("/me/access-tokens"))["items"]
    ok(await owner.delete(f"/me/access-tokens/{latest['id']}"), 204)
    for days in (1, 24):
        with later(days):
            await api.announce()
    assert await api.read(ENDING_SOON) == []


async def test_a_mail_about_a_token_that_was_revoked_since_is_not_sent(api: Api) -> None:
    owner = await api.member("Otto Owner")
    await script_of(owner, "memberships:read")
    await api.work_off()
    (token,) = ok(await owner.get("/me/access-tokens"))["items"]
    with later(24):
        await api.announce()
        await api.change(AccessToken, UUID(token["id"]), revoked_at=clock.now())
        assert await api.work_off() == []


async def test_to_an_address_that_is_not_proven_no_name_of_a_token_is_sent(api: Api) -> None:
    owner = await api.member("Otto Owner")
    await api.change(Person, owner.id, email_verified_at=None)
    await script_of(owner, "memberships:read", name="Buy gold")
    assert "Buy gold" not in text_of(mail_to(await api.work_off(), owner.email))


# A new password


async def test_a_new_password_ends_the_tokens_of_its_owner_alone(api: Api) -> None:
    owner, other = await api.member("Otto Owner"), await api.member("Olga Other")
    script = await script_of(owner, "memberships:read")
    second = await script_of(owner, "memberships:read")
    foreign = await script_of(other, "memberships:read")
    async with leaves(
        api,
        ("account.password_chosen", owner),
        ("session.ended", owner),
        *[("access_token.revoked", owner)] * 2,
    ):
        await reset(api, owner)
    for ended in (script, second):
        assert code(await ended.get(ROSTER), 401) == "auth.token_invalid"
    ok(await foreign.get(ROSTER))


async def test_whoever_trusts_their_tokens_keeps_them(api: Api) -> None:
    owner = await api.member("Otto Owner")
    script = await script_of(owner, "memberships:read")
    async with leaves(api, ("account.password_chosen", owner), ("session.ended", owner)):
        await reset(api, owner, revoke_access_tokens=False)
    ok(await script.get(ROSTER))
    assert code(await owner.get("/me"), 401) == "auth.token_invalid"


async def test_a_token_made_while_the_password_is_chosen_is_not_forgotten(api: Api) -> None:
    """Making one and ending all of them take turns at the account."""
    owner = await api.member("Otto Owner")
    script = await script_of(owner, "memberships:read")
    await reset(api, owner)
    again = await owner.post(
        "/me/access-tokens",
        {"name": "Late", "scopes": ["memberships:read"], "expires_on": day(3)},
    )
    assert code(again, 401) == "auth.token_invalid"  # the sign-in ended as well
    assert code(await script.get(ROSTER), 401) == "auth.token_invalid"


# What is kept of them


async def kept(api: Api, at: datetime) -> tuple[int, int]:
    """How many tokens and credentials are left after what is not kept was erased."""
    with time_machine.travel(at, tick=False):
        async with api.database.work() as work:
            await retention.erase(work)
    counts = [
        await api.read(sa.select(sa.func.count()).select_from(model))
        for model in (AccessToken, PartnerCredential)
    ]
    return counts[0][0][0], counts[1][0][0]


async def test_what_ended_long_ago_is_erased_and_the_log_keeps_that_it_was_there(api: Api) -> None:
    staff, owner = await api.staff(), await api.member("Otto Owner")
    script = await script_of(owner, "memberships:read")
    await script_of(owner, "memberships:read", expires_on=day(300))
    partner = await partner_of(staff, "communities:read")
    credential = await credential_of(staff, partner)
    machine = await machine_of(staff, partner)
    ok(await machine.get("/communities"))
    path = f"/partners/{partner['id']}/credentials/{credential['id']}"
    ok(await staff.delete(path), 204)
    ended = clock.now()
    assert await kept(api, ended + timedelta(days=89)) == (2, 2)
    assert await kept(api, ended + timedelta(days=91)) == (2, 1)  # the revoked credential went
    assert await kept(api, ended + timedelta(days=125)) == (1, 0)  # and what ended on its day
    assert code(await script.get(ROSTER), 401) == "auth.token_invalid"
    assert code(await machine.get("/communities"), 401) == "auth.token_invalid"
    kinds = [row.kind for row in await api.read(sa.select(Activity.kind))]
    assert kinds.count("credential.created") == 2 and kinds.count("access_token.created") == 2
