"""Questions as data: what is wrong with a list of them, the JSON Schema of an answer, what is wrong
with one, and how it is kept.

The schema and the check say the same of every value, which a property test holds them to. A
question is a dict as JoinForm keeps it: code, kind, label, help, required, max_length, options,
max_choices, every member always present.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from app import errors
from app.models import QuestionKind

MOST_QUESTIONS = 20
MOST_OPTIONS = 50
LONGEST = {QuestionKind.TEXT: 200, QuestionKind.LONG_TEXT: 2000}
CHOOSING = (QuestionKind.CHOICE, QuestionKind.CHOICES)

Question = dict[str, Any]
Fault = dict[str, Any]

# Written with escapes that regular expressions have everywhere, JSON Schema's and ours. Controls,
# separators and marks of direction are in no answer; what takes no room is not enough for one.
_BREAKS = r"\u0009\u000a\u000d"
_CONTROLS = (
    r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufff9-\ufffb\ufdd0-\ufdef"
    r"\ufffe\uffff"
)
_DIRECTION = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_BLANK = (
    r"\u0020\u00a0\u00ad\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200d\u202f"
    r"\u205f-\u2065\u206a-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
_NEVER = _CONTROLS + _DIRECTION


def _pattern(never: str, blank: str) -> str:
    return f"^[{blank}]*[^{never}{blank}][^{never}]*$"


PATTERNS = {
    QuestionKind.TEXT: _pattern(_NEVER + _BREAKS, _BLANK),
    QuestionKind.LONG_TEXT: _pattern(_NEVER, _BLANK + _BREAKS),
}


def pointer(*steps: str | int) -> str:
    """A pointer (RFC 6901) to a place in a body."""
    escaped = (str(step)[:80].replace("~", "~0").replace("/", "~1") for step in steps)
    return "".join(f"/{step}" for step in escaped)


# A list of questions


def complete(question: Question) -> Question:
    """A question as it was asked for, with the limits that it has if it names none."""
    kind = QuestionKind(question["kind"])
    given = question["max_length"]
    most = question["max_choices"]
    if kind is QuestionKind.CHOICES and most is None:
        most = len(question["options"])
    return question | {
        "kind": str(kind),
        "max_length": LONGEST.get(kind) if given is None else given,
        "max_choices": most,
    }


def faults_of(questions: list[Question]) -> list[Fault]:
    """What is wrong with a list of questions, each with its place under /items."""
    codes = [question["code"] for question in questions]
    found: list[Fault] = []
    for place, question in enumerate(questions):
        if question["code"] in codes[:place]:
            found.append(errors.field(pointer("items", place, "code"), "duplicate"))
        found += _faults_of_kind(question, ("items", place))
    return found


def _faults_of_kind(question: Question, at: tuple[str | int, ...]) -> Iterator[Fault]:
    kind, options = QuestionKind(question["kind"]), question["options"]
    longest, most = question["max_length"], question["max_choices"]
    if longest is not None and kind not in LONGEST:
        yield errors.field(pointer(*at, "max_length"), "not_for_this_kind")
    elif longest is not None and longest > LONGEST[kind]:
        yield _bound(pointer(*at, "max_length"), "too_large", maximum=LONGEST[kind])
    if options and kind not in CHOOSING:
        yield errors.field(pointer(*at, "options"), "not_for_this_kind")
    if len(options) < 2 and kind in CHOOSING:
        yield _bound(pointer(*at, "options"), "too_few", minimum=2)
    codes = [option["code"] for option in options]
    for number, code in enumerate(codes):
        if code in codes[:number]:
            yield errors.field(pointer(*at, "options", number, "code"), "duplicate")
    if most is not None and kind is not QuestionKind.CHOICES:
        yield errors.field(pointer(*at, "max_choices"), "not_for_this_kind")
    elif most is not None and most > len(options):
        yield _bound(pointer(*at, "max_choices"), "too_large", maximum=len(options))


def _bound(place: str, code: str, **bound: int) -> Fault:
    return {**errors.field(place, code), **bound}


# Answers


def schema(questions: list[Question], language: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the answers to these questions, with titles in a language."""
    return {
        "type": "object",
        "properties": {question["code"]: of_one(question, language) for question in questions},
        "required": [question["code"] for question in questions if question["required"]],
        "additionalProperties": False,
    }


def of_one(question: Question, language: str) -> dict[str, Any]:
    """The schema of an answer to one question."""
    kind = QuestionKind(question["kind"])
    said = titled(question["label"], language) | {"x-kind": str(kind)}
    if question["help"] is not None:
        said |= {"description": question["help"][language], "x-description": question["help"]}
    if kind is QuestionKind.YES_NO:
        return said | {"type": "boolean"}
    if kind in LONGEST:
        longest = question["max_length"]
        return said | {"type": "string", "maxLength": longest, "pattern": PATTERNS[kind]}
    options = {
        "oneOf": [
            {"const": option["code"], **titled(option["label"], language)}
            for option in question["options"]
        ]
    }
    if kind is QuestionKind.CHOICE:
        return said | options
    return said | {
        "type": "array",
        "items": options,
        "uniqueItems": True,
        "minItems": 1,
        "maxItems": question["max_choices"],
    }


def titled(label: dict[str, str], language: str) -> dict[str, Any]:
    """A title in one language, and in both beside it."""
    return {"title": label[language], "x-title": label}


def faults(questions: list[Question], given: Any, *at: str) -> list[Fault]:
    """What is wrong with the answers to these questions; nothing where the schema accepts them."""
    if not isinstance(given, dict):
        return [errors.field(pointer(*at), "wrong_type")]
    known = {question["code"]: question for question in questions}
    found = [
        errors.field(pointer(*at, code), "unknown_member") for code in given if code not in known
    ]
    for code, question in known.items():
        if code in given:
            found += _faults_in(question, given[code], (*at, code))
        elif question["required"]:
            found.append(errors.field(pointer(*at, code), "required"))
    return found


def _faults_in(question: Question, value: Any, at: tuple[str, ...]) -> Iterator[Fault]:
    kind = QuestionKind(question["kind"])
    if kind is QuestionKind.CHOICES:
        yield from _faults_in_choices(question, value, at)
    elif not isinstance(value, bool if kind is QuestionKind.YES_NO else str):
        yield errors.field(pointer(*at), "wrong_type")
    elif kind is QuestionKind.CHOICE and value not in _codes(question):
        yield errors.field(pointer(*at), "not_one_of")
    elif kind in LONGEST and len(value) > question["max_length"]:
        yield _bound(pointer(*at), "too_long", maximum=question["max_length"])
    elif kind in LONGEST and not re.fullmatch(PATTERNS[kind], value):
        blank = not value.strip()
        yield (
            _bound(pointer(*at), "too_short", minimum=1)
            if blank
            else errors.field(pointer(*at), "text_control_characters")
        )


def _faults_in_choices(question: Question, value: Any, at: tuple[str, ...]) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield errors.field(pointer(*at), "wrong_type")
        return
    if not value:
        yield _bound(pointer(*at), "too_few", minimum=1)
    if len(value) > question["max_choices"]:
        yield _bound(pointer(*at), "too_many", maximum=question["max_choices"])
        return
    for place, code in enumerate(value):
        if not isinstance(code, str) or code not in _codes(question):
            yield errors.field(pointer(*at, place), "not_one_of")
        elif code in value[:place]:
            yield errors.field(pointer(*at, place), "duplicate")


def _codes(question: Question) -> list[str]:
    return [option["code"] for option in question["options"]]


def kept(questions: list[Question], given: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers as they are kept: each with its question as it was asked, in their order."""
    return [
        {
            "code": question["code"],
            "kind": question["kind"],
            "label": question["label"],
            "value": _clean(given[question["code"]], question),
            "chosen": _chosen(question, given[question["code"]]),
        }
        for question in questions
        if question["code"] in given
    ]


def _clean(value: Any, question: Question) -> Any:
    """A text as it is kept of anything that is typed: normalised, trimmed, with plain line ends."""
    if question["kind"] not in LONGEST:
        return value
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _chosen(question: Question, value: Any) -> list[dict[str, Any]]:
    picked = value if isinstance(value, list) else [value]
    return [option for option in question["options"] if option["code"] in picked]
