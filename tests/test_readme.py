"""The README's tour, as a newcomer follows it: real curl, a real server, the answers as shown."""

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from app import errors, openapi
from app.__main__ import cli
from app.main import create_app
from app.settings import SHIPPED_DEFAULTS, Settings
from tests.conftest import DATABASES
from tests.processes import DEADLINE_SECONDS, Server, serving

ROOT = Path(__file__).parent.parent

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
    """Where the answer is not as the README shows it; of ids and times the shape is compared."""
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


async def run_tour(tour: list[Step], server: Server, settings: dict[str, str]) -> list[str]:
    """What each block printed, all of them run in one shell, as a reader would."""
    mark = "~~~ the next block ~~~"
    script = f"\necho; echo '{mark}'\n".join(step.command for step in tour)
    here = {
        "API=http://127.0.0.1:8000": f"API={server.url}",
        "MAILBOX=var/mail": f"MAILBOX={settings['data_dir']}/mail",
        "COP=.venv/bin/cop": f"COP='{sys.executable} -m app'",
    }
    for written, meant in here.items():
        assert script.count(written) == 1, f"the tour no longer sets {written}"
        script = script.replace(written, meant)
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-euo",
        "pipefail",
        "-c",
        script,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {f"COP_{name.upper()}": value for name, value in settings.items()},
    )
    printed, said = await asyncio.wait_for(shell.communicate(), DEADLINE_SECONDS * 2)
    assert shell.returncode == 0, said.decode() + printed.decode()[-2000:]
    return printed.decode().split(mark)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """PostgreSQL, and SQLite as a newcomer has it: nothing is there, and nothing is said of it."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


async def test_the_tour_answers_as_the_readme_shows(database_url: str, tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path), "database_url": database_url}
    settings |= {"mail_url": "", "base_url": ""}
    tour = steps((ROOT / "README.md").read_text("utf-8"))
    assert len(tour) > 10

    async with serving(database_url, tmp_path / "said", "--worker", **settings) as server:
        printed = await run_tour(tour, server, settings)

    for step, output in zip(tour, printed, strict=True):
        output = output.strip().replace(server.url, "http://127.0.0.1:8000")
        if step.kind == "json":
            found = differences(shortened(step.shown or ""), json.loads(output))
            assert not found, f"{step.command}\n{found}\n{output}"
        else:
            assert output == (step.shown or "").strip(), step.command


# The other pages

PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
FENCED = re.compile(r"```.*?```", re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What the headings of a page can be reached by."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCED.sub("", page.read_text("utf-8"))
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    for link in links:
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_operation_and_code_that_is_named_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    known = {
        (method, route.path_format)
        for route in openapi.operations(create_app().app)
        for method in route.methods
    }
    named = set(re.findall(r"(GET|POST|PUT|PATCH|DELETE) (/api/v1[\w/{}.-]*)", text))
    codes = set(re.findall(r"\b[45]\d\d `([a-z_.]+)`", text))
    paths = {path for _, path in known} | {"/api/v1"}

    spelt = {
        (method, path.replace("/drug-treatment-court", "/{community}")) for method, path in named
    }
    assert spelt - known == set()
    assert set(re.findall(r"`(/api/v1[\w/{}-]+)`", text)) - paths == set()
    assert codes - {kind.code for kind in errors.catalogue()} == set()


def test_every_setting_is_documented_with_its_default() -> None:
    operating = (ROOT / "docs" / "operating.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(COP_\w+)` \| ([^|]+) \|", operating, re.MULTILINE))
    defaults = {
        f"COP_{name.upper()}": field.default for name, field in Settings.model_fields.items()
    }

    assert list(rows) and set(rows) == set(defaults)
    for name, said in rows.items():
        literal = re.fullmatch(r"`([^`]*)`", said.strip())
        if literal and "host:port" not in said:
            assert literal.group(1) == str(defaults[name]).lower(), name
        else:
            assert defaults[name] in ("", [], SHIPPED_DEFAULTS), name


def test_every_command_is_documented() -> None:
    operating = (ROOT / "docs" / "operating.md").read_text("utf-8")
    told = set(re.findall(r"^\| `cop ([\w-]+)` \|", operating, re.MULTILINE))

    assert told == set(get_command(cli).commands)  # type: ignore[attr-defined]


def test_the_architecture_names_every_module_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    tree = text.split("```")[1].split("openapi/  ")[0]
    named = set(re.findall(r"(\w+(?:\.py|/))", tree)) - {"app/"}
    there = {path.name for path in (ROOT / "app").glob("*.py")} - {"__init__.py"}
    folders = {f"{path.name}/" for path in (ROOT / "app").iterdir() if path.is_dir()}

    assert named == there | folders - {"__pycache__/"}
    for path in re.findall(r"`(app/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_decisions_are_numbered_and_fit_on_a_screen() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [record.name[:4] for record in records] == [
        f"{number:04}" for number in range(1, len(records) + 1)
    ]
    for record in records:
        assert len(record.read_text("utf-8").splitlines()) <= 40, record.name
