"""What can happen to imports and exports of memberships."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "memberships.exported": Kind(
        "community",
        ("format", "rows", "private", "filters"),
        says="somebody took a community's roster away as a file; `private`: with addresses and all",
    ),
    "memberships.exported_everywhere": Kind(
        "association",
        ("format", "rows", "private", "filters"),
        says="somebody took all rosters away as a file; `private`: with addresses and all",
    ),
    "membership_import.created": Kind(
        "membership_import",
        ("mode", "handling", "apply", "size"),
        says="a file of memberships was handed in",
    ),
    "membership_import.mapped": Kind(
        "membership_import", says="it was said what the columns of a file are; it is planned anew"
    ),
    "membership_import.planned": Kind(
        "membership_import",
        ("created", "changed", "unchanged", "ended", "refused"),
        says="it was worked out what a file would do; of how many rows, by outcome",
    ),
    "membership_import.failed": Kind(
        "membership_import", ("code",), says="an import came to nothing, or stopped half way"
    ),
    "membership_import.application_requested": Kind(
        "membership_import", ("handling",), says="somebody asked for a plan to be applied"
    ),
    "membership_import.applied": Kind(
        "membership_import",
        ("created", "changed", "unchanged", "ended", "refused"),
        says="an import was applied; the rows of the file by what became of them",
    ),
    "membership_import.cancelled": Kind("membership_import", says="an import was called off"),
    "membership_import.reversal_requested": Kind(
        "membership_import", says="somebody asked for an import to be undone"
    ),
    "membership_import.reversed": Kind(
        "membership_import",
        ("kept",),
        says="an import was undone, save in so many rows in which something was built on it",
    ),
    "membership_import_mapping.saved": Kind(
        "membership_import_mapping", says="a mapping of columns was kept by name"
    ),
    "membership_import_mapping.deleted": Kind(
        "membership_import_mapping", says="a mapping of columns was thrown away"
    ),
    "account.imported": Kind("person", ("import_id",), says="an import made an account"),
    "profile.imported": Kind(
        "person",
        ("import_id",),
        says="an import of a community made a profile of somebody whose address has an account"
        " elsewhere: it waits to be claimed",
    ),
    "account.import_changed": Kind(
        "person", ("members", "import_id"), says="an import changed a person's profile"
    ),
    "membership.imported": Kind(
        "membership",
        ("import_id", "person_id", "invite"),
        ("imported",),
        says="an import began a membership",
    ),
    "membership.import_changed": Kind(
        "membership", ("members", "import_id"), says="an import changed a membership"
    ),
    "membership.import_ended": Kind(
        "membership", ("import_id", "person_id"), says="an import ended a membership"
    ),
    "membership.import_undone": Kind(
        "membership",
        ("import_id", "act"),
        says="what an import did to a membership was undone: it is gone again (begin), runs again"
        " (end), or is as it was (change)",
    ),
    "account.import_undone": Kind(
        "person",
        ("import_id", "act"),
        says="what an import did to an account was undone: it is gone again (make), or its profile"
        " is as it was (update)",
    ),
}
