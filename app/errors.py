"""What can go wrong: every refusal is a class with a status and a code that clients may rely on.

Titles and details are texts/<language>/problems.toml. A route declares the refusals that are its
own with `problems(...)`; those that any request can meet are in EVERYWHERE.
"""

from typing import Any

from app import import_errors as import_errors
from app.problem import EDITED_BY_SEVERAL as EDITED_BY_SEVERAL
from app.problem import EVERYWHERE as EVERYWHERE
from app.problem import MEDIA_TYPE as MEDIA_TYPE
from app.problem import RETRIED as RETRIED
from app.problem import BadRequest as BadRequest
from app.problem import BodyTooLarge as BodyTooLarge
from app.problem import CursorInvalid as CursorInvalid
from app.problem import HeadTooLarge as HeadTooLarge
from app.problem import IdempotencyAnswerGone as IdempotencyAnswerGone
from app.problem import IdempotencyKeyInUse as IdempotencyKeyInUse
from app.problem import IdempotencyKeyInvalid as IdempotencyKeyInvalid
from app.problem import IdempotencyKeyReused as IdempotencyKeyReused
from app.problem import Internal as Internal
from app.problem import Invalid as Invalid
from app.problem import Malformed as Malformed
from app.problem import MediaTypeUnsupported as MediaTypeUnsupported
from app.problem import MethodNotAllowed as MethodNotAllowed
from app.problem import NotFound as NotFound
from app.problem import PersonRequired as PersonRequired
from app.problem import PreconditionFailed as PreconditionFailed
from app.problem import PreconditionRequired as PreconditionRequired
from app.problem import Problem as Problem
from app.problem import TokenInvalid as TokenInvalid
from app.problem import TooManyRequests as TooManyRequests
from app.problem import Unauthenticated as Unauthenticated
from app.problem import Unavailable as Unavailable
from app.problem import field as field
from app.problem import parameter as parameter

# Rights


class PermissionDenied(Problem):
    """The caller may see this and may not do that; `because` says why not."""

    status, code = 403, "permission.denied"


class OwnTerm(Problem):
    """Nobody begins or removes a term of their own."""

    status, code = 403, "term.own"


class RulesAgreementRequired(Problem):
    """Taking part needs the agreement to the rules in force; `rules_version` names it."""

    status, code = 403, "rules.agreement_required"


class OwnCase(Problem):
    """A review of one's own post, or one that the caller reported, is for somebody else."""

    status, code = 403, "review.own_case"


class OwnRequest(Problem):
    """Nobody decides their own request."""

    status, code = 403, "join_request.own"


class OwnMembership(Problem):
    """Nobody suspends or restores their own membership."""

    status, code = 403, "membership.own"


# Signing in


class CredentialsInvalid(Problem):
    """The address or the password is wrong; which one is not said."""

    status, code = 401, "auth.invalid_credentials"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="communities"'})


class RefreshTokenInvalid(Problem):
    """The refresh token is unknown, expired, spent, or its session has ended."""

    status, code = 401, "auth.refresh_token_invalid"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="communities"'})


class GrantTypeUnsupported(Problem):
    """Only the grant types that the documentation names are offered."""

    status, code = 422, "auth.grant_type_unsupported"


class SignInThrottled(TooManyRequests):
    """Too many failed sign-ins to this account from this address of the network."""

    code = "auth.too_many_failures"


class MailedTokenInvalid(Problem):
    """The link was used, has expired, or never was."""

    status, code = 409, "mailed_token.invalid"


class PasswordWeak(Problem):
    """The password is too easy to guess."""

    status, code = 422, "password.weak"


# State


class CommunityArchived(Problem):
    """The community is archived: it can be read and not written to."""

    status, code = 409, "community.archived"


class SlugTaken(Problem):
    """Another community has this slug."""

    status, code = 409, "community.slug_taken"


class RulesVersionOutdated(Problem):
    """The version agreed to is not the one in force; `rules_version` is."""

    status, code = 409, "rules.version_outdated"


class RulesVersionNumberTaken(Problem):
    """Somebody else has published a version since the one that was read."""

    status, code = 409, "rules.version_taken"


class JoinRequestAlreadyDecided(Problem):
    """A request is decided once."""

    status, code = 409, "join_request.already_decided"


class JoinRequestNotPending(Problem):
    """The request is not (yet) waiting for a decision."""

    status, code = 409, "join_request.not_pending"


class EligibilityNotVerified(Problem):
    """The community admits only people whose eligibility has been verified."""

    status, code = 409, "eligibility.not_verified"


class MembershipExists(Problem):
    """The person belongs to this community already."""

    status, code = 409, "membership.exists"


class MembershipEnded(Problem):
    """The membership has ended."""

    status, code = 409, "membership.ended"


class MembershipNotSuspended(Problem):
    """There is no suspension to lift."""

    status, code = 409, "membership.not_suspended"


class MembershipAlreadySuspended(Problem):
    """The membership is suspended already."""

    status, code = 409, "membership.already_suspended"


class SeatTaken(Problem):
    """Every seat of this position is held on some of these days."""

    status, code = 409, "term.seat_taken"


class SeatInUse(Problem):
    """Seats that are held or promised cannot be closed; `communities` says in how many."""

    status, code = 409, "seat.in_use"


class PositionCodeTaken(Problem):
    """Another position, or a group of people, has this code."""

    status, code = 409, "position.code_taken"


class SubcommitteeDissolved(Problem):
    """The subcommittee was dissolved; it can be read and not changed."""

    status, code = 409, "subcommittee.dissolved"


class PersonDeactivated(Problem):
    """The person's account has been deactivated."""

    status, code = 409, "person.deactivated"


class OwnAccount(Problem):
    """Nobody deactivates or reactivates their own account."""

    status, code = 403, "person.own"


class PersonHoldsSeat(Problem):
    """The person holds a seat in this community on some of these days."""

    status, code = 409, "term.person_holds_seat"


class TermNotAMember(Problem):
    """Only a member of the community can hold a seat in it."""

    status, code = 409, "term.not_a_member"


class TermNotEligible(Problem):
    """The position asks for another category of membership, or a longer one."""

    status, code = 409, "term.not_eligible"


class TermConsecutive(Problem):
    """The position is not held twice in a row, unless an exception is recorded."""

    status, code = 409, "term.consecutive"


class SeatOccupied(Problem):
    """The holder of the seat is there; nobody acts in it."""

    status, code = 409, "seat.occupied"


class AbsenceDeclared(Problem):
    """An absence was declared at the same moment."""

    status, code = 409, "absence.declared"


class TermEnded(Problem):
    """The term is over."""

    status, code = 409, "term.ended"


class TermNotBegun(Problem):
    """The term has not begun; nothing can be resigned from yet."""

    status, code = 409, "term.not_begun"


class IdentityIncomplete(Problem):
    """Each communication shows an occupation or affiliation; the person's profile has neither."""

    status, code = 409, "identity.incomplete"


class DiscussionLocked(Problem):
    """The discussion takes no more replies."""

    status, code = 409, "discussion.locked"


class PostNotVisible(Problem):
    """The post is hidden or deleted."""

    status, code = 409, "post.not_visible"


class PostOpensDiscussion(Problem):
    """The opening post of a discussion with replies stays."""

    status, code = 409, "post.opens_discussion"


class PostAlreadyReported(Problem):
    """One person reports a post once while its review is open."""

    status, code = 409, "report.exists"


class OwnPostReported(Problem):
    """One's own post can be edited or deleted; there is nothing to report."""

    status, code = 409, "report.own_post"


class ReviewChanged(Problem):
    """The review is not as the caller saw it; `version` is what it is now."""

    status, code = 409, "review.changed"


class ReviewDecided(Problem):
    """The review has been decided."""

    status, code = 409, "review.decided"


class ReviewNotDecided(Problem):
    """There is no decision to reverse."""

    status, code = 409, "review.not_decided"


class GrantCeiling(Problem):
    """This capability may never be given to that grantee."""

    status, code = 409, "grant.ceiling"


class GrantLastHolder(Problem):
    """Nobody would be left who may change the table."""

    status, code = 409, "grant.last_holder"


class GrantUnchanged(Problem):
    """The table says this already."""

    status, code = 409, "grant.unchanged"


class GrantChangeStale(Problem):
    """What is to be changed is not as it was when the change was based on it."""

    status, code = 409, "grant_change.stale"


class GrantChangeDecided(Problem):
    """The change was made, refused or withdrawn."""

    status, code = 409, "grant_change.decided"


class OwnGrantChange(Problem):
    """Nobody confirms or refuses a change that they proposed."""

    status, code = 403, "grant_change.own"


def problems(*refusals: type[Problem]) -> dict[str, Any]:
    """What a route adds to its operation: the codes that are its own, beside EVERYWHERE's."""
    return {"x-problems": sorted(refusal.code for refusal in refusals)}


def catalogue() -> list[type[Problem]]:
    """Every refusal there is, for openapi/problems.md and the page of problems."""

    def below(kind: type[Problem]) -> list[type[Problem]]:
        return [kind, *(found for child in kind.__subclasses__() for found in below(child))]

    unique = {refusal.code: refusal for refusal in below(Problem)[1:]}
    return sorted(unique.values(), key=lambda refusal: (refusal.status, refusal.code))
