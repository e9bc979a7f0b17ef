"""The form to join, with something changed in it."""

from typing import Any

import httpx
import sqlalchemy as sa

from app.models import JoinRequest
from tests.answers import FORM
from tests.cast import Api


async def asked(api: Api, **changed: Any) -> httpx.Response:
    """The answer to a form that is good but for these members."""
    return await api.post("/join-requests", FORM | changed)


async def stored(api: Api) -> list[Any]:
    """What is kept of the forms that were taken, in their order."""
    columns = (JoinRequest.name, JoinRequest.email, JoinRequest.email_key)
    return await api.read(sa.select(*columns).order_by(JoinRequest.id))
