"""What a command says of an import: a bar while it runs, and a table of problems at its end."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.commands.places import Shown

MOST_PROBLEMS = 50
WIDTH = 160
_DOING = {
    "waiting": "Waiting for its turn",
    "planning": "Planning",
    "applying": "Applying",
    "reversing": "Reversing",
}
_OUTCOMES = ("created", "changed", "unchanged", "ended", "refused")


def console(*, answers_elsewhere: bool) -> Console:
    """Where it is shown: beside an answer for a script, on standard error. What no terminal folds
    is as wide as a table needs."""
    found = Console(stderr=answers_elsewhere)
    return found if found.is_terminal else Console(stderr=answers_elsewhere, width=WIDTH)


class Bar:
    """How far an import is, on the terminal; nothing where there is none."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("Waiting for its turn", total=None)

    def show(self, found: Shown) -> None:
        """The import as it stands now."""
        about, planning = found["progress"], found["status"] in ("waiting", "planning")
        done = about["rows_read"] if planning else about["rows_done"]
        whole = about["rows_expected"] if planning else about["rows_to_do"]
        self._progress.update(
            self._task,
            description=_DOING.get(found["status"], "Done"),
            completed=done,
            total=max(whole, done) if whole else None,
            refresh=True,
        )


@contextmanager
def bar(console: Console) -> Iterator[Bar]:
    """A bar that is gone at the end."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        yield Bar(progress)


def outcome(console: Console, found: Shown) -> None:
    """Where the import stands, its counts, and why it goes no further."""
    counts = found["counts"]
    said = ", ".join(f"{counts[name]:,} {name}" for name in _OUTCOMES)
    console.print(f"Import [bold]{found['id']}[/bold] is [bold]{found['status']}[/bold]: {said}.")
    if counts["noted"] > counts["refused"]:
        console.print(
            f"{counts['noted'] - counts['refused']:,} rows that are not refused have notes."
        )
    if counts["kept"]:
        console.print(f"{counts['kept']:,} rows could not be undone as a whole.")
    if found["status"] == "mapping_required":
        missing, unknown = (found["suggestion"][name] for name in ("missing", "unknown"))
        console.print(f"No column was recognised as: {', '.join(missing)}.")
        console.print(escape(f"Not recognised: {', '.join(unknown) or 'none'}. See --mapping."))
    if found["problem"] is not None:
        console.print(escape(found["problem"]["detail"]["en"]))


async def problems(
    console: Console, rows: AsyncIterator[Shown], language: str = "en"
) -> list[Shown]:
    """Prints the first of the rows of which something is said; gives them all."""
    table = Table("row", "outcome", "column", "what", "code", box=box.SIMPLE)
    found: list[Shown] = []
    lines = 0
    async for row in rows:
        found.append(row)
        for one in row["findings"]:
            lines += 1
            if lines <= MOST_PROBLEMS:
                _line(table, row, one, language)
    if lines:
        console.print(table)
    if lines > MOST_PROBLEMS:
        more = lines - MOST_PROBLEMS
        console.print(f"And {more:,} more: --report FILE writes all of them beside their rows.")
    return found


def _line(table: Table, row: Shown, one: dict[str, Any], language: str) -> None:
    style = "red" if one["refuses"] or row["outcome"] == "refused" else None
    cells = (row["outcome"], one["column"] or "", one["detail"][language], one["code"])
    table.add_row(str(row["number"]), *(escape(cell) for cell in cells), style=style)
