"""Files of memberships, as importers send them, and the worker's part without its engine."""

from collections import Counter
from typing import Any

import httpx
import sqlalchemy as sa
from sqlmodel import col

from app.models import ImportStatus, MembershipImport, MembershipImportRow, RowOutcome
from app.services import import_runs
from tests.cast import Api, Someone

IMPORTS = "/membership-imports"


def csv_of(*rows: str, headings: str = "email,name,communities") -> str:
    """A small file with these rows."""
    return "\n".join((headings, *rows, ""))


async def send(
    importer: Someone, content: str | bytes, name: str = "members.csv", **fields: Any
) -> httpx.Response:
    """A file as a form, with plain fields beside it; `community` goes into the query."""
    place = fields.pop("community", None)
    return await importer.call(
        "POST",
        IMPORTS,
        params={"community": place} if place else None,
        files={"file": (name, content)},
        data={key: str(value) for key, value in fields.items()},
    )


async def planned(importer: Someone, content: str | bytes, **fields: Any) -> dict[str, Any]:
    """An import as it stands when the worker is through with its plan."""
    answer = await send(importer, content, **fields)
    assert answer.status_code == 202, answer.text
    await work_off(importer.api)
    return await now(importer, answer.json())


async def applied(importer: Someone, content: str | bytes, **fields: Any) -> dict[str, Any]:
    """An import that was planned and applied in one go."""
    found = await planned(importer, content, **{"apply": "true"} | fields)
    assert found["status"] == "applied", found
    return found


async def ask(importer: Someone, job: dict[str, Any], act: str, **body: Any) -> httpx.Response:
    """What somebody asks for with an import: its application, cancellation or reversal."""
    return await importer.post(
        f"{IMPORTS}/{job['id']}/{act}", body if act == "application" else None
    )


async def done(importer: Someone, job: dict[str, Any], act: str, **body: Any) -> dict[str, Any]:
    """The same, when the worker is through with it."""
    answer = await ask(importer, job, act, **body)
    assert answer.is_success, answer.text
    await work_off(importer.api)
    return await now(importer, job)


async def now(importer: Someone, job: dict[str, Any]) -> dict[str, Any]:
    """An import as it is at this moment."""
    answer = await importer.get(f"{IMPORTS}/{job['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def rows_of(importer: Someone, job: dict[str, Any], **asked: Any) -> list[dict[str, Any]]:
    """The rows of an import, as they are listed."""
    answer = await importer.get(f"{IMPORTS}/{job['id']}/rows", params={"limit": 100} | asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def outcomes(importer: Someone, job: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """What becomes of each row, and the codes that say why."""
    return [
        (row["outcome"], [finding["code"] for finding in row["findings"]])
        for row in await rows_of(importer, job)
    ]


async def work_off(api: Api) -> None:
    """What the worker does with all imports that wait; each counts its rows as they are."""
    while await import_runs.run_next(api.database):
        pass
    numbers = [col(getattr(MembershipImport, outcome.value)) for outcome in RowOutcome]
    about = sa.select(
        MembershipImport.id,
        MembershipImport.status,
        MembershipImport.noted,
        MembershipImport.rows_to_do,
        *numbers,
    )
    for job in await api.read(about.where(col(MembershipImport.planned_at).is_not(None))):
        rows = await api.read(
            sa.select(
                MembershipImportRow.outcome, MembershipImportRow.findings, MembershipImportRow.plan
            ).where(col(MembershipImportRow.import_id) == job.id)
        )
        found = Counter(row.outcome for row in rows)
        assert {one: getattr(job, one.value) for one in RowOutcome} == dict.fromkeys(
            RowOutcome, 0
        ) | found
        assert job.noted == sum(bool(row.findings) for row in rows)
        to_do = sum(row.plan is not None for row in rows if row.outcome != RowOutcome.REFUSED)
        assert job.status != ImportStatus.PLANNED or job.rows_to_do == to_do
