"""What can happen to memberships."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "membership.begun": Kind(
        "membership",
        ("person_id", "category", "since_on", "until_on"),
        ("membership_begun",),
        says="somebody was made a member by those who manage memberships",
    ),
    "membership.paused": Kind(
        "membership",
        ("person_id", "starts_on", "until_on"),
        ("membership_paused",),
        says="the rights of a membership rest from a day on",
    ),
    "membership.resumed": Kind(
        "membership", ("person_id",), ("membership_resumed",), says="a pause was ended"
    ),
    "membership.updated": Kind("membership", ("members",), says="a membership was changed"),
    "membership.ended": Kind(
        "membership", ("person_id", "ending", "terms"), ("membership_ended",), says="it ended"
    ),
    "membership.claimed": Kind(
        "membership",
        ("person_id",),
        says="somebody made a membership their own that a list of the community had begun for"
        " their address",
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
