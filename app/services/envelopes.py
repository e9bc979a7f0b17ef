"""From a letter to a message: headers, greeting, words, signature."""

import email.policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from app import clock, settings, texts
from app.mail import MailRefused
from app.models import Association
from app.services.letters import Letter

# A line of a message may have 998 characters; plain lines are left whole below that.
LONGEST_LINE = 990


class _Policy(email.policy.EmailPolicy):
    """Folds subjects alone: the library's folding encodes long links and unquotes long names."""

    max_line_length = LONGEST_LINE

    def fold_binary(self, name: str, value: str) -> bytes:
        """One header as it is sent."""
        folding = self.clone(max_line_length=78) if name.lower() == "subject" else self
        return super(_Policy, folding).fold_binary(name, value)


def message(mail_id: UUID, kind: str, letter: Letter, association: Association) -> EmailMessage:
    """The message of one letter. Raises MailRefused (permanent) for an address that none can have.

    Its ids are made from the mail's, so that a second delivery can be told from a second mail.
    """
    facts = {
        **letter.facts,
        "association": _line(association.name.get(letter.language) or association.name["en"]),
        "contact": association.contact_email,
        "person": letter.name or "",
        "unsubscribe_link": letter.unsubscribe_link or "",
    }
    made = _addressed(letter.address)
    made["From"] = _sender(facts["association"], association.contact_email)
    subject = texts.text("mails", f"{kind}.subject", letter.language, **facts)
    made["Subject"] = _line(subject)
    made["Date"] = format_datetime(clock.now())
    made["Message-ID"] = (
        f"<{mail_id}@{urlsplit(settings.get().public_url).hostname or 'localhost'}>"
    )
    made["X-COP-Mail-Id"] = str(mail_id)
    made["Auto-Submitted"] = "auto-generated"
    words = _words(kind, letter, facts)
    plain = words.isascii() and all(len(line) <= LONGEST_LINE for line in words.splitlines())
    made.set_content(words, charset="utf-8", cte="7bit" if plain else "quoted-printable")
    made["Content-Language"] = letter.language
    if letter.unsubscribe_link:
        made["List-Unsubscribe"] = f"<{letter.unsubscribe_link}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Only now: the body's own encoding keeps to the short lines of the standard.
    utf8 = not str(made["To"]).isascii()
    made.policy = _Policy(linesep="\r\n", utf8=utf8, message_factory=EmailMessage)
    return made


def _addressed(address: str) -> EmailMessage:
    """An empty message to one address."""
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise MailRefused("the address is not usable", permanent=True) from error
    # A domain with accents travels in its ASCII form; only a local part with accents needs UTF-8.
    recipient = checked.ascii_email or checked.normalized
    made = EmailMessage(email.policy.SMTP)
    made["To"] = recipient
    return made


def _sender(name: str, mailbox: str) -> Address:
    configured = settings.get().mail_from
    if configured:
        name, mailbox = parseaddr(configured)
    try:
        return Address(display_name=_line(name), addr_spec=mailbox)
    except ValueError as error:
        # A setting can be mended, and the mails that wait for it go out then.
        raise MailRefused("COP_MAIL_FROM is not an address", permanent=False) from error


def _words(kind: str, letter: Letter, facts: dict[str, str]) -> str:
    greeting = "greeting" if letter.name else "greeting_unnamed"
    parts = [greeting, f"{kind}.{letter.body}"]
    if letter.unsubscribe_link:
        parts.append("unsubscribe")
    parts.append("signature")
    said = (texts.text("mails", part, letter.language, **facts).strip() for part in parts)
    return "\n\n".join(said) + "\n"


def _line(text: str) -> str:
    """On one line: a line break in a header would begin another header."""
    return " ".join(text.split())
