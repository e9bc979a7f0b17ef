"""Versions: which one the caller believes they are changing, and what makes the next one."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

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


def merge(thing: Any, patch: Mapping[str, Any]) -> list[str]:
    """Puts a merge patch into a thing, and gives the members that are not as they were.

    They make its next version. A patch that says only what is so already changes nothing: for
    such a one the list is empty, and there is nothing to record.
    """
    changed = [member for member, value in patch.items() if getattr(thing, member) != value]
    for member in changed:
        setattr(thing, member, patch[member])
    if changed:
        thing.version += 1
    return changed


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
