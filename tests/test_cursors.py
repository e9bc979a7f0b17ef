"""Cursors: made by this server, for one list with its filters, and good for nothing else."""

import base64
from typing import Any

import pytest

from app import cursors
from app.deps import fingerprint
from tests.answers import code, ok
from tests.cast import DTC, WELLNESS, Api, Someone, unknown_id

CATALOGUE = "/communities"


async def _first(someone: Api | Someone, path: str) -> str:
    """The cursor behind a list's first page of one."""
    glue = "&" if "?" in path else "?"
    return ok(await someone.get(f"{path}{glue}limit=1"))["next_cursor"]


async def test_pages_follow_each_other_without_gap_or_double(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    started = [(await api.discussion(chair, title=f"Number {n}"))["id"] for n in range(7)]
    path = f"/communities/{DTC}/discussions?limit=3"
    sizes, seen, cursor = [], [], ""
    while cursor is not None:
        page = ok(await chair.get(path + (f"&cursor={cursor}" if cursor else "")))
        sizes.append(len(page["items"]))
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert sizes == [3, 3, 1]
    assert seen == list(reversed(started))


async def test_what_is_added_meanwhile_moves_no_page(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    discussion = await api.discussion(chair)
    for number in range(4):
        await api.reply(chair, discussion, f"Reply {number}")
    path = f"/discussions/{discussion['id']}/posts"
    page = ok(await chair.get(f"{path}?limit=3"))
    assert [post["number"] for post in page["items"]] == [1, 2, 3]
    await api.reply(chair, discussion, "One more")
    rest = ok(await chair.get(f"{path}?limit=3&cursor={page['next_cursor']}"))
    assert [post["number"] for post in rest["items"]] == [4, 5, 6]
    assert rest["next_cursor"] is None


async def test_the_limit_and_the_total_may_change_from_page_to_page(api: Api) -> None:
    cursor = await _first(api, CATALOGUE)
    rest = ok(await api.get(f"{CATALOGUE}?limit=100&include=total&cursor={cursor}"))
    assert (len(rest["items"]), rest["total"]) == (16, 17)


async def _refused(someone: Api | Someone, path: str, cursor: str) -> None:
    glue = "&" if "?" in path else "?"
    answer = await someone.get(f"{path}{glue}cursor={cursor}")
    assert code(answer, 422) == "cursor.invalid"


async def test_a_cursor_is_good_for_its_own_list_alone(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Claire Chair", "chair")
    await api.join(chair, WELLNESS)
    for community in (DTC, WELLNESS):
        for _ in range(2):
            await api.discussion(chair, community)
    here, there = (f"/communities/{slug}/discussions" for slug in (DTC, WELLNESS))
    cursor = await _first(chair, here)
    assert ok(await chair.get(f"{here}?cursor={cursor}"))["items"]
    await _refused(chair, there, cursor)
    await _refused(chair, f"/communities/{DTC}/memberships", cursor)
    await _refused(chair, f"{here}?status=open", cursor)
    await _refused(chair, f"{here}?author={chair.id}", cursor)
    await _refused(staff, "/audit-log", cursor)
    filtered = await _first(chair, f"{here}?status=open")
    assert ok(await chair.get(f"{here}?status=open&cursor={filtered}"))["items"]
    await _refused(chair, here, filtered)


async def test_the_same_filters_in_another_order_are_the_same_list(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    for _ in range(2):
        await api.discussion(chair)
    path = f"/communities/{DTC}/discussions"
    cursor = await _first(chair, f"{path}?status=open&author={chair.id}")
    same = await chair.get(f"{path}?cursor={cursor}&author={chair.id}&status=open")
    assert len(ok(same)["items"]) == 1


async def test_a_cursor_opens_nothing_to_whoever_may_not_see_the_list(api: Api) -> None:
    chair, stranger = await api.leader("Claire Chair", "chair"), await api.person("Sam Stranger")
    for _ in range(2):
        await api.discussion(chair)
    path = f"/communities/{DTC}/discussions"
    continued = f"{path}?cursor={await _first(chair, path)}"
    assert ok(await chair.get(continued))["items"]
    assert (await stranger.get(continued)).status_code == 403
    assert (await api.get(continued)).status_code == 401
    await api.ended_membership(chair)
    assert (await chair.get(continued)).status_code == 403


def _forgeries(cursor: str) -> dict[str, str]:
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    payload = raw[cursors.SEAL_BYTES :]

    def written(forged: bytes) -> str:
        return base64.urlsafe_b64encode(forged).rstrip(b"=").decode()

    return {
        "empty": "",
        "cut short": cursor[:-1],
        "cut to the seal": written(raw[: cursors.SEAL_BYTES]),
        "cut to a piece of the seal": cursor[:5],
        "without its seal": written(payload),
        "another payload": written(raw[: cursors.SEAL_BYTES] + b"[1]"),
        "a seal of zeros": written(bytes(cursors.SEAL_BYTES) + payload),
        "with padding": cursor + "=",
        "with a blank": cursor + "%20",
        "with something behind it": cursor + "AAAA",
        "with a character that is none": cursor[:9] + "!" + cursor[9:],
        "in other letters": cursor.swapcase(),
        "backwards": cursor[::-1],
        "not ASCII": "é" + cursor,
        "NUL": "%00",
        "an id": str(unknown_id()),
        "a number": "25",
        "huge": "A" * 1001,
        "deep": written(raw[: cursors.SEAL_BYTES] + b"[" * 600),
    }


async def test_forged_and_truncated_cursors_are_refused(sqlite_api: Api) -> None:
    cursor = await _first(sqlite_api, CATALOGUE)
    for name, forged in _forgeries(cursor).items():
        answer = await sqlite_api.get(f"{CATALOGUE}?cursor={forged}")
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor.invalid"), name
    assert ok(await sqlite_api.get(f"{CATALOGUE}?cursor={cursor}"))["items"]


@pytest.mark.parametrize(
    "values",
    [[], [1], [1, 2, 3], ["x", "y"], [None, None], [{}, []], [10**18, "not an id"]],
    ids=str,
)
async def test_a_sealed_cursor_of_another_shape_is_refused_on_both_databases(
    api: Api, values: Any
) -> None:
    """Even one that an older version of this server may have made."""
    cursor = cursors.sealed(values, fingerprint("/api/v1/communities", []))
    await _refused(api, CATALOGUE, cursor)
