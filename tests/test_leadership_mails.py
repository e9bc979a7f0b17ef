"""What the calendar and the seats cause to be mailed, to each reader in their own language."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
import time_machine

from app import clock, texts
from tests.answers import ok
from tests.cast import DTC, Api, Someone, day, text_of

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
