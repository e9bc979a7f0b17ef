"""Workbooks as archives: what their directory says is judged before anything is unpacked.

And their XML: read in pieces by a parser that knows no document types, so that no entity can be
declared, let alone fetched, and no single tag or comment can be larger than a piece of paper.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO
from xml.parsers import expat

from app import import_errors
from app.membership_files.rows import LONGEST_CELL

MOST_UNPACKED = 1_000_000_000
# Beyond this factor nothing that people type is packed, save where it is small.
PACKED_AT_MOST = 200
SMALL = 30_000_000
MOST_PARTS = 2_000
LARGEST_DIRECTORY = 1_000_000
_PIECE = 65_536
_LONGEST_TAG = 1_000_000
# Sheets with coloured empty cells have megabytes without a value; more only keeps us busy.
_MOST_IDLE = 32_000_000
_END = struct.Struct("<4s4H2LH")
_END_MARK, _LOCATOR_MARK = b"PK\x05\x06", b"PK\x06\x07"
_TAIL = _END.size + 65_536 + 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# What zipfile makes of an archive that is damaged, or odd in one of many ways.
_BROKEN = (
    KeyError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def opened(path: Path) -> zipfile.ZipFile:
    """The archive, if its directory is one that a spreadsheet has.

    Raises WorkbookUnreadable, WorkbookEncrypted, ArchiveTooLarge.
    """
    _refuse_odd_end(path)
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        raise import_errors.WorkbookUnreadable from error
    try:
        _refuse_odd_parts(archive.infolist(), path.stat().st_size)
    except BaseException:
        archive.close()
        raise
    return archive


def _refuse_odd_end(path: Path) -> None:
    """Refuses a directory that is too large to be read, before it is."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    last = tail[-_END.size :]
    # As zipfile looks for it, so that both look at the same one.
    plain = last.startswith(_END_MARK) and last.endswith(b"\x00\x00")
    place = len(tail) - _END.size if plain else tail.rfind(_END_MARK)
    if place < 0 or len(tail) - place < _END.size:
        raise import_errors.WorkbookUnreadable
    _, _, _, _, parts, length, _, _ = _END.unpack_from(tail, place)
    if tail[max(0, place - 20) : place].startswith(_LOCATOR_MARK):
        raise import_errors.ArchiveTooLarge
    if parts > MOST_PARTS or length > LARGEST_DIRECTORY:
        raise import_errors.ArchiveTooLarge


def _refuse_odd_parts(parts: list[zipfile.ZipInfo], size: int) -> None:
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise import_errors.WorkbookEncrypted
    if any(part.compress_type not in _METHODS for part in parts):
        raise import_errors.WorkbookUnreadable
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED or len(parts) > MOST_PARTS:
        raise import_errors.ArchiveTooLarge
    if unpacked > SMALL and unpacked > size * PACKED_AT_MOST:
        raise import_errors.ArchiveTooLarge
    if len({part.filename for part in parts}) < len(parts):
        raise import_errors.WorkbookUnreadable


def has(archive: zipfile.ZipFile, part: str) -> bool:
    """Whether the archive has a part of that name."""
    return part in archive.NameToInfo


def pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """A part, unpacked piece by piece, never more of it than the directory says."""
    try:
        with archive.open(part) as file:
            yield from _pieces_of(file)
    except _BROKEN as error:
        raise import_errors.WorkbookUnreadable from error


def _pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


class Gathered:
    """Text in pieces, kept up to one character more than a cell may have."""

    __slots__ = ("_text",)

    def __init__(self) -> None:
        self._text = ""

    def take(self, text: str) -> None:
        """Adds a piece."""
        if len(self._text) <= LONGEST_CELL:
            self._text += text[:LONGEST_CELL] if self._text else text[: LONGEST_CELL + 1]

    def give(self) -> str:
        """What was gathered; it begins anew."""
        text, self._text = self._text, ""
        return text


Starts = Callable[[str, dict[str, str]], None]


class Markup:
    """A part's XML, given to the three functions as it comes; names without their prefixes.

    `walk` yields after each piece, so that what the functions have gathered can be passed on.
    """

    def __init__(
        self, begin: Starts, end: Callable[[str], None], text: Callable[[str], None]
    ) -> None:
        self._locals: dict[str, str] = {}
        self._begin, self._end, self._text = begin, end, text

    def walk(
        self, archive: zipfile.ZipFile, part: str, progress: Callable[[], int] = int
    ) -> Iterator[None]:
        """Raises WorkbookUnreadable, DeclarationRefused; ArchiveTooLarge for megabytes in which
        `progress` stays as it is.
        """
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = partial(self._root, parser)
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse_declaration
        fed = since = before = 0
        try:
            for piece in pieces(archive, part):
                parser.Parse(piece)
                fed += len(piece)
                if (now := progress()) != before:
                    before, since = now, fed
                elif fed - since > _MOST_IDLE:
                    raise import_errors.ArchiveTooLarge
                if fed - parser.CurrentByteIndex > _LONGEST_TAG:
                    raise import_errors.WorkbookUnreadable
                yield
            parser.Parse(b"", True)
            yield
        except (expat.ExpatError, ValueError, OverflowError) as error:
            raise import_errors.WorkbookUnreadable from error

    def read(self, archive: zipfile.ZipFile, part: str, progress: Callable[[], int] = int) -> None:
        """All of a part at once."""
        for _ in self.walk(archive, part, progress):
            pass

    def _root(self, parser: expat.XMLParserType, name: str, attributes: dict[str, str]) -> None:
        """The first element shows whether names have prefixes; most have none, and go straight."""
        plain = ":" not in name
        parser.StartElementHandler = self._begin if plain else self._started
        parser.EndElementHandler = self._end if plain else self._ended
        self._started(name, attributes)

    def _local(self, name: str) -> str:
        short = name.rpartition(":")[2]
        if len(self._locals) < 1_000:
            self._locals[name] = short
        return short

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self._begin(self._locals.get(name) or self._local(name), attributes)

    def _ended(self, name: str) -> None:
        self._end(self._locals.get(name) or self._local(name))


def _refuse_declaration(*_: object) -> None:
    raise import_errors.DeclarationRefused
