"""What a community asks those who wish to join."""

from typing import Annotated, Any

from fastapi import Header

from app import errors, texts
from app.deps import ExpectedRequired, ReaderDep, SessionDep, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.join_forms import JoinForm, JoinQuestions, JoinQuestionsUpdate
from app.services import join_forms

router = api_router(tags=["joining"])


@router.get(
    "/communities/{community}/join-form",
    response_model=JoinForm,
    summary="What a form to join a community asks",
)
async def get_join_form(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)],
    accept_language: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Any:
    """A JSON Schema from which a form can be built: what everybody is asked, and the community's
    own questions under `answers`. A form for several communities takes the `answers` of each."""
    return await join_forms.shown(reader, standing, texts.preferred(accept_language))


@router.get(
    "/communities/{community}/join-questions",
    response_model=JoinQuestions,
    summary="A community's own questions",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_join_questions(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_UPDATE)],
) -> Any:
    """As those who may change them need them; who wishes to join reads the join form."""
    return await join_forms.get(reader, standing)


@router.put(
    "/communities/{community}/join-questions",
    response_model=JoinQuestions,
    summary="Change a community's own questions",
    openapi_extra=problems(
        errors.PermissionDenied, errors.CommunityArchived, *errors.EDITED_BY_SEVERAL
    ),
)
async def update_join_questions(
    community: str,
    body: JoinQuestionsUpdate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_UPDATE)],
    expected: ExpectedRequired,
) -> Any:
    """All of them at once. Answers that were given stay as they are, each with its question as it
    was asked. At most twenty; ask only what the decision needs."""
    items = body.model_dump()["items"]
    return await join_forms.replace(work, standing, items, expected)
