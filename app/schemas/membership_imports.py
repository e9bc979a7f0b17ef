"""Imports of memberships: what comes with a file, how far it has come, and its rows."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.models import (
    ActorKind,
    ImportHandling,
    ImportMode,
    ImportStatus,
    RowOutcome,
    RowState,
)
from app.schemas.base import (
    Answer,
    Code,
    InstantOut,
    Language,
    Line,
    Localized,
    Request,
    Viewer,
    line,
)
from app.schemas.communities import CommunityReference
from app.schemas.membership_mappings import (
    DayOrder,
    ImportField,
    MappingSuggestion,
    MembershipMapping,
)


def _read(value: Any) -> Any:
    """An object that stands as text in a form."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except ValueError as error:
        raise PydanticCustomError("json_invalid", "not JSON") from error


Binary = Annotated[str, WithJsonSchema({"type": "string", "format": "binary"})]
FromForm = Annotated[bool, Field(strict=False)]
MappingName = Annotated[str, *line(1, 80)]


class MembershipImportCreate(Request):
    """A file of memberships, and what is to be done with it: a form of plain fields."""

    file: Binary = Field(
        description="CSV, XLSX, ODS, JSON, NDJSON or a mailbox, of at most 200 MB; what it is shows"
        " by its bytes, whatever its name says.",
        examples=["email,name,communities\nsiobhan@example.org,Siobhan O'Neill,Wellness Courts\n"],
    )
    mode: Annotated[ImportMode, Field(strict=False)] = Field(
        default=ImportMode.ADD,
        description="add: nothing that is there changes. update: it is overwritten by what the file"
        " says. fill: only what is blank is filled in. sync: as update, and what this source"
        " brought before and the file no longer has is ended.",
    )
    handling: Annotated[ImportHandling, Field(strict=False)] = Field(
        default=ImportHandling.BEST_EFFORT,
        description="all_or_nothing: a row that is refused keeps all of them out. best_effort: it"
        " is left out alone.",
    )
    apply: FromForm = Field(
        default=False,
        description="true: what was planned is applied at once, unless rows are refused and it is"
        " all or nothing, or more would end than `most_ended` allows.",
        examples=[False],
    )
    source: Code | None = Field(
        default=None,
        description="The system that the file comes from, by a name that stays the same: its"
        " numbers of people are remembered under it, and it may end what it brought.",
        examples=["wild-apricot"],
    )
    most_ended: Annotated[int, Field(ge=0, le=100, strict=False)] = Field(
        default=10,
        description="Of the memberships that this source brought and that run, how many of a"
        " hundred may end without being asked about.",
        examples=[10],
    )
    invite: FromForm = Field(
        default=False,
        description="true: whoever becomes a member is told by mail, newcomers with a link to"
        " choose a password. Otherwise nobody is mailed.",
        examples=[False],
    )
    language: Annotated[Language, Field(strict=False)] = Field(
        default=Language.EN,
        description="The language of newcomers of whom the file says none.",
    )
    mapping: Annotated[MembershipMapping, BeforeValidator(_read)] | None = Field(
        default=None,
        description="What each column is, as JSON; without it, and without `mapping_name`, what the"
        " headings suggest.",
    )
    mapping_name: MappingName | None = Field(
        default=None, description="A mapping that was kept by name.", examples=["Wild Apricot"]
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        default=None,
        description="What parts the cells of a CSV file; found out without it.",
        examples=[","],
    )
    sheet: Line | None = Field(
        default=None,
        description="The sheet of a workbook; the first that has something without it.",
        examples=["Members"],
    )


class MembershipImportApplication(Request):
    """How a plan is to be applied; everything may be left out."""

    handling: Annotated[ImportHandling, Field(strict=False)] | None = Field(
        default=None, description="As the plan has it without this.", examples=["best_effort"]
    )
    allow_more_endings: bool = Field(
        default=False,
        description="true: more may end than `most_ended` allows.",
        examples=[False],
    )


class ImportMapping(Answer):
    """What each column is taken for."""

    columns: dict[str, ImportField] = Field(
        description="From the heading of a column to what it says.",
        examples=[{"Full name": "name", "E-mail": "email", "Groups": "communities"}],
    )
    community_columns: dict[str, str] = Field(
        description="From the heading of a column of yes and no to the community's slug.",
        examples=[{}],
    )
    separator: str | None = Field(
        description="The signs that part communities in one cell.", examples=[";"]
    )
    day_order: DayOrder | None = Field(
        description="How days such as 03/04/2024 are read.", examples=["day_first"]
    )


class ImportFile(Answer):
    """The file, as it was found to be."""

    name: str = Field(description="Its name.", examples=["members.csv"])
    format: str = Field(
        description="What it is: csv, xlsx, ods, json, ndjson or mbox.", examples=["csv"]
    )
    size: int = Field(description="Its bytes.", examples=[18_230])
    delimiter: str | None = Field(description="What was said to part its cells.", examples=[None])
    sheet: str | None = Field(description="The sheet that was asked for.", examples=[None])
    headings: list[str] = Field(
        description="What its columns are called, in order.",
        examples=[["Full name", "E-mail", "Groups"]],
    )
    erased_at: InstantOut | None = Field(
        description="When it was erased with its rows; null while it is kept.", examples=[None]
    )


class ImportProgress(Answer):
    """How far an import has come in the step that it is in."""

    rows_expected: int | None = Field(
        description="About how many rows there are, where that shows before they are read.",
        examples=[210],
    )
    rows_read: int = Field(description="Rows that were read and planned.", examples=[200])
    rows_to_do: int = Field(
        description="Rows that have something to be done, or to be undone.", examples=[180]
    )
    rows_done: int = Field(description="Those of them with which it is through.", examples=[180])
    estimated_seconds: int | None = Field(
        description="How long this step may still take; null where that cannot be said.",
        examples=[None],
    )


class ImportCounts(Answer):
    """Rows by what became of them, or would."""

    created: int = Field(
        description="Somebody becomes a member; of a mailbox, somebody asks to join.",
        examples=[150],
    )
    changed: int = Field(description="Something changes.", examples=[30])
    unchanged: int = Field(description="Everything is so already.", examples=[18])
    ended: int = Field(description="A membership ends.", examples=[0])
    refused: int = Field(description="Nothing is done; the row says why.", examples=[2])
    kept: int = Field(description="A reversal could not undo all of it.", examples=[0])
    noted: int = Field(
        description="Something is said of it, whether it is refused or not: `noted=true` lists"
        " these rows.",
        examples=[5],
    )


class ImportEndings(Answer):
    """What an import would end, against what it may."""

    planned: int = Field(description="Memberships that the plan ends.", examples=[0])
    running: int = Field(
        description="Memberships that this source had brought and that ran at the time.",
        examples=[120],
    )
    most_ended: int = Field(description="How many of a hundred may end unasked.", examples=[10])
    exceeded: bool = Field(description="True if that is too many to go unasked.", examples=[False])
    withheld: bool = Field(
        description="True if nothing was ended for the file's silence, since it has rows that are"
        " refused and of which it cannot be said about whom they are.",
        examples=[False],
    )


class ImportProblem(Answer):
    """Why an import came to nothing, or is not applied by itself."""

    code: str = Field(description="A code of openapi/problems.md.", examples=["import.no_rows"])
    detail: Localized = Field(description="What it means, in both languages.")
    rows: list[int] = Field(description="The rows where it is, if it is in some.", examples=[[12]])


class ImportActor(Answer):
    """Who asked for an import."""

    kind: ActorKind = Field(description="A person, or a partner's machine.")
    id: UUID | None = Field(description="The person's or the partner's id.")
    name: str | None = Field(description="Their name.", examples=["Stella Staff"])


class MembershipImport(Answer):
    """A file of memberships on its way: what was asked, how far it is, and what came of it."""

    id: UUID = Field(description="The import's id.")
    status: ImportStatus = Field(
        description="waiting and planning lead to planned (or mapping_required, until it is said"
        " what the columns are); applying to applied; reversing to reversed. failed and cancelled"
        " are ends too."
    )
    community: CommunityReference | None = Field(
        description="The community into which it is; null for the association as a whole."
    )
    mode: ImportMode = Field(description="What it may do to what is there.")
    handling: ImportHandling = Field(description="What becomes of the rest if a row is refused.")
    source: str | None = Field(
        description="The system that it comes from.", examples=["wild-apricot"]
    )
    apply: bool = Field(description="Whether the plan is applied by itself.", examples=[False])
    invite: bool = Field(description="Whether newcomers are told by mail.", examples=[False])
    language: Language = Field(description="Of newcomers of whom the file says none.")
    file: ImportFile = Field(description="The file.")
    mapping: ImportMapping | None = Field(
        description="What its columns are taken for; null until that is known."
    )
    suggestion: MappingSuggestion = Field(description="What its headings suggest.")
    progress: ImportProgress = Field(description="How far it has come.")
    counts: ImportCounts = Field(description="Rows by what became of them, once it is planned.")
    endings: ImportEndings = Field(description="What it would end, once it is planned.")
    problem: ImportProblem | None = Field(
        description="Why it failed, or is not applied by itself.", examples=[None]
    )
    created_by: ImportActor = Field(description="Who handed the file in.")
    created_at: InstantOut = Field(description="When it was handed in.")
    planned_at: InstantOut | None = Field(description="When it was last planned.")
    applied_at: InstantOut | None = Field(description="When it was last applied.")
    reversed_at: InstantOut | None = Field(
        description="When it was last reversed.", examples=[None]
    )
    ended_at: InstantOut | None = Field(description="When the last step of it ended.")
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do with it.")


class MembershipImportList(Answer):
    """A page of imports, the latest first."""

    items: list[MembershipImport] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class RowFinding(Answer):
    """What is wrong with a row, or worth a note beside it."""

    column: str | None = Field(
        description="The heading of the column; null where it is about the row as a whole.",
        examples=["E-mail"],
    )
    code: str = Field(description="What it is; stable.", examples=["email_invalid"])
    refuses: bool = Field(
        description="True where nothing is done with the row because of it.", examples=[True]
    )
    detail: Localized = Field(description="In words, in both languages.")


class RowChange(Answer):
    """A value that an import overwrites, or overwrote."""

    community_id: UUID | None = Field(
        description="The community whose membership it is of; null for the person's own line."
    )
    member: str = Field(
        description="Which member of the membership or the person.", examples=["occupation"]
    )
    to: str | None = Field(description="What it becomes, or became.", examples=["Judge"])


class MembershipImportRow(Answer):
    """A row of the file, or a membership that ends because the file does not have it."""

    number: int = Field(
        description="Its number in the file; behind all of them for what the file does not have.",
        examples=[12],
    )
    outcome: RowOutcome = Field(description="What becomes of it, or became.")
    state: RowState = Field(
        description="planned, applied, reversed, or kept where a reversal could not undo all."
    )
    cells: list[str] | None = Field(
        description="Its cells, in the order of the headings; null for what the file does not"
        " have.",
        examples=[["Siobhan O'Neill", "siobhan@example", "Wellness Courts"]],
    )
    changes: list[RowChange] = Field(
        description="What it overwrites of what is there; nothing of what it makes or ends."
    )
    findings: list[RowFinding] = Field(description="What is said of it.")


class MembershipImportRowList(Answer):
    """A page of rows, in the order of the file."""

    items: list[MembershipImportRow] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class SavedMapping(Answer):
    """A mapping that was kept by name."""

    id: UUID = Field(description="The mapping's id.")
    name: str = Field(description="By which it is asked for.", examples=["Wild Apricot"])
    community: CommunityReference | None = Field(
        description="Whose it is: a community's, or with null the association's."
    )
    mapping: ImportMapping = Field(description="What each column is.")
    created_at: InstantOut = Field(description="When it was first kept.")
    updated_at: InstantOut = Field(description="When it last changed.")


class SavedMappingList(Answer):
    """The mappings that are kept, by name."""

    items: list[SavedMapping] = Field(description="All of them.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")
