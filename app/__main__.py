"""The command line `cop`."""

import asyncio
import getpass
import json
import signal
import sys
from datetime import date
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import TypeAdapter, ValidationError

from app import demo, documents, errors, logs, settings
from app.commands import imports, preparing
from app.jobs import Worker
from app.main import create_app
from app.schemas.base import Email
from app.services import passwords, people, sealing
from app.wire import Protocol

# A traceback must not show the values of variables: some are secrets.
cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help=__doc__,
)

# For the requests that run at a stop. Jobs and mail servers get what is left of half a minute.
GRACE_SECONDS = 15


@cli.command()
def serve(
    worker: Annotated[
        bool | None,
        typer.Option("--worker/--no-worker", help="Run jobs beside the server (SQLite: yes)."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
) -> None:
    """Migrate, load missing defaults, and serve."""
    position = preparing.prepare()
    current = settings.get()
    beside = current.embedded if worker is None else worker
    if workers > 1 and beside:
        raise SystemExit("With several processes, run `cop worker` beside `cop serve --no-worker`.")
    mailbox = current.mail.split("@")[-1] if "@" in current.mail else current.mail
    print(f"API      {current.public_url}/api/v1   docs {current.public_url}/docs", flush=True)
    print(f"Mailbox  {mailbox.removeprefix('file://')}", flush=True)
    cop = sys.argv[0] if sys.argv[0].endswith("/cop") else "cop"  # as it was just called
    staff = f"--email you@example.org --name 'Your Name' --position {position}"
    print(f"Staff    {cop} create-staff {staff}", flush=True)
    if not beside:
        print(f"Worker   not here, so no mail leaves until `{cop} worker` runs", flush=True)
    options: dict[str, Any] = {
        "host": current.host,
        "port": current.port,
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "log_level": "warning",
        "log_config": None,  # its lines come out as ours do (logs.py)
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "timeout_keep_alive": 75,
        "proxy_headers": current.trust_proxy,
        "forwarded_allow_ips": "*" if current.trust_proxy else None,
        "lifespan": "on",
        "http": Protocol,
        "ws": "none",
    }
    # Having ended well uvicorn gives the signal on; a stop that was asked for is no fault.
    signal.signal(signal.SIGTERM, _stopped)
    if workers > 1:
        uvicorn.run("app.serving:app", workers=workers, **options)
    else:
        uvicorn.run(create_app(worker=beside), **options)


def _stopped(_signal: int, _frame: Any) -> None:
    raise SystemExit(0)


@cli.command()
def worker() -> None:
    """Run the jobs: seal the log, send mail, erase what is not kept.

    One worker at a time works on a database; a second one stands by for the first.
    """
    preparing.prepare()
    current = settings.get()
    logs.configure(current.log_level, current.development)
    preparing.run(_work())


async def _work() -> None:
    database = preparing.database()
    jobs = Worker(database)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for received in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(received, stopping.set)
    await jobs.start()
    print("The worker runs.", flush=True)
    await stopping.wait()
    await jobs.stop()
    await database.close()


@cli.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="head, base, or a number.")] = "head",
) -> None:
    """Bring the database's schema to a revision."""
    settings.get().refuse_unsafe()
    preparing.migrate(revision)


@cli.command()
def seed() -> None:
    """Load the association's defaults where they are missing."""
    preparing.prepare()


@cli.command("create-staff")
def create_staff(
    email: Annotated[str, typer.Option(help="The address to sign in with.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    position: Annotated[
        str | None,
        typer.Option(help="A position in the association; else the one that is given the most."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="The last day, YYYY-MM-DD.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make an account with a running term in a position of the association."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass()
    widest = preparing.prepare()
    position = position or widest
    try:
        address = TypeAdapter(Email).validate_python(email)
        last_day = date.fromisoformat(until) if until else None
        preparing.run(_create_staff(address, name.strip(), position, last_day, password))
    except (ValidationError, ValueError) as error:
        raise SystemExit("The e-mail address or the day cannot be read.") from error
    except errors.Problem as problem:
        said = problem.document("en", "", "", "")
        details = [said["detail"], *(item["detail"] for item in said.get("errors", []))]
        raise SystemExit(" ".join(details)) from problem
    print(f"{address} holds the position {position}.")


async def _create_staff(
    email: str, name: str, position: str, until: date | None, password: str
) -> None:
    if len(password) < 10:
        raise errors.PasswordWeak
    passwords.refuse_weak(password, email)
    stored = await passwords.hashed(password)
    database = preparing.database()
    try:
        async with database.work() as work:
            await people.create_staff(
                work, name=name, email=email, position=position, password_hash=stored, until=until
            )
    finally:
        await database.close()


@cli.command("verify-audit")
def verify_audit() -> None:
    """Walk the activity log and name the first row that was changed, removed or added."""
    sealed, fault, waiting = preparing.run(_verify())
    if fault is not None:
        where = f"Place {fault.place}, {fault.row}" if fault.row else f"Place {fault.place}"
        raise SystemExit(f"{where}: {fault.what}. {sealed} records before it are whole.")
    print(f"The log is whole: {sealed} records. {waiting} wait for their seal.")


async def _verify() -> tuple[int, sealing.Fault | None, int]:
    database = preparing.database()
    try:
        sealed, fault = await sealing.verify(database.reader)
        return sealed, fault, await sealing.waiting(database.reader)
    except errors.Unavailable as problem:
        raise SystemExit("The database cannot be read.") from problem
    finally:
        await database.close()


@cli.command("openapi")
def write_openapi(
    check: Annotated[bool, typer.Option(help="Only compare; fail if a file differs.")] = False,
) -> None:
    """Write the generated documents of the contract into openapi/."""
    generated = documents.generated(create_app().app)
    stale = [
        name
        for name, text in generated.items()
        if not (documents.FOLDER / name).is_file()
        or (documents.FOLDER / name).read_text("utf-8") != text
    ]
    if check and stale:
        raise SystemExit(f"Not as generated: {', '.join(stale)}. Run `cop openapi`.")
    if not check:
        documents.FOLDER.mkdir(exist_ok=True)
        for name, text in generated.items():
            (documents.FOLDER / name).write_text(text, "utf-8")


@cli.command("demo")
def make_demo(
    serve_too: Annotated[bool, typer.Option("--serve/--no-serve", help="Then serve it.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the sign-ins as JSON.")] = False,
) -> None:
    """Fill the database with a populated association and print each one's sign-in."""
    demo.refuse_production()
    preparing.prepare()
    cast = preparing.run(_fill())
    if as_json:
        print(json.dumps(cast, ensure_ascii=False, indent=2))
    else:
        for person in cast:
            print(f"{person['email']:<34} {person['password']:<20} {person['who']}")
    if serve_too:
        serve(worker=None, workers=1)


async def _fill() -> list[dict[str, Any]]:
    database = preparing.database()
    try:
        if await demo.is_there(database):
            print("The demo is here already; nothing was changed.", file=sys.stderr)
        return await demo.fill(database)
    finally:
        await database.close()


cli.command("import")(imports.import_memberships)
cli.command("export")(imports.export_memberships)

if __name__ == "__main__":
    cli()
