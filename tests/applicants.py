"""Applicants without an account: what they are mailed, and what they do with its link."""

from typing import Any

import httpx

from tests.answers import FORM, ok
from tests.cast import Api, Someone, mail_to, text_of, token_in

SIOBHAN = FORM["email"]
QUESTION = {"question": "In which court do you practise?"}
ANSWER = {"answer": "In the Ontario Court of Justice in Thunder Bay."}


def with_link(link: str) -> dict[str, Any]:
    """How a link of a mail is sent as a bearer."""
    return {"headers": {"Authorization": f"Bearer {link}"}}


async def followed(api: Api, email: str = SIOBHAN) -> str:
    """The link of the one mail by which an address follows a request, of those that go out now."""
    sent = [mail for mail in await api.work_off() if "/join-request?id=" in text_of(mail)]
    return token_in(mail_to(sent, email))


async def read(by: Api | Someone, request: str, link: str | None = None) -> httpx.Response:
    options = {} if link is None else with_link(link)
    return await by.get(f"/join-requests/{request}", **options)


async def ask_about(by: Someone, request: str, **options: Any) -> httpx.Response:
    """Somebody who decides wants to know something."""
    return await by.put(f"/join-requests/{request}/information-request", QUESTION, **options)


async def answer(by: Api | Someone, request: str, link: str | None = None) -> httpx.Response:
    options = {} if link is None else with_link(link)
    path = f"/join-requests/{request}/information"
    return await by.call("PUT", path, json=ANSWER, **options)


async def take_back(by: Api | Someone, request: str, link: str | None = None) -> httpx.Response:
    options = {} if link is None else with_link(link)
    return await by.call("POST", f"/join-requests/{request}/withdrawal", **options)


async def can(by: Api | Someone, request: str, link: str | None = None) -> list[str]:
    """What somebody may do with a request now."""
    return ok(await read(by, request, link))["viewer"]["can"]
