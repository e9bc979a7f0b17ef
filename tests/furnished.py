"""All operations of the contract, and the people and things to call them with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi.routing import APIRoute

from app import openapi
from tests import places
from tests.cast import DTC, Api, Someone


class Operation(NamedTuple):
    """One operation of the contract, as a test calls it."""

    name: str
    method: str
    template: str
    description: dict[str, Any]

    def path(self, values: dict[str, str]) -> str:
        """The path with these values for its parameters."""
        return re.sub(r"\{(\w+)\}", lambda found: values[found.group(1)], self.template)

    @property
    def body(self) -> dict[str, Any] | None:
        """What the contract says of the body, if the operation takes one."""
        return self.description.get("requestBody")

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """What the contract says of the parameters."""
        return self.description.get("parameters", [])


def operations(api: Api) -> list[Operation]:
    """Every operation of the contract."""
    document = openapi.document(api.edge.app)
    return [
        Operation(str(route.operation_id), method, route.path_format, found)
        for route, method in _methods(api)
        for found in [document["paths"][route.path_format][method.lower()]]
    ]


def _methods(api: Api) -> Iterator[tuple[APIRoute, str]]:
    for route in openapi.operations(api.edge.app):
        for method in sorted(route.methods):
            yield route, method


@dataclass(frozen=True)
class Furnished:
    """The people who call, and the path parameters that lead to something."""

    api: Api
    staff: Someone
    chair: Someone
    member: Someone
    values: dict[str, str]


async def furnish(api: Api) -> Furnished:
    """A community with one of everything, and a member, a chair and staff who call."""
    staff = await api.staff()
    chair = await api.leader("Claire Chair", "chair")
    member = await api.member("Mo Member")
    place = await places.furnished(api, DTC)
    values = {
        "community": DTC,
        "discussion_id": place.discussion,
        "post_id": place.post,
        "review_id": place.review,
        "join_request_id": place.join_request,
        "membership_id": place.membership,
        "term_id": place.term,
        "eligibility_verification_id": place.verification,
        "election_id": place.election,
        "nomination_id": place.nomination,
        "succession_candidate_id": place.candidate,
        "handover_item_id": place.handover_item,
        "seat_id": place.seat,
        "subcommittee_id": place.subcommittee,
        "grant_change_id": place.grant_change,
        "access_token_id": place.access_token,
        "community_proposal_id": place.proposal,
        "partner_id": place.partner,
        "credential_id": place.credential,
        "membership_import_id": place.membership_import,
        "invitation_id": place.invitation,
        "mapping_name": "Kept",
        "position": "member_at_large",
        "person_id": place.author,
        "session_id": member.session_id,
        "capability": "insights:read",
        "number": 1,
    }
    return Furnished(api, staff, chair, member, {name: str(at) for name, at in values.items()})
