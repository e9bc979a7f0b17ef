"""Many rows at once: inside the transaction, with the tables' own constraints and defaults."""

import contextlib
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.among import among
from app.models import Community, Occupation, Person, new_id
from app.reader import Prepared
from tests.cast import Api

_NAMED = sa.select(Person.id, Person.name, Person.version).order_by(col(Person.name))
NAMED = Prepared(_NAMED.where(among(col(Person.name), "names")))
OF_IDS = Prepared(_NAMED.where(among(col(Person.id), "ids")))


def person(name: str, **values: Any) -> dict[str, Any]:
    """A row of the table, but for what has a default."""
    address = f"{name}@example.org"
    now = clock.now()
    return {
        "id": new_id(),
        "name": name,
        "email": address,
        "email_key": address,
        "occupation_code": "other",
        "created_at": now,
        "updated_at": now,
    } | values


async def names(api: Api, *asked: str) -> list[tuple[str, int]]:
    return [(row.name, row.version) for row in await api.database.reader.rows(NAMED, names=asked)]


async def test_rows_are_kept_with_their_unit_of_work_or_not_at_all(api: Api) -> None:
    async with api.database.work() as work:
        assert await work.insert_many(Person, [person("anna"), person("ben")]) == 2
        assert len(await work.rows(NAMED, names=["anna", "ben"])) == 2
    with pytest.raises(KeyError):
        async with api.database.work() as work:
            assert await work.insert_many(Person, [person("cy"), person("dee")]) == 2
            raise KeyError
    async with api.database.work() as work:
        assert await work.insert_many(Person, []) == await work.update_many(Person, ["id"], []) == 0
    assert await names(api, "anna", "ben", "cy", "dee") == [("anna", 1), ("ben", 1)]


async def test_what_is_there_is_passed_over_only_where_that_is_asked_for(api: Api) -> None:
    rows = [person("anna"), person("ben")]
    async with api.database.work() as work:
        await work.insert_many(Person, rows[:1])
    async with api.database.work() as work:
        assert await work.insert_many(Person, rows, ignoring=True) == 1
    with pytest.raises(Exception, match=r"(?i)unique"):
        async with api.database.work() as work:
            await work.insert_many(Person, [person("cy"), rows[0] | {"id": new_id()}])
    assert await names(api, "anna", "ben", "cy") == [("anna", 1), ("ben", 1)]


async def test_rows_are_changed_by_their_keys_each_in_its_own_way(api: Api) -> None:
    rows = [person("anna"), person("ben"), person("cy")]
    async with api.database.work() as work:
        await work.insert_many(Person, rows)
        changes = [{"id": rows[0]["id"], "name": "anne", "version": 2}]
        changes += [{"id": rows[1]["id"], "name": "béa", "version": 3}]
        unknown = [{"id": new_id(), "name": "nobody", "version": 4}]
        assert await work.update_many(Person, ["id"], changes + unknown) == 2
    found: list[UUID] = [row["id"] for row in rows]
    kept = await api.database.reader.rows(OF_IDS, ids=found)
    assert [(row.name, row.version) for row in kept] == [("anne", 2), ("béa", 3), ("cy", 1)]
    assert await api.database.reader.rows(OF_IDS, ids=[]) == []


async def test_json_ids_and_instants_read_back_as_they_do_elsewhere(api: Api) -> None:
    async with api.database.work() as work:
        rows = [
            {"code": code, "place": 900, "label": {"en": code, "fr": f"{code} « é »"}}
            for code in ("a_code", "b_code")
        ]
        await work.insert_many(Occupation, rows)
        written = [person("anna"), person("ben")]
        await work.insert_many(Person, written)
        columns = (Person.id, Person.name, Person.created_at, Person.email_verified_at)
        fetched = Prepared(sa.select(*columns).where(among(col(Person.name), "names")))
        here = sorted(await work.rows(fetched, names={"anna", "ben"}), key=lambda row: row.name)
    there = await api.read(sa.select(Occupation.label).where(col(Occupation.code) == "b_code"))
    assert [row.label for row in there] == [rows[1]["label"]]
    assert [tuple(row) for row in here] == [
        (row["id"], row["name"], row["created_at"], None) for row in written
    ]
    listed = Prepared(sa.select(Community.eligible_occupations).limit(1))
    async with api.database.work() as work:
        (row,) = await work.rows(listed)
    assert isinstance(row.eligible_occupations, list)


async def test_one_of_many_is_found_by_an_index(sqlite_api: Api) -> None:
    walked = sa.select(Person.name).where(among(col(Person.email_key), "addresses"))
    compiled = Prepared(walked).compiled(sqlite_api.database.reader.dialect)
    values = compiled.bound({"addresses": ["anna@example.org"]})
    steps = await sqlite_api.database.reader.fetch(f"EXPLAIN QUERY PLAN {compiled.sql}", values)
    told = [step[3] for step in steps if "person" in step[3]]
    assert [one.startswith("SEARCH person USING INDEX") for one in told] == [True]


async def test_text_that_is_too_long_is_refused_or_kept_and_never_cut(api: Api) -> None:
    row = person("anna", language="english")
    with contextlib.suppress(asyncpg.StringDataRightTruncationError):
        async with api.database.work() as work:
            await work.insert_many(Person, [row])
    found = sa.select(Person.language).where(col(Person.id) == row["id"])
    kept = [one.language for one in await api.read(found)]
    assert kept == (["english"] if api.database.sqlite else [])
