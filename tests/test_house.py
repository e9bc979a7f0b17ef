"""The shape of the house: what may know what, and where things stand (ARCHITECTURE.md)."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import app
from app import activity

APP = Path(app.__file__).parent
LONGEST_FILE = 400

# Each layer knows those above it, never those below. A new module has to find its place here.
LAYERS = (
    {
        "settings",
        "clock",
        "texts",
        "problem",
        "errors",
        "election_errors",
        "import_errors",
        "credential_errors",
        "invitation_errors",
        "membership_errors",
        "proposal_errors",
        "joining_errors",
        "provisioning_errors",
        "logs",
        "examples",
        "arguments",
    },
    {
        "models",
        "statements",
        "connections",
        "strokes",
        "turns",
        "inline",
        "among",
        "bulk",
        "reader",
        "db",
        "cursors",
        "listing",
    },
    {"preconditions", "capabilities", "lines", "policy", "ceilings", "questions", "schemas"},
    {"kinds", "activity"},
    {"tokens", "markdown", "mail", "alone", "migrations", "membership_files", "likeness"},
    {"services"},
    {
        "deps",
        "dispatch",
        "signing_in",
        "routing",
        "origins",
        "validation",
        "pages",
        "following",
        "inviting",
        "openapi",
        "manual",
        "scim",
        "uploads",
        "progress",
        "edge",
    },
    {"documents", "routers", "demo", "commands"},
    {"jobs", "importer"},
    {"dispatch", "wire", "main", "serving", "__main__"},
)
RANK = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}

# Who alone may import what leads outside, or to an engine.
ONLY = {
    "jose": {"tokens"},
    "dbos": {"jobs"},
    "smtplib": {"mail"},
    "asyncpg": {"connections", "reader", "alone"},
    "alembic": {"migrations", "commands"},
    "typer": {"__main__", "commands"},
    "httpx": {"commands"},
    "uvicorn": {"__main__", "wire"},
    "pydantic_settings": {"settings"},
    "markdown_it": {"markdown"},
    "nh3": {"markdown"},
}
WEB = {"fastapi", "starlette", "uvicorn", "httpx"}


def sources(folder: Path = APP) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def module(path: Path) -> str:
    """A file as it is imported: app.services.terms."""
    parts = path.relative_to(APP.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package(name: str) -> str:
    """What a module belongs to: services, models, or itself."""
    return [*name.split("."), "__init__"][1]


MODULES = {module(path): path for path in sources()}


def imported(path: Path) -> Iterator[str]:
    """The full names of everything that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


def calls(path: Path, name: str) -> list[ast.Call]:
    """The calls of `x.name(...)` or `name(...)` in a file."""
    found = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return [call for call in found if name in (_attribute(call.func), _plain(call.func))]


def _attribute(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else ""


def _plain(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


# Imports


def test_every_module_has_its_layer() -> None:
    packages = {package(name) for name in MODULES} - {"__init__"}
    assert packages == set(RANK)


def test_imports_point_one_way() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, path in MODULES.items()
        for other in imported(path)
        if other.startswith("app.") and RANK[package(name)] < RANK[package(other)]
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        name: {other for other in imported(path) if other in MODULES and other != name}
        for name, path in MODULES.items()
    }
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(MODULES)


def test_nothing_is_imported_inside_a_function() -> None:
    wrong = [
        f"{module(path)}:{inner.lineno}"
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert wrong == []


def test_statements_about_who_leads_are_not_made_again_for_each_request() -> None:
    # The database answers them in a millisecond or two; to put one together takes 10 to 60.
    costly = re.compile(r"\bseating\.(counts|acting_seat|able|holds_seat)\(")
    made = {
        f"{path.stem}.{node.name}"
        for path in sources(APP / "services")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.AsyncFunctionDef) and costly.search(ast.unparse(node))
    }
    # A roll of voters is frozen once, and somebody named in a seat now and then.
    assert made == {"rolls._entitled", "acting._able"}


def test_what_leads_outside_has_one_importer() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, path in MODULES.items()
        for other in imported(path)
        if package(name) not in ONLY.get(other.split(".")[0], {package(name)})
    ]
    assert wrong == []


def test_only_a_command_calls_an_address_on_the_web() -> None:
    clients = {"httpx", "aiohttp", "requests", "urllib.request", "urllib3", "http.client", "socket"}
    calling = {name for name, path in MODULES.items() if clients & set(imported(path))}
    assert calling == {"app.commands.remote"}  # the address that its operator typed


def test_services_know_no_web_and_routers_no_database() -> None:
    for path in (*sources(APP / "services"), *sources(APP / "models"), APP / "policy.py"):
        assert not {other.split(".")[0] for other in imported(path)} & WEB, path
    for path in sources(APP / "routers"):
        known = {other.split(".")[0] for other in imported(path)}
        assert not known & {"sqlalchemy", "sqlmodel", "asyncpg", "sqlite3"}, path


# One place for each thing


def places(pattern: str) -> set[str]:
    """The modules whose text has something."""
    return {
        module(path).removeprefix("app.")
        for path in sources()
        if re.search(pattern, path.read_text("utf-8"))
    }


@pytest.mark.parametrize(
    ("pattern", "where"),
    [
        (r"\.commit\(", {"db"}),
        (r"\bCOMMIT\b", {"strokes"}),
        (r"os\.environ|os\.getenv", set()),  # pydantic's settings read it, in settings.py
        (r"datetime\.now|utcnow|date\.today|\btime\.time\(", {"clock"}),
        (r"HTTPException", {"edge"}),
        (r"\bjwt\.", {"tokens"}),
    ],
)
def test_each_thing_is_done_in_one_place(pattern: str, where: set[str]) -> None:
    assert places(pattern) <= where


def test_routers_decide_nothing() -> None:
    for path in sources(APP / "routers"):
        choices = [node for node in ast.walk(tree(path)) if isinstance(node, ast.If | ast.IfExp)]
        assert [node.lineno for node in choices] == [], path
        assert "select(" not in path.read_text("utf-8"), path


def test_no_file_is_too_long_to_read() -> None:
    written = [path for path in sources() if path.parent.name != "versions"]  # those are generated
    lengths = {module(path): len(path.read_text("utf-8").splitlines()) for path in written}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_a_module_that_is_named_exists() -> None:
    there = [path.as_posix() for path in sources()]
    named = {name for path in sources() for name in re.findall(r"[\w/]+\.py\b", path.read_text())}
    assert {name for name in named if not any(path.endswith(f"/{name}") for path in there)} == set()


def test_one_noun_has_one_name_in_every_layer() -> None:
    nouns = {path.stem for path in sources(APP / "routers")}
    assert nouns - {"__init__", "pages", "documentation", "audit"} <= {
        path.stem for path in sources(APP / "services")
    }


# State, record, activity


def recorded_kinds(path: Path) -> Iterator[str]:
    """The kinds that a file records: a pattern for each way of naming one."""
    for call in calls(path, "record"):
        if len(call.args) > 1:
            yield from named(call.args[1], path)
    for call in (*calls(path, "following"), *calls(path, "Entry")):
        yield from named(call.args[0], path)


def named(node: ast.expr, path: Path) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(kind)):
            yield re.escape(kind)
        case ast.IfExp(body=one, orelse=other):
            yield from named(one, path)
            yield from named(other, path)
        case ast.JoinedStr(values=parts):
            yield "".join(
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+"
                for part in parts
            )
        case ast.Name(id=name):
            for other in ast.walk(tree(path)):
                if isinstance(other, ast.Assign) and getattr(other.targets[0], "id", "") == name:
                    yield from named(other.value, path)


def test_everything_in_the_catalogue_of_activity_is_recorded_somewhere() -> None:
    patterns = {pattern for path in sources() for pattern in recorded_kinds(path)}
    plain = {pattern.replace("\\", "") for pattern in patterns if r"\w" not in pattern}
    assert {kind for kind in plain if "." in kind} <= set(activity.KINDS)
    silent = {
        kind
        for kind in activity.KINDS
        if not any(re.fullmatch(pattern, kind) for pattern in patterns)
    }
    assert silent == set()


# What changes rows without a record of its own, and why that is right.
UNRECORDED = {
    "auth.count_failure": "a failed sign-in, counted",
    "ballots.write_roll": "what was so already, by the tables of that moment",
    "contests.locked": "a lock, under which others change",
    "contests.replace": "with the election, which is recorded",
    "grants.refuse_if_last": "a lock, under which it looks",
    "grants.refuse_without_holder": "a lock, under which it looks",
    "credentials.note_use": "when a token was last used; nobody's act",
    "communities.touch_roster": "a version for caches",
    "import_applying.refuse": "with the application of the import, which is recorded",
    "import_applying.to_do_again": "with the application of the import, which is recorded",
    "import_letters.facts": "a one-time token, made with its mail",
    "invitation_letters.write": "a link's hash, made with its mail",
    "join_decisions.others_request": "a lock, under which others change",
    "join_letters.confirmation": "a one-time token, made with its mail",
    "join_letters.following": "a link, made with its mail",
    "join_letters.write": "a link, made with its mail",
    "welcome_letters.write": "a one-time token, made with its mail",
    "handovers.rearrange": "with the succession plan, which is recorded",
    "mailed_links.of_account": "a one-time token, made with its mail",
    "mailed_links.one_time": "a one-time token, made with its mail",
    "mailed_links.to_sign_in": "a one-time token, made with its mail",
    "mail_queue.queue": "a mail, which follows from a record, or which a stranger asked for",
    "mails.hand_on": "a mail on its way",
    "memberships.begin_all": "with what begins them, which is recorded",
    "rules.record_earlier": "with the decision about the form, which is recorded",
    "memberships.begin": "with the decision or the import that begins it, which is recorded",
    "unclaimed_profiles.take_up": "with the claim, or what begins a membership instead",
    "memberships.open_one": "a lock, under which others change",
    "eligibility.open_one": "a lock, under which others change",
    "partner_credentials.sign_in": "a failure that is counted, or when it was last used",
    "community_proposals.locked": "a lock, under which others change",
    "proposal_letters.confirmation": "a one-time token, made with its mail",
    "proposal_letters.founding": "a one-time token, made with its mail",
    "proposal_letters.write": "a link, made with its mail",
    "retention.erase": "what is not kept; nobody's act",
    "sealing.seal": "the record itself",
    "seats.close_all": "with the subcommittee, which is recorded",
    "seats.make_for_community": "with the community, which is recorded",
    "seats.settle": "with what wants the seats, which is recorded",
    "seats.settle_everywhere": "with the position, which is recorded",
    "subcommittees.working": "a lock, under which others change",
}


class Service:
    """One function of a service: what it calls, whether it changes rows, whether it records."""

    CHANGES = (
        "add",
        "add_all",
        "delete",
        "locked",
        "insert_ignoring",
        "insert_many",
        "update",
        "update_many",
        "merge",
    )

    def __init__(self, home: str, node: ast.AsyncFunctionDef | ast.FunctionDef) -> None:
        self.name = f"{home}.{node.name}"
        self.takes_work = any(
            getattr(argument.annotation, "id", "") in ("Work", "Database")
            for argument in node.args.args
        )
        self.public = not node.name.startswith("_")
        self.called: set[str] = set()
        self.changes = self.records = False
        for call in (inner for inner in ast.walk(node) if isinstance(inner, ast.Call)):
            self._note(home, call.func)

    def _note(self, home: str, function: ast.expr) -> None:
        match function:
            case ast.Name(id=name):
                self.called.add(f"{home}.{name}")
                self.changes |= name in self.CHANGES
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                self.called.add(f"{owner}.{name}")
                self.records |= name in ("record", "record_all") and owner in (
                    "activity",
                    "happenings",
                )
                self.changes |= owner in ("work", "sa") and name in self.CHANGES


def reached(name: str, services: dict[str, Service]) -> list[Service]:
    """A function and all that it leads to."""
    seen, waiting = {}, [name]
    while waiting:
        found = services.get(waiting.pop())
        if found is not None and found.name not in seen:
            seen[found.name] = found
            waiting.extend(found.called)
    return list(seen.values())


def test_every_service_that_changes_something_records_it() -> None:
    services = {
        found.name: found
        for path in sources(APP / "services")
        for node in tree(path).body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        for found in [Service(path.stem, node)]
    }
    silent = set()
    for found in services.values():
        led_to = reached(found.name, services)
        changes = found.public and found.takes_work and any(one.changes for one in led_to)
        if changes and not any(one.records for one in led_to):
            silent.add(found.name)
    assert silent == set(UNRECORDED)
