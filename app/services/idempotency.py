"""Safe retries: the first answer to a request with an Idempotency-Key, written with its effect.

The key's row is the first thing that the unit of work writes. A second request with the same key
waits at that row (PostgreSQL) or for the writer's turn (SQLite) until the first is decided, then
answers as it did. A refusal keeps nothing: the same request may succeed later.
"""

import asyncio
import hashlib
import re
from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from app import clock, errors
from app.db import Work, gave_up_waiting, insert_ignoring
from app.models import IdempotencyKey

KEPT = timedelta(hours=24)
WAIT_SECONDS = 5
KEPT_HEADERS = ("content-type", "etag", "link")


class Kept(NamedTuple):
    """The answer that the first request got."""

    status: int
    headers: dict[str, str]
    body: bytes


_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def _hash(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


async def begin(state: Any, key: str, secret_once: bool) -> Kept | None:
    """Claims the key for this request, or gives the answer that was given before.

    Raises IdempotencyKeyReused for another body, IdempotencyKeyInUse while the first one runs.
    """
    if not _KEY.fullmatch(key):
        raise errors.IdempotencyKeyInvalid
    work: Work | None = getattr(state, "work", None)
    if work is None:
        return None
    body = state.body_for_key
    credential = getattr(state, "credential", None) or f"public:{_hash(body)[:40]}"
    claim = {
        "credential": credential,
        "key_hash": _hash(key.encode()),
        "request_hash": _hash(state.operation.encode(), body),
        "created_at": clock.now(),
    }
    try:
        async with asyncio.timeout(WAIT_SECONDS + 0.5):
            claimed = await work.written(insert_ignoring(work, IdempotencyKey, claim))
    except DBAPIError as error:
        if not gave_up_waiting(error):
            raise
        raise errors.IdempotencyKeyInUse from error
    except (TimeoutError, sa.exc.TimeoutError) as error:
        raise errors.IdempotencyKeyInUse from error
    if claimed:
        state.idempotency = (credential, claim["key_hash"], secret_once)
        return None
    kept = await work.get(IdempotencyKey, (claim["credential"], claim["key_hash"]))
    if kept is None:
        raise errors.IdempotencyKeyInUse
    if kept.created_at < clock.now() - KEPT:
        # Older than we promise to keep: the key is free again.
        kept.request_hash, kept.created_at = claim["request_hash"], claim["created_at"]
        kept.status = kept.body = kept.headers = None
        state.idempotency = (credential, claim["key_hash"], secret_once)
        return None
    return _replayed(kept, claim["request_hash"])


def _replayed(kept: IdempotencyKey, request_hash: str) -> Kept:
    if kept.request_hash != request_hash:
        raise errors.IdempotencyKeyReused
    if kept.body is None or kept.status is None:
        raise errors.IdempotencyAnswerGone
    return Kept(kept.status, dict(kept.headers or {}), kept.body)


async def keep(state: Any, status: int, headers: dict[str, str], body: bytes) -> None:
    """Writes the answer beside its effect, in the unit of work that is about to end."""
    claimed = getattr(state, "idempotency", None)
    if claimed is None:
        return
    credential, key_hash, secret_once = claimed
    if secret_once:
        return
    await state.work.execute(
        sa.update(IdempotencyKey)
        .where(
            col(IdempotencyKey.credential) == credential,
            col(IdempotencyKey.key_hash) == key_hash,
        )
        .values(
            status=status,
            headers={name: value for name, value in headers.items() if name in KEPT_HEADERS},
            body=body,
        )
    )
