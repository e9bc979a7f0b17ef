"""What can go wrong with requests to join; errors.py has the refusals of deciding about one."""

from app.problem import Problem


class JoinRequestExpired(Problem):
    """The last day for the answer to a question is over, and the request with it."""

    status, code = 409, "join_request.expired"


class InformationRequested(Problem):
    """One question is open at a time; the applicant has to answer it first."""

    status, code = 409, "join_request.information_requested"


class InformationNotRequested(Problem):
    """No question is open, so there is nothing to answer."""

    status, code = 409, "join_request.information_not_requested"
