"""What can happen to proposals of communities."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "proposal.submitted": Kind(
        "community_proposal",
        ("form_id", "rules_version", "privacy_notice_version"),
        ("confirm_proposal",),
        says="somebody proposed a community",
    ),
    "proposal.opened": Kind(
        "community_proposal",
        ("form_id",),
        ("proposal_link", "proposal_opened"),
        says="the proposer's address was confirmed; the proposal gathers supporters",
    ),
    "proposal.support_offered": Kind(
        "proposal_supporter",
        ("proposal_id", "rules_version", "privacy_notice_version"),
        ("confirm_proposal",),
        says="somebody offered to stand behind a proposal",
    ),
    "proposal.supported": Kind(
        "proposal_supporter",
        ("proposal_id",),
        ("proposal_link",),
        says="a supporter's address was confirmed; they stand behind the proposal",
    ),
    "proposal.support_withdrawn": Kind(
        "proposal_supporter",
        ("proposal_id",),
        says="a supporter stands behind a proposal no longer",
    ),
    "proposal.withdrawn": Kind(
        "community_proposal", (), ("proposal_closed",), says="its proposer took a proposal back"
    ),
    "proposal.declined": Kind(
        "community_proposal", (), ("proposal_closed",), says="a proposal was declined"
    ),
    "proposal.accepted": Kind(
        "community_proposal",
        ("slug", "members", "requests"),
        ("proposal_accepted",),
        says="a proposal was accepted, and became a community",
    ),
    "proposal.member_admitted": Kind(
        "membership",
        ("proposal_id", "person_id"),
        ("founding_member",),
        says="somebody who stood behind a proposal became a first member of what it became",
    ),
}
