"""What can go wrong with ways into a community; errors.py has the refusals of everything else."""

from app.problem import Problem


class NotTakingRequests(Problem):
    """A community that was asked for admits by invitation only, or nobody for now."""

    status, code = 409, "community.not_taking_requests"


class CommunityClosed(Problem):
    """The community takes no new members for now, invited or not."""

    status, code = 409, "community.closed"


class TooManyInvitations(Problem):
    """So many invitations of one community are open already."""

    status, code = 409, "invitation.too_many"


class InvitationNotOpen(Problem):
    """The invitation was answered or revoked, or its last day is over."""

    status, code = 409, "invitation.not_open"


class InvitationVoid(Problem):
    """Whoever invited may no longer do so."""

    status, code = 409, "invitation.void"
