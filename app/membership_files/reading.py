"""From rows as they stand in a file to what they say, and who stands there twice."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from app.membership_files import days, values
from app.membership_files.closed_lists import Codes, Communities
from app.membership_files.days import NotRead
from app.membership_files.folding import name_key
from app.membership_files.rows import Finding, ReadRow, SourceRow, Values
from app.schemas.base import address_key
from app.schemas.membership_mappings import ImportField, MembershipMapping

_NAMES = (ImportField.FIRST_NAME, ImportField.LAST_NAME, ImportField.NAME)


@dataclass(frozen=True, slots=True)
class Known:
    """The association's closed lists, by which a file is read."""

    communities: Communities
    occupations: Codes
    territories: Codes


class Reader:
    """Reads rows by a mapping; `read` one at a time, or `rows` with those who stand there twice."""

    def __init__(
        self,
        headings: Sequence[str],
        mapping: MembershipMapping,
        known: Known,
        *,
        community: str | None = None,
    ) -> None:
        self._known = known
        self._mapping = mapping
        # Where the import is into one community: its slug, for rows that name none.
        self._community = community
        self._occupation_of = values.remembered(known.occupations.find)
        place = {heading: index for index, heading in enumerate(headings)}
        self._columns = {
            field: (place[heading], heading) for heading, field in mapping.columns.items()
        }
        self._by_column = [
            (place[heading], heading, slug) for heading, slug in mapping.community_columns.items()
        ]
        self._single: list[tuple[str, int, str, Callable[[str], object]]] = [
            (name, *self._columns[field], parse)
            for field, name, parse in (
                (ImportField.EMAIL, "email", values.email),
                (ImportField.OCCUPATION, "occupation", values.one_line),
                (ImportField.OCCUPATION_CODE, "occupation_code", self._occupation_code),
                (ImportField.AFFILIATION, "affiliation", values.one_line),
                (ImportField.AREA_OF_INTEREST, "area_of_interest", values.paragraph),
                (ImportField.TERRITORY, "territory", values.remembered(self._territory)),
                (ImportField.LANGUAGE, "language", values.language),
                (ImportField.CATEGORY, "category", values.category),
                (ImportField.SINCE_ON, "since_on", self._day),
                (ImportField.UNTIL_ON, "until_on", self._last_day),
                (ImportField.EXTERNAL_ID, "external_id", values.code),
            )
            if field in self._columns
        ]

    def _day(self, text: str) -> date:
        return days.day(text, self._mapping.day_order)

    def _last_day(self, text: str) -> date | None:
        return None if text.strip().casefold() in ("never", "jamais") else self._day(text)

    def _occupation_code(self, text: str) -> str:
        code = self._known.occupations.find(text.strip())
        if code is None:
            raise NotRead("occupation_code_unknown")
        return code

    def _territory(self, text: str) -> str:
        code = self._known.territories.find(text.strip())
        if code is None:
            raise NotRead("territory_unknown")
        return code

    def read(self, row: SourceRow) -> ReadRow:
        """What one row says. What it lacks or says wrongly is in its findings, none in the way of
        another.
        """
        read = ReadRow(row.number, Values(), list(row.findings), row.cells)
        said, cells = read.values, row.cells
        for name, place, heading, parse in self._single:
            cell = cells[place]
            text = cell if isinstance(cell, str) else ", ".join(cell)
            if text and not text.isspace():
                try:
                    setattr(said, name, parse(text))
                except NotRead as error:
                    read.findings.append(Finding(heading, error.code, error.facts))
        self._read_name(read)
        self._read_communities(read)
        self._read_standing(read)
        if said.occupation_code is None and said.occupation is not None:
            said.occupation_code = self._occupation_of(said.occupation)
        if said.since_on and said.until_on and said.until_on < said.since_on:
            heading = self._columns[ImportField.UNTIL_ON][1]
            read.findings.append(Finding(heading, "day_before_start"))
        self._require(read, said.email is not None, "email_required", ImportField.EMAIL)
        self._require(read, said.name is not None, "name_required", *_NAMES)
        self._require(read, bool(said.communities), "communities_required", ImportField.COMMUNITIES)
        return read

    def _require(self, read: ReadRow, there: bool, code: str, *fields: ImportField) -> None:
        """What a row lacks is said of it, unless it was said already why it has none."""
        if there:
            return
        headings = [self._columns[field][1] for field in fields if field in self._columns]
        about = (None, *headings)
        if not any(finding.refuses for finding in read.findings if finding.column in about):
            read.findings.append(Finding(headings[-1] if headings else None, code))

    def _set(
        self, read: ReadRow, name: str, heading: str, text: str, parse: Callable[[str], object]
    ) -> None:
        if not text.strip():
            return
        try:
            setattr(read.values, name, parse(text))
        except NotRead as error:
            read.findings.append(Finding(heading, error.code, error.facts))
            if error.code == "name_not_a_name":
                read.values.name = values.one_line(text)  # it may be somebody's all the same

    def _text(self, read: ReadRow, field: ImportField) -> tuple[str, str]:
        place, heading = self._columns[field]
        cell = read.raw[place]
        return (cell if isinstance(cell, str) else " ".join(cell)), heading

    def _read_name(self, read: ReadRow) -> None:
        if ImportField.NAME in self._columns:
            text, heading = self._text(read, ImportField.NAME)
            self._set(read, "name", heading, text, values.name)
            if text.strip():
                return
        parts = []
        for field in (ImportField.FIRST_NAME, ImportField.LAST_NAME):
            if field in self._columns:
                text, heading = self._text(read, field)
                if text.strip():
                    try:
                        parts.append(values.name(text))
                    except NotRead as error:
                        read.findings.append(Finding(heading, error.code, error.facts))
                        return
        if parts:
            column = self._columns.get(ImportField.LAST_NAME, (0, ""))[1]
            self._set(read, "name", column, " ".join(parts), values.name)

    def _read_communities(self, read: ReadRow) -> None:
        found: dict[str, None] = {}
        column: str | None = None
        if ImportField.COMMUNITIES in self._columns:
            place, column = self._columns[ImportField.COMMUNITIES]
            cell = read.raw[place]
            named = (
                self._known.communities.in_cell(cell, self._mapping.separator)
                if isinstance(cell, str)
                else cell
            )
            for position, said in enumerate(named, 1):
                self._find_community(read, column, said, position, found)
        for place, heading, slug in self._by_column:
            try:
                if values.yes_or_no(str(read.raw[place])):
                    found[slug] = None
            except NotRead as error:
                read.findings.append(Finding(heading, error.code, error.facts))
        if not found and read.whole and self._community is not None:
            found[self._community] = None
        read.values.communities = tuple(found)
        if not found and not read.whole:
            read.findings.append(Finding(column, "communities_none_known"))

    def _find_community(
        self, read: ReadRow, column: str, said: str, position: int, found: dict[str, None]
    ) -> None:
        """What is not recognised is a note beside the others, and refused if there are none."""
        try:
            found[self._known.communities.find(said)] = None
        except NotRead as error:
            facts = {**error.facts, "position": position}
            read.findings.append(Finding(column, error.code, facts, refuses=False))
            read.whole = False

    def _read_standing(self, read: ReadRow) -> None:
        for field, parse in (
            (ImportField.STATUS, values.is_former),
            (ImportField.ARCHIVED, values.yes_or_no),
        ):
            if field in self._columns:
                text, heading = self._text(read, field)
                if text.strip():
                    try:
                        read.values.former |= parse(text)
                    except NotRead as error:
                        read.findings.append(Finding(heading, error.code, error.facts))

    def rows(self, rows: Iterator[SourceRow]) -> Iterator[ReadRow]:
        """Every row, with the people who stand there twice added up."""
        people = People(self._known.communities, self._heading_of())
        for row in rows:
            read = self.read(row)
            people.place(read)
            yield read

    def _heading_of(self) -> dict[str, str]:
        named = {name: heading for name, _, heading, _ in self._single}
        for field, name in (
            (ImportField.STATUS, "former"),
            (ImportField.LAST_NAME, "name"),
            (ImportField.NAME, "name"),
        ):
            if field in self._columns:
                named[name] = self._columns[field][1]
        return named


# What is the person's, and what is the membership's: another community may have its own of these.
_OF_PERSON = (
    "occupation",
    "occupation_code",
    "affiliation",
    "area_of_interest",
    "territory",
    "language",
    "external_id",
)
_OF_MEMBERSHIP = ("category", "since_on", "until_on", "former")
_COMPARED = (*_OF_PERSON, *_OF_MEMBERSHIP)
_compared = attrgetter(*_COMPARED)
_MARKS = 0xFFFF_FFFE


class People:
    """Who has been met in a file, by address, in some 150 bytes each."""

    def __init__(self, communities: Communities, headings: dict[str, str]) -> None:
        self._communities = communities
        self._headings = headings
        self._met: dict[int, int] = {}
        self._numbers = array("I")
        self._names = array("q")
        self._marks = array("I")
        self._joined: list[int] = []
        self._external: dict[int, int] = {}

    def place(self, read: ReadRow) -> None:
        """Puts a row beside the earlier one for the same address, if there is one.

        The same person's adds its communities; what else it says differently is noted, and the
        first row stands. Another person's is refused. A row that is refused by itself is not met.
        """
        said = read.values
        if said.email is None or said.name is None or read.refused:
            return
        address = hash(address_key(said.email))
        met = self._met.get(address)
        if met is None:
            self._meet(read, address)
        elif self._names[met] != hash(name_key(said.name)):
            facts = {"row": self._numbers[met]}
            read.findings.append(Finding(self._headings.get("email"), "address_of_another", facts))
        else:
            self._add(read, met)

    def _meet(self, read: ReadRow, address: int) -> None:
        said = read.values
        place = len(self._numbers)
        if said.external_id is not None:
            other = self._external.setdefault(hash(said.external_id), place)
            if other != place:
                facts = {"row": self._numbers[other]}
                heading = self._headings.get("external_id")
                read.findings.append(Finding(heading, "external_id_of_another", facts))
                return
        self._met[address] = place
        self._numbers.append(read.number)
        self._names.append(hash(name_key(said.name or "")))
        self._marks.extend([0 if v is None else hash(v) % _MARKS + 1 for v in _compared(said)])
        self._joined.append(self._mask(said.communities))

    def _add(self, read: ReadRow, met: int) -> None:
        said = read.values
        read.adds_to = self._numbers[met]
        brought, had = self._mask(said.communities), self._joined[met]
        compared = _COMPARED if brought & had else _OF_PERSON
        for place, name in enumerate(compared):
            value = getattr(said, name)
            mark = self._marks[met * len(_COMPARED) + place]
            heading = self._headings.get(name)
            if heading and value is not None and mark not in (0, _mark(value)):
                facts = {"row": read.adds_to}
                read.findings.append(Finding(heading, "differs_from_row", facts, refuses=False))
        said.communities = tuple(
            slug for slug in said.communities if not had >> self._communities.index(slug) & 1
        )
        self._joined[met] = had | brought

    def _mask(self, slugs: tuple[str, ...]) -> int:
        return sum(1 << self._communities.index(slug) for slug in slugs)


def _mark(value: object) -> int:
    """A trace of a value by which another is told from it; 0 for none."""
    return 0 if value is None else hash(value) % _MARKS + 1
