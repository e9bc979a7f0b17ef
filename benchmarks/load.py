"""Load: wrk where it is installed, otherwise a bounded client of our own. Loopback only.

Both walk through the same requests in a circle on a fixed number of connections for a fixed time,
and answer with the same figures.
"""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

CONNECTIONS = 32
WRK = shutil.which("wrk")

# wrk runs this in its one thread; the requests are made before the clock starts.
_SCRIPT = """
local requests = { %s }
local turn = 0
request = function()
  turn = turn %% #requests + 1
  return requests[turn]
end
done = function(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("\\n@[%%d, %%d, %%d, %%d, %%d, %%d]\\n", summary.requests,
    summary.duration, errors.status, broken, latency:percentile(50), latency:percentile(99)))
end
"""


class Request(NamedTuple):
    """One request as it is repeated; the path begins with a slash."""

    path: str
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    body: bytes = b""

    def on_the_wire(self, port: int) -> bytes:
        """The bytes that are sent."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


class Load(NamedTuple):
    """What came of one burst: requests a second, latencies in milliseconds, and what went wrong."""

    rate: float
    p50: float
    p99: float
    refused: int
    broken: int


async def burst(port: int, requests: Sequence[Request], seconds: int) -> Load:
    """Sends the requests in a circle on 32 connections for so many seconds."""
    wire = [request.on_the_wire(port) for request in requests]
    if WRK is None:
        return await _own_burst(port, wire, seconds)
    return await asyncio.to_thread(_wrk_burst, WRK, port, wire, seconds)


def _wrk_burst(wrk: str, port: int, wire: list[bytes], seconds: int) -> Load:
    with tempfile.TemporaryDirectory(prefix="cop-bench-") as directory:
        script = Path(directory, "load.lua")
        script.write_text(_SCRIPT % ",\n".join(map(_quoted, wire)))
        command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout=10s"]
        said = subprocess.run(
            [*command, f"-s{script}", f"http://127.0.0.1:{port}/"],
            capture_output=True,
            text=True,
            timeout=seconds + 30,
            check=True,
        )
    requests, microseconds, refused, broken, p50, p99 = json.loads(said.stdout.rsplit("@", 1)[1])
    return Load(requests / (microseconds / 1e6), p50 / 1000, p99 / 1000, refused, broken)


def _quoted(text: bytes) -> str:
    """The bytes as a string of Lua's."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text) + '"'


class _Turn:
    """Which request is next, for all connections together."""

    def __init__(self, wire: list[bytes]) -> None:
        self._wire = wire
        self._turn = 0

    def next(self) -> bytes:
        self._turn = (self._turn + 1) % len(self._wire)
        return self._wire[self._turn]


async def _own_burst(port: int, wire: list[bytes], seconds: int) -> Load:
    """The same without wrk; it takes more of the processor itself, so all figures are lower."""
    turn, latencies, wrong = _Turn(wire), [], {"refused": 0, "broken": 0}
    end = time.perf_counter() + seconds

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while (started := time.perf_counter()) < end:
                writer.write(turn.next())
                status = await answered(reader)
                latencies.append(time.perf_counter() - started)
                wrong["refused"] += status >= 400
        except (OSError, asyncio.IncompleteReadError):
            wrong["broken"] += 1
        finally:
            writer.close()

    started = time.perf_counter()
    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    took = time.perf_counter() - started
    latencies.sort()
    return Load(len(latencies) / took, *_percentiles(latencies), wrong["refused"], wrong["broken"])


async def answered(reader: asyncio.StreamReader) -> int:
    """Reads one whole answer; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":", 1)[1])
    if length:
        await reader.readexactly(length)
    return int(head[9:12])


def _percentiles(ordered: list[float]) -> tuple[float, float]:
    if not ordered:
        return 0.0, 0.0
    return ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.99)] * 1000
