"""What can go wrong in an election; errors.py has the refusals of everything else."""

from app.problem import Problem


class OwnCandidacy(Problem):
    """Whoever stands in an election neither counts, certifies nor cancels it."""

    status, code = 403, "election.own_candidacy"


class NotOnRoll(Problem):
    """Only those who could vote at the first moment of voting are on the roll."""

    status, code = 403, "election.not_on_roll"


class WrongPhase(Problem):
    """The election is not in the phase in which this is done; `phase` says in which it is."""

    status, code = 409, "election.wrong_phase"


class NotCertified(Problem):
    """The result is published with its certification."""

    status, code = 409, "election.not_certified"


class WinnerUnfit(Problem):
    """Somebody who was elected cannot hold the seat; `nomination_id` and `reason` say who and why.

    Record their withdrawal, then the next is elected; or record an exception.
    """

    status, code = 409, "election.winner_unfit"


class NominationExists(Problem):
    """The person has been nominated for this contest."""

    status, code = 409, "nomination.exists"


class StandsElsewhere(Problem):
    """A person stands in one contest of an election at most."""

    status, code = 409, "nomination.stands_elsewhere"


class NominationWithdrawn(Problem):
    """The nomination was withdrawn."""

    status, code = 409, "nomination.withdrawn"


class CandidateFit(Problem):
    """Nobody strikes somebody else who may hold the seat."""

    status, code = 409, "nomination.fit"


class OwnException(Problem):
    """Nobody makes an exception for themselves."""

    status, code = 403, "election.own_exception"


class BallotAlreadyCast(Problem):
    """Each voter has one vote."""

    status, code = 409, "ballot.already_cast"
