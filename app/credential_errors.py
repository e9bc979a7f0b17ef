"""What can go wrong with credentials of machines; errors.py has the refusals of everything else."""

from app.problem import Problem


class ClientInvalid(Problem):
    """The client_id and the client_secret do not go together, or are not good (any more)."""

    status, code = 401, "auth.invalid_client"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Basic realm="communities"'})


class ScopeUnavailable(Problem):
    """A scope was asked for that the partner does not have."""

    status, code = 422, "auth.scope_unavailable"


class TooManyAccessTokens(Problem):
    """A person has so many personal access tokens already."""

    status, code = 409, "access_token.too_many"


class TooManyCredentials(Problem):
    """A partner has so many credentials already."""

    status, code = 409, "credential.too_many"
