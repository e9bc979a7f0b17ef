"""Signing in and staying so: passwords, rotating tokens, and links that go by mail."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from app import clock
from app.models import ActorKind, Person
from app.services import passwords
from tests.answers import code, leaves, ok, told
from tests.cast import DTC, PASSWORD, Api, Someone, mail_to, text_of, token_in, unknown_id
from tests.granting import grant

OTHER_PASSWORD = "forty sparrows in the hedge"


async def sign_in(api: Api, email: str, password: str = PASSWORD) -> httpx.Response:
    return await api.post(
        "/auth/tokens", {"grant_type": "password", "username": email, "password": password}
    )


async def refresh(api: Api, token: str) -> httpx.Response:
    return await api.post("/auth/tokens/refresh", {"refresh_token": token})


async def me(api: Api, tokens: dict[str, Any]) -> httpx.Response:
    return await api.get("/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})


async def link(api: Api, kind: str, someone: Someone) -> str:
    """The token of a link that somebody asked for and was mailed."""
    await api.work_off()
    assert (await api.post(f"/auth/{kind}", {"email": someone.email})).status_code == 202
    return token_in(mail_to(await api.work_off(), someone.email))


# With a password


async def test_a_form_and_json_sign_in_alike(api: Api) -> None:
    mary = await api.person("Mary Member")
    credentials = {"grant_type": "password", "username": mary.email, "password": PASSWORD}
    async with leaves(api, ("session.started", mary), ("session.started", mary)):
        by_json = ok(await api.post("/auth/tokens", credentials))
        by_form = ok(await api.post("/auth/tokens", data=credentials))
    assert by_json.keys() == by_form.keys()
    assert (by_form["token_type"], by_form["expires_in"]) == ("bearer", 900)
    for tokens in (by_json, by_form):
        assert ok(await me(api, tokens))["id"] == str(mary.id)


async def test_an_address_signs_in_in_any_case_of_its_letters(api: Api) -> None:
    mary = await api.person("Mary Member")
    assert ok(await sign_in(api, mary.email.upper()))["token_type"] == "bearer"


async def test_a_wrong_password_an_unknown_address_and_a_dead_account_are_told_the_same(
    api: Api,
) -> None:
    mary, gone, staff = (
        await api.person("Mary Member"),
        await api.person("Gus Gone"),
        await api.staff(),
    )
    ok(await staff.put(f"/people/{gone.id}/deactivation"), 204)
    wrong_password = await sign_in(api, mary.email, OTHER_PASSWORD)
    assert code(wrong_password, 401) == "auth.invalid_credentials"
    assert told(wrong_password) == told(await sign_in(api, "nobody@example.org"))
    assert told(wrong_password) == told(await sign_in(api, gone.email))
    ok(await sign_in(api, mary.email))


async def test_an_unknown_address_costs_the_same_work_as_a_known_one(
    sqlite_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    class Counting:
        def verify(self, password: str, _stored: str) -> bool:
            checked.append(password)
            return False

    mary = await sqlite_api.person("Mary Member")
    newcomer = await sqlite_api.person("Nell Newcomer")
    await sqlite_api.change(Person, newcomer.id, password_hash=None)
    monkeypatch.setattr(passwords, "_hasher", Counting())
    for email in (mary.email, "nobody@example.org", newcomer.email):
        assert code(await sign_in(sqlite_api, email), 401) == "auth.invalid_credentials"
    assert checked == [PASSWORD] * 3


async def test_ten_failures_stop_the_account_for_this_network_address_alone(api: Api) -> None:
    mary = await api.person("Mary Member")
    for _ in range(10):
        assert (await sign_in(api, mary.email, OTHER_PASSWORD)).status_code == 401
    stopped = await sign_in(api, mary.email)
    assert code(stopped, 429) == "auth.too_many_failures"
    assert 0 < int(stopped.headers["retry-after"]) <= 900
    async with api.elsewhere("203.0.113.7"):
        ok(await sign_in(api, mary.email))
    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1), tick=False):
        ok(await sign_in(api, mary.email))


async def test_an_unknown_address_is_stopped_just_as_a_known_one(api: Api) -> None:
    for _ in range(10):
        assert (await sign_in(api, "nobody@example.org")).status_code == 401
    assert code(await sign_in(api, "nobody@example.org"), 429) == "auth.too_many_failures"


async def test_a_sign_in_that_succeeds_forgets_the_failures_before_it(api: Api) -> None:
    mary = await api.person("Mary Member")
    for attempt in range(18):
        if attempt == 9:
            ok(await sign_in(api, mary.email))
        assert (await sign_in(api, mary.email, OTHER_PASSWORD)).status_code == 401
    ok(await sign_in(api, mary.email))


async def test_only_the_password_grant_is_offered(api: Api) -> None:
    answer = await api.post("/auth/tokens", {"grant_type": "implicit", "username": "a"})
    assert code(answer, 422) == "auth.grant_type_unsupported"


@pytest.mark.parametrize("bad", ("Bearer nonsense", "Basic bWFyeTpw", "Bearer a.b.c", "Bearer"))
async def test_bad_credentials_are_401_on_public_operations_too(api: Api, bad: str) -> None:
    mary = await api.person("Mary Member")
    credentials = {"grant_type": "password", "username": mary.email, "password": PASSWORD}
    headers = {"Authorization": bad}
    for answer in (
        await api.get("/communities", headers=headers),
        await api.get("/rules", headers=headers),
        await api.post("/auth/tokens", credentials, headers=headers),
        await api.post("/auth/password-resets", {"email": mary.email}, headers=headers),
    ):
        assert code(answer, 401) == "auth.token_invalid"
    ok(await api.post("/auth/tokens", credentials))


async def test_closing_the_forms_to_strangers_locks_no_member_out(api: Api) -> None:
    mary, staff = await api.person("Mary Member"), await api.staff()
    second = await api.staff("Sonia Staff")
    await grant(staff, second, "join_requests:submit", "staff")
    assert code(await api.post("/join-requests", {}), 401) == "auth.required"
    ok(await sign_in(api, mary.email))
    assert await link(api, "password-resets", mary)


# Staying signed in


async def test_a_refresh_token_is_good_once_and_names_its_successor(api: Api) -> None:
    mary = await api.person("Mary Member")
    first = ok(await sign_in(api, mary.email))
    second = ok(await refresh(api, first["refresh_token"]))
    third = ok(await refresh(api, second["refresh_token"]))
    assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
    assert ok(await me(api, third))["id"] == str(mary.id)


async def test_within_thirty_seconds_a_lost_answer_is_given_again(api: Api) -> None:
    mary = await api.person("Mary Member")
    with time_machine.travel(clock.now(), tick=False) as now:
        first = ok(await sign_in(api, mary.email))
        second = ok(await refresh(api, first["refresh_token"]))
        now.shift(30)
        again = ok(await refresh(api, first["refresh_token"]))
        assert again["refresh_token"] == second["refresh_token"]
        ok(await refresh(api, again["refresh_token"]))


async def test_a_spent_token_that_comes_back_later_ends_the_whole_sign_in(api: Api) -> None:
    mary = await api.person("Mary Member")
    other = ok(await sign_in(api, mary.email))
    with time_machine.travel(clock.now(), tick=False) as now:
        first = ok(await sign_in(api, mary.email))
        second = ok(await refresh(api, first["refresh_token"]))
        now.shift(31)
        async with leaves(api, ("session.ended", ActorKind.SYSTEM)):
            reused = await refresh(api, first["refresh_token"])
        assert code(reused, 401) == "auth.refresh_token_invalid"
        assert (
            code(await refresh(api, second["refresh_token"]), 401) == "auth.refresh_token_invalid"
        )
        assert code(await me(api, second), 401) == "auth.token_invalid"
        assert ok(await me(api, other))["id"] == str(mary.id)


async def test_a_copy_shows_as_soon_as_the_successor_was_used(api: Api) -> None:
    mary = await api.person("Mary Member")
    first = ok(await sign_in(api, mary.email))
    second = ok(await refresh(api, first["refresh_token"]))
    third = ok(await refresh(api, second["refresh_token"]))
    assert code(await refresh(api, first["refresh_token"]), 401) == "auth.refresh_token_invalid"
    assert code(await me(api, third), 401) == "auth.token_invalid"


async def test_unknown_spent_and_foreign_refresh_tokens_are_told_the_same(api: Api) -> None:
    mary = await api.person("Mary Member")
    tokens = ok(await sign_in(api, mary.email))
    ok(await mary.api.call("DELETE", "/auth/tokens/current", headers=bearer(tokens)), 204)
    ended = await refresh(api, tokens["refresh_token"])
    assert code(ended, 401) == "auth.refresh_token_invalid"
    assert told(ended) == told(await refresh(api, "x" * 43))
    assert told(ended) == told(await refresh(api, tokens["access_token"]))


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def test_signing_out_ends_this_sign_in_and_no_other(api: Api) -> None:
    mary = await api.person("Mary Member")
    tokens = ok(await sign_in(api, mary.email))
    async with leaves(api, ("session.ended", mary)):
        ok(await mary.delete("/auth/tokens/current"), 204)
    assert code(await mary.get("/me"), 401) == "auth.token_invalid"
    assert ok(await me(api, tokens))["id"] == str(mary.id)


async def test_one_sees_and_ends_ones_own_sign_ins_alone(api: Api) -> None:
    mary, olga = await api.person("Mary Member"), await api.person("Olga Other")
    second = ok(await sign_in(api, mary.email))
    listed = ok(await mary.get("/me/sessions"))["items"]
    assert [item["current"] for item in listed] == [False, True]
    assert [item["id"] for item in listed][1] == str(mary.session_id)
    path = f"/me/sessions/{listed[0]['id']}"
    assert told(await olga.delete(path)) == told(await olga.delete(f"/me/sessions/{unknown_id()}"))
    assert code(await olga.delete(path), 404) == "not_found"
    ok(await mary.delete(path), 204)
    assert code(await me(api, second), 401) == "auth.token_invalid"
    assert len(ok(await mary.get("/me/sessions"))["items"]) == 1


# Links that go by mail


@pytest.mark.parametrize("kind", ("password-resets", "email-verifications", "sign-in-links"))
async def test_asking_for_a_mail_tells_nobody_whether_an_address_is_known(
    api: Api, kind: str
) -> None:
    mary = await api.person("Mary Member")
    known = await api.post(f"/auth/{kind}", {"email": mary.email})
    assert known.status_code == 202
    assert told(known) == told(await api.post(f"/auth/{kind}", {"email": "nobody@example.org"}))


async def test_a_password_is_chosen_by_link_once_and_ends_every_sign_in(api: Api) -> None:
    mary = await api.person("Mary Member")
    asked = ok(await sign_in(api, mary.email))
    other = await link(api, "password-resets", mary)
    token = await link(api, "password-resets", mary)
    choice = {"token": token, "password": OTHER_PASSWORD}
    async with leaves(
        api,
        ("account.password_chosen", mary),
        ("session.ended", mary),
        ("session.ended", mary),
    ):
        ok(await api.post("/auth/password-resets/confirmation", choice), 204)
    for used in (token, other):
        again = await api.post("/auth/password-resets/confirmation", choice | {"token": used})
        assert code(again, 409) == "mailed_token.invalid"
    assert code(await me(api, asked), 401) == "auth.token_invalid"
    assert code(await refresh(api, asked["refresh_token"]), 401) == "auth.refresh_token_invalid"
    assert code(await sign_in(api, mary.email), 401) == "auth.invalid_credentials"
    ok(await sign_in(api, mary.email, OTHER_PASSWORD))
    notice = mail_to(await api.work_off(), mary.email)
    assert "token=" not in text_of(notice)


async def test_looking_at_a_link_uses_nothing_up(api: Api) -> None:
    mary = await api.person("Mary Member")
    token = await link(api, "password-resets", mary)
    for _ in range(2):
        assert ok(await api.post("/auth/password-resets/inspection", {"token": token}))["valid"]
    for other in ("sign-in-links", "email-verifications"):
        elsewhere = ok(await api.post(f"/auth/{other}/inspection", {"token": token}))
        assert elsewhere == {"valid": False, "expires_at": None}
    choice = {"token": token, "password": OTHER_PASSWORD}
    ok(await api.post("/auth/password-resets/confirmation", choice), 204)
    assert not ok(await api.post("/auth/password-resets/inspection", {"token": token}))["valid"]


async def test_a_weak_password_is_refused_and_the_link_still_works(api: Api) -> None:
    mary = await api.person("Mary Member")
    choice = {"token": await link(api, "password-resets", mary)}
    path = "/auth/password-resets/confirmation"
    for weak in ("password123", mary.email, "aaaaaaaaaaaa", "1234567890"):
        assert code(await api.post(path, choice | {"password": weak}), 422) == "password.weak"
    ok(await api.post(path, choice | {"password": OTHER_PASSWORD}), 204)


async def test_a_link_signs_in_once(api: Api) -> None:
    mary = await api.person("Mary Member")
    token = await link(api, "sign-in-links", mary)
    async with leaves(api, ("session.started", mary)):
        tokens = ok(await api.post("/auth/sign-in-links/confirmation", {"token": token}))
    assert ok(await me(api, tokens))["id"] == str(mary.id)
    again = await api.post("/auth/sign-in-links/confirmation", {"token": token})
    assert code(again, 409) == "mailed_token.invalid"


async def test_a_link_is_good_for_its_purpose_alone(api: Api) -> None:
    mary = await api.person("Mary Member")
    to_sign_in = await link(api, "sign-in-links", mary)
    choice = {"token": to_sign_in, "password": OTHER_PASSWORD}
    for answer in (
        await api.post("/auth/password-resets/confirmation", choice),
        await api.post("/auth/email-verifications/confirmation", {"token": to_sign_in}),
    ):
        assert code(answer, 409) == "mailed_token.invalid"
    ok(await api.post("/auth/sign-in-links/confirmation", {"token": to_sign_in}))


async def test_a_deactivated_account_is_mailed_nothing_and_its_links_are_dead(api: Api) -> None:
    mary, staff = await api.person("Mary Member"), await api.staff()
    token = await link(api, "sign-in-links", mary)
    ok(await staff.put(f"/people/{mary.id}/deactivation"), 204)
    dead = await api.post("/auth/sign-in-links/confirmation", {"token": token})
    assert code(dead, 409) == "mailed_token.invalid"
    assert (await api.post("/auth/sign-in-links", {"email": mary.email})).status_code == 202
    assert await api.work_off() == []


async def test_the_access_token_says_who_and_never_what_one_may_do(api: Api) -> None:
    """The same token serves before, during and after an office."""
    mary, staff = await api.member("Mary Member"), await api.staff()
    queue = f"/communities/{DTC}/review-queue"
    assert code(await mary.get(queue), 403) == "permission.denied"
    term = await api.hold(mary, "chair")
    ok(await mary.get(queue))
    ok(await staff.post(f"/terms/{term}/removal", {"reason": "Moved away."}), 201)
    assert code(await mary.get(queue), 403) == "permission.denied"
