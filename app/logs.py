"""Logs: one structured line an event, with the request's id, without secrets or personal text."""

import logging
import sys
import traceback
from pathlib import Path
from typing import Any

import orjson
import structlog

HERE = Path(__file__).parent
# Loggers of libraries that would write lines of another form otherwise.
WITH_HANDLERS_OF_THEIR_OWN = ("dbos",)


def configure(level: str, development: bool) -> None:
    """Sets up structlog: readable lines for a person, JSON for a machine."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = structlog.processors.JSONRenderer(serializer=_dumps)
    if development and sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, _without_words, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # What libraries log comes out in the same form.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_words,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in WITH_HANDLERS_OF_THEIR_OWN:
        logging.getLogger(name).handlers = [handler]


def without_words(error: BaseException) -> dict[str, Any]:
    """What failed, and where; without an exception's own words, which may quote what was sent."""
    kinds: list[str] = []
    found: BaseException | None = error
    while found is not None and len(kinds) < 5:
        kinds.append(type(found).__name__)
        found = found.__cause__ or found.__context__
    frames = traceback.extract_tb(error.__traceback__)
    # Our own steps, and the last one, wherever it was.
    ours = [frame for frame in frames[:-1] if Path(frame.filename).is_relative_to(HERE)]
    places = [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in (*ours[-11:], *frames[-1:])
    ]
    return {"fault": kinds, "at": places}


def _without_words(_logger: Any, _method: str, event: Any) -> Any:
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event.update(without_words(error))
    return event


def _dumps(value: object, **_options: object) -> str:
    return orjson.dumps(value, default=str).decode()
