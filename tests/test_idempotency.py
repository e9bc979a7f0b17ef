"""Retries with an Idempotency-Key: one effect, one answer, and never more than one may see."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.models import IdempotencyKey, JoinRequest, Membership, Post
from app.services import idempotency
from tests.answers import FORM, code, ok
from tests.cast import DTC, PASSWORD, Api, Someone, mail_to, token_in

REPLY = {"body": "We tried.", "reply_to_id": None, "language": "en"}
KEY = "9b1f-the-first"


async def _reply(
    author: Someone, discussion: dict[str, Any], key: str = KEY, **changed: Any
) -> httpx.Response:
    return await author.post(
        f"/discussions/{discussion['id']}/posts",
        REPLY | changed,
        headers={"Idempotency-Key": key},
    )


async def _posts(api: Api) -> int:
    """How many replies there are, beside the opening post."""
    ((count,),) = await api.read(sa.select(sa.func.count()).select_from(Post))
    return count - 1


async def _kept(api: Api) -> list[Any]:
    columns = (IdempotencyKey.status, IdempotencyKey.body, IdempotencyKey.request_hash)
    return await api.read(sa.select(*columns))


async def test_the_same_key_and_body_replay_the_first_answer(api: Api) -> None:
    author = await api.member("Mo Member")
    discussion = await api.discussion(author)
    first, second = await _reply(author, discussion), await _reply(author, discussion)
    assert (first.status_code, second.status_code) == (201, 201)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.content == first.content
    for name in ("content-type", "etag", "cache-control", "vary"):
        assert second.headers[name] == first.headers[name], name
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert await _posts(api) == 1


async def test_another_key_is_another_request(api: Api) -> None:
    author = await api.member("Mo Member")
    discussion = await api.discussion(author)
    answers = [await _reply(author, discussion, key) for key in ("one", "two")]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert await _posts(api) == 2


async def test_the_same_key_with_another_body_or_path_is_refused(api: Api) -> None:
    author = await api.member("Mo Member")
    discussion, other = await api.discussion(author), await api.discussion(author)
    ok(await _reply(author, discussion), 201)
    for again in (
        await _reply(author, discussion, body="Something else."),
        await _reply(author, other),
        await author.post("/me/agreements", {"version": 1}, headers={"Idempotency-Key": KEY}),
    ):
        assert code(again, 422) == "idempotency_key.reused"
    assert (await _reply(author, discussion)).headers["idempotent-replayed"] == "true"


async def test_a_key_belongs_to_the_sign_in_that_used_it(api: Api) -> None:
    author, other = await api.member("Mo Member"), await api.member("Ola Other")
    discussion = await api.discussion(author)
    first, second = await _reply(author, discussion), await _reply(other, discussion)
    assert (first.status_code, second.status_code) == (201, 201)
    assert "idempotent-replayed" not in second.headers
    assert second.json()["author"]["name"] == "Ola Other"
    assert await _posts(api) == 2


async def test_a_replay_needs_the_right_that_the_first_request_needed(api: Api) -> None:
    author = await api.member("Mo Member")
    discussion = await api.discussion(author)
    ok(await _reply(author, discussion), 201)
    await api.ended_membership(author)
    assert code(await _reply(author, discussion), 404) == "not_found"
    await api.change(Membership, author.memberships[DTC], ended_at=None, ending=None)
    assert (await _reply(author, discussion)).headers["idempotent-replayed"] == "true"
    author.token = "gone"
    assert code(await _reply(author, discussion), 401) == "auth.token_invalid"


async def test_a_refusal_is_not_kept_and_the_request_may_succeed_later(api: Api) -> None:
    author = await api.member("Mo Member", occupation=None, affiliation=None)
    discussion = await api.discussion(await api.member("Olga Opener"))
    assert code(await _reply(author, discussion), 409) == "identity.incomplete"
    assert await _kept(api) == []
    ok(await author.patch("/me", {"occupation": "Judge", "affiliation": "Provincial Court"}))
    answer = await _reply(author, discussion)
    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers


async def test_a_misshapen_request_uses_no_key_up(api: Api) -> None:
    author = await api.member("Mo Member")
    discussion = await api.discussion(author)
    assert code(await _reply(author, discussion, body=5), 422) == "validation.failed"
    assert (await _reply(author, discussion)).status_code == 201


async def test_effect_and_answer_are_kept_together_or_not_at_all(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = await api.member("Mo Member")
    discussion = await api.discussion(author)

    async def power_cut(*_: Any) -> None:
        raise ConnectionError("as if the database had gone away")

    with monkeypatch.context() as now:
        now.setattr(idempotency, "keep", power_cut)
        assert code(await _reply(author, discussion), 503) == "service.unavailable"
    assert (await _posts(api), await _kept(api)) == (0, [])
    assert (await _reply(author, discussion)).status_code == 201
    assert await _posts(api) == 1


async def test_while_the_first_request_runs_on_and_on_the_second_is_told_to_come_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", -0.3)
    author = await api.member("Mo Member")
    discussion = await api.discussion(author)
    ok(await _reply(author, discussion), 201)
    async with api.database.work() as first:
        await first.execute(sa.update(IdempotencyKey).values(created_at=clock.now()))
        await first.execute(sa.delete(IdempotencyKey))
        answer = await _reply(author, discussion)
        assert code(answer, 409) == "idempotency_key.in_use"
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(("hours", "posts"), [(23, 1), (25, 2)])
async def test_a_key_is_kept_for_a_day(api: Api, hours: int, posts: int) -> None:
    author = await api.member("Mo Member")
    discussion = await api.discussion(author)
    ok(await _reply(author, discussion), 201)
    async with api.database.work() as work:
        earlier = clock.now() - timedelta(hours=hours)
        await work.execute(sa.update(IdempotencyKey).values(created_at=earlier))
    ok(await _reply(author, discussion), 201)
    assert await _posts(api) == posts
    ok(await _reply(author, discussion), 201)
    assert await _posts(api) == posts


@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 201, "é", "a\tb"])
async def test_a_key_is_up_to_200_visible_characters(sqlite_api: Api, key: str) -> None:
    author = await sqlite_api.member("Mo Member")
    discussion = await sqlite_api.discussion(author)
    headers = {"Idempotency-Key": key.encode("latin-1")}
    path = f"/discussions/{discussion['id']}/posts"
    answer = await author.post(path, REPLY, headers=headers)
    assert code(answer, 400) == "idempotency_key.invalid"
    assert (await _reply(author, discussion, "x" * 200)).status_code == 201


# Nobody's keys


async def _asked(api: Api, **changed: Any) -> httpx.Response:
    return await api.post("/join-requests", FORM | changed, headers={"Idempotency-Key": KEY})


async def test_on_a_public_operation_a_key_is_bound_to_the_body(api: Api) -> None:
    """Two strangers with the same key never see each other's answer."""
    first, again = await _asked(api), await _asked(api)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    stranger = await _asked(api, email="stranger@example.org")
    assert stranger.status_code == 202
    assert "idempotent-replayed" not in stranger.headers
    assert stranger.json()["items"][0]["id"] != first.json()["items"][0]["id"]
    ((count,),) = await api.read(sa.select(sa.func.count()).select_from(JoinRequest))
    assert count == 2


async def test_a_retried_form_sends_one_mail(api: Api) -> None:
    await _asked(api)
    await _asked(api)
    assert len(await api.work_off()) == 1


async def test_an_empty_answer_is_replayed_too(api: Api) -> None:
    person = await api.person("Petra Person")
    headers = {"Idempotency-Key": KEY}
    answers = [
        await api.post("/auth/password-resets", {"email": person.email}, headers=headers)
        for _ in range(2)
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 2
    assert answers[1].headers["idempotent-replayed"] == "true"
    mail_to(await api.work_off(), person.email)


# Secrets that are shown once


async def test_an_answer_with_a_secret_is_never_stored(api: Api) -> None:
    person = await api.person("Petra Person")
    ok(await api.post("/auth/sign-in-links", {"email": person.email}), 202)
    body = {"token": token_in(mail_to(await api.work_off(), person.email))}
    headers = {"Idempotency-Key": KEY}
    first = await api.post("/auth/sign-in-links/confirmation", body, headers=headers)
    assert ok(first)["refresh_token"]
    assert first.headers["cache-control"] == "no-store"
    again = await api.post("/auth/sign-in-links/confirmation", body, headers=headers)
    assert code(again, 409) == "idempotency_key.answer_not_kept"
    ((status, kept, _),) = await _kept(api)
    assert (status, kept) == (None, None)


async def test_answers_to_signing_in_are_kept_by_nobody(api: Api) -> None:
    person = await api.person("Petra Person")
    asked = {"grant_type": "password", "username": person.email, "password": PASSWORD}
    answer = await api.post("/auth/tokens", asked, headers={"Idempotency-Key": KEY})
    assert answer.headers["cache-control"] == "no-store"
    refresh = {"refresh_token": ok(answer)["refresh_token"]}
    renewed = await api.post("/auth/tokens/refresh", refresh, headers={"Idempotency-Key": KEY})
    assert ok(renewed) and renewed.headers["cache-control"] == "no-store"
    assert await _kept(api) == []


async def test_a_key_means_nothing_where_repeating_changes_nothing(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    discussion = await api.discussion(chair)
    for _ in range(2):
        answer = await chair.put(
            f"/discussions/{discussion['id']}/lock", headers={"Idempotency-Key": KEY}
        )
        assert ok(answer)["status"] == "locked"
        assert "idempotent-replayed" not in answer.headers
    rows = await api.read(sa.select(col(IdempotencyKey.key_hash)))
    assert rows == []
