"""The catalogue of what can happen: to what, with which facts, and which mails it causes."""

from app.kinds import (
    association,
    discussions,
    elections,
    eligibility,
    imports,
    joining,
    leadership,
    memberships,
    people,
    proposals,
    provisioning,
)
from app.kinds.kind import Kind as Kind

_AREAS = (
    association,
    people,
    joining,
    memberships,
    leadership,
    elections,
    discussions,
    imports,
    eligibility,
    proposals,
    provisioning,
)
KINDS: dict[str, Kind] = {name: kind for area in _AREAS for name, kind in area.KINDS.items()}
