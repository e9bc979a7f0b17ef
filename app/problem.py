"""What every refusal is: a status, a code, and a problem+json document in the reader's language."""

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
