"""Rights, links and rules begin and end by the clock, in the association's own time zone.

Days of the past are used, since no law can move their changes of clocks any more.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from app.models import Membership, RulesVersion, Seat, Session
from tests.answers import FORM, because, code, ok
from tests.cast import DTC, PASSWORD, Api, Someone, day, mail_to, on, token_in
from tests.moments import INSTANT, at, utc

QUEUE = f"/communities/{DTC}/review-queue"
TALK = f"/communities/{DTC}/discussions"
WORDS = {"title": "What we learned", "body": "A lot.", "tags": [], "language": "en"}


# A day of the association, noon in it, the instant it begins, and the instant it is over.
DAYS = [
    pytest.param("2025-01-15T17:00", "2025-01-15T05:00", "2025-01-16T05:00", id="winter"),
    pytest.param("2025-07-01T16:00", "2025-07-01T04:00", "2025-07-02T04:00", id="summer"),
    pytest.param("2025-03-09T16:00", "2025-03-09T05:00", "2025-03-10T04:00", id="23 hours"),
    pytest.param("2025-11-02T17:00", "2025-11-02T04:00", "2025-11-03T05:00", id="25 hours"),
]


async def rules_since_long(api: Api) -> None:
    """The rules that ship are in force, and the seats there, from the day of their loading; here
    from long ago."""
    async with api.database.work() as work:
        await work.execute(sa.update(RulesVersion).values(effective_on=utc("2000-01-01").date()))
        await work.execute(sa.update(Seat).values(opened_on=utc("2000-01-01").date()))


async def signed_in_for_years(api: Api, *people: Someone) -> None:
    for someone in people:
        await api.change(Session, someone.session_id, expires_at=utc("2040-01-01"))


# Days


@pytest.mark.parametrize(("noon", "begins", "over"), DAYS)
async def test_a_term_runs_from_the_first_moment_of_its_first_day_to_the_last_of_its_last(
    api: Api, noon: str, begins: str, over: str
) -> None:
    await rules_since_long(api)
    with at(utc(noon)):
        carla = await api.leader("Carla Chair", "chair", starts=0, ends=0)
    for moment, may in (
        (utc(begins) - INSTANT, False),
        (utc(begins), True),
        (utc(over) - INSTANT, True),
        (utc(over), False),
    ):
        with at(moment, carla):
            answer = await carla.get(QUEUE)
            assert answer.status_code == (200 if may else 403), moment
            seats = ok(await api.get(f"/communities/{DTC}/leadership"))
            assert (seats["seats"][0]["state"] == "held") is may, moment
            court = ok(await api.get(f"/communities/{DTC}"))
            assert court["vacant_seats"] == (6 if may else 7), moment


@pytest.mark.parametrize(("noon", "_begins", "over"), DAYS)
async def test_a_suspension_lasts_to_the_end_of_its_last_day_and_ends_by_itself(
    api: Api, noon: str, _begins: str, over: str
) -> None:
    await rules_since_long(api)
    with at(utc(noon)):
        mary, staff = await api.member("Mary Member"), await api.staff()
        path = f"/memberships/{mary.memberships[DTC]}/suspension"
        ok(await staff.put(path, {"until_on": day(0), "reason": "A cooling day."}))
        assert because(await mary.get(TALK)) == ["membership_suspended"]
    with at(utc(over) - INSTANT, mary):
        assert because(await mary.get(TALK)) == ["membership_suspended"]
    with at(utc(over), mary):
        ok(await mary.get(TALK))


@pytest.mark.parametrize(("noon", "begins", "over"), DAYS)
async def test_a_membership_runs_through_its_first_and_its_last_day(
    api: Api, noon: str, begins: str, over: str
) -> None:
    await rules_since_long(api)
    with at(utc(noon)):
        carla = await api.leader("Carla Chair", "chair")
        only_today = {"since_on": on(0), "until_on": on(0)}
        await api.change(Membership, carla.memberships[DTC], **only_today)
    for moment, may in (
        (utc(begins) - INSTANT, False),
        (utc(begins), True),
        (utc(over) - INSTANT, True),
        (utc(over), False),
    ):
        with at(moment, carla):
            assert (await carla.get(TALK)).status_code == (200 if may else 403), moment
            assert (await carla.get(QUEUE)).status_code == (200 if may else 403), moment
            court = ok(await api.get(f"/communities/{DTC}"))
            assert court["member_count"] == int(may), moment


async def test_the_day_is_the_associations_and_not_that_of_greenwich(api: Api) -> None:
    await rules_since_long(api)
    with at(utc("2025-07-02T03:30")):
        assert ok(await api.get(f"/communities/{DTC}/leadership"))["as_of"] == "2025-07-01"
    with at(utc("2025-07-02T04:30")):
        assert ok(await api.get(f"/communities/{DTC}/leadership"))["as_of"] == "2025-07-02"


async def test_a_planned_successor_takes_over_at_midnight_without_anybodys_doing(
    api: Api,
) -> None:
    await rules_since_long(api)
    with at(utc("2025-06-02T16:00")):
        staff = await api.staff()
        carla = await api.leader("Carla Chair", "chair", ends=28)
        sam = await api.member("Sam Successor")
        await signed_in_for_years(api, carla, sam)
        planned = {
            "person_id": str(sam.id),
            "position": "chair",
            "starts_on": "2025-07-01",
            "ends_on": "2027-06-30",
            "basis": "election",
        }
        term = ok(await staff.post(f"/communities/{DTC}/terms", planned), 201)
        assert (term["status"], term["seat"]) == ("planned", 1)
        assert (await sam.get(QUEUE)).status_code == 403
    with at(utc("2025-07-01T04:00") - INSTANT, carla, sam):
        assert ((await carla.get(QUEUE)).status_code, (await sam.get(QUEUE)).status_code) == (
            200,
            403,
        )
    with at(utc("2025-07-01T04:00"), carla, sam):
        assert because(await carla.get(QUEUE)) == ["position_required"]
        ok(await sam.get(QUEUE))
        chair = ok(await api.get(f"/communities/{DTC}/leadership"))["seats"][0]
        assert chair["holder"]["person"]["name"] == "Sam Successor"
        ended = ok(await carla.get(f"/communities/{DTC}/terms"))["items"]
        assert [item["status"] for item in ended] == ["completed", "running"]


async def test_a_term_that_ends_in_the_future_is_held_today(api: Api) -> None:
    """A last day is not an end: Decidim hid every officer who had one."""
    olga = await api.leader("Olga Officer", "secretary", ends=1)
    seats = ok(await api.get(f"/communities/{DTC}/leadership"))["seats"]
    assert [seat["holder"]["person"]["name"] for seat in seats if seat["holder"]] == [olga.name]


# The rules


def version_from(first_day: str) -> dict[str, Any]:
    text = {"en": "Be kind.", "fr": "Soyez aimables."}
    rule = {"code": "kindness", "kind": "conduct", "heading": text, "text": text}
    return {"based_on": 1, "effective_on": first_day, "items": [rule]}


async def test_new_rules_ask_for_agreement_from_their_day_on_and_not_before(api: Api) -> None:
    await rules_since_long(api)
    with at(utc("2025-07-01T16:00")):
        staff, mary = await api.staff(), await api.member("Mary Member")
        await signed_in_for_years(api, mary)
        published = ok(await staff.post("/rules/versions", version_from("2025-07-02")), 201)
        assert (published["version"], published["in_force"]) == (2, False)
    with at(utc("2025-07-02T04:00") - INSTANT, mary):
        assert ok(await api.get("/rules"))["version"] == 1
        ok(await mary.post(TALK, WORDS), 201)
    with at(utc("2025-07-02T04:00"), mary):
        assert ok(await api.get("/rules"))["version"] == 2
        ok(await mary.get(TALK))  # who has not agreed yet can read
        refused = await mary.post(TALK, WORDS)
        assert code(refused, 403) == "rules.agreement_required"
        assert refused.json()["rules_version"] == 2
        old = await mary.post("/me/agreements", {"version": 1})
        assert code(old, 409) == "rules.version_outdated"
        ok(await mary.post("/me/agreements", {"version": 2}), 201)
        ok(await mary.post(TALK, WORDS), 201)


async def test_who_agreed_ahead_of_the_day_is_not_interrupted(api: Api) -> None:
    staff, mary, otto = await api.staff(), await api.member("Mary"), await api.member("Otto")
    ok(await staff.post("/rules/versions", version_from(day(1))), 201)
    ok(await mary.post("/me/agreements", {"version": 2}), 201)
    ok(await mary.post(TALK, WORDS), 201)
    with at(datetime.now(UTC) + timedelta(days=1), mary, otto):
        ok(await mary.post(TALK, WORDS), 201)
        assert code(await otto.post(TALK, WORDS), 403) == "rules.agreement_required"


async def test_rules_in_force_at_once_ask_at_the_next_request_of_the_same_sign_in(
    api: Api,
) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    ok(await mary.post(TALK, WORDS), 201)
    ok(await staff.post("/rules/versions", version_from(day(0))), 201)
    assert code(await mary.post(TALK, WORDS), 403) == "rules.agreement_required"


# Tokens and links


async def test_an_access_token_is_good_for_fifteen_minutes_to_the_second(api: Api) -> None:
    mary = await api.person("Mary Member")
    issued = datetime.now(UTC).replace(microsecond=0)
    with at(issued, mary):
        ok(await mary.get("/me"))
    # Both where the token was seen a moment ago and where it never was.
    for before, after in ((INSTANT, timedelta()), (timedelta(minutes=14), timedelta(seconds=0.9))):
        with time_machine.travel(issued + timedelta(minutes=15) - before, tick=False):
            ok(await mary.get("/me"))
        with time_machine.travel(issued + timedelta(minutes=15) + after, tick=False):
            assert code(await mary.get("/me"), 401) == "auth.token_invalid"


async def test_a_sign_in_can_be_renewed_for_thirty_days_and_no_longer(api: Api) -> None:
    mary = await api.person("Mary Member")
    signed_in = datetime.now(UTC).replace(microsecond=0)
    credentials = {"grant_type": "password", "username": mary.email, "password": PASSWORD}
    with at(signed_in):
        first = ok(await api.post("/auth/tokens", credentials))
        assert first["refresh_expires_in"] == 30 * 24 * 3600
    with at(signed_in + timedelta(days=30) - INSTANT):
        last = ok(await api.post("/auth/tokens/refresh", {"refresh_token": first["refresh_token"]}))
        bearer = {"Authorization": f"Bearer {last['access_token']}"}
        ok(await api.get("/me", headers=bearer))
    with at(signed_in + timedelta(days=30)):
        over = await api.post("/auth/tokens/refresh", {"refresh_token": last["refresh_token"]})
        assert code(over, 401) == "auth.refresh_token_invalid"
        assert code(await api.get("/me", headers=bearer), 401) == "auth.token_invalid"


LINKS = [
    pytest.param("sign-in-links", timedelta(hours=1), id="sign in"),
    pytest.param("password-resets", timedelta(hours=1), id="password"),
    pytest.param("email-verifications", timedelta(days=7), id="proof of an address"),
]


@pytest.mark.parametrize(("kind", "lasts"), LINKS)
async def test_a_mailed_link_works_for_its_time_and_not_a_moment_longer(
    api: Api, kind: str, lasts: timedelta
) -> None:
    mailed = datetime.now(UTC)
    with at(mailed):
        mary = await api.person("Mary Member")
        if kind == "email-verifications":
            ok(await api.post("/join-requests", FORM | {"email": mary.email}), 202)
        else:
            await api.post(f"/auth/{kind}", {"email": mary.email})
        token = token_in(mail_to(await api.work_off(), mary.email))
    await expires(api, kind, token, mailed + lasts)


async def expires(api: Api, kind: str, token: str, moment: datetime) -> None:
    """Asserts that a link is good until just before this instant, and dead from it on."""
    with at(moment):
        assert not ok(await api.post(f"/auth/{kind}/inspection", {"token": token}))["valid"]
        body = {"token": token}
        if kind == "password-resets":
            body["password"] = "forty sparrows in the hedge"
        used = await api.post(f"/auth/{kind}/confirmation", body)
        assert code(used, 409) == "mailed_token.invalid"
    with at(moment - INSTANT):
        assert ok(await api.post(f"/auth/{kind}/inspection", {"token": token}))["valid"]
        assert (await api.post(f"/auth/{kind}/confirmation", body)).status_code in (200, 204)


async def test_a_first_password_can_be_chosen_for_fourteen_days(api: Api) -> None:
    accepted = datetime.now(UTC)
    with at(accepted):
        staff = await api.staff()
        ok(await api.post("/join-requests", FORM), 202)
        proof = token_in(mail_to(await api.work_off(), FORM["email"]))
        path = "/auth/email-verifications/confirmation"
        (request,) = ok(await api.post(path, {"token": proof}))["join_requests"]
        decision = {"outcome": "accepted", "comment": None}
        ok(await staff.put(f"/join-requests/{request['id']}/decision", decision))
        token = token_in(mail_to(await api.work_off(), FORM["email"]))
    await expires(api, "password-resets", token, accepted + timedelta(days=14))
