"""Examples for the contract: made from the schemas, so that each is complete and none is wrong.

A schema's own examples come first, then what is said here of a member (of one schema, or of any
that has a member of this name), then whatever its type allows. A test validates every one of them.
"""

import hashlib
from typing import Any

INSTANT, DAY = "2026-11-22T14:30:00Z", "2026-11-22"

_COURT = {"en": "Drug Treatment Court CP", "fr": "CP – Tribunal de traitement de la toxicomanie"}
_TALK = {
    "en": "How courts that supervise treatment work, and what helps people to finish it.",
    "fr": "Le travail des tribunaux qui encadrent un traitement, et ce qui aide à le terminer.",
}
_NOTICE = {
    "en": "Each communication gives the views of its author alone.",
    "fr": "Chaque communication n'exprime que l'opinion de la personne qui en est l'auteur.",
}
_WORDS: dict[str, Any] = {
    # people
    "name": "Siobhan O'Neill",
    "email": "siobhan@example.org",
    "contact_email": "info@association.example",
    "occupation": "Defence counsel",
    "occupation_code": "defence_counsel",
    "affiliation": "Legal Aid Ontario",
    "area_of_interest": "sanctions and incentives",
    "territory": "CA-ON",
    "client": "Firefox on Windows",
    "deactivated_at": None,
    "unclaimed": False,
    "suspended_until": None,
    "ending": None,
    "private": None,
    # tokens
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk4In0.c2lnbmF0dXJl",
    "refresh_token": "pQ3kV0bq1mV9gq0y0n2oO0a3sS9x7fT4wE6uR8iC5dA",
    "token": "Zk2mX8vB1nR4tY7wQ0pL3jH6gF9dS5aC8eU1iO4kM7x",
    "refresh_expires_in": 2_592_000,
    "AccessToken.last_used_at": None,
    "NewAccessToken.last_used_at": None,
    "Credential.last_used_at": None,
    "NewCredential.last_used_at": None,
    "expires_at": "2027-11-22T05:00:00Z",
    # communities and the association
    "Association.name": {"en": "Association of Justice Professionals", "fr": "Association"},
    "AssociationUpdate.name": {"en": "Association of Justice Professionals", "fr": "Association"},
    "AssociationUpdate.privacy_notice": {"en": "We keep little.", "fr": "Nous gardons peu."},
    "Territory.name": {"en": "Ontario", "fr": "Ontario"},
    "Community.name": _COURT,
    "CommunityReference.name": _COURT,
    "CommunityReference.slug": "drug-treatment-court",
    "CommunityCreate.name": {"en": "Rural Courts", "fr": "Tribunaux en région rurale"},
    "CommunityUpdate.name": _COURT,
    "Community.slug": "drug-treatment-court",
    "description": _TALK,
    "eligible_occupations": [],
    "listed": True,
    "join_policy": "request",
    "publishes_leadership": True,
    "eligibility_confirmations": 1,
    "reapplication_days": 90,
    "pause": None,
    "EligibilityVerification.occupation_code": "judge",
    "VerificationRequest.occupation_code": "judge",
    "EligibilityVerification.reason": None,
    "Confirmation.basis": "The court's public list of judges.",
    "VerificationRequest.statement": "I sit in the provincial court of the north-east.",
    "EligibilityVerification.statement": "I sit in the provincial court of the north-east.",
    "EligibilityVerification.evidence_destroyed_at": None,
    "EligibilityVerification.until_on": "2027-11-21",
    "VerificationDecision.until_on": "2027-11-21",
    "VerificationDecision.outcome": "confirmed",
    "VerificationDecision.reason": None,
    "VerificationRequest.person_id": None,
    "member_count": 42,
    "vacant_seats": 2,
    "notices": [{"code": "views-not-endorsed", "text": _NOTICE}],
    "languages": ["en", "fr"],
    "meaning": {"en": "see the discussions", "fr": "voir les discussions"},
    "label": {"en": "Defence counsel", "fr": "Avocat ou avocate de la défense"},
    "PrivacyNotice.text": {"en": "We keep little.", "fr": "Nous gardons peu."},
    "Grant.capability": "posts:moderate",
    "GrantChangeCreate.confirms_grants": None,
    "GrantChange.capability": "posts:moderate",
    "GrantChange.granted_to": ["chair", "vice_chair", "staff"],
    "GrantChange.replaces": ["chair", "staff"],
    "GrantChange.confirms_grants": None,
    "GrantChange.decided_at": None,
    "GrantChange.decided_by": None,
    "decision_reason": None,
    "Position.title": {"en": "Chair", "fr": "Présidence"},
    "PositionCreate.title": {"en": "Treasurer", "fr": "Trésorerie"},
    "PositionUpdate.title": {"en": "Chair", "fr": "Présidence"},
    "PositionSeats.title": {"en": "Member-at-large", "fr": "Membre du groupe de direction"},
    "rest_months": 12,
    "stagger_group": "leadership_group",
    "acts_for": None,
    "held_with": None,
    "eligible_categories": [],
    "member_for_days": 0,
    "consecutive_terms": False,
    "dissolved_on": None,
    "purpose": "To prepare the forum of 2027.",
    "SubcommitteeUpdate.name": "Forum 2027",
    "Seat.title": {"en": "Chair", "fr": "Présidence"},
    "Vacancy.title": {"en": "Chair", "fr": "Présidence"},
    "Position.seats": 1,
    "term_months": 24,
    "open_ended": False,
    # standing
    "can": ["discussions:read", "posts:write"],
    "Standing.suspension": None,
    "Me.positions": ["president"],
    "Membership.positions": ["chair"],
    "Reason.positions": ["secretary", "staff"],
    "Reason.until": None,
    "Reason.from_on": None,
    "for_person_id": None,
    # leadership
    "handover_from": None,
    "exception_reason": None,
    "Term.election_id": None,
    "subcommittee_id": None,
    "absence": None,
    "warnings": [],
    "acting_holder": None,
    "next_term": None,
    "HandoverItem.done_at": None,
    "HandoverItem.done_by": None,
    "SeatSuccession.title": {"en": "Chair", "fr": "Présidence"},
    "ExpiringTerm.title": {"en": "Chair", "fr": "Présidence"},
    "FindingSeat.title": {"en": "Chair", "fr": "Présidence"},
    "next_starts_on": None,
    "SuccessionCandidate.answered_at": None,
    "TermWarning.detail": {"en": "The usual term is shorter.", "fr": "Le mandat est plus court."},
    "Reason.rules_version": None,
    "position": "chair",
    "acting": False,
    "Activity.acting": None,
    "Reason.detail": "This needs one of certain positions, and you hold none of them here today.",
    # the rules
    "rule": "no-attacks",
    "NoticeText.code": "views-not-endorsed",
    "heading": {"en": "No attacks", "fr": "Aucune attaque"},
    "Notice.text": _NOTICE,
    "NoticeText.text": _NOTICE,
    "text": {"en": "Debate ideas, not people.", "fr": "Débattez des idées, pas des gens."},
    "Rule.kind": "conduct",
    "RuleText.kind": "conduct",
    # joining
    **{
        f"{schema}.{member}": value
        for schema in ("JoinRequest", "JoinRequestDetail")
        for member, value in {
            "status": "pending",
            "answer_due_on": None,
            "notes": [],
            "decision": None,
            "membership_id": None,
        }.items()
    },
    "JoinRequestDetail.same_form": None,
    "JoinRequestNote.detail": {
        "en": "The message has no answer to this question.",
        "fr": "Le message ne répond pas à cette question.",
    },
    "withdrawn_because": None,
    "JoinInquiry.question": "In which court do you practise?",
    "JoinInquiry.answer": "In the Ontario Court of Justice in Thunder Bay.",
    "EarlierJoinRequest.status": "declined",
    "comment": "Welcome.",
    # proposals
    **{
        f"{schema}.name": {"en": "Rural Courts", "fr": None}
        for schema in (
            "SimilarCommunitiesQuestion",
            "SimilarProposal",
            "CommunityProposalCreate",
            "CommunityProposalReceipt",
            "CommunityProposalReceived",
            "CommunityProposal",
        )
    },
    "CommunityProposal.status": "open",
    "CommunityProposal.supporter_count": 12,
    "CommunityProposal.decision": None,
    "CommunityProposal.community": None,
    "area": "Courts far from cities",
    "CommunityProposalReceipt.status": "awaiting_verification",
    "CommunityProposalReceived.status": "awaiting_verification",
    "confirmed_at": None,
    "EmailVerified.proposal": None,
    "ProposalDecisionMade.reason": "Courts far from cities have nowhere else to talk.",
    "ProposalSupporter.membership_id": None,
    "ProposalSupporter.join_request_id": None,
    # memberships and terms
    "Membership.status": "active",
    "until_on": None,
    "SuspensionCreate.until_on": "2026-12-31",
    "Suspension.until_on": "2026-12-31",
    "OwnSuspension.until_on": "2026-12-31",
    "since_on": "2025-03-01",
    "starts_on": DAY,
    "ends_on": "2028-11-21",
    "reason": "Has moved to another court.",
    "Term.status": "running",
    "ended_at": None,
    "end_reason": None,
    "lifted_at": None,
    # elections
    "quorum": 20,
    "acclamation": True,
    "tie_rule": "lot",
    "Election.title": "Election of 2027",
    "Election.phase": "nominations",
    "Election.cancelled": None,
    "Election.certified": None,
    "Election.turnout": None,
    "Election.own_vote": None,
    "lot_commitment": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "lot_seed": "pQ3kV0bq1mV9gq0y0n2oO0a3sS9x7fT4wE6uR8iC5dA",
    "Contest.position": "member_at_large",
    "Contest.seats": 2,
    "seat_numbers": [1, 2],
    "Contest.ballot": None,
    "roll": 42,
    "cast": 31,
    "ElectionResult.phase": "certified",
    "ties": [],
    "recounts": [],
    "act": "first_preferences",
    "VotesOf.votes": "12.5",
    "exhausted": "0",
    "by_acclamation": False,
    "numbers_hidden": False,
    "Nomination.status": "accepted",
    "statement": "I would keep the minutes short.",
    "withdrawn_at": None,
    "withdrawal_reason": None,
    # discussions
    "title": "Incentives that work in the first month",
    "body": "What has worked in **your** court?",
    "body_html": "<p>What has worked in <strong>your</strong> court?</p>\n",
    "tags": ["incentives"],
    "language": "en",
    "reply_to_id": None,
    "edited_at": None,
    "Post.hidden": None,
    "post_count": 7,
    # moderation
    "note": "See line two.",
    "excerpt": "What has worked in your court?",
    "reported_text": "What has worked in **your** court?",
    "actions": ["keep", "hide"],
    "Review.decision": None,
    "Review.reversal": None,
    # imports
    "MappingSuggestion.columns": {"Full name": "name", "E-mail": "email", "Groups": "communities"},
    "MappingSuggestion.community_columns": {},
    "MappingSuggestion.separator": ";",
    "MappingSuggestion.unknown": ["Phone"],
    "MappingSuggestion.unclear": {},
    "MappingSuggestion.missing": [],
    "RowFinding.detail": {
        "en": "This is not an e-mail address; it should look like name@example.org.",
        "fr": "Ce n'est pas une adresse de courriel; elle devrait ressembler à nom@example.org.",
    },
    # the log
    "Subject.id": "01983f5e-7c00-7000-8000-00000000000a",
    "Activity.facts": {"position": "chair", "seat": 1},
    "place": 128,
    # lists
    "next_cursor": "q8Zl0eVb2nRkYwX1",
    "total": None,
}
# What the caller may do with each kind of thing.
_CAN = {
    "Community": ["submit_join_request"],
    "CommunityProposal": ["support_community_proposal"],
    "Election": ["nominate_person"],
    "EligibilityVerification": ["decide_eligibility_verification"],
    "Nomination": ["withdraw_nomination"],
    "Discussion": ["write_post"],
    "Grant": ["propose_grant_change"],
    "GrantChange": ["decide_grant_change"],
    "DiscussionDetail": ["write_post"],
    "Invitation": ["revoke_invitation", "resend_invitation"],
    "JoinRequest": ["decide_join_request", "request_join_information"],
    "JoinRequestDetail": ["decide_join_request", "request_join_information"],
    "Membership": ["end_membership"],
    "MembershipImport": ["apply_membership_import", "cancel_membership_import"],
    "Partner": ["update_partner", "list_credentials", "create_credential"],
    "Person": ["deactivate_person"],
    "Post": ["update_post", "delete_post"],
    "Position": ["update_position"],
    "CommunitySeats": ["update_community_seats"],
    "Review": ["decide_review"],
    "Subcommittee": ["begin_subcommittee_term"],
    "HandoverItem": ["complete_handover_item"],
    "SeatSuccession": ["replace_seat_succession_plan"],
    "SuccessionCandidate": ["give_succession_consent", "withdraw_succession_consent"],
    "Term": ["remove_term"],
}
_BY_FORMAT = {"date-time": INSTANT, "date": DAY, "email": _WORDS["email"]}
PROBLEM = {
    "type": "https://communities.example.org/problems#permission.denied",
    "title": "You may not do this",
    "status": 403,
    "detail": "You may see this and may not do that.",
    "instance": "/api/v1/communities/drug-treatment-court/review-queue",
    "code": "permission.denied",
    "request_id": "01983f5e-7c00-7000-8000-000000000001",
    "capability": "posts:moderate",
    "because": [
        {
            "code": "position_required",
            "positions": ["chair", "vice_chair", "staff"],
            "from_on": None,
            "until": None,
            "rules_version": None,
            "detail": "This needs one of certain positions, and you hold none of them here today.",
        }
    ],
}

Schemas = dict[str, dict[str, Any]]


def of(name: str, schemas: Schemas) -> Any:
    """An example of the component of this name, with all of its members."""
    return _of_component(schemas, name)


def _of_component(schemas: Schemas, name: str) -> Any:
    schema = schemas[name]
    if "enum" in schema:
        return schema["enum"][0]
    if "items" in schema:
        return [_of_type(schemas, name, schema["items"])]
    return {
        member: _of_member(schemas, name, member, kind)
        for member, kind in schema["properties"].items()
    }


def _of_member(schemas: Schemas, owner: str, member: str, schema: dict[str, Any]) -> Any:
    if member == "viewer":
        return {"can": _CAN[owner]}
    if f"{owner}.{member}" in _WORDS:
        return _WORDS[f"{owner}.{member}"]
    if "examples" in schema:
        return schema["examples"][0]
    if schema.get("description", "").startswith("Always null"):
        return None
    if member in _WORDS:
        return _WORDS[member]
    return _of_type(schemas, member if member != "id" else owner, schema)


def _of_type(schemas: Schemas, member: str, schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _of_component(schemas, schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return _of_type(schemas, member, schema["anyOf"][0])
    if "const" in schema:
        return schema["const"]
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "array":
        return [_of_type(schemas, member, schema["items"])]
    if kind == "integer":
        return 1
    if kind == "boolean":
        return True
    if schema.get("format") == "uuid":
        return _id(member)
    return _BY_FORMAT[schema["format"]]


def _id(of: str) -> str:
    """One id for each kind of thing, by whatever name a schema calls it."""
    thing = of.removesuffix("_id").lower()
    for kind in ("community", "discussion", "membership", "person"):
        if thing.startswith(kind) or (kind == "person" and thing in ("me", "identityline")):
            thing = kind
    return f"01983f5e-7c00-7000-8000-{hashlib.sha256(thing.encode()).hexdigest()[:12]}"
