"""What can happen to the association, its communities and its rules."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "association.updated": Kind("association", ("members",), says="the association's data changed"),
    "association.defaults_loaded": Kind("association", ("code",), says="the defaults were loaded"),
    "association.confirmation_changed": Kind(
        "association",
        ("change_id", "proposed_by", "confirmed_by", "confirms_grants"),
        ("grant_changed",),
        says="whether changes of the permission table wait for a second person",
    ),
    "grant.change_proposed": Kind(
        "grant_change",
        ("capability", "added", "removed", "confirms_grants"),
        ("grant_change_proposed",),
        says="a change of the permission table was proposed",
    ),
    "grant.changed": Kind(
        "grant",
        ("change_id", "proposed_by", "confirmed_by", "added", "removed"),
        ("grant_changed",),
        says="a capability was given to or taken from somebody",
    ),
    "grant.change_refused": Kind(
        "grant_change",
        ("capability", "confirms_grants", "proposed_by"),
        ("grant_change_refused",),
        says="a proposed change of the table was refused",
    ),
    "grant.change_withdrawn": Kind(
        "grant_change",
        ("capability", "confirms_grants"),
        says="a proposed change of the table was taken back",
    ),
    "community.created": Kind("community", ("slug",), says="a community was created"),
    "community.updated": Kind("community", ("members",), says="a community's data changed"),
    "community.seats_changed": Kind(
        "community",
        ("position", "seats"),
        says="a community got more or fewer seats than a position says, or follows it again",
    ),
    "position.created": Kind("position", ("scope",), says="a position was made"),
    "position.updated": Kind("position", ("members",), says="a position changed"),
    "subcommittee.created": Kind("subcommittee", says="a subcommittee was made"),
    "subcommittee.updated": Kind("subcommittee", ("members",), says="a subcommittee changed"),
    "subcommittee.dissolved": Kind(
        "subcommittee", ("terms",), says="a subcommittee was dissolved, and its terms ended"
    ),
    "rules.published": Kind(
        "rules_version", ("number", "effective_on"), says="a version of the rules was published"
    ),
    "rules.agreed": Kind("person", ("rules_version",), says="a person agreed to the rules"),
}
