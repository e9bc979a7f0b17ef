"""JSON: an array of objects, or one object on each line; a list in a member stays a list."""

import json
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NoReturn, TextIO

from app import import_errors
from app.membership_files.csv_files import encoding_of
from app.membership_files.rows import LONGEST_ROW, MOST_COLUMNS, MOST_ROWS, Cell, Finding, SourceRow

_MOST_LINES = 2 * MOST_ROWS
# So many objects are looked at to know the columns.
SAMPLE_ROWS = 1_000
_DEEPEST = 4
_SPACE = " \t\r\n"
_NO_SPACE = re.compile(r"[^ \t\r\n]")

Objects = Iterator[tuple[int, dict[str, Cell] | Finding]]


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(_: str) -> NoReturn:
    raise ValueError("not a number of JSON's")


_decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)


def _flat(found: object) -> dict[str, Cell] | Finding:
    """An object as a row: members of members by dotted names, lists of plain values as they are."""
    if not isinstance(found, dict):
        return Finding(None, "not_an_object")
    flat: dict[str, Cell] = {}
    try:
        _flatten(found, "", flat, 1)
    except ValueError:
        return Finding(None, "too_deep")
    return flat


def _flatten(found: dict[str, object], prefix: str, flat: dict[str, Cell], depth: int) -> None:
    for name, value in found.items():
        key = prefix + str(name)
        if isinstance(value, dict):
            if depth == _DEEPEST:
                raise ValueError
            _flatten(value, f"{key}.", flat, depth + 1)
        elif isinstance(value, list):
            flat[key] = tuple(_plain(item) for item in value)
        else:
            flat[key] = _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, dict | list):
        raise ValueError
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _lines(file: TextIO) -> Objects:
    for number, line in enumerate(iter(partial(file.readline, LONGEST_ROW), ""), 1):
        if len(line) == LONGEST_ROW and line[-1] != "\n":
            while (rest := file.readline(LONGEST_ROW)) and rest[-1] != "\n":
                continue
            yield number, Finding(None, "row_too_long")
        elif number > _MOST_LINES:
            raise import_errors.TooManyRows
        elif line.strip(_SPACE):
            try:
                yield number, _flat(_decoder.decode(line.strip(_SPACE)))
            except (ValueError, RecursionError) as error:
                if number == 1:
                    raise import_errors.JsonUnreadable(members={"row": 1}) from error
                yield number, Finding(None, "json_unreadable")


class Array:
    """The items of an array, decoded one by one from a window on the file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._window = ""
        self._place = 0
        self._number = 0

    def _refuse(self) -> import_errors.JsonUnreadable:
        return import_errors.JsonUnreadable(members={"row": max(self._number, 1)})

    def _more(self) -> bool:
        piece = self._file.read(LONGEST_ROW)
        self._window = self._window[self._place :] + piece
        self._place = 0
        return piece != ""

    def _sign(self) -> str:
        """The next character that is no space; it is not taken away."""
        while True:
            if found := _NO_SPACE.search(self._window, self._place):
                self._place = found.start()
                return found[0]
            self._place = len(self._window)
            if not self._more():
                raise self._refuse()

    def _pass(self, signs: str) -> str:
        sign = self._sign()
        if sign not in signs:
            raise self._refuse()
        self._place += 1
        return sign

    def items(self) -> Objects:
        """Raises JsonUnreadable for what cannot be read on."""
        self._pass("[")
        if self._sign() == "]":
            return
        while True:
            self._number += 1
            yield self._number, _flat(self._item())
            if self._pass(",]") == "]":
                break
        while self._place < len(self._window) or self._more():
            if self._window[self._place :].strip(_SPACE):
                raise self._refuse()
            self._place = len(self._window)

    def _item(self) -> object:
        self._sign()
        while True:
            try:
                item, self._place = _decoder.raw_decode(self._window, self._place)
            except (ValueError, RecursionError) as error:
                if len(self._window) - self._place > 2 * LONGEST_ROW or not self._more():
                    raise self._refuse() from error
            else:
                return item


def records(path: Path, *, by_line: bool) -> tuple[list[str], Iterator[SourceRow]]:
    """The members that the first objects have, and every object as a row, numbered from 1.

    A member that none of the first objects had is noted with its row. Raises JsonUnreadable,
    TooManyColumns, EncodingUnknown.
    """
    file = path.open(encoding=encoding_of(path), newline="")
    try:
        objects = _lines(file) if by_line else Array(file).items()
        first = list(islice(objects, SAMPLE_ROWS))
        names: dict[str, None] = {}
        for _, found in first:
            if isinstance(found, dict):
                names.update(dict.fromkeys(found))
        if len(names) > MOST_COLUMNS:
            raise import_errors.TooManyColumns
    except BaseException:
        file.close()
        raise
    return list(names), _rows(file, list(names), first, objects)


def _rows(
    file: TextIO,
    names: list[str],
    first: list[tuple[int, dict[str, Cell] | Finding]],
    objects: Objects,
) -> Iterator[SourceRow]:
    with file:
        yield from (_row(number, found, names) for number, found in first)
        first.clear()
        for number, found in objects:
            yield _row(number, found, names)


def _row(number: int, found: dict[str, Cell] | Finding, names: list[str]) -> SourceRow:
    if isinstance(found, Finding):
        return SourceRow(number, [""] * len(names), (found,))
    cells = [found.pop(name, "") for name in names]
    late = (Finding(None, "member_unforeseen"),) if found else ()
    return SourceRow(number, cells, late)
