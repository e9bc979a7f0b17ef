"""Which settings there are: every one is an environment variable that begins with COP_.

The only reader of the environment. In production an unsafe value stops the start with one
line that says why (promise 17).
"""

import contextlib
import os
import re
import secrets
import tempfile
import tomllib
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SHIPPED_DEFAULTS = Path(__file__).parent / "defaults"
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
_ORIGIN = re.compile(r"https?://[^/?#@*\s]+")
EVERYWHERE = ("0.0.0.0", "::")  # what a server listens on, and nobody's address
EXAMPLE_SECRETS = ("change-me", "changeme", "secret", "example", "password", "development")


class UnsafeSettings(SystemExit):
    """The server will not start with these settings; the message is the one line that says why."""


class WrongSettings(UnsafeSettings):
    """A setting is no value of its kind, in development neither."""


class Environment(StrEnum):
    """Where the server runs; development allows what production refuses."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Caller(BaseSettings):
    """What a command that calls a server is told by the environment: its token, which would be seen
    by everybody on the machine if it stood on the command line."""

    model_config = SettingsConfigDict(env_prefix="COP_", extra="ignore")

    token: str = ""


class Settings(BaseSettings):
    """The settings of one process. Read with `get()`, never from the environment elsewhere."""

    model_config = SettingsConfigDict(env_prefix="COP_", extra="ignore")

    environment: Environment = Environment.DEVELOPMENT
    data_dir: Path = Path("var")
    database_url: str = ""
    secret_key: str = ""
    base_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    allowed_origins: Annotated[list[str], NoDecode] = []
    trust_proxy: bool = False

    defaults_dir: Path = SHIPPED_DEFAULTS
    time_zone: str = ""

    mail_url: str = ""
    mail_from: str = ""
    gather_seconds: int = Field(default=5, ge=0)
    gather_again_minutes: int = Field(default=60, ge=0)
    link_email_verification: str = ""
    link_password: str = ""
    link_sign_in: str = ""
    link_invitation: str = ""
    link_discussion: str = ""
    link_proposal: str = ""
    link_join_request: str = ""

    access_token_seconds: int = Field(default=900, ge=60, le=3600)
    refresh_token_days: int = Field(default=30, ge=1, le=365)
    requests_per_minute: int = Field(default=6000, ge=0)
    mails_asked_per_hour: int = Field(default=600, ge=0)
    failed_sign_ins_per_quarter_hour: int = Field(default=10, ge=1)
    rate_limit_url: str = "memory://"

    database_pool_size: int = Field(default=8, ge=1, le=100)
    log_level: str = "info"
    telemetry: bool = False

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        # Old tools still write postgres://; both name the same thing.
        value = value.replace("postgres://", "postgresql://", 1)
        if value and not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("it must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in value):
            raise ValueError("an origin is a scheme and a host: https://app.example.org")
        return value

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it must begin with https:// (or http://)")
        return value

    @field_validator("mail_url")
    @classmethod
    def _known_mail(cls, value: str) -> str:
        if value and not value.startswith(("smtp://", "smtps://", "file:///")):
            raise ValueError("it must begin with smtp://, smtps:// or file:///")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key if value else ""
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("it must be a time zone such as America/Toronto") from error

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in LOG_LEVELS:
            raise ValueError(f"it must be one of {', '.join(LOG_LEVELS)}")
        return value.lower()

    @field_validator(
        "link_email_verification",
        "link_password",
        "link_sign_in",
        "link_invitation",
        "link_proposal",
        "link_join_request",
    )
    @classmethod
    def _token_in_fragment(cls, value: str) -> str:
        # What stands before the '#' reaches the logs of servers.
        if value and "{token}" not in value.partition("#")[2]:
            raise ValueError("it needs {token} behind a '#'")
        return value

    @field_validator("link_discussion")
    @classmethod
    def _id_in_link(cls, value: str) -> str:
        if value and "{id}" not in value:
            raise ValueError("it needs {id}")
        return value

    @field_validator("defaults_dir")
    @classmethod
    def _defaults_exist(cls, value: Path) -> Path:
        if not (value / "association.toml").is_file():
            raise ValueError("there is no association.toml in it")
        return value

    @property
    def development(self) -> bool:
        """True outside production."""
        return self.environment is Environment.DEVELOPMENT

    @cached_property
    def database(self) -> str:
        """The database's URL; a SQLite file under the data directory where none is set."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'cop.sqlite3'}"

    @property
    def embedded(self) -> bool:
        """True on SQLite, where the worker runs beside the server in one process."""
        return self.database.startswith("sqlite")

    @cached_property
    def public_url(self) -> str:
        """Where clients and mail links find this server, without a trailing slash."""
        if self.base_url:
            return self.base_url.rstrip("/")
        host = "localhost" if self.host in EVERYWHERE else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @cached_property
    def mail(self) -> str:
        """Where mail goes: smtp:// or file:///directory."""
        return self.mail_url or f"file://{self.data_dir.resolve() / 'mail'}"

    @cached_property
    def secret(self) -> str:
        """The key behind every token and seal; made and kept (mode 0600) in development."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret-key"
        if not path.exists():
            self._make_secret(path)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_text().strip()

    def _make_secret(self, path: Path) -> None:
        """A whole file or none: another process of the same start may read it at any moment."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes it 0600.
        descriptor, temporary = tempfile.mkstemp(prefix=".secret-key", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # the other one was first
                os.link(temporary, path)
        finally:
            Path(temporary).unlink()

    @cached_property
    def association_defaults(self) -> dict[str, Any]:
        """What the defaults directory says about the association (association.toml)."""
        return tomllib.loads((self.defaults_dir / "association.toml").read_text("utf-8"))

    @cached_property
    def zone(self) -> ZoneInfo:
        """The association's time zone, in which calendar days begin and end."""
        return ZoneInfo(self.time_zone or self.association_defaults["time_zone"])

    def origin_allowed(self, origin: str) -> bool:
        """True if a browser page of this origin may call the API with credentials."""
        if origin in self.allowed_origins:
            return True
        local = ("http://localhost", "http://127.0.0.1", "http://[::1]")
        return self.development and any(origin == o or origin.startswith(o + ":") for o in local)

    def refuse_unsafe(self) -> None:
        """Raises UnsafeSettings for what must never run in production."""
        if self.development:
            return
        if not self.secret_key:
            raise UnsafeSettings("COP_SECRET_KEY must be set in production.")
        if len(self.secret_key) < 32 or len(set(self.secret_key)) < 10:
            raise UnsafeSettings("COP_SECRET_KEY is weak: use 32 or more random characters.")
        if any(example in self.secret_key.lower() for example in EXAMPLE_SECRETS):
            raise UnsafeSettings("COP_SECRET_KEY looks like an example.")
        if "*" in self.allowed_origins:
            raise UnsafeSettings("COP_ALLOWED_ORIGINS must name origins, not '*'.")
        if not self.base_url.startswith("https://"):
            raise UnsafeSettings("COP_BASE_URL must be the public https:// address in production.")
        if not all(origin.startswith("https://") for origin in self.allowed_origins):
            raise UnsafeSettings("COP_ALLOWED_ORIGINS must begin with https:// in production.")
        if not self.mail_url:
            raise UnsafeSettings("COP_MAIL_URL must be set in production.")
        if self.log_level == "debug":
            raise UnsafeSettings("COP_LOG_LEVEL=debug is for development.")
        self._refuse_open_links()
        self._refuse_readable_database()

    def _refuse_open_links(self) -> None:
        for name in type(self).model_fields:
            link = getattr(self, name) if name.startswith("link_") else ""
            if link and not link.startswith("https://"):
                raise UnsafeSettings(f"COP_{name.upper()} must begin with https:// in production.")

    def _refuse_readable_database(self) -> None:
        path = Path(self.database.removeprefix("sqlite:///"))
        if self.embedded and path.exists() and path.stat().st_mode & 0o077:
            raise UnsafeSettings(f"The database {path.name} is readable by others: chmod 600.")


@lru_cache
def get() -> Settings:
    """The settings of this process, read once. Raises WrongSettings, in one line without values."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in wrong["loc"][:1]).upper()
        said = wrong["msg"].removeprefix("Value error, ")
        raise WrongSettings(f"COP_{name} cannot be used: {said}.") from None
