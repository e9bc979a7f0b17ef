"""What is wrong with the shape of a request, in stable codes with pointers, echoing nothing."""

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from app import errors

LARGEST_REPORT = 50

# pydantic's types of error, as the contract's codes.
_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_member",
    "string_type": "wrong_type",
    "int_type": "wrong_type",
    "int_parsing": "wrong_type",
    "int_parsing_size": "wrong_type",
    "int_from_float": "wrong_type",
    "float_type": "wrong_type",
    "bool_type": "wrong_type",
    "bool_parsing": "wrong_type",
    "list_type": "wrong_type",
    "dict_type": "wrong_type",
    "model_type": "wrong_type",
    "model_attributes_type": "wrong_type",
    "none_required": "wrong_type",
    "string_too_short": "too_short",
    "text_too_short": "too_short",
    "string_too_long": "too_long",
    "text_too_long": "too_long",
    "too_short": "too_few",
    "too_long": "too_many",
    "greater_than": "too_small",
    "greater_than_equal": "too_small",
    "less_than": "too_large",
    "less_than_equal": "too_large",
    "string_pattern_mismatch": "pattern_mismatch",
    "enum": "not_one_of",
    "literal_error": "not_one_of",
    "string_unicode": "text_not_unicode",
    "text_not_unicode": "text_not_unicode",
    "text_control_characters": "text_control_characters",
    "email_invalid": "email_invalid",
    "day_invalid": "day_invalid",
    "day_too_far": "day_too_far",
    "instant_invalid": "instant_invalid",
    "id_invalid": "id_invalid",
    "uuid_parsing": "id_invalid",
    "uuid_type": "id_invalid",
    "language_invalid": "language_invalid",
    "mapping_twice": "duplicate",
    "json_invalid": "wrong_type",
}
_BOUNDS = {
    "minimum": ("minimum", "min_length", "ge", "gt"),
    "maximum": ("maximum", "max_length", "le", "lt"),
}
_INTEGER_LIMIT = 2**63


def problems_of(request: Request, error: RequestValidationError) -> errors.Problem:
    """The one problem that says what is wrong with a request.

    A path that cannot be the address of anything is 404; a body that is not JSON 400; a body of
    another type 415; everything else 422 with pointers.
    """
    found = list(error.errors())
    if any(item["loc"][:1] == ("path",) for item in found):
        return errors.NotFound()
    if getattr(request.state, "malformed", False):
        return errors.Malformed()
    sent = any(item["loc"] == ("body",) and item["type"] != "missing" for item in found)
    if sent and not _is_json(request):
        return errors.MediaTypeUnsupported()
    entries = [_entry(item) for item in found[:LARGEST_REPORT]]
    if any(entry.get("parameter") == "cursor" for entry in entries):
        return errors.CursorInvalid()
    return errors.Invalid(errors=_unique(entries))


def _unique(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    for entry in entries:
        if entry not in seen:
            seen.append(entry)
    return seen


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    place, *path = item["loc"]
    code = _CODES.get(item["type"], "invalid")
    entry: dict[str, Any] = {"code": code}
    context = item.get("ctx") or {}
    for name, sources in _BOUNDS.items():
        bound = next((context[source] for source in sources if source in context), None)
        if isinstance(bound, int) and abs(bound) < _INTEGER_LIMIT:
            entry[name] = bound
    if place == "body":
        entry["pointer"] = pointer(path, code)
    else:
        entry["parameter"] = str(path[0]) if path else str(place)
    return entry


def pointer(path: list[Any], code: str) -> str:
    """An RFC 6901 pointer. The name of an unknown member is the client's own, and is cut short."""
    steps = []
    for step in path:
        text = str(step)[:80] if code == "unknown_member" else str(step)
        steps.append(text.replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{step}" for step in steps)
