"""The rules of etiquette and participation."""

from typing import Annotated, Any

from fastapi import Path, status

from app import errors, listing
from app.deps import PageDep, ReaderDep, SessionDep, SignedIn, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router, public
from app.schemas.base import page_of
from app.schemas.rules import (
    Agreement,
    AgreementCreate,
    AgreementList,
    Rules,
    RulesPublication,
    RulesVersionList,
)
from app.services import rules

router = api_router(tags=["rules"])


@router.get("/rules", response_model=Rules, summary="The rules in force")
@public(60)
async def get_rules(
    reader: ReaderDep, standing: Annotated[Standing, may(Capability.RULES_READ)]
) -> Any:
    """The version in force today. Show it before asking for agreement, and send its `version`."""
    return await rules.get(reader, standing)


@router.get("/rules/versions", response_model=RulesVersionList, summary="All versions")
@public(60)
async def list_rules_versions(
    reader: ReaderDep, standing: Annotated[Standing, may(Capability.RULES_READ)], page: PageDep
) -> Any:
    """The versions that were ever published, those to come included, the latest first."""
    listed = await listing.page(reader, rules.VERSIONS, page)
    shown = [rules.version_shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get("/rules/versions/{number}", response_model=Rules, summary="One version")
@public(60)
async def get_rules_version(
    number: Annotated[int, Path(ge=1, le=2_000_000_000, description="The version's number.")],
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.RULES_READ)],
) -> Any:
    """A version with its texts. A version never changes."""
    return await rules.get(reader, standing, number)


@router.post(
    "/rules/versions",
    response_model=Rules,
    status_code=status.HTTP_201_CREATED,
    summary="Publish a new version of the rules",
    openapi_extra=problems(errors.PermissionDenied, errors.RulesVersionNumberTaken),
)
async def publish_rules(
    body: RulesPublication,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.RULES_PUBLISH)],
) -> Any:
    """The rules whole, in both languages, in force from `effective_on`. From that day on members
    can read, and are asked to agree before they write."""
    return await rules.publish(work, standing, body.model_dump())


@router.get("/me/agreements", response_model=AgreementList, summary="My agreements", tags=["me"])
async def list_my_agreements(reader: ReaderDep, standing: SignedIn) -> Any:
    """Which versions of the rules the caller has agreed to, and when."""
    return {"items": await rules.agreements(reader, standing)}


@router.post(
    "/me/agreements",
    response_model=Agreement,
    status_code=status.HTTP_201_CREATED,
    summary="Agree to the rules",
    tags=["me"],
    openapi_extra=problems(errors.RulesVersionOutdated),
)
async def agree_to_rules(body: AgreementCreate, work: SessionDep, standing: SignedIn) -> Any:
    """Records the express agreement that taking part needs. Agreeing twice changes nothing."""
    return await rules.agree(work, standing, body.version, standing.me.language)
