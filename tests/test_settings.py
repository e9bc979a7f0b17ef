"""Settings: a safe set starts, and each unsafe or senseless value is refused in one line."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import settings
from app.settings import Settings, UnsafeSettings, WrongSettings
from tests.processes import ran, serving

STRONG = "kq3V8w-ZrT1mN0pYb7Jx5Ls2Hd9Fg4Ca6E"
SAFE = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": STRONG,
    "BASE_URL": "https://communities.example.org",
    "MAIL_URL": "smtps://cop:secret@mail.example.org:465",
    "ALLOWED_ORIGINS": "https://app.example.org, https://admin.example.org/",
    "LOG_LEVEL": "info",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Sets COP_* variables, and nothing else of that name, for one test."""
    for name in [name for name in os.environ if name.startswith("COP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COP_DATA_DIR", str(tmp_path))

    def change(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"COP_{name}", value)
        settings.get.cache_clear()

    change()
    yield change
    monkeypatch.undo()
    settings.get.cache_clear()


@pytest.mark.parametrize(
    ("host", "found_at"),
    [
        ("0.0.0.0", "http://localhost:8001"),
        ("::", "http://localhost:8001"),
        ("127.0.0.1", "http://127.0.0.1:8001"),
        ("::1", "http://[::1]:8001"),
    ],
)
def test_links_lead_to_an_address_that_a_browser_finds(
    environment: Any, host: str, found_at: str
) -> None:
    environment(HOST=host, PORT="8001")
    assert settings.get().public_url == found_at
    environment(HOST=host, PORT="8001", BASE_URL="https://cop.example.org/")
    assert settings.get().public_url == "https://cop.example.org"


def test_a_safe_set_starts_in_production(environment: Any) -> None:
    environment(**SAFE)
    found = settings.get()
    found.refuse_unsafe()
    assert not found.development and found.secret == STRONG
    assert found.allowed_origins == ["https://app.example.org", "https://admin.example.org"]


def test_nothing_has_to_be_set_for_development(environment: Any) -> None:
    found = settings.get()
    found.refuse_unsafe()
    assert found.development and found.embedded
    assert found.zone.key == "America/Toronto"
    assert found.origin_allowed("http://localhost:5173")
    assert not found.origin_allowed("http://localhost.evil.example")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SECRET_KEY", "", "COP_SECRET_KEY must be set"),
        ("SECRET_KEY", "short", "COP_SECRET_KEY is weak"),
        ("SECRET_KEY", "a" * 64, "COP_SECRET_KEY is weak"),
        ("SECRET_KEY", "abab" * 16, "COP_SECRET_KEY is weak"),
        ("SECRET_KEY", "change-me-" + STRONG, "COP_SECRET_KEY looks like an example"),
        ("SECRET_KEY", "an-EXAMPLE-" + STRONG, "COP_SECRET_KEY looks like an example"),
        ("ALLOWED_ORIGINS", "*", "COP_ALLOWED_ORIGINS must name origins"),
        ("ALLOWED_ORIGINS", "http://app.example.org", "COP_ALLOWED_ORIGINS must begin with https"),
        ("BASE_URL", "", "COP_BASE_URL must be the public https://"),
        ("BASE_URL", "http://communities.example.org", "COP_BASE_URL must be the public https://"),
        ("MAIL_URL", "", "COP_MAIL_URL must be set"),
        ("LOG_LEVEL", "DEBUG", "COP_LOG_LEVEL=debug is for development"),
        ("LINK_PASSWORD", "http://app.example.org/#token={token}", "COP_LINK_PASSWORD must begin"),
        ("LINK_DISCUSSION", "http://app.example.org/{id}", "COP_LINK_DISCUSSION must begin"),
    ],
)
def test_what_is_unsafe_is_refused_in_production_and_only_there(
    environment: Any, name: str, value: str, why: str
) -> None:
    environment(**SAFE | {name: value})
    with pytest.raises(UnsafeSettings) as refused:
        settings.get().refuse_unsafe()
    said = str(refused.value)
    assert said.startswith(why) and "\n" not in said
    assert STRONG not in said and (not value or value not in said or value == "*")
    environment(ENVIRONMENT="development")
    settings.get().refuse_unsafe()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "prod"),
        ("DATABASE_URL", "mysql://localhost/cop"),
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("DEFAULTS_DIR", "nowhere"),
        ("MAIL_URL", "mail.example.org"),
        ("BASE_URL", "communities.example.org"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_ORIGINS", "https://app.example.org/path"),
        ("LINK_PASSWORD", "https://app.example.org/password"),
        ("LINK_SIGN_IN", "https://app.example.org/?token={token}"),
        ("LINK_DISCUSSION", "https://app.example.org/discussion"),
        ("LOG_LEVEL", "loud"),
        ("ACCESS_TOKEN_SECONDS", "86400"),
        ("REFRESH_TOKEN_DAYS", "0"),
    ],
)
def test_what_makes_no_sense_is_refused_everywhere_in_one_line(
    environment: Any, name: str, value: str
) -> None:
    environment(**{name: value})
    with pytest.raises(WrongSettings) as refused:
        settings.get()
    said = str(refused.value)
    assert said.startswith(f"COP_{name} cannot be used: ") and "\n" not in said


def test_a_password_in_a_setting_is_never_repeated(environment: Any) -> None:
    environment(DATABASE_URL="mysql://cop:hunter2hunter2@localhost/cop")
    with pytest.raises(WrongSettings) as refused:
        settings.get()
    assert "hunter2" not in str(refused.value)


def test_a_database_that_others_can_read_is_refused_in_production(
    environment: Any, tmp_path: Path
) -> None:
    environment(**SAFE)
    path = tmp_path / "cop.sqlite3"
    path.touch(mode=0o640)
    with pytest.raises(UnsafeSettings, match=r"cop\.sqlite3 is readable by others"):
        settings.get().refuse_unsafe()
    path.chmod(0o600)
    settings.get().refuse_unsafe()


def test_old_spellings_of_postgresql_name_the_same_database(environment: Any) -> None:
    environment(DATABASE_URL="postgres://cop@localhost/cop")
    assert settings.get().database == "postgresql://cop@localhost/cop"


# The key that development makes for itself


def test_a_secret_key_is_made_once_and_kept_for_its_owner_alone(
    environment: Any, tmp_path: Path
) -> None:
    made = Settings().secret
    path = tmp_path / "secret-key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made) >= 43 and path.read_text() == made
    assert Settings().secret == made
    assert [found.name for found in tmp_path.iterdir()] == ["secret-key"]


def test_a_secret_key_that_others_could_read_is_closed_to_them(
    environment: Any, tmp_path: Path
) -> None:
    path = tmp_path / "secret-key"
    path.write_text(STRONG)
    path.chmod(0o644)
    assert Settings().secret == STRONG
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_agree_on_the_key(environment: Any) -> None:
    start, found = threading.Barrier(8), []

    def read() -> None:
        made = Settings()
        start.wait()
        found.append(made.secret)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1 and found[0]


# As an operator meets them


async def test_an_unsafe_server_says_why_in_one_line_and_ends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cop.sqlite3'}"
    unsafe = {name.lower(): value for name, value in SAFE.items()} | {"secret_key": "short"}
    code, said = await ran(url, tmp_path / "log", "serve", data_dir=tmp_path, **unsafe)
    assert code == 1
    assert said.strip() == "COP_SECRET_KEY is weak: use 32 or more random characters."
    assert not (tmp_path / "cop.sqlite3").exists()


async def test_a_safe_server_serves(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cop.sqlite3'}"
    safe = {name.lower(): value for name, value in SAFE.items()}
    async with serving(url, tmp_path / "log", data_dir=tmp_path, **safe) as server:
        assert (await server.client.get("/api/v1/association")).status_code == 200
    assert STRONG not in server.process.said() and "cop:secret" not in server.process.said()
