"""Groups over SCIM: the communities in which the partner may provision."""

from fastapi import Response

from app import provisioning_errors, scim
from app.deps import ReaderDep, SessionDep
from app.schemas import provisioned_groups as schema
from app.scim import (
    AskedGroups,
    Body,
    GroupProvisioner,
    IfMatch,
    OfGroup,
    Provisioner,
    SearchedGroups,
)
from app.services import provisioned_groups

router = scim.router()


@router.get("/Groups")
async def find_provisioned_groups(
    standing: Provisioner, asked: AskedGroups, reader: ReaderDep
) -> Response:
    """The groups, by filter and page."""
    return scim.listed(await provisioned_groups.find(reader, standing, asked), asked)


@router.post("/Groups/.search")
async def search_provisioned_groups(
    standing: Provisioner, asked: SearchedGroups, reader: ReaderDep
) -> Response:
    """The same, with what is asked in the body, where no log keeps it."""
    return scim.listed(await provisioned_groups.find(reader, standing, asked), asked)


@router.post("/Groups")
async def create_provisioned_group(_: Provisioner) -> Response:
    """Refused: communities are the association's to make."""
    raise provisioning_errors.GroupsFixed


@router.get("/Groups/{group_id}")
async def get_provisioned_group(
    standing: GroupProvisioner, wanted: OfGroup, reader: ReaderDep
) -> Response:
    """One group, with the members that this directory has put there."""
    return scim.answer(await provisioned_groups.get(reader, standing), wanted)


@router.put("/Groups/{group_id}")
async def replace_provisioned_group(
    standing: GroupProvisioner,
    wanted: OfGroup,
    body: Body,
    work: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Makes the group's members, where they are sent, those and no others."""
    await provisioned_groups.change(work, standing, schema.whole(body), if_match)
    return scim.answer(await provisioned_groups.get(work, standing), wanted)


@router.patch("/Groups/{group_id}")
async def patch_provisioned_group(
    standing: GroupProvisioner,
    wanted: OfGroup,
    body: Body,
    work: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Puts members in and takes members out."""
    await provisioned_groups.change(work, standing, schema.patched(body), if_match)
    return await scim.patched(wanted, lambda: provisioned_groups.get(work, standing))


@router.delete("/Groups/{group_id}")
async def delete_provisioned_group(_: GroupProvisioner) -> Response:
    """Refused: communities are the association's to end."""
    raise provisioning_errors.GroupsFixed
