"""What kind of file it is, by its bytes: names and declared types lie, and nothing depends on them.

They are asked in one case alone, where the bytes leave it open: text that could be JSON or a table.
"""

import codecs
import re

from app import import_errors
from app.membership_files.rows import Format

HEAD = 65_536

# What is recognised in order to be refused by name, and not as a table of one strange column.
_FOREIGN = (
    b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf",
    b"Rar!", b"\x7fELF", b"MZ\x90", b"SQLite format 3", b"{\\rtf", b"\xd0\xcf\x11\xe0",
    b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff",
)  # fmt: skip
_ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_MBOX = re.compile(rb"From \S+[^\r\n]*\d{4}[^\r\n]*\r?\n>?[!-9;-~]+:")
_MARKUP = re.compile(r"<(!doctype|\?xml|html|[a-z]+[ >/])", re.IGNORECASE)
_JSON = re.compile(r"\[\s*[{\]]")
_LINES = re.compile(r'\{\s*["}]')


def detect(head: bytes, name: str = "", declared: str = "") -> Format:
    """What the first bytes (HEAD of them) are. Raises FormatUnsupported, NoRows, EncodingUnknown.

    An archive is taken for a workbook; which one, its directory says (`opening`).
    """
    if not head.strip(b"\x00\t\r\n \xef\xbb\xbf\xff\xfe"):
        raise import_errors.NoRows
    if head.startswith(b"PK\x03\x04"):
        return Format.ODS if _ODS in head[:200] else Format.XLSX
    if head.startswith(b"PK") or head.startswith(_FOREIGN):
        raise import_errors.FormatUnsupported
    if _MBOX.match(head):
        return Format.MBOX
    return _text_format(beginning(head).lstrip("\ufeff \t\r\n"), name, declared)


def _text_format(text: str, name: str, declared: str) -> Format:
    if _MARKUP.match(text):
        raise import_errors.FormatUnsupported
    if _LINES.match(text):
        return Format.NDJSON
    if _JSON.match(text):
        return Format.JSON
    if text[0] in "[{" and "json" in f"{name} {declared}".lower():
        raise import_errors.JsonUnreadable(members={"row": 1})
    return Format.CSV


def beginning(head: bytes) -> str:
    """The first bytes as text, for a look at them."""
    return head.decode(mark_or_shape(head) or "utf-8", "replace")


def mark_or_shape(head: bytes) -> str | None:
    """The encoding that a byte-order mark or UTF-16's shape shows; None where there is neither.

    Raises FormatUnsupported for what has NUL in it and is no UTF-16: it is not text.
    """
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if even or odd:
        # Half of Latin text in UTF-16 is NUL, always the same half.
        most = len(head) // 2 * 0.4
        if odd >= most and even * 20 <= odd:
            return "utf-16-le"
        if even >= most and odd * 20 <= even:
            return "utf-16-be"
        if even + odd > 16:
            raise import_errors.FormatUnsupported
    return None
