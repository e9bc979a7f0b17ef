"""What can happen to people, partners, and the ways in which they sign in."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "account.created": Kind("person", says="an account was made"),
    "profile.created": Kind(
        "person",
        says="a community wrote somebody down whose address has an account elsewhere: the profile"
        " waits to be claimed",
    ),
    "account.updated": Kind("person", ("members",), says="a person corrected their profile"),
    "account.password_chosen": Kind(
        "person", ("first",), ("password_changed",), says="a password was chosen"
    ),
    "account.deactivated": Kind("person", says="an account was deactivated"),
    "account.reactivated": Kind("person", says="an account was reactivated"),
    "account.unsubscribed": Kind(
        "person", ("mail_kind",), says="a person stopped reminders of one kind"
    ),
    "access_token.created": Kind(
        "access_token",
        ("person_id", "scopes", "communities", "expires_on"),
        ("access_token_created",),
        says="a person made a token for a script",
    ),
    "access_token.revoked": Kind(
        "access_token", ("person_id",), says="a token for a script was revoked"
    ),
    "access_token.ending_soon": Kind(
        "access_token",
        ("person_id", "expires_on"),
        ("access_token_ending_soon",),
        says="a token for a script ends within a week",
    ),
    "partner.created": Kind(
        "partner", ("capabilities", "communities"), says="a partner organisation was admitted"
    ),
    "partner.updated": Kind(
        "partner",
        ("members", "capabilities", "communities", "active"),
        says="what a partner is, or may have, changed",
    ),
    "credential.created": Kind(
        "partner_credential", ("partner_id", "expires_on"), says="a partner got a credential"
    ),
    "credential.revoked": Kind(
        "partner_credential", ("partner_id",), says="a partner's credential was revoked"
    ),
    "session.started": Kind("session", ("how",), says="somebody signed in"),
    "session.ended": Kind("session", ("how",), says="a sign-in ended"),
    "mail.parked": Kind(
        "mail", ("mail_kind",), says="a mail could not be delivered and was set aside"
    ),
}
