"""What can happen to what partners provision. None of it mails anybody."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "provisioned_user.created": Kind(
        "provisioned_user", says="a partner's directory made a user of its own"
    ),
    "provisioned_user.updated": Kind(
        "provisioned_user", ("members", "active"), says="a partner's directory changed its user"
    ),
    "provisioned_user.deleted": Kind(
        "provisioned_user", says="a partner's directory forgot its user"
    ),
    "provisioned_user.placed": Kind(
        "provisioned_user",
        says="a partner's directory put its user into a group, where no membership began by it",
    ),
    "provisioned_user.lifted": Kind(
        "provisioned_user",
        says="a partner's directory took its user out of a group, and no membership ended by it",
    ),
    "provisioned_group.updated": Kind(
        "provisioned_group", ("members",), says="a partner's directory identified a group"
    ),
    "membership.provisioned": Kind(
        "membership",
        ("person_id", "user_id"),
        says="a partner's directory put somebody into a group, and a membership began",
    ),
    "membership.deprovisioned": Kind(
        "membership",
        ("person_id", "user_id"),
        says="a partner's directory took somebody out, and the membership it had begun ended",
    ),
}
