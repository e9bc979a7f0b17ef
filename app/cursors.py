"""Opaque cursors: where a list stopped, sealed to the list, its filters and its order.

They are unreadable, not only sealed: the place at which a list goes on can tell of things that the
list passes over (the catalogue's places have a gap where a community is hidden).
"""

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache
from typing import Any

import orjson

from app import errors, settings

SEAL_BYTES = 16
BLOCK_BYTES = 48  # the length would tell how many digits a place has


@lru_cache
def _derived(purpose: bytes, secret: str) -> bytes:
    return hashlib.sha256(purpose + secret.encode()).digest()


def _key(purpose: bytes) -> bytes:
    return _derived(purpose, settings.get().secret)


def _seal(payload: bytes, fingerprint: str) -> bytes:
    sealed_text = fingerprint.encode() + b"\n" + payload
    return hmac.new(_key(b"cursor:"), sealed_text, hashlib.sha256).digest()[:SEAL_BYTES]


def _veiled(seal: bytes, payload: bytes) -> bytes:
    """The payload under a stream that its seal begins; the same once more unveils it."""
    stream = hashlib.shake_256(_key(b"cursor veil:") + seal).digest(len(payload))
    veiled = int.from_bytes(payload) ^ int.from_bytes(stream)
    return veiled.to_bytes(len(payload))


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sealed(values: list[Any], fingerprint: str) -> str:
    """A cursor over these values, good only for a list with the same fingerprint."""
    payload = orjson.dumps(values, option=orjson.OPT_UTC_Z, default=str)
    payload += b" " * (-len(payload) % BLOCK_BYTES)
    seal = _seal(payload, fingerprint)
    return _written(seal + _veiled(seal, payload))


def opened(cursor: str, fingerprint: str) -> list[Any]:
    """The values of a cursor. Raises CursorInvalid for what this server did not make for this."""
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise errors.CursorInvalid from error
    seal = raw[:SEAL_BYTES]
    payload = _veiled(seal, raw[SEAL_BYTES:])
    genuine = hmac.compare_digest(seal, _seal(payload, fingerprint))
    if not genuine or _written(raw) != cursor:  # one spelling of each, the one that was given
        raise errors.CursorInvalid
    return orjson.loads(payload)
