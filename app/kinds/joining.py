"""What can happen to requests to join, and to invitations."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "join_request.submitted": Kind(
        "join_request",
        ("submission_id", "rules_version", "privacy_notice_version"),
        ("confirm_address",),
        says="somebody asked to join",
    ),
    "join_request.verified": Kind(
        "join_request",
        ("rules_version",),
        ("requests_waiting",),
        says="the applicant's address was confirmed; the request waits for a decision",
    ),
    "join_request.withdrawn": Kind(
        "join_request", ("cause",), says="a request was withdrawn or superseded"
    ),
    "join_request.accepted": Kind(
        "join_request",
        ("membership_id", "person_id"),
        ("welcome",),
        says="a request was accepted, and a membership begun",
    ),
    "join_request.declined": Kind(
        "join_request", (), ("request_declined",), says="a request was declined"
    ),
}
