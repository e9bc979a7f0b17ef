"""What ships, loaded once and then left alone; and an invented association that needs no code."""

import ast
import shutil
import tomllib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import ceilings, clock, migrations, settings
from app.db import Database
from app.models import Association, Community, Grant, Occupation, Position, Rule, Seat, Territory
from app.policy import Capability
from app.services import people, seeding
from app.services.passwords import hashed
from app.services.seeding import DefaultsInvalid, rows_of
from tests.cast import DTC, PASSWORD, Api, Someone, mail_to, text_of, token_in
from tests.conftest import DATABASES
from tests.granting import grant
from tests.houses import empty_database
from tests.test_house import APP, sources

ANOTHER = Path(__file__).parent / "data" / "another-association"


async def load(api: Api, folder: Path = settings.SHIPPED_DEFAULTS) -> bool:
    async with api.database.work() as work:
        return await seeding.load(work, folder)


async def everything(api: Api) -> dict[str, list[Any]]:
    """Every row that the defaults make."""
    made = (Association, Community, Grant, Occupation, Position, Rule, Seat, Territory)
    found = {}
    for model in made:
        table = model.__table__
        rows = await api.read(sa.select(table).order_by(*table.primary_key.columns))
        found[table.name] = [tuple(row) for row in rows]
    return found


# What ships


async def test_the_associations_data_ships_whole(api: Api) -> None:
    found = await everything(api)
    lengths = {name: len(rows) for name, rows in found.items()}
    assert lengths | {"grant": 0} == {
        "association": 1,
        "community": 17,
        "grant": 0,
        "occupation": 26,
        "position": 10,
        "rule": 17,
        "seat": 17 * 7 + 1,
        "territory": 14,
    }
    seats = await api.read(sa.select(Position.code, Position.seats).order_by(Position.code))
    assert dict(tuple(row) for row in seats) == {
        "chair": 1,
        "vice_chair": 1,
        "secretary": 1,
        "member_at_large": 4,
        "president": 1,
        "staff": None,
        "convener": 1,
        "subcommittee_member": 4,
        "governance_chair": None,
        "governance_member": None,
    }
    restricted = await api.read(sa.select(Community.slug, Community.eligible_occupations))
    assert {row.slug: row.eligible_occupations for row in restricted if row[1]} == {
        "judicial-roundtable": ["judge", "justice_of_the_peace"]
    }


def table_of(folder: Path) -> dict[str, set[str]]:
    """The permission table of a directory of defaults."""
    return {
        row.pop("capability"): {grantee for grantee, mark in row.items() if mark}
        for row in rows_of(folder, "permissions.csv")
    }


def test_every_capability_has_a_row_and_no_mark_exceeds_its_ceiling() -> None:
    table = table_of(settings.SHIPPED_DEFAULTS)
    assert set(table) == set(Capability)
    for capability, grantees in table.items():
        assert grantees, capability
        assert not [one for one in grantees if ceilings.exceeded(Capability(capability), one)]


def test_rights_that_nobody_else_may_have_are_where_the_association_wants_them() -> None:
    table = table_of(settings.SHIPPED_DEFAULTS)
    leaders = {"member_at_large", "secretary", "vice_chair", "chair"}
    assert table["posts:moderate"] == leaders | {"staff"}
    assert table["posts:write"] == leaders | {"member"}
    assert table["join_requests:decide"] == {"secretary", "vice_chair", "chair", "staff"}
    assert table["leadership:appoint"] == {"staff", "president"}
    assert table["grants:manage"] == table["rules:publish"] == {"staff", "president"}
    assert table["minutes:write"] == {"secretary", "staff"}
    assert table["advocacy:endorse"] == {"president"}
    assert "president" not in table["discussions:read"]


async def test_what_is_loaded_is_what_the_files_say(api: Api) -> None:
    loaded: dict[str, set[str]] = {capability: set() for capability in Capability}
    for row in await api.read(sa.select(Grant.capability, Grant.grantee)):
        loaded[row.capability].add(row.grantee)
    assert loaded == table_of(settings.SHIPPED_DEFAULTS)


# Loaded once


async def test_loading_twice_changes_nothing(api: Api) -> None:
    before = await everything(api)
    assert await load(api) is False
    assert await everything(api) == before


async def test_what_was_edited_through_the_api_stays_edited(api: Api) -> None:
    staff = await api.staff()
    name = {"en": "Renamed", "fr": "Renommée"}
    assert (await staff.patch(f"/communities/{DTC}", {"name": name})).status_code == 200
    assert (await staff.patch("/association", {"contact_email": "new@ajtp.example"})).is_success
    await grant(staff, await api.staff("Sonia Staff"), "posts:moderate", "chair")
    before = await everything(api)
    await load(api)
    assert await everything(api) == before
    assert (await api.get(f"/communities/{DTC}")).json()["name"] == name


async def test_what_is_new_in_the_files_is_added_with_its_seats(api: Api, tmp_path: Path) -> None:
    folder = changed(
        tmp_path,
        settings.SHIPPED_DEFAULTS,
        {
            "communities.csv": "harm-reduction,Harm Reduction,Réduction des méfaits,a,b,,true\n",
            "positions.csv": "archivist,community,5,2,Archivist,Archives,24,false\n",
        },
    )
    await load(api, folder)
    rows = await api.read(
        sa.select(Seat.position_code, sa.func.count().label("seats"))
        .join(Community, col(Community.id) == Seat.community_id)
        .where(col(Community.slug).in_(["harm-reduction", DTC]))
        .group_by(Seat.position_code)
    )
    assert {row.position_code: row.seats for row in rows} == {
        "chair": 2,
        "vice_chair": 2,
        "secretary": 2,
        "member_at_large": 8,
        "archivist": 4,
    }


def changed(folder: Path, source: Path, lines: dict[str, str], **parts: tuple[str, str]) -> Path:
    """A copy of a directory of defaults, with lines added, and parts replaced."""
    copy = folder / "defaults"
    shutil.copytree(source, copy)
    for name, line in lines.items():
        with (copy / name).open("a", encoding="utf-8") as file:
            file.write(line)
    for name, (old, new) in parts.items():
        path = next(copy.glob(f"{name}.*"))
        assert old in path.read_text("utf-8")
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    return copy


# Refused


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("association", 'code = "gcc"', 'code = "other"', "the database is gcc's"),
        ("association", "code =", "c0de =", "KeyError"),
        ("association", "[name]", "[name", "TOMLDecodeError"),
        ("positions", "steward,community", "member,community", "cannot be called member"),
        ("positions", "steward,community,1", "steward,community,one", "ValueError"),
        ("communities", "Tables des marées", "", "needs English and French"),
        ("communities", ",pilot,", ",pilots,", "for pilots, which is no occupation"),
        ("occupations", "other,", "another,", "needs the code other"),
        ("permissions", "posts:write", "posts:wrote", "posts:wrote"),
        ("permissions", ",admiral,", ",captain,", "captain, which is no position"),
        ("permissions", "posts:write,,,x", "posts:write,x,,x", "may not be granted to public"),
        ("rules", 'kind = "conduct"', 'kind = "custom"', "custom"),
    ],
)
async def test_a_directory_that_says_something_wrong_is_refused_with_the_reason(
    tmp_path: Path, name: str, old: str, new: str, why: str
) -> None:
    url = f"sqlite:///{tmp_path / 'cop.sqlite3'}"
    migrations.migrate(url)
    database = Database(url)
    if "the database is" in why:
        async with database.work() as work:
            await seeding.load(work, ANOTHER)
    folder = changed(tmp_path, ANOTHER, {}, **{name: (old, new)})
    with pytest.raises(DefaultsInvalid, match=why):
        async with database.work() as work:
            await seeding.load(work, folder)
    await database.close()


# Another association


@pytest.fixture(params=DATABASES)
async def guild(
    request: pytest.FixtureRequest, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    """The Guild of Coastal Cartographers, which has nothing in common with the shipped one."""
    with empty_database(request.param, postgres, tmp_path) as url, monkeypatch.context() as patched:
        patched.setenv("COP_DEFAULTS_DIR", str(ANOTHER))
        settings.get.cache_clear()
        migrations.migrate(url)
        async with Api.on(url) as api:
            assert await load(api, ANOTHER) is True
            yield api
    settings.get.cache_clear()


async def signed_in(api: Api, email: str) -> dict[str, str]:
    body = {"grant_type": "password", "username": email, "password": PASSWORD}
    answer = await api.post("/auth/tokens", body)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def the_office(api: Api) -> dict[str, str]:
    """The credentials of somebody whom the operator has put into the widest position."""
    async with api.database.work() as work:
        position = await people.widest_position(work)
        assert position == "harbour_office"
        await people.create_staff(
            work,
            name="Hana Harbour",
            email="hana@cartographers.example",
            position=position,
            password_hash=await hashed(PASSWORD),
            until=None,
        )
    return await signed_in(api, "hana@cartographers.example")


class Newcomer:
    """Somebody who asks to join, is accepted, chooses a password, and signs in."""

    def __init__(self, api: Api, name: str) -> None:
        self.api = api
        self.name = name
        self.email = f"{name.lower()}@cartographers.example"
        self.headers: dict[str, str] = {}

    async def join(self, decider: Someone) -> str:
        form = {
            "name": self.name,
            "email": self.email,
            "communities": ["tide-tables"],
            "occupation": "Surveyor",
            "occupation_code": "surveyor",
            "affiliation": "Hydrographic Office",
            "area_of_interest": "neap tides",
            "territory": "NZ-OTA",
            "agrees_to_rules_version": 7,
        }
        assert (await self.api.post("/join-requests", form)).status_code == 202
        proof = {"token": token_in(mail_to(await self.api.work_off(), self.email))}
        await self.api.post("/auth/email-verifications/confirmation", proof)
        queue = await decider.get("/communities/tide-tables/join-requests?status=pending")
        (request,) = queue.json()["items"]
        path = f"/join-requests/{request['id']}/decision"
        assert (await decider.put(path, {"outcome": "accepted"})).status_code == 200
        welcome = mail_to(await self.api.work_off(), self.email)
        assert "Tide Tables" in text_of(welcome)
        chosen = {"token": token_in(welcome), "password": PASSWORD}
        assert (await self.api.post("/auth/password-resets/confirmation", chosen)).is_success
        self.headers = await signed_in(self.api, self.email)
        return (await self.call("GET", "/me")).json()["id"]

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.api.call(method, path, json=body, headers=self.headers)


async def test_what_anyone_sees_of_another_association_is_its_own(guild: Api) -> None:
    about = (await guild.get("/association")).json()
    assert about["name"]["en"] == "Guild of Coastal Cartographers"
    assert about["time_zone"] == "Pacific/Auckland" == settings.get().zone.key
    assert about["confirms_grants"] is False
    assert [notice["code"] for notice in about["notices"]] == ["charts-may-err"]
    listed = (await guild.get("/communities")).json()["items"]
    assert [one["slug"] for one in listed] == ["tide-tables", "lighthouses"]
    assert [one["vacant_seats"] for one in listed] == [6, 6]
    rules = (await guild.get("/rules")).json()
    assert (rules["version"], len(rules["items"])) == (7, 2)
    codes = [one["code"] for one in (await guild.get("/positions")).json()["items"]]
    assert codes == ["steward", "navigator", "keeper", "admiral", "harbour_office"]


async def test_the_main_path_runs_on_an_invented_association(guild: Api) -> None:
    office = Newcomer(guild, "hana")
    office.headers = await the_office(guild)
    today = clock.today().isoformat()

    async def appoint(person_id: Any, position: str, ends_on: str | None) -> httpx.Response:
        term = {"person_id": str(person_id), "position": position, "basis": "appointment"}
        days = {"starts_on": today, "ends_on": ends_on}
        return await office.call("POST", "/communities/tide-tables/terms", term | days)

    # Deciding is the keeper's; the harbour office, which appoints her, may not do it
    kiri = await guild.member("Kiri Keeper", "tide-tables", agreed=False)
    assert (await appoint(kiri.id, "keeper", None)).json()["seat"] == 1
    assert (await appoint(kiri.id, "chair", None)).status_code == 422
    nia, wiremu = Newcomer(guild, "Nia"), Newcomer(guild, "Wiremu")
    nia_id, wiremu_id = await nia.join(kiri), await wiremu.join(kiri)
    standing = (await office.call("GET", "/communities/tide-tables/standing")).json()
    assert "join_requests:decide" not in standing["can"]

    # Two navigators, no third
    year = (clock.today() + timedelta(days=364)).isoformat()
    assert (await appoint(nia_id, "navigator", year)).json()["seat"] == 1
    assert (await appoint(wiremu_id, "navigator", year)).json()["seat"] == 2
    third = await guild.member("Third Navigator", "tide-tables", agreed=False)
    assert (await appoint(third.id, "navigator", year)).json()["code"] == "term.seat_taken"

    # Talking, once the rules are agreed to
    opening = {"title": "Spring tides", "body": "How high?", "language": "en"}
    path = "/communities/tide-tables/discussions"
    started = (await nia.call("POST", path, opening)).json()
    assert started["author"]["position"] == "navigator"
    posts = f"/discussions/{started['id']}/posts"
    unread = await kiri.post(posts, {"body": "Higher than you think.", "language": "en"})
    assert (unread.json()["code"], unread.json()["rules_version"]) == (
        "rules.agreement_required",
        7,
    )
    assert (await kiri.post("/me/agreements", {"version": 7})).status_code == 201
    post = (await kiri.post(posts, {"body": "Than *you* think.", "language": "en"})).json()

    # Moderating, by a navigator who did not report
    report = {"rule": "no-mutiny", "note": None}
    unknown = await wiremu.call("POST", f"/posts/{post['id']}/reports", {"rule": "no-attacks"})
    assert unknown.status_code == 422
    assert (await wiremu.call("POST", f"/posts/{post['id']}/reports", report)).status_code == 201
    queue = "/communities/tide-tables/review-queue"
    denied = (await kiri.get(queue)).json()
    assert denied["because"][0]["positions"] == ["navigator"]
    (review,) = (await nia.call("GET", queue)).json()["items"]
    hide = {"action": "hide", "rule": "no-mutiny", "reason": "At the cartographer.", "version": 1}
    own = await wiremu.call("PUT", f"/reviews/{review['id']}/decision", hide)
    assert own.json()["code"] == "review.own_case"
    assert (await nia.call("PUT", f"/reviews/{review['id']}/decision", hide)).status_code == 200
    place = (await kiri.get(posts)).json()["items"][1]
    assert (place["status"], place["hidden"]["rule"]) == ("hidden", "no-mutiny")
    log = await office.call("GET", "/communities/tide-tables/audit-log")
    assert log.json()["items"][0]["kind"] == "review.decided"


def codes_of(folder: Path) -> set[str]:
    """Every code by which a directory of defaults names something of its own."""
    found = {row["slug"] for row in rows_of(folder, "communities.csv")}
    for name in ("positions.csv", "occupations.csv", "territories.csv"):
        found |= {row["code"] for row in rows_of(folder, name)}
    rules = tomllib.loads((folder / "rules.toml").read_text("utf-8"))["rules"]
    return found | {rule["code"] for rule in rules} - {"other"}


# Where a code of the shipped association may stand: in examples, which the contract shows.
EXAMPLES = {"examples.py"}
# A category of membership is a word of the software's own.
WORDS_OF_OURS = {
    "models/memberships.py": {"staff", "academic"},
    "membership_files/values.py": {"staff", "academic"},
}


def test_no_line_of_code_knows_a_position_a_community_or_a_rule_by_name() -> None:
    codes = codes_of(settings.SHIPPED_DEFAULTS) - {"other"}
    assert len(codes) > 70
    known = []
    for path in sources():
        name = str(path.relative_to(APP))
        if name in EXAMPLES or name.startswith(("migrations/versions/", "demo/")):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        shown = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "examples"
            for inner in ast.walk(node)
        }
        ours = WORDS_OF_OURS.get(name, set())
        known += [
            f"{name}:{node.lineno} {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and node.value in codes - ours
            and id(node) not in shown
        ]
    assert known == []
