"""Access tokens that this server did not make, or made for something else, are 401: never more."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import clock, settings, tokens
from app.models import MailedToken, Person, RefreshToken, Session, new_id
from tests.answers import code, ok
from tests.cast import DTC, PASSWORD, Api, Someone, mail_to, token_in


def _encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(header: Any, claims: Any, key: bytes | None = None, digest: str = "sha256") -> str:
    """A token with a signature that is right for this header and these claims."""
    signed = f"{_encoded(header)}.{_encoded(claims)}"
    secret = tokens.key("access").hex().encode() if key is None else key
    return f"{signed}.{_encoded(hmac.new(secret, signed.encode(), digest).digest())}"


def _claims(someone: Someone, **changed: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    claims = {
        "iss": settings.get().public_url,
        "aud": tokens.AUDIENCE,
        "sub": str(someone.id),
        "sid": str(someone.session_id),
        "jti": secrets.token_hex(),
        "iat": now,
        "exp": now + 600,
    }
    return {name: value for name, value in (claims | changed).items() if value is not ...}


def _forgeries(someone: Someone) -> dict[str, str]:
    good, header, claims = someone.token, tokens.HEADER, _claims(someone)
    head, body, seal = good.split(".")
    unsigned = f"{_encoded({'alg': 'none', 'typ': 'at+jwt'})}.{body}."
    nested: Any = 1
    for _ in range(900):
        nested = [nested]
    return {
        "empty": "",
        "a word": "token",
        "not ASCII": "é.é.é",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{seal}",
        "cut short": good[:-1],
        "with a byte more": good + "A",
        "without its signature": f"{head}.{body}.",
        "with another's body": f"{head}.{_encoded(claims)}.{seal}",
        "alg none": unsigned,
        "alg None": unsigned.replace(_encoded({"alg": "none"})[:8], _encoded({"alg": "None"})[:8]),
        "alg none, signed": _signed({"alg": "none", "typ": "at+jwt"}, claims),
        "another hash": _signed({"alg": "HS512", "typ": "at+jwt"}, claims, digest="sha512"),
        "an asymmetric algorithm": _signed({"alg": "RS256", "typ": "at+jwt"}, claims),
        "another type": _signed({"alg": "HS256", "typ": "JWT"}, claims),
        "no type": _signed({"alg": "HS256"}, claims),
        "crit": _signed(header | {"crit": ["b64"], "b64": False}, claims),
        "a key of its own": _signed(header | {"jwk": {"kty": "oct", "k": "AA"}}, claims, b"\x00"),
        "a key id": _signed(header | {"kid": "../../dev/null"}, claims),
        "a nested header": _signed({"alg": nested}, claims),
        "a nested claim": _signed(header, claims | {"sub": nested}),
        "a header that is a list": _signed([], claims),
        "claims that are a list": _signed(header, []),
        "claims that are no JSON": _signed(header, b"{"),
        "claims that are not UTF-8": _signed(header, b'{"sub": "\xff"}'),
        "another key": _signed(header, claims, b"another key"),
        "an empty key": _signed(header, claims, b""),
        "the secret itself as key": _signed(header, claims, settings.get().secret.encode()),
        "the key of another purpose": _signed(header, claims, tokens.key("refresh").hex().encode()),
        "huge": "A" * 100_000,
        "a huge claim": _signed(header, claims | {"more": "A" * 5000}),
        "many dots": "." * 5000,
        "with blanks": good.replace(".", " . "),
        "twice": f"{good} {good}",
        "quoted": f'"{good}"',
    }


async def test_forged_tokens_are_refused_on_every_kind_of_operation(sqlite_api: Api) -> None:
    person = await sqlite_api.person("Petra Person")
    assert (await person.get("/me")).status_code == 200
    for name, forged in _forgeries(person).items():
        for path in ("/me", "/rules", f"/communities/{DTC}/discussions"):
            headers = {"Authorization": f"Bearer {forged}".encode()}
            answer = await sqlite_api.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "auth.token_invalid"), name


CLAIMS: list[tuple[str, Any]] = [
    *[(name, ...) for name in ("exp", "iat", "aud", "iss", "sub", "sid", "jti")],
    ("exp", 1),
    ("exp", "never"),
    ("exp", None),
    ("exp", 1e400),
    ("exp", [9999999999]),
    ("aud", "another-api"),
    ("aud", ["another-api"]),
    ("aud", None),
    ("iss", "https://evil.example"),
    ("iat", "now"),
    ("nbf", 9999999999),
    ("sub", "staff"),
    ("sub", None),
    ("sub", 1),
    ("sub", ""),
    ("sid", "x"),
    ("sid", None),
    ("sid", {}),
]


@pytest.mark.parametrize(("claim", "value"), CLAIMS, ids=str)
async def test_a_signed_token_with_a_claim_missing_or_wrong_is_refused(
    sqlite_api: Api, claim: str, value: Any
) -> None:
    person = await sqlite_api.person("Petra Person")
    person.token = _signed(tokens.HEADER, _claims(person))
    assert (await person.get("/me")).status_code == 200
    person.token = _signed(tokens.HEADER, _claims(person, **{claim: value}))
    assert code(await person.get("/me"), 401) == "auth.token_invalid"


async def test_a_token_is_good_for_its_own_session_and_person_alone(api: Api) -> None:
    first, second = await api.person("Petra Person"), await api.person("Ola Other")
    first.token = _signed(tokens.HEADER, _claims(first, sid=str(second.session_id)))
    assert code(await first.get("/me"), 401) == "auth.token_invalid"
    assert (await second.get("/me")).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer", "bearer ", "Basic bWFyeTpw", "Token {}", "{}", "Bearer  {}x", "Digest a=b", ""],
)
async def test_another_scheme_is_no_credential(sqlite_api: Api, header: str) -> None:
    person = await sqlite_api.person("Petra Person")
    headers = {"Authorization": header.format(person.token)}
    assert code(await sqlite_api.get("/rules", headers=headers), 401) == "auth.token_invalid"


async def test_the_scheme_is_written_in_any_case(sqlite_api: Api) -> None:
    person = await sqlite_api.person("Petra Person")
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {person.token}"}
        assert (await sqlite_api.get("/me", headers=headers)).status_code == 200


async def test_signing_in_works_beside_the_basic_header_that_the_docs_page_sends(
    sqlite_api: Api,
) -> None:
    """Swagger UI sends an empty client with the OAuth2 form; the credentials are in the body."""
    person = await sqlite_api.person("Petra Person")
    form = {"grant_type": "password", "username": person.email, "password": PASSWORD}
    headers = {"Authorization": "Basic Og=="}
    answer = await sqlite_api.call("POST", "/auth/tokens", data=form, headers=headers)
    assert ok(answer)["token_type"] == "bearer"


# What a token says, and how secrets are stored


async def test_a_token_says_who_and_nothing_of_what_they_may_do(sqlite_api: Api) -> None:
    chair = await sqlite_api.leader("Claire Chair", "chair")
    body = chair.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 900
    assert chair.name not in str(claims) and chair.email not in str(claims)


async def test_secrets_have_256_bits_and_only_their_hashes_are_stored(api: Api) -> None:
    person = await api.person("Petra Person")
    asked = {"grant_type": "password", "username": person.email, "password": PASSWORD}
    refresh = ok(await api.post("/auth/tokens", asked))["refresh_token"]
    following = ok(await api.post("/auth/tokens/refresh", {"refresh_token": refresh}))
    ok(await api.post("/auth/password-resets", {"email": person.email}), 202)
    mailed = token_in(mail_to(await api.work_off(), person.email))
    for secret in (refresh, following["refresh_token"], mailed, tokens.opaque()):
        assert len(secret) >= 43
    columns = (RefreshToken.token_hash, MailedToken.token_hash, Person.password_hash)
    stored = str([await api.read(sa.select(column)) for column in columns])
    for secret in (refresh, following["refresh_token"], mailed, PASSWORD):
        assert secret not in stored
    assert hashlib.sha256(refresh.encode()).hexdigest() in stored


async def test_no_answer_shows_a_secret_again(api: Api) -> None:
    person = await api.person("Petra Person")
    asked = {"grant_type": "password", "username": person.email, "password": PASSWORD}
    refresh = ok(await api.post("/auth/tokens", asked))["refresh_token"]
    for path in ("/me", "/me/sessions"):
        answer = await person.get(path)
        assert refresh not in answer.text and PASSWORD not in answer.text
        assert "$argon2" not in answer.text and "hash" not in answer.text


async def test_verified_tokens_are_remembered_no_longer_than_their_session(api: Api) -> None:
    person = await api.person("Petra Person")
    assert (await person.get("/me")).status_code == 200
    ended = clock.now() - timedelta(seconds=1)
    await api.change(Session, person.session_id, ended_at=ended)
    assert code(await person.get("/me"), 401) == "auth.token_invalid"


async def test_many_tokens_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "CACHE_SIZE", 10)
    for _ in range(35):
        tokens.verified(tokens.access_token(new_id(), new_id()))
    assert len(tokens._verified) <= 10
