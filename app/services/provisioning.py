"""What is common to a partner's users and groups: where it may provision, and how that is said.

Where a partner may not provision, no group is, and nothing is changed there in its name.
"""

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    Meta,
    Pagination,
    Patch,
    Reference,
    Resource,
    ResourceType,
    Schema,
    ServiceProviderConfig,
    Sort,
)
from sqlmodel import col

from app import errors, provisioning_errors, settings
from app.models import Community
from app.models.base import is_empty
from app.policy import Capability, PartnerLine, Standing
from app.preconditions import known
from app.schemas.provisioning import DEFAULT_RESULTS, MOST_RESULTS, PREFIX, Group, User

BODY_LIMIT = 1024 * 1024
SERVED: tuple[type[Resource[Any]], ...] = (User, Group)
_DESCRIBED = (*SERVED, Schema, ResourceType, ServiceProviderConfig)


def partner_of(standing: Standing) -> PartnerLine:
    """The partner whose machine provisions.

    Raises PartnerRequired for people and their tokens, PermissionDenied without the scope for it.
    """
    if standing.partner is None:
        raise provisioning_errors.PartnerRequired
    if not standing.in_scope(Capability.MEMBERSHIPS_MANAGE):
        because = standing.because(Capability.MEMBERSHIPS_MANAGE)
        raise errors.PermissionDenied(
            members={"capability": Capability.MEMBERSHIPS_MANAGE, "because": because}
        )
    return standing.partner


def within_reach(standing: Standing) -> Any:
    """The condition that a community is one in which the partner may provision: one that was named
    for it, or else any that neither hides nor restricts itself."""
    named = standing.bounds.communities if standing.bounds else frozenset()
    if named is not None:
        return col(Community.id).in_(named)
    return sa.and_(col(Community.listed), is_empty(Community.eligible_occupations))


def refuse_stale(if_match: str | None, version: str) -> None:
    """Raises PreconditionFailed where the client has seen another version than this."""
    expected = known(if_match)
    if expected and "*" not in expected and version not in expected:
        raise errors.PreconditionFailed


def version_of(*parts: Any) -> str:
    """The version of what these parts make up, as an ETag."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=12)
    return f'"{digest.hexdigest()}"'


def location(kind: type[Resource[Any]], thing_id: UUID | str) -> str:
    """Where a resource is."""
    return f"{settings.get().public_url}{PREFIX}/{kind.__name__}s/{thing_id}"


def meta(
    kind: type[Resource[Any]],
    thing_id: UUID | str,
    version: str,
    created: datetime,
    modified: datetime,
) -> Meta:
    """What is said of a resource beside itself."""
    return Meta(
        resource_type=kind.__name__,
        location=location(kind, thing_id),
        version=version,
        created=created,
        last_modified=modified,
    )


# Discovery (RFC 7644, 4)


@lru_cache
def config() -> ServiceProviderConfig:
    """What this server can do of SCIM."""
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=BODY_LIMIT),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        pagination=Pagination(
            cursor=False,
            index=True,
            default_pagination_method=Pagination.DefaultPaginationMethod.index,
            default_page_size=DEFAULT_RESULTS,
            max_page_size=MOST_RESULTS,
        ),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth 2.0 client credentials",
                description="A bearer token, had at /api/v1/auth/tokens with a partner's credential"
                " and the scope memberships:manage.",
                spec_uri="https://www.rfc-editor.org/rfc/rfc6749",
                primary=True,
            )
        ],
        meta=_described("ServiceProviderConfig", "ServiceProviderConfig"),
    )


@lru_cache
def resource_types() -> dict[str, ResourceType]:
    """The kinds of resources, by name."""
    said = {"User": "Somebody in the partner's directory.", "Group": "A community."}
    found = {}
    for kind in SERVED:
        name = kind.__name__
        found[name] = ResourceType.from_resource(kind)
        found[name].description = said[name]
        found[name].meta = _described("ResourceType", f"ResourceTypes/{name}")
    return found


@lru_cache
def schemas() -> dict[str, Schema]:
    """The schemas of all that is served, by their URN in lower case."""
    found = {}
    for kind in _DESCRIBED:
        schema = kind.to_schema()
        schema.meta = _described("Schema", f"Schemas/{schema.id}")
        found[str(schema.id).lower()] = schema
    return found


def resource_type(name: str) -> ResourceType:
    """One kind of resource. Raises NotFound."""
    found = resource_types().get(name)
    if found is None:
        raise errors.NotFound
    return found


def schema_of(urn: str) -> Schema:
    """One schema. Raises NotFound."""
    found = schemas().get(urn.lower())
    if found is None:
        raise errors.NotFound
    return found


def _described(kind: str, path: str) -> Meta:
    return Meta(resource_type=kind, location=f"{settings.get().public_url}{PREFIX}/{path}")


def reference(kind: type[Resource[Any]], thing_id: UUID) -> Reference[Any]:
    """A resource as others refer to it."""
    return Reference[Any](location(kind, thing_id))
