"""The server's own pages: where links in mails lead, how reminders stop, what problems mean."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from app import following, inviting, pages, texts
from app.deps import SessionDep
from app.services import unsubscriptions

router = APIRouter(include_in_schema=False)


def _language(accept_language: Annotated[str | None, Header()] = None) -> str:
    return texts.preferred(accept_language)


Language = Annotated[str, Depends(_language)]
Key = Annotated[str, Query(max_length=300)]


def _answer(page: pages.Page) -> Response:
    return Response(page.html, media_type="text/html; charset=utf-8", headers=page.headers)


@router.get("/pages/email-verification")
async def email_verification_page(language: Language) -> Response:
    """Confirms an address on its button; opening it changes nothing."""
    return _answer(pages.email_verification(language))


@router.get("/pages/password")
async def password_page(language: Language) -> Response:
    """Chooses a password on its button; opening it changes nothing."""
    return _answer(pages.password(language))


@router.get("/pages/sign-in")
async def sign_in_page(language: Language) -> Response:
    """Signs in on its button; opening it changes nothing."""
    return _answer(pages.sign_in(language))


@router.get("/pages/proposal")
async def proposal_page(language: Language) -> Response:
    """Shows a proposal to whoever stands behind it; opening it changes nothing."""
    return _answer(following.proposal(language))


@router.get("/pages/invitation")
async def invitation_page(language: Language) -> Response:
    """Accepts an invitation or declines it, on a button; opening it changes nothing."""
    return _answer(inviting.invitation(language))


@router.get("/pages/join-request")
async def join_request_page(language: Language) -> Response:
    """Shows a request to join to its applicant; opening it changes nothing."""
    return _answer(following.join_request(language))


@router.get("/pages/discussion")
async def discussion_page(language: Language) -> Response:
    """Says that discussions are shown on the association's own site."""
    return _answer(pages.discussion(language))


@router.get("/unsubscribe")
async def unsubscribe_page(language: Language, key: Key = "") -> Response:
    """Stops reminders on its button; opening it changes nothing."""
    return _answer(pages.unsubscribe(language, key))


@router.post("/unsubscribe")
async def unsubscribe(language: Language, work: SessionDep, key: Key = "") -> Response:
    """Stops the reminders that the key is about, for a person or their mail program (RFC 8058)."""
    await unsubscriptions.unsubscribe(work, key)
    return _answer(pages.unsubscribed(language))


@router.get("/problems")
async def problems_page(language: Language) -> Response:
    """Lists every refusal of the API by its code."""
    return _answer(pages.problems(language))
