"""What can happen to memberships."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "membership.updated": Kind("membership", ("members",), says="a membership was changed"),
    "membership.ended": Kind(
        "membership", ("person_id", "ending", "terms"), ("membership_ended",), says="it ended"
    ),
    "membership.suspended": Kind(
        "membership",
        ("person_id", "until_on"),
        ("membership_suspended",),
        says="a membership was suspended until a day",
    ),
    "membership.suspension_lifted": Kind(
        "membership", ("person_id",), ("suspension_lifted",), says="a suspension was lifted"
    ),
}
