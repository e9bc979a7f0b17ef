"""Preconditions: which version of a thing the caller believes they are changing."""

import re
from typing import NamedTuple

from app import errors

_VERSION = re.compile(r"[0-9]{1,18}")


class Expected(NamedTuple):
    """The version of an If-Match header; None for any."""

    version: int | None

    def check(self, version: int) -> None:
        """Raises PreconditionFailed if somebody changed it in between."""
        if self.version is not None and self.version != version:
            raise errors.PreconditionFailed


ANY = Expected(None)


def read(if_match: str | None) -> Expected:
    """The expectation that an If-Match header states.

    An ETag is `"<version>-<digest of what the caller saw>"`; only the version is compared, since
    what is shown beside it (what one may do) changes without anybody's editing.
    """
    if if_match is None or if_match.strip() == "*":
        return ANY
    tag = if_match.strip().removeprefix("W/").strip('"')
    version = tag.split("-", 1)[0]
    return Expected(int(version) if _VERSION.fullmatch(version) else -1)


def known(if_none_match: str | None) -> frozenset[str]:
    """The ETags of what the client has already; `*` stands for anything."""
    if if_none_match is None:
        return frozenset()
    return frozenset(tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
