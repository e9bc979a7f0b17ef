"""Whoever runs a command beside the database: they may what the software may, and are recorded as
the software is, since nobody has signed in."""

from dataclasses import replace

from app.policy import Standing
from app.reader import Reader
from app.services import standing as standings


async def standing_of(reader: Reader, community: str | None = None) -> Standing:
    """The operator's standing in a community, by id or slug, or in the association.

    Raises NotFound for a community that is not there.
    """
    where = standings.NOWHERE if community is None else standings.at(community)
    return replace(await standings.of_nobody(reader, where), operator=True)
