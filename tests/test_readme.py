"""The README's tour, as a newcomer follows it: real curl, a real server, the answers as shown."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parent.parent
COP = f"{sys.executable} -m app"

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MORE = "..."


@dataclass(frozen=True)
class Step:
    """What the reader runs, and what the README shows of the answer (nothing, for some)."""

    command: str
    shown: str | None
    kind: str


def steps(readme: str) -> list[Step]:
    """The tour: each block of bash with the block of output that follows it."""
    tour = readme.split("## A five-minute tour", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```(\w+)\n(.*?)```", tour, re.DOTALL)
    found: list[Step] = []
    for kind, text in blocks:
        if kind == "bash":
            found.append(Step(text, None, ""))
        else:
            assert found and found[-1].shown is None, f"an output without a command: {text}"
            found[-1] = Step(found[-1].command, text, kind)
    return found


def shortened(shown: str) -> Any:
    """JSON in which `...` stands for more members or more items, as data that says so."""
    marked, stack, index = [], [], 0
    for match in re.finditer(r'"(?:\\.|[^"\\])*"|\.\.\.|[\[\]{}]', shown):
        marked.append(shown[index : match.start()])
        index, token = match.end(), match.group()
        if token in "[{":
            stack.append(token)
        elif token in "]}":
            stack.pop()
        elif token == MORE:
            token = f'"{MORE}"' if stack[-1] == "[" else f'"{MORE}": null'
        marked.append(token)
    return json.loads("".join(marked) + shown[index:])


def differences(shown: Any, real: Any, place: str = "") -> list[str]:
    """Where the answer is not as the README shows it. Ids and times differ, their shape does not."""
    if isinstance(shown, dict) and isinstance(real, dict):
        wanted = set(shown) - {MORE}
        odd = wanted - set(real) if MORE in shown else wanted ^ set(real)
        below = [differences(shown[key], real[key], f"{place}/{key}") for key in wanted - odd]
        return [f"{place}/{key}" for key in sorted(odd)] + [one for found in below for one in found]
    if isinstance(shown, list) and isinstance(real, list):
        if MORE in shown:
            return [
                f"{place}: {item} is not there"
                for item in shown
                if item != MORE and not any(not differences(item, one) for one in real)
            ]
        if len(shown) != len(real):
            return [f"{place}: {len(real)} items"]
        pairs = enumerate(zip(shown, real, strict=True))
        return [one for i, (a, b) in pairs for one in differences(a, b, f"{place}/{i}")]
    for shape in (UUID, INSTANT, DAY):
        if isinstance(shown, str) and isinstance(real, str) and shape.fullmatch(shown):
            return [] if shape.fullmatch(real) else [f"{place}: {real!r}"]
    return [] if shown == real else [f"{place}: {real!r} instead of {shown!r}"]


@pytest.fixture
def port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def serving(tmp_path: Path, port: int) -> Iterator[dict[str, str]]:
    """`cop serve` on a data directory of its own; the environment in which it runs."""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "COP_"}
    environment |= {"COP_DATA_DIR": str(tmp_path), "COP_PORT": str(port)}
    environment |= {"COP_LOG_LEVEL": "warning"}
    with (tmp_path / "said").open("w") as said:
        server = subprocess.Popen(
            [*COP.split(), "serve"], cwd=ROOT, env=environment, stdout=said, stderr=said
        )
    try:
        for _ in range(300):
            assert server.poll() is None, (tmp_path / "said").read_text()
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield environment
    finally:
        server.terminate()
        # uvicorn stops in order, and then tells its parent by which signal.
        assert server.wait(timeout=30) in (0, -signal.SIGTERM)


def run_tour(tour: list[Step], environment: dict[str, str]) -> list[str]:
    """What each block printed, all of them run in one shell, as a reader would."""
    data, port = environment["COP_DATA_DIR"], environment["COP_PORT"]
    mark = "~~~ the next block ~~~"
    script = f"\necho; echo '{mark}'\n".join(step.command for step in tour)
    here = {
        "API=http://127.0.0.1:8000/": f"API=http://127.0.0.1:{port}/",
        "MAILBOX=var/mail": f"MAILBOX={data}/mail",
        "COP=.venv/bin/cop": f"COP='{COP}'",
    }
    for written, meant in here.items():
        assert script.count(written) == 1, f"the tour no longer sets {written}"
        script = script.replace(written, meant)
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-euo", "pipefail"],
        input=script,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    return done.stdout.split(mark)


def test_the_tour_answers_as_the_readme_shows(serving: dict[str, str]) -> None:
    tour = steps((ROOT / "README.md").read_text("utf-8"))
    assert len(tour) > 10

    printed = run_tour(tour, serving)

    here = f":{serving['COP_PORT']}/"
    for step, output in zip(tour, printed, strict=True):
        output = output.strip().replace(here, ":8000/")
        if step.kind == "json":
            found = differences(shortened(step.shown or ""), json.loads(output))
            assert not found, f"{step.command}\n{found}\n{output}"
        else:
            assert output == (step.shown or "").strip(), step.command
