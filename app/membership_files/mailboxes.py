"""A mailbox of join requests: the association's six questions, answered by e-mail.

What is labelled is read; what is not is left to a person, with the text. Nothing is guessed from
prose. What others wrote before, quoted below, is not read.
"""

import email
import email.policy
import hashlib
import html
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from functools import partial
from pathlib import Path

from app import import_errors
from app.membership_files.folding import heading_key
from app.membership_files.headings import EITHER_NAME, FIELDS, FRENCH
from app.membership_files.rows import Finding, SourceRow, without_unkept
from app.schemas.membership_mappings import ImportField

# The questions come first; what a mail has beyond this is attached, or quoted.
LONGEST_MESSAGE = 262_144
LONGEST_TEXT = 2_000
_LONGEST_ID = 200
_LINE = 65_536
_MOST_LINES = 10_000_000
_POSTMARK = re.compile(rb"From \S+ .*\d{4}[^\r\n]*\r?\n")
_LABELLED = re.compile(
    r"[\s*_•·-]{0,10}(?P<label>[^\W\d_][^:：\t=]{0,80}?)[ *_]{0,5}"
    r"(?:\s?[:：=]|\t|\s[-–—](?=\s|$))[ *_]{0,5}(?P<said>.*)"
)
_EARLIER = re.compile(
    r"\s*(-{2,}\s*(original message|forwarded message|message d.origine|message original|message"
    r" transf[eé]r[eé])|_{10,}\s*$|-- ?$)",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"<(script|style|head|title)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.I | re.S)
_BREAK = re.compile(r"<(br|/?p|/?div|/?tr|/?li|/?h[1-6]|/?table|/?blockquote)\b[^<>]*>", re.I)
_QUOTED = re.compile(r"<blockquote\b.*\Z", re.I | re.S)
_CELL = re.compile(r"</t[dh]\s*>", re.I)
_TAG = re.compile(r"<[^<>]*>")

ASKED = (
    ImportField.NAME,
    ImportField.EMAIL,
    ImportField.COMMUNITIES,
    ImportField.OCCUPATION,
    ImportField.AFFILIATION,
    ImportField.AREA_OF_INTEREST,
)
ALSO = (ImportField.TERRITORY, ImportField.LANGUAGE)
_BESIDE = ("message_id", "sent_at", "sender", "subject", "text")
HEADINGS = [*(field.value for field in (*ASKED, *ALSO)), *_BESIDE]


def records(path: Path) -> Iterator[SourceRow]:
    """Every message as a row of HEADINGS, numbered from 1.

    One without an answer that is labelled is refused as `mail_unlabelled`, and its text is there.
    """
    for number, message in enumerate(_messages(path), 1):
        try:
            yield _row(number, message)
        except (ValueError, LookupError, RecursionError, AttributeError, TypeError):
            # What the standard library makes of malformed headers is not one kind of error.
            yield SourceRow(number, [""] * len(HEADINGS), (Finding(None, "mail_unreadable"),))


def _messages(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        lines: list[bytes] = []
        length, blank = 0, True
        for count, line in enumerate(iter(partial(file.readline, _LINE), b"")):
            if count > _MOST_LINES:
                raise import_errors.TooManyRows
            if blank and _POSTMARK.match(line):
                if length:
                    yield b"".join(lines)
                lines, length = [], 0
            elif length < LONGEST_MESSAGE:
                lines.append(line.removeprefix(b">") if line.startswith(b">From ") else line)
                length += len(line)
            blank = not line.strip()
        if length:
            yield b"".join(lines)


def _row(number: int, raw: bytes) -> SourceRow:
    message = email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
    text = without_unkept(_text_of(message))
    answers, french = answers_in(text)
    findings = []
    called, sender = parseaddr(_header(message, "From"))
    if not answers:
        findings.append(Finding(None, "mail_unlabelled"))
    else:
        findings += [
            Finding(field.value, "mail_answer_missing", refuses=False)
            for field in ASKED
            if not answers.get(field) and field is not ImportField.EMAIL
        ]
        if not answers.get(ImportField.NAME) and called:
            answers[ImportField.NAME] = called
            findings.append(Finding("name", "mail_sender_name_taken", refuses=False))
        if not answers.get(ImportField.EMAIL):
            answers[ImportField.EMAIL] = sender
            findings.append(Finding("email", "mail_sender_taken", refuses=False))
    if answers.get(ImportField.EMAIL, sender).casefold() != sender.casefold():
        findings.append(Finding("email", "mail_other_sender", refuses=False))
    answers.setdefault(ImportField.EMAIL, sender)
    answers[ImportField.LANGUAGE] = answers.get(ImportField.LANGUAGE) or ("fr" if french else "en")
    beside = [
        _identity(message, raw),
        _sent_at(message),
        sender,
        _header(message, "Subject"),
        text.strip()[:LONGEST_TEXT],
    ]
    said = [answers.get(field, "") for field in (*ASKED, *ALSO)]
    return SourceRow(number, [*said, *beside], tuple(findings))


def _header(message: EmailMessage, name: str) -> str:
    return without_unkept(str(message.get(name, ""))[:1_000])


def _identity(message: EmailMessage, raw: bytes) -> str:
    """By what a message is known again: its own id, or where it has none what it says."""
    own = _header(message, "Message-ID").strip("<> ")
    return own[:_LONGEST_ID] or f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _sent_at(message: EmailMessage) -> str:
    try:
        return parsedate_to_datetime(_header(message, "Date")).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def _text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    payload = body.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    encoding = body.get_content_charset("utf-8")
    try:
        text = payload.decode(encoding)
    except (LookupError, UnicodeError):
        text = payload.decode("cp1252", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if body.get_content_subtype() == "html":
        return _text_of_html(text)
    if str(body.get_param("format", "")).lower() == "flowed":
        text = re.sub(r"(?<!\n--) \n(?!>)", " ", text)
    return text


def _text_of_html(markup: str) -> str:
    markup = _QUOTED.sub("", _HIDDEN.sub("", markup))
    markup = _CELL.sub("\t", re.sub(r"\s+", " ", markup))
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", markup)))


def answers_in(text: str) -> tuple[dict[ImportField, str], bool]:
    """The labelled answers of a mail, and whether its labels are French.

    An answer may begin on the line below its label. Of a label that stands twice the first answer
    counts.
    """
    answers: dict[ImportField, str] = {}
    french = 0
    open_field: ImportField | None = None
    for line in text.splitlines():
        if _EARLIER.match(line):
            break
        if line.lstrip().startswith(">"):
            continue
        label = _labelled(line)
        if label is not None:
            key, field, said = label
            french += key in FRENCH
            open_field = None if said or answers.get(field) else field
            if not answers.get(field):
                answers[field] = said
        elif open_field is not None:
            # Only the line right below: an empty one says that there is no answer.
            answers[open_field], open_field = line.strip(), None
    return answers, 2 * french > len(answers)


def _labelled(line: str) -> tuple[str, ImportField, str] | None:
    found = _LABELLED.match(line[:2_000])
    if found is None:
        return None
    key = heading_key(found["label"])
    field = ImportField.NAME if key == EITHER_NAME else FIELDS.get(key)
    if field not in (*ASKED, *ALSO):
        return None
    return key, field, found["said"].strip()
