"""Whether the server can do its work."""

from datetime import timedelta

import sqlalchemy as sa

from app import clock, errors
from app.models import Association
from app.reader import Prepared, Reader

_LOADED = Prepared(sa.select(Association.contact_email))


async def refuse_unready(reader: Reader) -> None:
    """Raises Unavailable unless the database answers and the defaults are loaded."""
    if await reader.first(_LOADED) is None:
        raise errors.Unavailable


async def security_text(reader: Reader) -> str:
    """Whom to write to, good for a year from today."""
    row = await reader.one(_LOADED)
    expires = (clock.now() + timedelta(days=365)).replace(microsecond=0)
    stamp = expires.isoformat().replace("+00:00", "Z")
    return f"Contact: mailto:{row.contact_email}\nExpires: {stamp}\nPreferred-Languages: en, fr\n"
