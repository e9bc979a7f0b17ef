"""Which column is what: suggested by the headings, checked against them."""

from collections.abc import Iterable, Sequence
from itertools import islice

from app import import_errors, problem
from app.membership_files import mailboxes
from app.membership_files.closed_lists import Communities
from app.membership_files.days import NotRead
from app.membership_files.folding import heading_key
from app.membership_files.headings import EITHER_NAME, FIELDS, PRESETS, Preset
from app.membership_files.rows import Format, SourceRow
from app.schemas.membership_mappings import (
    ImportField,
    MappingSuggestion,
    MembershipMapping,
)

SAMPLE_ROWS = 200
_SEPARATORS = (";", "|", ",", "/")
# In a mail people part them as they like; one name with a comma in it is still found whole.
_MAIL_SEPARATORS = ";,"


def suggest(
    kind: Format,
    headings: Sequence[str],
    sample: Iterable[SourceRow],
    communities: Communities,
    *,
    community_given: bool = False,
) -> MappingSuggestion:
    """What the headings suggest; `sample` are the first rows, for what parts communities in a cell.
    Where the import is into one community (`community_given`), no column has to name it.

    A heading is recognised in both languages, whatever its accents, case and punctuation. One that
    is not is `unknown`, and of several that seem to say the same none is chosen (`unclear`), save
    where a preset knows which.
    """
    if kind is Format.MBOX:
        return _of_mails(headings)
    preset = _preset(headings)
    claims: dict[ImportField, list[str]] = {}
    columns: dict[str, str] = {}
    unknown = []
    for heading in headings:
        field = _field(heading, preset, headings)
        if field is not None:
            claims.setdefault(field, []).append(heading)
        elif slug := communities.named(heading):
            columns[heading] = slug
        else:
            unknown.append(heading)
    chosen = {said[0]: field for field, said in claims.items() if len(said) == 1}
    unclear = {heading: f for f, said in claims.items() if len(said) > 1 for heading in said}
    separator = preset.separator if preset else _separator(headings, chosen, sample, communities)
    said = set(chosen.values())
    return MappingSuggestion(
        preset=preset.code if preset else None,
        columns=_ordered(chosen, headings),
        community_columns=columns,
        separator=separator if ImportField.COMMUNITIES in said else None,
        unknown=unknown,
        unclear=_ordered(unclear, headings),
        missing=_missing(said, bool(columns) or community_given),
    )


def _ordered(found: dict[str, ImportField], headings: Sequence[str]) -> dict[str, ImportField]:
    return {heading: found[heading] for heading in headings if heading in found}


def _of_mails(headings: Sequence[str]) -> MappingSuggestion:
    asked = {field.value: field for field in (*mailboxes.ASKED, *mailboxes.ALSO)}
    return MappingSuggestion(
        preset=None,
        columns=asked,
        community_columns={},
        separator=_MAIL_SEPARATORS,
        unknown=[heading for heading in headings if heading not in asked],
        unclear={},
        missing=[],
    )


def _preset(headings: Sequence[str]) -> Preset | None:
    keys = {heading_key(heading) for heading in headings}
    return next((preset for preset in PRESETS if preset.known_by <= keys), None)


def _field(heading: str, preset: Preset | None, headings: Sequence[str]) -> ImportField | None:
    key = heading_key(heading)
    if preset is not None and key in preset.columns:
        return preset.columns[key]
    if key == EITHER_NAME:
        keys = {heading_key(other) for other in headings}
        first = any(FIELDS.get(other) is ImportField.FIRST_NAME for other in keys)
        return ImportField.LAST_NAME if first else ImportField.NAME
    field = FIELDS.get(key)
    known = preset.columns.values() if preset is not None else ()
    # What a preset has said already is not said again by a column that only sounds like it.
    return None if field in known else field


def _missing(said: set[ImportField], by_columns: bool) -> list[ImportField]:
    missing = [] if ImportField.EMAIL in said else [ImportField.EMAIL]
    if ImportField.NAME not in said and not {ImportField.FIRST_NAME, ImportField.LAST_NAME} <= said:
        missing.append(ImportField.NAME)
    if ImportField.COMMUNITIES not in said and not by_columns:
        missing.append(ImportField.COMMUNITIES)
    return missing


def _separator(
    headings: Sequence[str],
    chosen: dict[str, ImportField],
    sample: Iterable[SourceRow],
    communities: Communities,
) -> str | None:
    """What parts the cells of the sample into the most names of communities, if anything does."""
    column = next((h for h, field in chosen.items() if field is ImportField.COMMUNITIES), None)
    if column is None:
        return None
    place = list(headings).index(column)
    cells = [row.cells[place] for row in islice(sample, SAMPLE_ROWS)]
    written = [cell for cell in cells if isinstance(cell, str)]
    best, most = None, _recognised(written, None, communities)
    for separator in _SEPARATORS:
        count = _recognised(written, separator, communities)
        if count > most:
            best, most = separator, count
    return best


def _recognised(cells: list[str], separator: str | None, communities: Communities) -> int:
    count = 0
    for cell in cells:
        for said in communities.in_cell(cell, separator):
            try:
                communities.find(said)
            except NotRead:
                continue
            count += 1
    return count


def as_mapping(suggestion: MappingSuggestion) -> MembershipMapping:
    """A suggestion as it is used when nobody changes it."""
    return MembershipMapping(
        columns=suggestion.columns,
        community_columns=suggestion.community_columns,
        separator=suggestion.separator,
    )


def _pointer(part: str, heading: str) -> str:
    """Where in a mapping a column of the file stands (RFC 6901)."""
    return f"/{part}/{heading[:80].replace('~', '~0').replace('/', '~1')}"


def refuse_unfit(
    mapping: MembershipMapping,
    headings: Sequence[str],
    communities: Communities,
    *,
    community_given: bool = False,
) -> None:
    """Refuses a mapping that names columns or communities that are not there, or lacks what an
    import needs. Raises MappingUnfit. Where the import is into one community (`community_given`),
    no column has to name it.
    """
    absent = [
        problem.field(_pointer(part, heading), "not_known")
        for part, named in (
            ("columns", mapping.columns),
            ("community_columns", mapping.community_columns),
        )
        for heading in named
        if heading not in headings
    ]
    unknown = [
        problem.field(_pointer("community_columns", heading), "not_known")
        for heading, slug in mapping.community_columns.items()
        if not communities.has(slug)
    ]
    said = set(mapping.columns.values())
    missing = _missing(said, bool(mapping.community_columns) or community_given)
    wanting = [problem.field("/columns", "required") for _ in missing]
    found: list[dict[str, str]] = []
    for error in (*absent, *unknown, *wanting):
        if error not in found:
            found.append(error)
    if found:
        raise import_errors.MappingUnfit(
            errors=found, members={"missing": [field.value for field in missing]}
        )
