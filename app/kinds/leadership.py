"""What can happen to terms, seats, succession plans and handovers."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "term.planned": Kind(
        "term",
        ("position", "seat", "person_id", "starts_on", "ends_on", "basis"),
        ("term_recorded",),
        says="a term that begins on a later day was recorded",
    ),
    "term.started": Kind(
        "term",
        ("position", "seat", "person_id", "starts_on", "ends_on", "basis"),
        ("term_started",),
        says="a term began",
    ),
    "term.resigned": Kind(
        "term", ("position", "seat", "person_id"), says="a holder resigned from a seat"
    ),
    "term.removed": Kind(
        "term", ("position", "seat", "person_id"), ("term_removed",), says="a holder was removed"
    ),
    "term.lapsed": Kind(
        "term",
        ("position", "seat", "person_id"),
        says="a term ended with the holder's membership or account",
    ),
    "term.annulled": Kind(
        "term",
        ("position", "seat", "person_id"),
        ("term_removed",),
        says="a term that should not have been recorded was annulled",
    ),
    "term.ending_soon": Kind(
        "term",
        ("position", "seat", "person_id", "ends_on", "days"),
        ("term_ending_soon",),
        says="a term ends within 90, 30 or 7 days",
    ),
    "term.ended": Kind(
        "term",
        ("position", "seat", "person_id", "ends_on"),
        says="the last day of a term is over",
    ),
    "absence.declared": Kind(
        "term",
        ("position", "seat", "person_id", "starts_on", "ends_on"),
        says="a holder is away on some days",
    ),
    "absence.ended": Kind("term", ("position", "seat", "person_id"), says="a holder is back"),
    "vacancy.opened": Kind(
        "seat",
        ("position", "seat", "since_on", "cause", "term_id"),
        ("vacancy_opened",),
        says="nobody holds a seat any more",
    ),
    "vacancy.filled": Kind(
        "seat", ("position", "seat", "term_id", "person_id"), says="a vacant seat is held again"
    ),
    "acting.started": Kind(
        "seat",
        ("position", "seat", "term_id", "person_id", "for_person_id"),
        ("acting_started",),
        says="somebody acts in a seat that nobody who holds it can exercise",
    ),
    "acting.ended": Kind(
        "seat", ("position", "seat", "term_id"), says="somebody no longer acts in a seat"
    ),
    "succession.planned": Kind(
        "seat", ("position", "seat", "members"), says="the succession plan of a seat was changed"
    ),
    "succession.candidate_proposed": Kind(
        "succession_candidate",
        ("position", "seat"),
        ("succession_proposed",),
        says="somebody was put into a succession plan, and asked for their consent",
    ),
    "succession.candidate_removed": Kind(
        "succession_candidate",
        ("position", "seat"),
        says="somebody was taken out of a succession plan",
    ),
    "succession.consent_given": Kind(
        "succession_candidate",
        ("position", "seat"),
        ("succession_answered",),
        says="a candidate of a succession plan agreed to be one",
    ),
    "succession.consent_withdrawn": Kind(
        "succession_candidate",
        ("position", "seat"),
        ("succession_answered",),
        says="a candidate did not agree, or no longer; who it is, is shown to nobody",
        anonymous=True,
    ),
    "handover.item_completed": Kind(
        "handover_item", ("position", "seat"), says="something was handed over with a seat"
    ),
    "handover.item_reopened": Kind(
        "handover_item", ("position", "seat"), says="something was not handed over after all"
    ),
}
