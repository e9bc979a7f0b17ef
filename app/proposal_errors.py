"""What can go wrong with proposals of communities; errors.py has the other refusals."""

from app.problem import Problem


class OwnProposal(Problem):
    """Nobody supports a proposal of their own, nor decides about one that they stand behind."""

    status, code = 403, "proposal.own"


class ProposalNotOpen(Problem):
    """The proposal was decided or withdrawn, or its proposer's address is not confirmed yet."""

    status, code = 409, "proposal.not_open"


class ProposalAlreadyDecided(Problem):
    """A proposal is decided once."""

    status, code = 409, "proposal.already_decided"


class ProposalOpenAlready(Problem):
    """A person has one open proposal at a time."""

    status, code = 409, "proposal.open_already"
