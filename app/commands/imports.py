"""`cop import` and `cop export`: files of memberships in and out, here or on a server.

Exit codes: 0 done; 1 it came to nothing; 2 wrong options; 3 done, but rows were refused or kept; 4
it waits for somebody to look at it.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console

from app import logs, settings
from app.commands import preparing, shown
from app.commands.local import Local
from app.commands.places import UNDER_WAY, Place, Refused, Shown
from app.commands.remote import Remote
from app.models import ImportHandling, ImportMode, MembershipCategory
from app.schemas.membership_exports import ExportFormat
from app.schemas.memberships import MembershipStatus

DONE, FAILED, WITH_PROBLEMS, WAITS = 0, 1, 3, 4
LOOK_SECONDS = 0.3

Server = Annotated[
    str | None,
    typer.Option(help="The address of a server; without it, this machine's database."),
]
TokenStdin = Annotated[
    bool,
    typer.Option("--token-stdin", help="Read the token from standard input; else from COP_TOKEN."),
]
Community = Annotated[
    str | None, typer.Option(help="A community's slug; without it the association as a whole.")
]


def import_memberships(
    file: Annotated[
        Path | None, typer.Argument(help="CSV, XLSX, ODS, JSON, NDJSON or mbox.", dir_okay=False)
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what it would do; nothing is written.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Plan, then apply; or apply the plan of --id.")
    ] = False,
    reverse: Annotated[bool, typer.Option("--reverse", help="Undo what --id did.")] = False,
    known_as: Annotated[
        str | None, typer.Option("--id", help="An import that was handed in before.")
    ] = None,
    community: Community = None,
    mode: Annotated[ImportMode, typer.Option(help="What may be done to what is there.")] = (
        ImportMode.ADD
    ),
    handling: Annotated[
        ImportHandling, typer.Option(help="What a refused row means for the others.")
    ] = ImportHandling.BEST_EFFORT,
    source: Annotated[
        str | None, typer.Option(help="The system that the file comes from; needed to sync.")
    ] = None,
    most_ended: Annotated[
        int, typer.Option(min=0, max=100, help="How many of a hundred may end unasked.")
    ] = 10,
    allow_more_endings: Annotated[
        bool, typer.Option("--allow-more-endings", help="With --id: end more all the same.")
    ] = False,
    mapping: Annotated[
        Path | None, typer.Option(help="A JSON file that says what each column is.")
    ] = None,
    mapping_name: Annotated[str | None, typer.Option(help="A mapping kept by name.")] = None,
    language: Annotated[str, typer.Option(help="Of newcomers of whom the file says none.")] = "en",
    delimiter: Annotated[str | None, typer.Option(help="What parts the cells of a CSV.")] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.")] = None,
    invite: Annotated[bool, typer.Option("--invite", help="Tell new members by mail.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the file again, with what became of each row.")
    ] = None,
    server: Server = None,
    token_stdin: TokenStdin = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the import and its problems as JSON.")
    ] = False,
) -> None:
    """Bring memberships in from a file: plan, look, apply; or undo it.

    Ends with 0 when done, 1 when it came to nothing, 3 when done but rows were refused or kept,
    and 4 when it waits for somebody to look at it.
    """
    if (file is None) == (known_as is None):
        raise typer.BadParameter("Name a file, or with --id an import that was handed in before.")
    if plan + apply + reverse > 1 or (reverse and known_as is None):
        raise typer.BadParameter("--plan, --apply and --reverse (with --id) exclude each other.")
    if mapping is not None and not mapping.is_file():
        raise typer.BadParameter(f"There is no file {mapping}.")
    asked = {
        "mode": mode.value,
        "handling": handling.value,
        "apply": str(apply).lower(),
        "source": source,
        "most_ended": str(most_ended),
        "invite": str(invite).lower(),
        "language": language,
        "mapping": mapping.read_text("utf-8") if mapping else None,
        "mapping_name": mapping_name,
        "delimiter": delimiter,
        "sheet": sheet,
    }
    body = {"handling": None, "allow_more_endings": allow_more_endings}
    console = shown.console(answers_elsewhere=as_json)

    async def begun(place: Place) -> Shown:
        if file is not None:
            given = {name: value for name, value in asked.items() if value is not None}
            return await place.send(file, given)
        known = str(known_as)
        if apply or reverse:
            act = "application" if apply else "reversal"
            return await place.act(known, act, body if apply else None)
        return await place.get(known)

    async def work(place: Place) -> int:
        async with place.at_work():
            found = await _followed(console, place, await begun(place))
        shown.outcome(console, found)
        rows = await shown.problems(console, place.rows(found["id"]))
        if report is not None:
            await _written(report, place.report(found["id"]))
        if as_json:
            typer.echo(json.dumps({"import": found, "rows": rows}, ensure_ascii=False, indent=2))
        return _code(found, applying=apply)

    if file is not None and not file.is_file():
        raise typer.BadParameter(f"There is no file {file}.")
    _end(work, server, token_stdin, community)


async def _followed(console: Console, place: Place, found: Shown) -> Shown:
    """The import when nothing is under way any more."""
    with shown.bar(console) as bar:
        while found["status"] in UNDER_WAY:
            bar.show(found)
            await asyncio.sleep(LOOK_SECONDS)
            found = await place.get(found["id"])
    return found


def _code(found: Shown, *, applying: bool) -> int:
    status, counts = found["status"], found["counts"]
    if status in ("failed", "cancelled"):
        return FAILED
    if status == "mapping_required" or (applying and status == "planned"):
        return WAITS
    left = counts["kept"] if status == "reversed" else counts["refused"]
    return WITH_PROBLEMS if left else DONE


def export_memberships(
    community: Community = None,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="In which form the file is wanted.")
    ] = ExportFormat.CSV,
    out: Annotated[Path | None, typer.Option(help="Where to; without it standard output.")] = None,
    as_of: Annotated[str | None, typer.Option(help="A day that is over, YYYY-MM-DD.")] = None,
    status: Annotated[
        list[MembershipStatus] | None, typer.Option(help="Only these; repeat for or.")
    ] = None,
    category: Annotated[
        list[MembershipCategory] | None, typer.Option(help="Only these; repeat for or.")
    ] = None,
    territory: Annotated[list[str] | None, typer.Option(help="Only from these.")] = None,
    occupation_code: Annotated[list[str] | None, typer.Option(help="Only of these.")] = None,
    joined_after: Annotated[str | None, typer.Option(help="First day after this.")] = None,
    joined_before: Annotated[str | None, typer.Option(help="First day before this.")] = None,
    text: Annotated[str | None, typer.Option(help="Found in a member's line.")] = None,
    source: Annotated[
        str | None, typer.Option(help="A system whose numbers stand in external_id.")
    ] = None,
    server: Server = None,
    token_stdin: TokenStdin = False,
) -> None:
    """Write a roster, or all of them, into a file that can be imported again."""
    asked = {
        "format": form.value,
        "as_of": as_of,
        "status": [one.value for one in status or ()] or None,
        "category": [one.value for one in category or ()] or None,
        "territory": territory or None,
        "occupation_code": occupation_code or None,
        "joined_after": joined_after,
        "joined_before": joined_before,
        "text": text,
        "source": source,
    }
    given = {name: value for name, value in asked.items() if value is not None}

    async def work(place: Place) -> int:
        await _written(out, place.export(given))
        return DONE

    _end(work, server, token_stdin, community)


# Where, and how it ends


def _end(
    work: Callable[[Place], Coroutine[Any, Any, int]],
    server: str | None,
    token_stdin: bool,
    community: str | None,
) -> None:
    """Does it there, and ends the command with its exit code."""
    logs.configure("warning", development=True)  # to standard error: the other is for the answer
    token = sys.stdin.readline().strip() if token_stdin else settings.Caller().token
    if server is None:
        preparing.prepare()
    elif not token:
        raise typer.BadParameter("A server asks for a token: in COP_TOKEN, or with --token-stdin.")

    async def there() -> int:
        place: AbstractAsyncContextManager[Place]
        if server is None:
            place = Local.at(preparing.database(), community)
        else:
            place = Remote.at(server, token, community)
        async with place as found:
            return await work(found)

    try:
        code = preparing.run(there())
    except Refused as refused:
        said = f"{refused.said} [{refused.code}]" if refused.code else refused.said
        typer.echo(said, err=True)
        code = FAILED
    raise typer.Exit(code)


async def _written(to: Path | None, pieces: AsyncIterator[bytes]) -> None:
    """A file for its owner alone, there as a whole or not at all; or standard output."""
    if to is None:
        await _poured(sys.stdout.buffer, pieces)
        return
    unfinished = to.with_name(f"{to.name}.part")
    try:
        with os.fdopen(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
        ) as file:
            await _poured(file, pieces)
        unfinished.replace(to)
    except OSError as error:
        raise Refused(f"{to} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


async def _poured(file: BinaryIO, pieces: AsyncIterator[bytes]) -> None:
    async for piece in pieces:
        file.write(piece)
    file.flush()
