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
        ("requests_waiting", "request_received"),
        says="the applicant's address was confirmed; the request waits for a decision",
    ),
    "join_request.imported": Kind(
        "join_request",
        ("import_id", "invite"),
        ("requests_waiting", "request_received"),
        says="a message of an imported mailbox asked to join; the request waits for a decision, its"
        " address is not confirmed and no rules are agreed to",
    ),
    "join_request.import_undone": Kind(
        "join_request",
        ("import_id",),
        says="a request that an imported mailbox had brought was erased again",
    ),
    "join_request.proposed": Kind(
        "join_request",
        ("proposal_id", "rules_version"),
        ("requests_waiting",),
        says="somebody behind a proposal wished to belong to what it became, and has to be verified"
        " first; the request waits for a decision",
    ),
    "join_request.information_requested": Kind(
        "join_request",
        ("answer_due_on",),
        ("information_requested",),
        says="the applicant was asked something; the request waits for the answer",
    ),
    "join_request.information_given": Kind(
        "join_request",
        (),
        ("requests_waiting",),
        says="the applicant answered; the request waits for a decision again",
    ),
    "join_request.withdrawn": Kind(
        "join_request",
        ("cause",),
        ("request_closed",),
        says="a request was withdrawn, or closed since there was nothing to decide",
    ),
    "join_request.expired": Kind(
        "join_request",
        ("answer_due_on",),
        ("request_expired",),
        says="the last day for an answer is over, and the request with it",
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
    "invitation.sent": Kind(
        "invitation",
        ("category", "expires_on", "mail_id"),
        ("invitation",),
        says="an address was invited",
    ),
    "invitation.resent": Kind(
        "invitation",
        ("mail_id",),
        ("invitation",),
        says="an invitation was mailed again; the earlier link is void",
    ),
    "invitation.revoked": Kind("invitation", says="an invitation was revoked"),
    "invitation.accepted": Kind(
        "invitation",
        ("membership_id", "person_id", "privacy_notice_version"),
        ("welcome",),
        says="an invitation was accepted, and a membership begun",
    ),
    "invitation.declined": Kind("invitation", says="an invitation was declined"),
    "join_form.changed": Kind(
        "community", ("questions",), says="a community's own questions to applicants were changed"
    ),
}
