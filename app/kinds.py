"""The catalogue of what can happen: to what, with which facts, and which mails it causes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can happen: to what, with which facts, and which mails it causes.

    Of what is `anonymous`, the log shows to nobody who did it.
    """

    subject: str
    facts: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    says: str = ""
    anonymous: bool = False


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
    "account.created": Kind("person", says="an account was made"),
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
        says="a person made a token for a script",
    ),
    "access_token.revoked": Kind(
        "access_token", ("person_id",), says="a token for a script was revoked"
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
    "membership.updated": Kind("membership", ("members",), says="a membership was changed"),
    "membership.ended": Kind(
        "membership", ("person_id", "ending", "terms"), ("membership_ended",), says="it ended"
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
    "election.opened": Kind(
        "election",
        ("positions", "nominations_from", "voting_from", "voting_until"),
        says="an election was opened",
    ),
    "election.updated": Kind(
        "election", ("members",), says="an election was changed before it began"
    ),
    "election.cancelled": Kind(
        "election", (), ("election_cancelled",), says="an election was called off"
    ),
    "election.exception_made": Kind(
        "election",
        ("position", "person_id"),
        says="somebody was let stand who otherwise could not",
    ),
    "election.voting_began": Kind(
        "election",
        ("roll",),
        ("voting_began",),
        says="voting began, and the roll of voters was frozen",
    ),
    "election.voting_closing": Kind(
        "election", (), ("voting_closing",), says="the last day of voting began"
    ),
    "election.voting_ended": Kind(
        "election",
        ("roll", "cast", "phase"),
        ("voting_ended",),
        says="voting was over; it waits for certification, or has failed",
    ),
    "election.recounted": Kind("election", ("agrees",), says="the votes were counted again"),
    "election.certified": Kind(
        "election",
        ("terms",),
        ("election_certified",),
        says="a result was certified, and those who were elected got their terms",
    ),
    "nomination.made": Kind(
        "nomination",
        ("election_id", "position", "person_id"),
        ("nomination_made",),
        says="somebody was proposed",
    ),
    "nomination.accepted": Kind(
        "nomination", ("election_id", "position", "person_id"), says="a nominee accepted"
    ),
    "nomination.withdrawn": Kind(
        "nomination",
        ("election_id", "position", "person_id"),
        says="a nominee does not stand (any more)",
    ),
    "ballot.cast": Kind("election", says="somebody voted; what, is nowhere"),
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
    "discussion.started": Kind("discussion", ("post_id",), says="a discussion was started"),
    "discussion.locked": Kind("discussion", says="a discussion was locked"),
    "discussion.unlocked": Kind("discussion", says="a discussion was opened again"),
    "post.written": Kind("post", ("discussion_id", "number"), says="a reply was written"),
    "post.edited": Kind("post", ("discussion_id",), says="an author edited a post"),
    "post.deleted": Kind("post", ("discussion_id",), says="an author deleted a post"),
    "post.reported": Kind(
        "review",
        ("post_id", "rule", "rules_version"),
        ("reviews_waiting",),
        says="a post was reported under a rule; by whom is shown to nobody",
        anonymous=True,
    ),
    "review.decided": Kind(
        "review",
        ("post_id", "action", "rule", "rules_version"),
        ("post_hidden",),
        says="a review was decided",
    ),
    "review.reversed": Kind(
        "review", ("post_id",), ("post_restored",), says="a decision was reversed"
    ),
    "mail.parked": Kind(
        "mail", ("mail_kind",), says="a mail could not be delivered and was set aside"
    ),
}
