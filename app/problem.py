"""What every refusal is, and the refusals of HTTP itself, which any operation can give."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from app import texts

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A refusal: `facts` fill its text, `members` are shown beside it, `headers` go with it."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(
        self,
        *,
        facts: Mapping[str, object] | None = None,
        members: Mapping[str, Any] | None = None,
        errors: Sequence[Mapping[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(self.code)
        self.facts = dict(facts or {})
        self.members = dict(members or {})
        self.errors = list(errors or [])
        self.headers = dict(headers or {})

    def document(self, language: str, base_url: str, path: str, request_id: str) -> dict[str, Any]:
        """The problem+json document (RFC 9457) in the reader's language."""
        document: dict[str, Any] = {
            "type": f"{base_url}/problems#{self.code}",
            "title": texts.text("problems", f"{self.code}.title", language),
            "status": self.status,
            "detail": texts.text("problems", f"{self.code}.detail", language, **self.facts),
            "instance": path,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            document["errors"] = [_in_words(error, language) for error in self.errors]
        for name, value in self.members.items():
            document[name] = (
                [_in_words(item, language) for item in value]
                if name == "because" and isinstance(value, list)
                else value
            )
        return document


def _in_words(item: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Adds the sentence for an item's code: of a field's error, or of a 'because'."""
    facts = {key: value for key, value in item.items() if key not in ("pointer", "parameter")}
    group = "because" if "pointer" not in item and "parameter" not in item else "errors"
    return {**item, "detail": texts.text("problems", f"{group}.{item['code']}", language, **facts)}


def field(pointer: str, code: str) -> dict[str, str]:
    """One entry of a validation problem: where in the body, and what is wrong there."""
    return {"pointer": pointer, "code": code}


def parameter(name: str, code: str) -> dict[str, str]:
    """One entry of a validation problem: which parameter, and what is wrong with it."""
    return {"parameter": name, "code": code}


# Any request


class Malformed(Problem):
    """The body is not JSON, or not the JSON that this server takes."""

    status, code = 400, "malformed"


class BadRequest(Problem):
    """The request as a whole cannot be read."""

    status, code = 400, "request.unreadable"


class Unauthenticated(Problem):
    """No credentials where they are needed, or bad ones."""

    status, code = 401, "auth.required"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="communities"'})


class TokenInvalid(Problem):
    """The credentials sent are not good (any more)."""

    status, code = 401, "auth.token_invalid"

    def __init__(self) -> None:
        challenge = 'Bearer realm="communities", error="invalid_token"'
        super().__init__(headers={"WWW-Authenticate": challenge})


class PersonRequired(Problem):
    """This is for people, and the caller is a partner organisation's machine."""

    status, code = 403, "person.required"


class NotFound(Problem):
    """Nothing is here, or nothing that the caller may see: one answer for both."""

    status, code = 404, "not_found"


class MethodNotAllowed(Problem):
    """The path exists, for other methods."""

    status, code = 405, "method_not_allowed"


class BodyTooLarge(Problem):
    """The body is larger than the operation takes."""

    status, code = 413, "body.too_large"

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})  # the rest of it is not read


class HeadTooLarge(Problem):
    """The request line and the headers are larger than the server reads."""

    status, code = 431, "head.too_large"


class MediaTypeUnsupported(Problem):
    """The body is of a type that the operation does not take, or says no type."""

    status, code = 415, "media_type.unsupported"


class Invalid(Problem):
    """The request has the wrong shape; `errors` says where."""

    status, code = 422, "validation.failed"


class CursorInvalid(Problem):
    """The cursor was not made by this server for this list with these filters."""

    status, code = 422, "cursor.invalid"


class TooManyRequests(Problem):
    """A limit is used up; Retry-After says until when."""

    status, code = 429, "rate_limit.exceeded"


class Internal(Problem):
    """A fault of the server's; the log has it under the request's id."""

    status, code = 500, "internal"


class Unavailable(Problem):
    """The database is away or busy."""

    status, code = 503, "service.unavailable"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


# Retries and preconditions


class IdempotencyKeyInvalid(Problem):
    """The Idempotency-Key has no or too many characters."""

    status, code = 400, "idempotency_key.invalid"


class IdempotencyKeyReused(Problem):
    """The key was used for another request."""

    status, code = 422, "idempotency_key.reused"


class IdempotencyKeyInUse(Problem):
    """The first request with this key is still running."""

    status, code = 409, "idempotency_key.in_use"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class IdempotencyAnswerGone(Problem):
    """The first answer showed a secret once and was not kept."""

    status, code = 409, "idempotency_key.answer_not_kept"


class PreconditionFailed(Problem):
    """Somebody changed it since the caller read it."""

    status, code = 412, "precondition.failed"


class PreconditionRequired(Problem):
    """Several people edit this; If-Match is needed."""

    status, code = 428, "precondition.required"


EVERYWHERE: tuple[type[Problem], ...] = (
    Malformed,
    BadRequest,
    Unauthenticated,
    TokenInvalid,
    NotFound,
    MethodNotAllowed,
    BodyTooLarge,
    HeadTooLarge,
    MediaTypeUnsupported,
    Invalid,
    TooManyRequests,
    Internal,
    Unavailable,
)


# What POST operations with an Idempotency-Key, and those with If-Match, can also refuse.
RETRIED: tuple[type[Problem], ...] = (
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    IdempotencyKeyInUse,
    IdempotencyAnswerGone,
)
EDITED_BY_SEVERAL: tuple[type[Problem], ...] = (PreconditionFailed, PreconditionRequired)
