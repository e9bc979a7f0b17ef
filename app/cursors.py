"""Opaque cursors: where a list stopped, sealed to the list, its filters and its order.

They are unreadable, not only sealed: the place at which a list goes on can tell of things that the
list passes over (the catalogue's places have a gap where a community is hidden).
"""

import base64
import binascii
import hashlib
import hmac
from typing import Any

import orjson

from app import errors, settings

SEAL_BYTES = 16


def _seal(payload: bytes, fingerprint: str) -> bytes:
    key = hashlib.sha256(b"cursor:" + settings.get().secret.encode()).digest()
    made = hmac.new(key, fingerprint.encode() + b"\n" + payload, hashlib.sha256).digest()
    return made[:SEAL_BYTES]


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sealed(values: list[Any], fingerprint: str) -> str:
    """A cursor over these values, good only for a list with the same fingerprint."""
    payload = orjson.dumps(values, option=orjson.OPT_UTC_Z, default=str)
    return _written(_seal(payload, fingerprint) + payload)


def opened(cursor: str, fingerprint: str) -> list[Any]:
    """The values of a cursor. Raises CursorInvalid for what this server did not make for this."""
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise errors.CursorInvalid from error
    seal, payload = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
    genuine = hmac.compare_digest(seal, _seal(payload, fingerprint))
    if not genuine or _written(raw) != cursor:  # one spelling of each, the one that was given
        raise errors.CursorInvalid
    return orjson.loads(payload)
