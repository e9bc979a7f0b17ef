"""The one table that is printed: each measure beside its floor of the same run, and its target."""

from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.measures import Median

Results = dict[tuple[str, str], Median]


class Claim(NamedTuple):
    """What we promise of a measure.

    `least` is the smallest ratio to the floor, `most` the largest ratio of the floor to it (how
    many times slower it may be), `p99` the longest milliseconds, without any refusal.
    """

    measure: str
    where: str
    floor: str = ""
    floor_where: str = ""
    least: float | None = None
    most: float | None = None
    p99: float | None = None


BOTH = ("PostgreSQL", "SQLite")
POSTGRESQL, SQLITE = BOTH


def claims(sizes: list[int]) -> list[Claim]:
    """Every line of the table, in its order."""
    found = [
        Claim("F0 list", ""),
        Claim("F1 list", "", "F0 list"),
        Claim("F1 with python-jose", "", "F1 empty"),
    ]
    for where in BOTH:
        found += [
            Claim("signed in, nothing read", where, "F1 empty", least=0.85),
            Claim("signed in, a closed list", where, "F1 occupations"),
            Claim("catalogue, public", where, "F1 catalogue", least=0.5),
            Claim("catalogue, signed in", where, "F1 catalogue"),
            Claim("list of 50 discussions", where, "F1 list", least=_LIST[where]),
            Claim("list of 50 discussions", where, _SQL[where], where, _OF_SQL[where]),
            Claim("the same, unchanged (304)", where, "F1 list", least=0.5),
            Claim("a discussion's 50 posts", where, "F1 posts", least=_POSTS[where]),
            _WRITE[where],
            Claim("page 10,000 of it", where, "page 1 of a long discussion", where, most=1.5),
        ]
        for size in sizes:
            found += [
                Claim(f"{name}, {size:,} posts", where, name, where, most=1.5)
                for name in ("list of 50 discussions", "a discussion's 50 posts")
            ]
    found += [
        Claim("two workers, nothing read", POSTGRESQL, "signed in, nothing read", POSTGRESQL, 1.6),
        Claim("two workers, list", POSTGRESQL, "list of 50 discussions", POSTGRESQL),
    ]
    return found


_LIST = {POSTGRESQL: 0.25, SQLITE: 0.20}
_SQL = {POSTGRESQL: "the list's SQL, asyncpg's pool", SQLITE: "the list's SQL, sqlite3"}
_OF_SQL = {POSTGRESQL: 0.5, SQLITE: None}
_POSTS = {POSTGRESQL: 0.20, SQLITE: None}
_WRITE = {
    POSTGRESQL: Claim(
        "create a post", POSTGRESQL, "a post's transaction, pgbench", POSTGRESQL, least=0.25
    ),
    SQLITE: Claim("create a post", SQLITE, p99=100),
}


class Line(NamedTuple):
    """One line of the table, in words."""

    measure: str
    where: str
    rate: str
    of: str
    ratio: str
    target: str
    met: str
    p50: str
    p99: str


def line(claim: Claim, results: Results) -> Line | None:
    """The claim as this run found it; None where it was not measured."""
    found = results.get((claim.measure, claim.where))
    floor = results.get((claim.floor, claim.floor_where))
    if found is None or (claim.floor and floor is None):
        return None
    ratio, target, met = _held(claim, found, floor)
    wrong = found.refused + found.broken
    return Line(
        claim.measure,
        claim.where,
        f"{found.rate:,.0f}",
        claim.floor,
        ratio,
        target,
        f"NO: {wrong} failed" if wrong else met,
        f"{found.p50:.1f}" if found.p99 else "",
        f"{found.p99:.1f}" if found.p99 else "",
    )


def _held(claim: Claim, found: Median, floor: Median | None) -> tuple[str, str, str]:
    if claim.p99 is not None:
        return "", f"p99 < {claim.p99:.0f} ms", _word(found.p99 < claim.p99)
    if floor is None:
        return "", "", ""
    if claim.most is not None:
        slower = floor.rate / found.rate
        return f"{slower:.2f} times", f"<= {claim.most}", _word(slower <= claim.most)
    ratio = found.rate / floor.rate
    if claim.least is None:
        return f"{ratio:.2f}", "", ""
    return f"{ratio:.2f}", f">= {claim.least}", _word(ratio >= claim.least)


def _word(held: bool) -> str:
    return "met" if held else "NO"


def held(
    measure: str, where: str, rate: float, floor: str = "", of: float = 0, least: float = 0
) -> Line:
    """A line for rows a second, beside a floor of the same run if there is one."""
    ratio = f"{rate / of:.2f}" if of else ""
    met = _word(rate / of >= least) if of else ""
    target = f">= {least}" if of else ""
    return Line(measure, where, f"{rate:,.0f}", floor, ratio, target, met, "", "")


def limit(measure: str, where: str, value: float, unit: str, most: float) -> Line:
    """A line for a figure that has a limit instead of a floor."""
    target = f"< {most:g} {unit}"
    return Line(measure, where, f"{value:.1f} {unit}", "", "", target, _word(value < most), "", "")


def show(lines: list[Line], title: str) -> None:
    """Prints the table; GitHub's form where the output is not a terminal."""
    heads = ("measure", "on", "req/s", "its floor", "ratio", "target", "", "p50 ms", "p99 ms")
    console = Console()
    if console.is_terminal:
        table = Table(*heads, title=title)
        for one in lines:
            table.add_row(*one)
        console.print(table)
        return
    print(f"{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for one in lines:
        print(f"| {' | '.join(one)} |")
