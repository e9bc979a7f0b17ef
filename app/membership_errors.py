"""What is refused of memberships beyond the common refusals: pauses, and what a person is."""

from app.problem import Problem


class MembershipAlreadyPaused(Problem):
    """A pause runs already, or is to come."""

    status, code = 409, "membership.already_paused"


class MembershipNotPaused(Problem):
    """There is no pause to end."""

    status, code = 409, "membership.not_paused"


class MembershipClaimed(Problem):
    """Whose membership it is has been settled: it is the caller's own, and ends as such."""

    status, code = 409, "membership.claimed_already"


class OwnVerification(Problem):
    """Nobody decides what is to be verified of themselves."""

    status, code = 403, "eligibility.own"


class SecondVerifierNeeded(Problem):
    """Two people have to agree, and this one has confirmed it already."""

    status, code = 409, "eligibility.second_person_needed"


class VerificationDecided(Problem):
    """The verification is over: decided, withdrawn or revoked."""

    status, code = 409, "eligibility.already_decided"


class VerificationNotConfirmed(Problem):
    """Only what is confirmed can be revoked."""

    status, code = 409, "eligibility.not_confirmed"


class VerificationOpen(Problem):
    """Somebody's verification here is being looked at already."""

    status, code = 409, "eligibility.already_open"


class CommunityOpenToAll(Problem):
    """The community asks for no verification."""

    status, code = 409, "eligibility.not_asked_for"


class EvidenceSeen(Problem):
    """The first of two people has confirmed by what is there: the second looks at the same."""

    status, code = 409, "eligibility.evidence_seen"


class EvidenceUnsupported(Problem):
    """Evidence is a PDF, a PNG or a JPEG, by its bytes."""

    status, code = 415, "eligibility.evidence_unsupported"
