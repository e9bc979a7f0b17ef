"""What goes over the wire is made of: strict requests, complete answers, texts that are clean.

A request takes its members and no others, each in its own type: `"5"` is no integer and `1` is no
boolean. Text is trimmed and normalised to NFC; control characters and marks that reverse the
direction of reading are refused, since they serve to make one name look like another.
"""

import re
import unicodedata
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

# C0 and C1 controls but tab and line ends, separators, annotations, and code points that are none.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ufdd0-\ufdef"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)
# The marks that override or isolate direction.
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# What takes no room or looks empty, and what has no meaning of its own (private use).
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
# Where joiners and selectors belong: in emoji (a woman judge is three), in Indic and Arabic script.
_SIGN = r"[\u2190-\u2bff\u3030\u303d\U0001f000-\U0001faff]"
_VIRAMA = r"[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca]"
_JOINED = re.compile(
    rf"(?<={_SIGN})\ufe0f|(?<={_SIGN}|\ufe0f)\u200d(?={_SIGN})|(?<={_VIRAMA})[\u200c\u200d]"
    r"|(?<=[\u0620-\u06ff])\u200c(?=[\u0620-\u06ff])"
)
_INSTANT = re.compile(
    r"\d{4}(-\d\d){2}[Tt]\d\d(:\d\d){2}(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_LINE_BREAK = re.compile(r"[\r\n\t]")


class Request(BaseModel):
    """A body that a client sends."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """A body that the server sends; every member is always present."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


def _clean(value: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise PydanticCustomError("text_not_unicode", "lone surrogates")
    value = unicodedata.normalize("NFC", value).strip()
    if _CONTROL.search(value) or _DIRECTION.search(value):
        raise PydanticCustomError("text_control_characters", "control characters")
    return value


def _line(value: str) -> str:
    value = _clean(value)
    if _LINE_BREAK.search(value) or _INVISIBLE.search(_JOINED.sub("", value)):
        raise PydanticCustomError("text_control_characters", "control characters")
    return re.sub(r"\s+", " ", value)


def _prose(value: str) -> str:
    return _clean(value.replace("\r\n", "\n").replace("\r", "\n"))


def _within(minimum: int, maximum: int) -> tuple[Any, ...]:
    def check(value: str) -> str:
        # After trimming, since a limit counts what is kept.
        if len(value) < minimum:
            raise PydanticCustomError("text_too_short", "too short", {"minimum": minimum})
        if len(value) > maximum:
            raise PydanticCustomError("text_too_long", "too long", {"maximum": maximum})
        return value

    shape = {"type": "string", "minLength": minimum, "maxLength": maximum}
    return (AfterValidator(check), WithJsonSchema(shape))


def line(minimum: int, maximum: int) -> tuple[Any, ...]:
    """Text on one line, of so many characters after trimming: `Annotated[str, *line(1, 200)]`."""
    return (AfterValidator(_line), *_within(minimum, maximum))


def prose(minimum: int, maximum: int) -> tuple[Any, ...]:
    """Text of any number of lines, of so many characters after trimming; as `line` is used."""
    return (AfterValidator(_prose), *_within(minimum, maximum))


def address_key(email: str) -> str:
    """The form in which two spellings of one address are equal."""
    return email.lower()


def _email(value: str) -> str:
    value = _line(value)
    if unicodedata.normalize("NFKC", value) != value:
        # A look-alike of somebody else's address would share its key.
        raise PydanticCustomError("email_invalid", "not an e-mail address")
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise PydanticCustomError("email_invalid", "not an e-mail address") from error


def _day(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise PydanticCustomError("day_invalid", "not a day")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("day_invalid", "not a day") from error


def _near(value: date) -> date:
    # Beyond it the calendar's own arithmetic would end.
    if not 1900 <= value.year < 2200:
        raise PydanticCustomError("day_too_far", "too far away")
    return value


def _instant(value: object) -> object:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise PydanticCustomError("instant_invalid", "not an instant")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError("instant_invalid", "not an instant") from error


def _id(value: object) -> object:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or len(value) != 36:
        raise PydanticCustomError("id_invalid", "not an id")
    try:
        return UUID(value)
    except ValueError as error:
        raise PydanticCustomError("id_invalid", "not an id") from error


def _language_tag(value: str) -> str:
    parts = value.strip().split("-")
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}", value.strip()):
        raise PydanticCustomError("language_invalid", "not a language tag")
    shaped = [parts[0].lower()]
    for part in parts[1:]:
        shaped.append(part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part)
    return "-".join(shaped)


def utc_text(value: datetime) -> str:
    """An instant as it goes over the wire: RFC 3339, UTC, Z."""
    return value.isoformat().replace("+00:00", "Z")


# A name or a heading; a paragraph of explanation; the codes of closed lists and of things by name.
Line = Annotated[str, *line(1, 200)]
Paragraph = Annotated[str, *prose(1, 2000)]
Code = Annotated[str, *line(1, 60)]
Slug = Annotated[str, *line(1, 80)]
TerritoryCode = Annotated[str, *line(1, 20)]
# A number that people see; databases keep it in four bytes.
Number = Annotated[int, Field(ge=1, le=2_000_000_000)]
Email = Annotated[
    str,
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
InstantOut = Annotated[
    datetime,
    PlainSerializer(utc_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
InstantIn = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
DayIn = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]
AsOf = Annotated[
    date,
    BeforeValidator(_day),
    AfterValidator(_near),
    WithJsonSchema({"type": "string", "format": "date"}),
]
IdIn = Annotated[
    UUID,
    BeforeValidator(_id),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]
LanguageTag = Annotated[
    str,
    AfterValidator(_language_tag),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$"}),
]


class Language(StrEnum):
    """A language of the association: English or French."""

    EN = "en"
    FR = "fr"


LanguageIn = Annotated[Language, Field(strict=False)]


class Localized(Answer):
    """A text that the association owns, in both of its languages."""

    en: str = Field(description="In English.")
    fr: str = Field(description="In French.")


class LocalizedLine(Request):
    """A name or a heading in both languages."""

    en: Line = Field(description="In English.")
    fr: Line = Field(description="In French.")


class LocalizedSentence(Request):
    """A sentence or two in both languages."""

    en: Annotated[str, *prose(1, 1000)] = Field(description="In English.")
    fr: Annotated[str, *prose(1, 1000)] = Field(description="In French.")


class LocalizedParagraph(Request):
    """A paragraph in both languages."""

    en: Paragraph = Field(description="In English.")
    fr: Paragraph = Field(description="In French.")


class LocalizedRule(Request):
    """A rule in full, in both languages."""

    en: Annotated[str, *prose(1, 4000)] = Field(description="In English.")
    fr: Annotated[str, *prose(1, 4000)] = Field(description="In French.")


class LocalizedDocument(Request):
    """A whole text in Markdown, in both languages."""

    en: Annotated[str, *prose(1, 10_000)] = Field(description="In English.")
    fr: Annotated[str, *prose(1, 10_000)] = Field(description="In French.")


class Viewer(Answer):
    """What the caller may do with this resource at this moment."""

    can: list[str] = Field(
        description="The ids of the operations that would be allowed, and so the names of the"
        " generated client's methods.",
        examples=[["update_post", "report_post"]],
    )


class PersonReference(Answer):
    """A person, as far as a record names them."""

    id: UUID = Field(description="The person's id.")
    name: str = Field(description="The person's name today.")


def page_of(rows: list[Any], next_cursor: str | None, total: int | None) -> dict[str, Any]:
    """The envelope of a list."""
    return {"items": rows, "next_cursor": next_cursor, "total": total}
