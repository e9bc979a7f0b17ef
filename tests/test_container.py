"""The image and the compose file, as far as they can be held to their word without an engine."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.settings import Settings
from tests.processes import free_port, serving

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
OUR_SERVICES = [name for name, service in COMPOSE["services"].items() if "build" in service]
SETTINGS = {f"COP_{name.upper()}" for name in Settings.model_fields}


def instructions(name: str) -> list[str]:
    """What the Dockerfile says under one keyword, line by line."""
    return re.findall(rf"^{name}\s+(.+)$", DOCKERFILE, re.MULTILINE)


def command_of(instruction: str) -> list[str]:
    """The words of a CMD in its exec form."""
    return json.loads(instruction[instruction.index("[") :])


def commands() -> list[list[str]]:
    """Every command that the image or the compose file starts."""
    composed = [COMPOSE["services"][name].get("command") for name in OUR_SERVICES]
    return [command_of(instructions("CMD")[-1]), *(command for command in composed if command)]


def test_what_is_copied_is_there_and_is_not_ignored() -> None:
    sources = [words.split()[0] for words in instructions("COPY") if "--from" not in words]
    kept = (ROOT / ".dockerignore").read_text("utf-8").split()

    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in kept, source


def test_packages_are_installed_by_their_hashes() -> None:
    (installed,) = [words for words in instructions("RUN") if "pip install" in words]

    assert "--require-hashes" in installed and "run.txt" in installed


def test_the_last_stage_runs_as_nobody_who_matters_and_keeps_its_data_in_a_volume() -> None:
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]

    assert re.search(r"^USER cop$", last_stage, re.MULTILINE)
    assert "COP_DATA_DIR=/data" in last_stage and instructions("VOLUME") == ["/data"]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_what_is_started_is_a_command_with_these_options(command: list[str]) -> None:
    program, *arguments = command
    assert program == "cop"

    asked = [sys.executable, "-m", "app", *arguments, "--help"]
    helped = subprocess.run(asked, capture_output=True, text=True, cwd=ROOT)

    assert helped.returncode == 0, helped.stderr


async def test_the_health_check_tells_a_server_that_runs_from_one_that_does_not(
    sqlite_url: str, tmp_path: Path
) -> None:
    program, *arguments = command_of(instructions("HEALTHCHECK")[0])
    assert program == "python"

    async def healthy(port: str) -> bool:
        checking = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            env=os.environ | {"COP_PORT": port},
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await checking.wait() == 0

    async with serving(sqlite_url, tmp_path / "said", "--no-worker") as server:
        assert await healthy(server.url.rsplit(":", 1)[1])
        assert not await healthy(str(free_port()))


def test_compose_starts_postgresql_the_api_the_worker_and_a_mail_sink() -> None:
    services = COMPOSE["services"]

    assert set(services) == {"postgres", "mail", "api", "worker"}
    assert services["api"]["command"] == ["cop", "serve", "--no-worker"]
    assert services["worker"]["command"] == ["cop", "worker"]
    for name, service in services.items():
        assert re.fullmatch(r"[a-z/-]+:[\w.-]+", service["image"]), name
        assert not service["image"].endswith(":latest"), name
        for needed in service.get("depends_on", {}):
            assert needed in services


@pytest.mark.parametrize("name", OUR_SERVICES)
def test_compose_and_image_set_settings_that_there_are(name: str) -> None:
    composed = set(COMPOSE["services"][name]["environment"])
    imaged = set(re.findall(r"COP_[A-Z_]+", " ".join(instructions("ENV"))))

    assert composed and composed <= SETTINGS
    assert imaged and imaged <= SETTINGS


def test_what_compose_sets_is_taken_by_the_settings() -> None:
    written = COMPOSE["services"]["api"]["environment"]
    defaults = {
        name.removeprefix("COP_").lower(): re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        for name, value in written.items()
    }

    taken = Settings(**defaults)

    assert taken.database == "postgresql://cop:for-trying-out@postgres:5432/cop"
    assert taken.mail == "smtp://mail:1025" and taken.development


def test_every_volume_that_is_mounted_is_declared() -> None:
    mounted = {
        volume.split(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
    }

    assert mounted == set(COMPOSE["volumes"])
