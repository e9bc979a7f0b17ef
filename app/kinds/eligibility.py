"""What can happen to verifications of who may belong to a restricted community."""

from app.kinds.kind import Kind

_FACTS = ("person_id", "occupation_code", "until_on")

KINDS: dict[str, Kind] = {
    "eligibility.requested": Kind(
        "eligibility_verification",
        _FACTS,
        ("verifications_waiting",),
        says="it was asked that somebody's eligibility be verified",
    ),
    "eligibility.evidence_kept": Kind(
        "eligibility_verification", _FACTS, says="evidence was uploaded for a verification"
    ),
    "eligibility.first_confirmed": Kind(
        "eligibility_verification",
        _FACTS,
        ("verifications_waiting",),
        says="the first of two people confirmed it",
    ),
    "eligibility.confirmed": Kind(
        "eligibility_verification",
        _FACTS,
        ("eligibility_confirmed",),
        says="somebody's eligibility was confirmed until a day",
    ),
    "eligibility.refused": Kind(
        "eligibility_verification",
        _FACTS,
        ("eligibility_refused",),
        says="somebody's eligibility was not confirmed",
    ),
    "eligibility.withdrawn": Kind(
        "eligibility_verification", _FACTS, says="a verification was taken back before its decision"
    ),
    "eligibility.revoked": Kind(
        "eligibility_verification",
        _FACTS,
        ("eligibility_revoked",),
        says="a confirmed verification counts no longer",
    ),
    "eligibility.ending_soon": Kind(
        "eligibility_verification",
        _FACTS,
        ("eligibility_ending_soon",),
        says="a verification counts for 30 days more at most",
    ),
    "eligibility.lapsed": Kind(
        "eligibility_verification",
        _FACTS,
        ("eligibility_lapsed",),
        says="the last day of a verification is over, and none took its place",
    ),
}
