"""Ceilings: to whom a capability may be granted at most, whatever the permission table says."""

from enum import StrEnum

from app.capabilities import ACCOUNT, CONTENT, OPEN_TO_ALL, PUBLIC, Capability


class Ceiling(StrEnum):
    """How far a capability may be given away.

    `everyone`: to anybody. `members`: to nobody who is only public or an account.
    `members_of_restricted`: neither, and where a community is restricted to nobody but its own
    verified members, whatever position in the association somebody holds.
    """

    EVERYONE = "everyone"
    MEMBERS = "members"
    MEMBERS_OF_RESTRICTED = "members_of_restricted"


def of(capability: Capability) -> Ceiling:
    """The ceiling of a capability: a fact of the product, which no association can raise."""
    if capability in OPEN_TO_ALL:
        return Ceiling.EVERYONE
    return Ceiling.MEMBERS_OF_RESTRICTED if capability in CONTENT else Ceiling.MEMBERS


def exceeded(capability: Capability, grantee: str) -> bool:
    """True if this capability may never be given to this grantee.

    That content of a restricted community is for its verified members alone is no matter of the
    table: Standing holds to it at each request, since restrictions come and go.
    """
    return grantee in (PUBLIC, ACCOUNT) and of(capability) is not Ceiling.EVERYONE
