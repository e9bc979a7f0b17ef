"""What can happen in an election."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
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
}
