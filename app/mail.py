"""The port through which mail leaves: a server by SMTP, or a directory with one file a mail.

Nothing else sends. What a mail says is made by services/letters.py; here it is only handed over.
"""

import asyncio
import contextlib
import os
import smtplib
import ssl
import tempfile
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

from app import settings

TIMEOUT_SECONDS = 10
SUBMISSION_PORT, SUBMISSIONS_PORT = 587, 465

# Threads of their own: a mail server that hangs must not take those that hash passwords.
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="mail")


class MailRefused(Exception):
    """A mail was not taken. `permanent` says that trying again is of no use.

    The reason names a class of failure or the server's code, never an address: servers repeat
    addresses in their answers, and reasons are stored and logged.
    """

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


async def send(message: EmailMessage, mail_id: UUID) -> None:
    """Hands one message over, to one recipient. Raises MailRefused if it was not taken.

    Sending the same mail twice is possible after a crash; the id in its headers (and the name of
    its file) is the same then, so that the receiver can tell.
    """
    url = settings.get().mail
    loop = asyncio.get_running_loop()
    if url.startswith("file://"):
        folder = Path(url.removeprefix("file://"))
        await loop.run_in_executor(_threads, _write, folder, message, mail_id)
    elif url.startswith(("smtp://", "smtps://")):
        await loop.run_in_executor(_threads, _submit, urlsplit(url), message)
    else:
        raise MailRefused("COP_MAIL_URL names no known transport", permanent=False)


def _write(folder: Path, message: EmailMessage, mail_id: UUID) -> None:
    """A whole file or none: whoever reads the directory never sees half a mail."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp makes it 0600: a mail may carry a token.
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, folder / f"{mail_id}.eml")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MailRefused(f"the directory: {type(error).__name__}", permanent=False) from error


def _submit(url: SplitResult, message: EmailMessage) -> None:
    try:
        server = _connected(url)
        try:
            server.send_message(message)
            # It is taken; a server that stumbles over the goodbye must not get it again.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
        finally:
            server.close()
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(*(code for code, _said in error.recipients.values())) from error
    except smtplib.SMTPResponseException as error:
        # The server does not know us (535), or not yet: that is for the operator to mend, and no
        # fault of the mail's.
        temporary = isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError)
        raise _refused(error.smtp_code, temporary=temporary) from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailRefused("the server cannot carry this address", permanent=True) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailRefused(f"the connection: {type(error).__name__}", permanent=False) from error


def _connected(url: SplitResult) -> smtplib.SMTP:
    host = url.hostname or "localhost"
    verified = ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, url.port or SUBMISSIONS_PORT, timeout=TIMEOUT_SECONDS, context=verified
        )
    else:
        server = smtplib.SMTP(host, url.port or SUBMISSION_PORT, timeout=TIMEOUT_SECONDS)
    try:
        server.ehlo_or_helo_if_needed()
        encrypted = url.scheme == "smtps"
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=verified)
            server.ehlo()
            encrypted = True
        if url.username:
            if not encrypted and not settings.get().development:
                raise MailRefused("no TLS for the password", permanent=False)
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _refused(*codes: int, temporary: bool = False) -> MailRefused:
    permanent = not temporary and bool(codes) and all(500 <= code < 600 for code in codes)
    return MailRefused(f"smtp {'/'.join(str(code) for code in codes)}", permanent=permanent)
