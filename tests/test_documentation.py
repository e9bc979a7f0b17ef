"""The documentation pages: from this server alone, under a policy that admits their own script."""

import base64
import hashlib
import re

import pytest

from app import openapi
from tests.answers import ok
from tests.cast import Api

PAGES = ["/docs", "/redoc"]


def _policy(header: str) -> dict[str, set[str]]:
    """A Content-Security-Policy by directive."""
    parts = [part.split() for part in header.split(";") if part.strip()]
    return {name: set(sources) for name, *sources in parts}


async def _page(api: Api, path: str) -> tuple[str, dict[str, set[str]]]:
    answer = await api.client.get(f"http://testserver{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text, _policy(answer.headers["content-security-policy"])


@pytest.mark.parametrize("path", PAGES)
async def test_the_policy_admits_exactly_the_page_s_own_scripts(sqlite_api: Api, path: str) -> None:
    html, policy = await _page(sqlite_api, path)
    inline = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in inline
    }
    assert policy["script-src"] == {"'self'"} | hashes
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == {"'none'"}
    assert policy["connect-src"] == {"'self'"}
    assert not re.search(r"\son\w+=", html), "an inline handler would need another hash"


@pytest.mark.parametrize("path", PAGES)
async def test_every_asset_of_a_page_is_served_here_and_none_elsewhere(
    sqlite_api: Api, path: str
) -> None:
    html, policy = await _page(sqlite_api, path)
    assets = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(assets) >= 2
    for asset in assets:
        assert asset.startswith("/documentation/"), asset
        answer = await sqlite_api.client.get(f"http://testserver{asset}")
        assert answer.status_code == 200
        kinds = ("text/javascript", "text/css", "image/png")
        assert answer.headers["content-type"].startswith(kinds)
        assert answer.headers["cache-control"].startswith("public, max-age=")
    assert "://" not in re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    for sources in policy.values():
        assert not any("://" in source for source in sources)


async def test_the_docs_page_reads_the_contract_of_this_server(sqlite_api: Api) -> None:
    html, _ = await _page(sqlite_api, "/docs")
    assert "/openapi.json" in html
    document = ok(await sqlite_api.get("/openapi.json"))
    assert document == openapi.document(sqlite_api.edge.app)
    url = document["components"]["securitySchemes"]["password"]["flows"]["password"]["tokenUrl"]
    assert url == "/api/v1/auth/tokens"


async def test_the_contract_is_kept_by_its_etag(sqlite_api: Api) -> None:
    first = await sqlite_api.get("/openapi.json")
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"].startswith("public, max-age=")
    headers = {"If-None-Match": first.headers["etag"]}
    again = await sqlite_api.get("/openapi.json", headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    headers = {"If-None-Match": '"another"'}
    assert (await sqlite_api.get("/openapi.json", headers=headers)).status_code == 200
    head = await sqlite_api.call("HEAD", "/openapi.json")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fpyproject.toml", "__init__.py", "nothing.js", "%2e%2e", "%00.js", ".js", "a/b.js"],
)
async def test_nothing_but_assets_is_an_asset(sqlite_api: Api, name: str) -> None:
    answer = await sqlite_api.client.get(f"http://testserver/documentation/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
