"""What the calendar and the seats cause to be mailed, to each reader in their own language."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
import time_machine

from app import clock, texts
from app.models import Person
from tests.answers import ok
from tests.cast import DTC, Api, Someone, day, text_of
from tests.polling import AFTER, LAST_VOTE, NOMINATING, VOTING, Poll, election
from tests.test_mail import assert_in_language, kind_of

# Words that stand in the mail of one language and not in the other.
WORDS = {
    "acting": {"en": "and you act in it", "fr": "vous en assurez l'intérim"},
    "begun": {"en": "has begun", "fr": "a commencé"},
    "ending": {"en": "prepare the handover", "fr": "préparer la relève"},
    "recorded": {"en": "term of yours was recorded", "fr": "vous a été confié"},
    "follow": {"en": "who may follow", "fr": "prendre la relève"},
    "vacant": {"en": "Nobody holds this seat any more", "fr": "Plus personne n'occupe ce siège"},
}


async def mailed(api: Api, reader: Someone) -> list[EmailMessage]:
    await api.announce()
    return [mail for mail in await api.work_off() if reader.email in mail["To"]]


async def told(api: Api, reader: Someone, word: str, language: str) -> str:
    """The one mail with this word that is sent to a reader now."""
    said = [text_of(mail) for mail in await mailed(api, reader)]
    (found,) = [text for text in said if WORDS[word][language] in text]
    return found


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_who_acts_is_told_for_whom(api: Api, language: str) -> None:
    carla = await api.leader("Carla", "chair")
    vera = await api.leader("Vera", "vice_chair", language=language)
    await mailed(api, vera)
    ok(await carla.put(f"/terms/{carla.terms['chair']}/absence", {"starts_on": day(0)}))
    assert "Carla" in await told(api, vera, "acting", language)
    ok(await carla.delete(f"/terms/{carla.terms['chair']}/absence"), 204)
    assert await mailed(api, vera) == []
    ok(await carla.post(f"/terms/{carla.terms['chair']}/resignation", {}), 201)
    assert "Carla" not in await told(api, vera, "acting", language)


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_the_secretary_is_told_of_an_empty_seat_and_the_members_are_not(
    api: Api, language: str
) -> None:
    sue = await api.leader("Sue", "secretary", language=language)
    carla, mary = await api.leader("Carla", "chair"), await api.member("Mary Member")
    await mailed(api, sue)
    ok(await carla.post(f"/terms/{carla.terms['chair']}/resignation", {}), 201)
    await api.announce()
    sent = await api.work_off()
    (mail,) = [mail for mail in sent if WORDS["vacant"][language] in text_of(mail)]
    assert sue.email in mail["To"]
    assert not any(mary.email in mail["To"] for mail in sent)


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_a_term_that_begins_and_nears_its_end_is_told_to_its_holder(
    api: Api, language: str
) -> None:
    staff, carla = await api.staff(), await api.member("Carla", language=language)
    body = {
        "person_id": str(carla.id),
        "position": "chair",
        "starts_on": day(2),
        "ends_on": day(100),
        "basis": "appointment",
    }
    ok(await staff.post(f"/communities/{DTC}/terms", body), 201)
    await told(api, carla, "recorded", language)
    with time_machine.travel(clock.now() + timedelta(days=2)):
        await told(api, carla, "begun", language)
    with time_machine.travel(clock.now() + timedelta(days=10)):
        assert body["ends_on"] in await told(api, carla, "ending", language)


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_the_secretary_is_told_whose_term_nears_its_end(api: Api, language: str) -> None:
    sue = await api.leader("Sue", "secretary", language=language)
    await api.leader("Carla", "chair", ends=30)
    assert "Carla" in await told(api, sue, "follow", language)


async def test_what_has_become_untrue_is_not_mailed(api: Api) -> None:
    sue, carla = await api.leader("Sue", "secretary"), await api.leader("Carla", "chair")
    staff, mary = await api.staff(), await api.member("Mary Member")
    await mailed(api, sue)
    ok(await carla.post(f"/terms/{carla.terms['chair']}/resignation", {}), 201)
    await api.announce()
    body = {
        "person_id": str(mary.id),
        "position": "chair",
        "starts_on": day(0),
        "ends_on": day(700),
        "basis": "appointment",
    }
    ok(await staff.post(f"/communities/{DTC}/terms", body), 201)
    assert [mail for mail in await api.work_off() if sue.email in mail["To"]] == []


# Elections, plans, and the table


async def reading(api: Api, language: str) -> None:
    """Everybody who is there reads this language."""
    async with api.database.work() as work:
        await work.execute(sa.update(Person).values(language=language))


async def kinds_in(api: Api, language: str) -> set[str]:
    """The kinds of the mails that are sent now, each of which is in the language."""
    found = set()
    for mail in await mailed_to_all(api):
        kind = await kind_of(api, mail)
        assert_in_language(kind, mail, language)
        found.add(kind)
    return found


async def mailed_to_all(api: Api) -> list[EmailMessage]:
    await api.announce()
    return await api.work_off()


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_an_election_is_told_in_the_readers_language(api: Api, language: str) -> None:
    mary, olga, carla = [await api.member(name) for name in ("Mary", "Olga", "Carla")]
    poll = await Poll.opened(api)
    other = ok(await poll.manager.post(f"/communities/{DTC}/elections", election()), 201)
    await reading(api, language)
    await mailed_to_all(api)
    with poll.on(NOMINATING, mary, olga):
        ok(await poll.nominate(mary), 201)
        ok(await poll.nominate(olga), 201)
        proposal = {"contest_id": poll.contests[0], "person_id": str(carla.id)}
        ok(await mary.post(f"{poll.path}/nominations", proposal), 201)
        standing = {"contest_id": other["contests"][0]["id"], "person_id": str(olga.id)}
        ok(await olga.post(f"/elections/{other['id']}/nominations", standing), 201)
        assert "nomination_made" in await kinds_in(api, language)
        reason = {"reason": "Twice."}
        ok(await poll.manager.put(f"/elections/{other['id']}/cancellation", reason))
        assert await kinds_in(api, language) == {"election_cancelled"}
    told = []
    for days in (VOTING, LAST_VOTE, AFTER):
        with poll.on(days):
            told.append(await kinds_in(api, language))
    assert told[0] >= {"voting_began"} and told[1] >= {"voting_closing"}
    assert told[2] >= {"voting_ended"}
    with poll.on(AFTER):
        ok(await poll.certify())
        assert "election_certified" in await kinds_in(api, language)


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_a_plan_and_its_answer_are_told_in_the_readers_language(
    api: Api, language: str
) -> None:
    carla, olga = await api.leader("Carla", "chair"), await api.member("Olga")
    await reading(api, language)
    await mailed_to_all(api)
    group = ok(await carla.get(f"/communities/{DTC}/leadership"))["seats"]
    path = f"/seats/{group[0]['id']}/succession-plan"
    etag = (await carla.get(path)).headers["etag"]
    body = {
        "candidates": [{"person_id": str(olga.id), "readiness": "ready_now", "note": None}],
        "handover_notes": None,
        "checklist": [],
        "language": "en",
        "overlap_days": None,
    }
    kept = ok(await carla.put(path, body, headers={"If-Match": etag}))
    assert await kinds_in(api, language) == {"succession_proposed"}
    ok(await olga.put(f"/succession-candidates/{kept['candidates'][0]['id']}/consent"))
    assert await kinds_in(api, language) == {"succession_answered"}


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_a_change_of_the_table_is_told_in_the_readers_language(
    api: Api, language: str
) -> None:
    staff, petra = await api.staff(), await api.staff("Petra", "president")
    await reading(api, language)
    await mailed_to_all(api)
    for outcome, kind in (("refused", "grant_change_refused"), ("confirmed", "grant_changed")):
        version = ok(await staff.get("/grants/posts:moderate"))["version"]
        proposal = {
            "capability": "posts:moderate",
            "granted_to": ["chair"],
            "reason": "Fewer.",
            "based_on": version,
        }
        change = ok(await staff.post("/grant-changes", proposal), 201)
        assert await kinds_in(api, language) == {"grant_change_proposed"}
        decision = {"outcome": outcome, "reason": "As we said."}
        ok(await petra.put(f"/grant-changes/{change['id']}/decision", decision))
        assert await kinds_in(api, language) == {kind}
