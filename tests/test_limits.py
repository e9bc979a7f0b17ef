"""Limits: how often, and how much. Beyond them a clear refusal, and memory stays flat."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from limits.aio.storage import MemoryStorage
from limits.errors import StorageError

from app import edge, settings
from app.edge import BODY_LIMIT, DRAIN_LIMIT
from tests.answers import code, ok
from tests.cast import Api
from tests.processes import Server, serving

PATH = "/auth/password-resets"
JSON = {"Content-Type": "application/json"}
FIFTY_MEGABYTES = 50 * 1024 * 1024


# How often


@pytest.fixture
async def strict(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    """The application with five requests a minute."""
    monkeypatch.setattr(settings.get(), "requests_per_minute", 5)
    async with Api.on(sqlite_url) as found:
        yield found


def _left(answer: httpx.Response) -> int:
    assert answer.headers["ratelimit-policy"] == '"default";q=5;w=60'
    left, seconds = re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["ratelimit"]).groups()
    assert 1 <= int(seconds) <= 61
    return int(left)


async def test_every_answer_says_how_many_requests_are_left(strict: Api) -> None:
    asked = ["/rules", "/me", "/nothing-here", "/rules", "/rules"]
    answers = [await strict.get(path) for path in asked]
    assert [_left(answer) for answer in answers] == [4, 3, 2, 1, 0]
    assert [answer.status_code for answer in answers] == [200, 401, 404, 200, 200]


async def test_beyond_the_limit_the_answer_is_429_and_says_until_when(strict: Api) -> None:
    for _ in range(5):
        ok(await strict.get("/rules"))
    page = {"Origin": "http://localhost:5173", "Accept-Language": "fr"}
    for _ in range(3):
        refused = await strict.get("/rules", headers=page)
        assert code(refused, 429) == "rate_limit.exceeded"
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert _left(refused) == 0
        assert refused.headers["access-control-allow-origin"] == "http://localhost:5173"
        assert refused.headers["content-language"] == "fr"


async def test_an_address_of_the_network_cannot_make_the_server_mail_without_end(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.get(), "mails_asked_per_hour", 2)
    async with Api.on(sqlite_url) as api:
        for stranger in ("one", "two"):
            asked = await api.post(PATH, {"email": f"{stranger}@example.org"})
            assert asked.status_code == 202
        refused = await api.post("/auth/sign-in-links", {"email": "three@example.org"})
        assert code(refused, 429) == "rate_limit.exceeded"
        assert 60 < int(refused.headers["retry-after"]) <= 3601
        ok(await api.get("/rules"))


async def test_health_is_told_however_many_ask(strict: Api) -> None:
    for _ in range(12):
        ok(await strict.get("/health/live"))
    ok(await strict.get("/rules"))


async def test_each_caller_has_a_limit_of_their_own(strict: Api) -> None:
    """One account is one caller wherever it calls from; who is not signed in is an address."""
    first, second = await strict.person("Petra Person"), await strict.person("Ola Other")
    for someone in (first, second):
        for _ in range(4):
            ok(await someone.get("/me"))
    # A token is known from its second request on; the first of each counted for the address.
    for _ in range(3):
        ok(await strict.get("/rules"))
    assert code(await strict.get("/rules"), 429) == "rate_limit.exceeded"
    for someone in (first, second):
        ok(await someone.get("/me"))
        ok(await someone.get("/me"))
        assert code(await someone.get("/me"), 429) == "rate_limit.exceeded"
    elsewhere = httpx.ASGITransport(app=strict.edge, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://testserver") as client:
        assert (await client.get("/api/v1/rules")).status_code == 200


async def test_a_forged_token_buys_no_limit_of_its_own(strict: Api) -> None:
    for number in range(5):
        headers = {"Authorization": f"Bearer forged-{number}"}
        assert code(await strict.get("/rules", headers=headers), 401) == "auth.token_invalid"
    headers = {"Authorization": "Bearer forged-again"}
    assert code(await strict.get("/rules", headers=headers), 429) == "rate_limit.exceeded"


async def test_a_limit_of_zero_is_no_limit(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.get(), "requests_per_minute", 0)
    async with Api.on(sqlite_url) as api:
        for _ in range(20):
            ok(await api.get("/rules"))


class Counters:
    """The counters of requests on a server of their own, which can be away."""

    def __init__(self) -> None:
        self._memory = MemoryStorage()
        self.away = False

    async def incr(self, name: str, seconds: int) -> int:
        if self.away:
            raise StorageError(ConnectionError())
        return await self._memory.incr(name, seconds)

    async def get_expiry(self, name: str) -> float:
        return await self._memory.get_expiry(name)


async def test_requests_are_counted_again_when_the_counters_are_back(
    strict: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "UNCOUNTED_SECONDS", 0)
    strict.edge._counts = counters = Counters()
    for _ in range(4):
        ok(await strict.get("/rules"))
    counters.away = True
    for _ in range(3):
        assert _left(await strict.get("/rules")) == 5
    counters.away = False
    assert _left(await strict.get("/rules")) == 0
    assert code(await strict.get("/rules"), 429) == "rate_limit.exceeded"


# How much


def _body(size: int) -> bytes:
    return b'{"email": "' + b"a" * (size - 13) + b'"}'


async def _streamed(size: int, taken: list[int]) -> AsyncIterator[bytes]:
    sent = 0
    while sent < size:
        taken.append(sent)
        yield b"a" * 65_536
        sent += 65_536


async def test_a_body_of_one_mebibyte_is_read_and_one_byte_more_is_not(sqlite_api: Api) -> None:
    for size, expected in ((BODY_LIMIT, 422), (BODY_LIMIT + 1, 413)):
        answer = await sqlite_api.call("POST", PATH, content=_body(size), headers=JSON)
        assert answer.status_code == expected
    assert answer.json()["code"] == "body.too_large"
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("path", [PATH, "/auth/tokens", "/communities", "/nothing-here"])
async def test_a_body_that_is_declared_too_large_is_refused(sqlite_api: Api, path: str) -> None:
    headers = JSON | {"Content-Length": str(FIFTY_MEGABYTES)}
    content = _streamed(FIFTY_MEGABYTES, [])
    answer = await sqlite_api.call("POST", path, content=content, headers=headers)
    assert code(answer, 413) == "body.too_large"


@pytest.mark.parametrize("path", [PATH, "/auth/tokens", "/join-requests"])
async def test_a_body_that_turns_out_too_large_is_refused(sqlite_api: Api, path: str) -> None:
    content = _streamed(FIFTY_MEGABYTES, [])
    answer = await sqlite_api.call("POST", path, content=content, headers=JSON)
    assert code(answer, 413) == "body.too_large"


async def test_a_client_that_never_stops_is_listened_to_for_a_while_only(sqlite_api: Api) -> None:
    """Long enough for it to read the refusal; every piece is dropped as it comes."""
    taken: list[int] = []
    content = _streamed(4 * DRAIN_LIMIT, taken)
    answer = await sqlite_api.call("POST", PATH, content=content, headers=JSON)
    assert code(answer, 413) == "body.too_large"
    assert len(taken) <= DRAIN_LIMIT // 65_536 + 1


@pytest.mark.parametrize("declared", ["-1", "1e3", "0x10", "9" * 40, "one", "1, 1"])
async def test_a_length_that_is_none_is_refused(sqlite_api: Api, declared: str) -> None:
    headers = JSON | {"Content-Length": declared}
    answer = await sqlite_api.call("POST", PATH, content=b"{}", headers=headers)
    assert code(answer, 413) == "body.too_large"


# On the wire


on_the_wire = pytest.mark.xdist_group("on the wire")


@pytest.fixture(scope="module")
async def server(
    templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """The server in a process of its own, reached over TCP."""
    room = tmp_path_factory.mktemp("limits")
    shutil.copy(templates["sqlite"], room / "cop.sqlite3")
    url = f"sqlite:///{room / 'cop.sqlite3'}"
    async with serving(url, room / "log", "--no-worker", requests_per_minute=0) as found:
        yield found


def _resident(server: Server) -> int:
    """The memory of the server's process at its highest so far, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text("ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


@on_the_wire
async def test_fifty_megabytes_leave_the_memory_flat(server: Server) -> None:
    async def sent(content: Any) -> str:
        answer = await server.client.post(f"/api/v1{PATH}", content=content, headers=JSON)
        return code(answer, 413)

    ok(await server.client.get("/api/v1/communities"))
    before = _resident(server)
    for _ in range(4):
        whole = asyncio.create_task(sent(b"a" * FIFTY_MEGABYTES))
        parts = asyncio.create_task(sent(_streamed(FIFTY_MEGABYTES, [])))
        assert [await whole, await parts] == ["body.too_large"] * 2
    assert _resident(server) - before < 24 * 1024 * 1024
    ok(await server.client.get("/api/v1/communities"))
    assert "fault" not in server.process.said()


ODD_REQUESTS = {
    "an encoded byte that is no UTF-8": b"GET /api/v1/communities/%ff%fe HTTP/1.1\r\n",
    "bytes that are no ASCII": b"GET /api/v1/communities/\xc3\xa9 HTTP/1.1\r\n",
    "an encoded NUL": b"GET /api/v1/communities/%00 HTTP/1.1\r\n",
    "a broken escape": b"GET /api/v1/communities/%zz HTTP/1.1\r\n",
    "dots": b"GET /api/v1/../../etc/passwd HTTP/1.1\r\n",
    "an absolute address": b"GET http://evil.example/api/v1/rules HTTP/1.1\r\n",
    "no path": b"GET * HTTP/1.1\r\n",
    "a query of rubbish": b"GET /api/v1/rules?%ff=%00&&&=;%zz HTTP/1.1\r\n",
    "a header in Latin-1": b"GET /api/v1/rules HTTP/1.1\r\nAccept-Language: \xe9\r\n",
    "a token in Latin-1": b"GET /api/v1/me HTTP/1.1\r\nAuthorization: Bearer \xe9.\xe9.\xe9\r\n",
    "a request id in Latin-1": b"GET /api/v1/rules HTTP/1.1\r\nX-Request-Id: \xe9\r\n",
    "a key in Latin-1": b"POST /api/v1/join-requests HTTP/1.1\r\nIdempotency-Key: \xe9\r\n",
    "many cookies": b"GET /api/v1/rules HTTP/1.1\r\n" + b"Cookie: a=b\r\n" * 500,
    "no HTTP": b"\x16\x03\x01\x02\x00\r\n",
}


async def _exchanged(server: Server, *pieces: bytes) -> httpx.Response:
    """What the server says to these bytes before it hangs up."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    with suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
    said = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    return httpx.Response(int(status.split(" ")[1]), headers=headers, content=body)


@on_the_wire
async def test_odd_bytes_on_the_wire_are_answered_and_never_a_fault(server: Server) -> None:
    for name, request in ODD_REQUESTS.items():
        end = b"Host: testserver\r\nConnection: close\r\n\r\n"
        answer = await _exchanged(server, request + end)
        assert answer.status_code in (200, 400, 401, 404, 422), name
        assert answer.headers["x-content-type-options"] == "nosniff", name
        if answer.is_error:
            assert answer.headers["content-type"] == "application/problem+json", name
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "fault" not in server.process.said() and "Traceback" not in server.process.said()
    ok(await server.client.get("/api/v1/rules"))


FLOODS = {
    "a long address": [b"GET /api/v1/rules?", *[b"a" * 65_536] * 2, b" HTTP/1.1\r\n\r\n"],
    "a long header": [b"GET / HTTP/1.1\r\nX: ", *[b"a" * 65_536] * 2, b"\r\n\r\n"],
    "many headers": [b"GET / HTTP/1.1\r\n", *[b"X: y\r\n" * 5_000] * 4, b"\r\n"],
    "a long header at once": [b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"],
}


@on_the_wire
@pytest.mark.parametrize("pieces", FLOODS.values(), ids=FLOODS.keys())
async def test_a_head_of_more_than_64_kibibytes_is_refused(
    server: Server, pieces: list[bytes]
) -> None:
    answer = await _exchanged(server, *pieces)
    assert code(answer, 431) == "head.too_large"


@on_the_wire
async def test_fifty_megabytes_of_headers_leave_the_memory_flat(server: Server) -> None:
    before = _resident(server)
    for _ in range(4):
        with suppress(ConnectionError):
            await _exchanged(server, b"GET / HTTP/1.1\r\nX: ", *[b"a" * 65_536] * 800)
    assert _resident(server) - before < 24 * 1024 * 1024
    ok(await server.client.get("/api/v1/rules"))


@on_the_wire
async def test_head_and_get_are_answered_alike_on_one_connection(server: Server) -> None:
    whole = await server.client.get("/api/v1/rules")
    for _ in range(3):
        head = await server.client.head("/api/v1/rules")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"]
    assert (await server.client.head("/api/v1/me")).status_code == 401
    assert (await server.client.head("/documentation/swagger-ui.css")).status_code == 200
    assert "fault" not in server.process.said()
