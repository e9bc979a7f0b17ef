"""The demo: a populated association that behaves as a real one, because it was made as one."""

from typing import Any

import pytest
import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app import demo, settings
from app.demo.stage import password_of
from app.models import Activity
from app.services import passwords, sealing
from tests.cast import DTC, Api, unknown_id

STAFF, CHAIR, SUCCESSOR = "samuel.desrochers", "amara.nwosu", "priya.raman"
FORMER, SUSPENDED, STRANGER = "gordon.pelletier", "trevor.haines", "leona.carriere"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested is not how long argon2 takes, twice for each of the cast."""
    cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", PasswordHash((cheap,)))


class Players:
    """The cast of a filled database, as they use the API."""

    def __init__(self, api: Api, cast: list[dict[str, Any]]) -> None:
        self.api = api
        self.passwords = {person["email"]: person["password"] for person in cast}
        self.tokens: dict[str, str] = {}

    async def get(self, who: str, path: str) -> Any:
        """What one of them is shown."""
        answer = await self.call(who, path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def call(self, who: str, path: str) -> Any:
        """What one of them is answered, signed in by the password that was printed."""
        email = f"{who}@example.org"
        if email not in self.tokens:
            form = {
                "grant_type": "password",
                "username": email,
                "password": self.passwords[email],
            }
            self.tokens[email] = (await self.api.post("/auth/tokens", form)).json()["access_token"]
        headers = {"Authorization": f"Bearer {self.tokens[email]}"}
        return await self.api.get(path, headers=headers)


async def test_a_filled_database_has_somebody_in_every_position_and_something_to_do(
    api: Api,
) -> None:
    players = Players(api, await demo.fill(api.database))

    court = await players.get(CHAIR, f"/communities/{DTC}/leadership")
    assert [seat["state"] for seat in court["seats"]] == ["held"] * 7
    indigenous = await players.get(STRANGER, "/communities/indigenous-courts/leadership")
    held = [seat["position"] for seat in indigenous["seats"] if seat["state"] == "held"]
    assert held == ["chair", "secretary"]
    terms = (await players.get(CHAIR, f"/communities/{DTC}/terms?limit=100"))["items"]
    statuses = {term["person"]["name"]: term["status"] for term in terms}
    assert statuses["Gordon Pelletier"] == "completed"
    assert (statuses["Amara Nwosu"], statuses["Priya Raman"]) == ("running", "planned")

    waiting = await players.get(CHAIR, f"/communities/{DTC}/join-requests?status=pending")
    assert {item["language"] for item in waiting["items"]} == {"en", "fr"}
    queue = await players.get(CHAIR, f"/communities/{DTC}/review-queue")
    assert [item["actions"] for item in queue["items"]] == [["keep", "hide"]]
    judges = "/communities/judicial-roundtable/join-requests?status=pending"
    assert len((await players.get(STAFF, judges))["items"]) == 1

    await api.work_off()
    sealed, fault = await sealing.verify(api.database.reader)
    assert fault is None and sealed > 300


async def test_what_they_talk_about_is_in_two_languages_and_moderated(sqlite_api: Api) -> None:
    players = Players(sqlite_api, await demo.fill(sqlite_api.database))

    talk = (await players.get(CHAIR, f"/communities/{DTC}/discussions?limit=100"))["items"]
    assert {item["language"] for item in talk} == {"en", "fr"}
    assert [item["title"] for item in talk if item["status"] == "locked"] == [
        "Handing over the secretary's files"
    ]
    posts = [
        post
        for item in talk
        for post in (await players.get(CHAIR, f"/discussions/{item['id']}/posts"))["items"]
    ]
    assert {post["status"] for post in posts} == {"visible", "hidden", "deleted"}
    chairs = {p["author"]["position"] for p in posts if p["author"]["name"] == "Amara Nwosu"}
    assert chairs == {"chair"}
    everywhere = (await players.get(STAFF, "/communities?limit=100"))["items"]
    counted = [
        len((await players.get(STAFF, f"/communities/{c['slug']}/discussions?limit=100"))["items"])
        for c in everywhere
        if not c["eligible_occupations"]
    ]
    assert sum(counted) >= 20


async def test_the_cast_have_the_rights_of_their_terms_and_no_others(sqlite_api: Api) -> None:
    players = Players(sqlite_api, await demo.fill(sqlite_api.database))
    queue = f"/communities/{DTC}/review-queue"

    assert (await players.call(CHAIR, queue)).status_code == 200
    for without in (SUCCESSOR, FORMER, SUSPENDED, STRANGER):
        assert (await players.call(without, queue)).status_code == 403, without
    suspended = await players.get(SUSPENDED, f"/communities/{DTC}/standing")
    assert suspended["suspension"]["until_on"]


async def test_filling_twice_tells_the_same_cast_and_changes_nothing(sqlite_api: Api) -> None:
    first = await demo.fill(sqlite_api.database)
    before = await sqlite_api.read(sa.select(sa.func.count()).select_from(Activity))

    assert await demo.fill(sqlite_api.database) == first
    assert await sqlite_api.read(sa.select(sa.func.count()).select_from(Activity)) == before
    # The same person of another database has another id, and so another password.
    passwords_here = {person["password"] for person in first}
    assert len(passwords_here) == len(first) and password_of(unknown_id()) not in passwords_here


async def test_a_database_with_members_is_left_alone(sqlite_api: Api) -> None:
    await sqlite_api.member("Olga MacLeod")

    with pytest.raises(demo.DemoRefused, match="in use"):
        await demo.fill(sqlite_api.database)


async def test_an_interrupted_demo_is_not_taken_for_a_whole_one(sqlite_api: Api) -> None:
    await sqlite_api.staff("Beatrice Holloway")

    with pytest.raises(demo.DemoRefused, match="half way"):
        await demo.fill(sqlite_api.database)


async def test_production_is_refused(sqlite_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.get(), "environment", settings.Environment.PRODUCTION)

    with pytest.raises(demo.DemoRefused, match="development"):
        await demo.fill(sqlite_api.database)
