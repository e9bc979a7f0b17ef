"""Logs: one structured line an event, with the request's id, without secrets or personal text."""

import logging
import sys
import traceback
from pathlib import Path
from typing import Any

import orjson
import structlog


def configure(level: str, development: bool) -> None:
    """Sets up structlog: readable lines for a person, JSON for a machine."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if development and sys.stderr.isatty():
        renderer = [structlog.dev.ConsoleRenderer()]
        factory: object = structlog.PrintLoggerFactory(sys.stderr)
    else:
        renderer = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ]
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=factory,  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")


def without_words(error: BaseException) -> dict[str, Any]:
    """What failed, and where; without an exception's own words, which may quote what was sent."""
    kinds: list[str] = []
    found: BaseException | None = error
    while found is not None and len(kinds) < 5:
        kinds.append(type(found).__name__)
        found = found.__cause__ or found.__context__
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"fault": kinds, "at": places[-12:]}


def _dumps(value: object, **_options: object) -> str:
    return orjson.dumps(value, default=str).decode()
