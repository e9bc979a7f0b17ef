"""The log names each request, and holds no secret and nothing that anybody wrote."""

import json
from pathlib import Path

from tests.answers import FORM, ok
from tests.cast import DTC, PASSWORD, Api
from tests.processes import eventually, serving

QUIET = {
    "name": "Quentin Quiet",
    "email": "quentin.quiet@example.org",
    "occupation": "Beekeeper of the court",
    "affiliation": "Hive Street Chambers",
    "area_of_interest": "queens and swarms",
}


async def test_requests_are_logged_without_secrets_and_without_personal_text(
    api: Api, tmp_path: Path
) -> None:
    person = await api.member("Petra Person")
    signing_in = {"grant_type": "password", "username": person.email, "password": PASSWORD}
    async with serving(api.database.url, tmp_path / "log", "--no-worker") as server:

        async def posted(path: str, body: object, **headers: str) -> dict[str, str]:
            answer = await server.client.post(f"/api/v1{path}", json=body, headers=headers)
            return answer.json() if answer.content else {}

        signed_in = await posted("/auth/tokens", signing_in, **{"User-Agent": "A browser of mine"})
        bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
        renewed = await posted(
            "/auth/tokens/refresh", {"refresh_token": signed_in["refresh_token"]}
        )
        await posted("/auth/tokens", signing_in | {"password": "a wrong guess of mine"})
        await posted("/auth/password-resets/confirmation", {"token": "t0ken", "password": "s" * 12})
        await posted("/join-requests", FORM | QUIET, **{"X-Request-Id": "the-form"})
        await posted("/join-requests", FORM | QUIET | {"language": "misshapen"})
        body = {"title": "A private title", "body": "A private body", "language": "en"}
        await posted(f"/communities/{DTC}/discussions", body, **bearer)
        await server.client.get("/unsubscribe?key=an-unsubscribe-key")
        await server.client.get("/api/v1/communities?cursor=a-cursor-of-mine")
        ok(await server.client.get("/api/v1/me", headers=bearer | {"X-Request-Id": "the-last"}))
        said = await eventually(
            lambda: server.process.said() if "the-last" in server.process.said() else None
        )
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    requests = {line["request_id"]: line for line in lines if line["event"] == "request"}
    form, last = requests["the-form"], requests["the-last"]
    assert (form["operation"], form["method"], form["status"]) == (
        "submit_join_request",
        "POST",
        202,
    )
    assert (last["operation"], last["path"], last["person_id"]) == (
        "get_me",
        "/api/v1/me",
        str(person.id),
    )
    secrets = [
        PASSWORD,
        "a wrong guess",
        "t0ken",
        "s" * 12,
        "an-unsubscribe-key",
        "a-cursor-of-mine",
        signed_in["access_token"],
        signed_in["refresh_token"],
        renewed["refresh_token"],
    ]
    written = [*QUIET.values(), person.name, person.email, "A private", "A browser", "misshapen"]
    assert [text for text in (*secrets, *written) if text in said] == []
