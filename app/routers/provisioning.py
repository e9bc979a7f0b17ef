"""What this server can do of SCIM (RFC 7644, 4), said to whoever may use it."""

from fastapi import Response

from app import scim
from app.scim import Provisioner
from app.services import provisioning

router = scim.router()


@router.get("/ServiceProviderConfig")
async def get_service_provider_config(_: Provisioner) -> Response:
    """What of the protocol is supported, and how much of it at once."""
    return scim.answer(provisioning.config())


@router.get("/ResourceTypes")
async def list_resource_types(_: Provisioner) -> Response:
    """Users and groups."""
    return scim.everything([*provisioning.resource_types().values()])


@router.get("/ResourceTypes/{name}")
async def get_resource_type(name: str, _: Provisioner) -> Response:
    """One kind of resource."""
    return scim.answer(provisioning.resource_type(name))


@router.get("/Schemas")
async def list_schemas(_: Provisioner) -> Response:
    """The attributes of everything that is served."""
    return scim.everything([*provisioning.schemas().values()])


@router.get("/Schemas/{urn}")
async def get_schema(urn: str, _: Provisioner) -> Response:
    """The attributes of one kind of resource."""
    return scim.answer(provisioning.schema_of(urn))
