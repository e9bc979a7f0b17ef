"""Reading the activity log: a community's, or the association's."""

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.activity import KINDS
from app.listing import Listing
from app.models import Activity, Partner, Person

ACTIVITY = sa.select(
    Activity.id,
    Activity.kind,
    Activity.occurred_at,
    Activity.actor_kind,
    Activity.actor_id,
    Activity.community_id,
    Activity.subject_kind,
    Activity.subject_id,
    Activity.facts,
    Activity.acting,
    Activity.place,
    sa.func.coalesce(col(Person.name), col(Partner.name)).label("actor_name"),
).select_from(
    sa.outerjoin(Activity, Person, col(Person.id) == Activity.actor_id).outerjoin(
        Partner, col(Partner.id) == Activity.actor_id
    )
)


@lru_cache
def listing(of_community: bool, kinds: bool) -> Listing:
    """The log, the latest first: of one community, or of what concerns no community."""
    if of_community:
        wanted = col(Activity.community_id) == sa.bindparam("community", type_=sa.Uuid)
    else:
        wanted = col(Activity.community_id).is_(None)
    query = ACTIVITY.where(wanted)
    if kinds:
        query = query.where(col(Activity.kind) == sa.bindparam("kind", type_=sa.String))
    return Listing(query, col(Activity.id), descending=True)


def shown(row: Any) -> dict[str, Any]:
    """One record as the log shows it: who did it, but for what is anonymous."""
    kind = KINDS.get(row.kind)
    named = kind is None or not kind.anonymous
    return {
        **row._asdict(),
        # Of what is anonymous, this too would say by whom it was done.
        "acting": row.acting if named else None,
        "actor": {
            "kind": row.actor_kind,
            "id": row.actor_id if named else None,
            "name": row.actor_name if named else None,
        },
        "subject": {"kind": row.subject_kind, "id": row.subject_id},
    }
