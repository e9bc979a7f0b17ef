"""Tables as text: any delimiter, the encodings that spreadsheets write, quotes that must close."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TextIO

from app import import_errors
from app.membership_files.detection import HEAD, mark_or_shape
from app.membership_files.rows import LONGEST_ROW, MOST_ROWS, Finding, SourceRow

# A record that has not ended after so many characters is an open quotation mark.
LONGEST_OPEN = 10_000_000
_CHUNK = 1 << 20
# UTF-8 that was taken for Windows-1252 shows as 'Ã' before a sign; no language writes that.
_SPOILT = re.compile(rb"\xc3[\x80-\xbf]")
_DECLARED = re.compile(r"sep=([^\r\n])\r?\n", re.IGNORECASE)
_DELIMITERS = ",;\t|^~:#\x1f§¦!*=%$"
_SAMPLE_ROWS = 30


def encoding_of(path: Path) -> str:
    """The encoding of a file of text, found by reading all of it once.

    UTF-8 where it is that, by the mark or without; else Windows-1252. Raises EncodingUnknown, and
    EncodingMixed where pieces of UTF-8 stand among others.
    """
    with path.open("rb") as file:
        encoding = mark_or_shape(file.read(HEAD))
        for candidate in (encoding,) if encoding else ("utf-8", "cp1252"):
            if _decodes(path, candidate):
                return candidate
    raise import_errors.EncodingUnknown


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    last = b""
    try:
        with path.open("rb") as file:
            for chunk in iter(partial(file.read, _CHUNK), b""):
                decoder.decode(chunk)
                if encoding == "cp1252" and _SPOILT.search(last + chunk):
                    raise import_errors.EncodingMixed
                last = chunk[-1:]
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def delimiter_of(sample: str) -> str:
    """What parts the cells, judged by the first rows: what parts most of them into equally many."""
    best, best_score = ",", (0.0, 0)
    for candidate in _DELIMITERS:
        try:
            found = csv.reader(io.StringIO(sample, newline=""), delimiter=candidate)
            widths = [len(row) for row, _ in zip(found, range(_SAMPLE_ROWS), strict=False) if row]
        except csv.Error:
            continue
        width, times = Counter(widths).most_common(1)[0] if widths else (1, 0)
        # Equal scores go to the one that is more usual.
        score = (round(times / max(len(widths), 1), 1), width)
        if width > 1 and widths[0] > 1 and score > best_score:
            best, best_score = candidate, score
    return best


class Lines(Iterator[str]):
    """The lines of a file for csv's reader, which never get long.

    csv asks for a further line only within quotes. A record that grows beyond LONGEST_ROW is given
    on without its text, with as many quotation marks as it takes to stay in step; `cut` says so.
    """

    def __init__(self, file: TextIO) -> None:
        self._next = partial(file.readline, LONGEST_ROW)
        self._taken = 0
        self.cut = False

    def begin(self) -> None:
        """A record begins."""
        self._taken = 0
        self.cut = False

    def __next__(self) -> str:
        if self._taken > LONGEST_OPEN:
            raise csv.Error("a quotation mark is open")
        line = self._next()
        if not line:
            raise StopIteration
        self._taken += len(line)
        return line if self._taken < LONGEST_ROW else self._without_text(line)

    def _without_text(self, line: str) -> str:
        self.cut = True
        marks = line.count('"')
        while line and line[-1] not in "\r\n":
            line = self._next()
            marks += line.count('"')
            self._taken += len(line)
        return '"\n' if marks % 2 else "\n"


def records(path: Path, encoding: str, delimiter: str | None) -> Iterator[SourceRow]:
    """Every record of the file that has something in it, the headings' included, numbered from 1.

    Raises QuotesUnclosed. One that is too long comes without cells, and refused.
    """
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(HEAD)
        declared = _DECLARED.match(sample)
        delimiter = delimiter or (declared[1] if declared else delimiter_of(sample))
        file.seek(0)
        if declared:
            file.readline()
        yield from _parsed(Lines(file), delimiter)


def _parsed(lines: Lines, delimiter: str) -> Iterator[SourceRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise import_errors.QuotesUnclosed(members={"row": number}) from error
        if lines.cut:
            yield SourceRow(number, [], (Finding(None, "row_too_long"),))
        elif any(cells):
            yield SourceRow(number, cells)
        elif number > 2 * MOST_ROWS:
            raise import_errors.TooManyRows
