"""What is refused of provisioning; each has beside its own code the keyword that SCIM has for it.

On the wire these are SCIM's own errors (RFC 7644, 3.12) and not problem+json: see scim.py.
"""

from typing import ClassVar

from app.problem import Problem


class Keyword:
    """A refusal for which SCIM has a word."""

    scim_type: ClassVar[str]


class FilterUnusable(Keyword, Problem):
    """The filter cannot be read, or asks for what cannot be filtered by."""

    status, code, scim_type = 400, "provisioning.filter", "invalidFilter"


class PathUnusable(Keyword, Problem):
    """The path of a PATCH operation, or of a sort, leads nowhere."""

    status, code, scim_type = 400, "provisioning.path", "invalidPath"


class ValueUnusable(Keyword, Problem):
    """A value is missing, or none that the attribute takes."""

    status, code, scim_type = 400, "provisioning.value", "invalidValue"


class SyntaxUnusable(Keyword, Problem):
    """The body is not what the operation takes."""

    status, code, scim_type = 400, "provisioning.syntax", "invalidSyntax"


class TargetMissing(Keyword, Problem):
    """A PATCH operation has nothing to work on."""

    status, code, scim_type = 400, "provisioning.target", "noTarget"


class Unchangeable(Keyword, Problem):
    """The attribute is not the client's to change."""

    status, code, scim_type = 400, "provisioning.mutability", "mutability"


class TooMuch(Keyword, Problem):
    """More operations or members than one request may have."""

    status, code, scim_type = 413, "provisioning.too_much", "tooMany"


class MemberUnknown(Keyword, Problem):
    """No user of this partner's has such an id."""

    status, code, scim_type = 400, "provisioning.member_unknown", "invalidValue"


class UserNameTaken(Keyword, Problem):
    """The partner has a user of this name already."""

    status, code, scim_type = 409, "provisioning.user_name_taken", "uniqueness"


class ExternalIdTaken(Keyword, Problem):
    """The partner has given this identifier already."""

    status, code, scim_type = 409, "provisioning.external_id_taken", "uniqueness"


class SeatHeld(Problem):
    """The membership is a seat-holder's, which no directory ends."""

    status, code = 409, "provisioning.seat_held"


class GroupsFixed(Problem):
    """Communities are made and ended by the association."""

    status, code = 403, "provisioning.groups_fixed"


class PartnerRequired(Problem):
    """Provisioning is for machines of partner organisations."""

    status, code = 403, "provisioning.partner_required"


_BY_KEYWORD: dict[str | None, type[Problem]] = {
    problem.scim_type: problem
    for problem in (FilterUnusable, PathUnusable, SyntaxUnusable, TargetMissing, Unchangeable)
}


def of(keyword: str | None) -> Problem:
    """The refusal for a keyword of SCIM's."""
    return _BY_KEYWORD.get(keyword, ValueUnusable)()
