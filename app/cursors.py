"""Opaque cursors: where a list stopped, sealed to the list, its filters and its order."""

import base64
import binascii
import hashlib
import hmac
from typing import Any

import orjson

from app import errors, settings

SEAL_BYTES = 9


def _seal(payload: bytes, fingerprint: str) -> bytes:
    key = hashlib.sha256(b"cursor:" + settings.get().secret.encode()).digest()
    return hmac.new(key, fingerprint.encode() + b"\n" + payload, hashlib.sha256).digest()[
        :SEAL_BYTES
    ]


def sealed(values: list[Any], fingerprint: str) -> str:
    """A cursor over these values, good only for a list with the same fingerprint."""
    payload = orjson.dumps(values, option=orjson.OPT_UTC_Z, default=str)
    return base64.urlsafe_b64encode(_seal(payload, fingerprint) + payload).rstrip(b"=").decode()


def opened(cursor: str, fingerprint: str) -> list[Any]:
    """The values of a cursor. Raises CursorInvalid for what this server did not make for this."""
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        seal, payload = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
        if not hmac.compare_digest(seal, _seal(payload, fingerprint)):
            raise errors.CursorInvalid
        values = orjson.loads(payload)
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise errors.CursorInvalid from error
    if not isinstance(values, list):
        raise errors.CursorInvalid
    return values
