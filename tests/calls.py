"""How each operation of the contract is called, in a furnished place, by anybody."""

from typing import Any

import httpx

from app import openapi
from tests.cast import PASSWORD, Api, Someone, day, unknown_id
from tests.places import (
    Place,
    own_access_token,
    own_join_request,
    own_posts,
    own_proposals,
    second_sign_in,
)

# How each operation is called: its body, in an order in which nothing is used up too early. The
# path is filled with things of a furnished place, so that a refusal can only be one of rights; a
# body may be too short (422) where rights come first anyway.
TOKEN = {"token": "x" * 43}
ADDRESS = {"email": "somebody@example.org"}
REASON = {"reason": "For the test."}
HOW: dict[str, Any] = {
    "list_communities": None,
    "get_community": None,
    "get_standing": None,
    "create_community": {},
    "update_community": {},
    "get_association": None,
    "update_association": {},
    "list_occupations": None,
    "list_territories": None,
    "list_positions": None,
    "get_position": None,
    "create_position": {},
    "update_position": {},
    "list_grants": None,
    "get_grant": None,
    "propose_grant_change": {},
    "list_grant_changes": None,
    "get_grant_change": None,
    "decide_grant_change": {},
    "withdraw_grant_change": {},
    "get_rules": None,
    "list_rules_versions": None,
    "get_rules_version": None,
    "publish_rules": {},
    "list_my_agreements": None,
    "agree_to_rules": {},
    "get_me": None,
    "update_me": {},
    "list_my_memberships": None,
    "list_my_unclaimed_memberships": None,
    "list_my_sessions": None,
    "list_discussions": None,
    "start_discussion": {},
    "get_discussion": None,
    "list_posts": None,
    "write_post": {},
    "get_post": None,
    "update_post": {},
    "delete_post": None,
    "lock_discussion": None,
    "unlock_discussion": None,
    "report_post": {},
    "list_review_queue": None,
    "get_review": None,
    "decide_review": {},
    "reverse_review": {},
    "find_similar_communities": {},
    "submit_community_proposal": {},
    "list_community_proposals": None,
    "list_my_community_proposals": None,
    "get_community_proposal": None,
    "support_community_proposal": {},
    "withdraw_proposal_support": None,
    "list_proposal_supporters": None,
    "decide_community_proposal": {},
    "withdraw_community_proposal": None,
    "submit_join_request": {},
    "list_join_requests": None,
    "get_join_request": None,
    "request_join_information": {},
    "give_join_information": {},
    "decide_join_request": {},
    "withdraw_join_request": None,
    "get_join_form": None,
    "get_join_questions": None,
    "update_join_questions": {},
    "create_invitations": {},
    "list_invitations": None,
    "get_invitation": None,
    "resend_invitation": None,
    "revoke_invitation": None,
    "inspect_invitation": TOKEN,
    "accept_invitation": TOKEN | {"agrees_to_rules_version": 1},
    "decline_invitation": TOKEN,
    "list_memberships": None,
    "export_memberships": None,
    "export_all_memberships": None,
    "add_membership": {},
    "claim_membership": {"outcome": "claimed"},
    "pause_membership": {},
    "resume_membership": None,
    "request_eligibility_verification": {},
    "list_eligibility_verifications": None,
    "list_my_eligibility_verifications": None,
    "get_eligibility_verification": None,
    "put_eligibility_evidence": None,
    "get_eligibility_evidence": None,
    "decide_eligibility_verification": {},
    "revoke_eligibility_verification": {},
    "withdraw_eligibility_verification": None,
    "get_membership": None,
    "update_membership": {},
    "suspend_membership": {},
    "lift_suspension": None,
    "end_membership": REASON,
    "get_leadership": None,
    "get_association_leadership": None,
    "list_terms": None,
    "list_association_terms": None,
    "begin_term": {},
    "begin_association_term": {},
    "get_term": None,
    "resign_term": REASON,
    "remove_term": REASON,
    "declare_absence": {"starts_on": day(1)},
    "end_absence": None,
    "annul_term": REASON,
    "list_vacancies": None,
    "name_acting_holder": {},
    "remove_acting_holder": None,
    "list_community_seats": None,
    "update_community_seats": {},
    "list_subcommittees": None,
    "create_subcommittee": {},
    "get_subcommittee": None,
    "get_subcommittee_leadership": None,
    "update_subcommittee": {},
    "begin_subcommittee_term": {},
    "dissolve_subcommittee": None,
    "get_succession_plan": None,
    "get_seat_succession_plan": None,
    "replace_seat_succession_plan": {},
    "get_succession_candidate": None,
    "give_succession_consent": None,
    "withdraw_succession_consent": None,
    "complete_handover_item": None,
    "reopen_handover_item": None,
    "list_expiring_terms": None,
    "get_leadership_health": None,
    "get_community_leadership_health": None,
    "list_elections": None,
    "open_election": {},
    "get_election": None,
    "update_election": {},
    "list_nominations": None,
    "nominate_person": {},
    "get_nomination": None,
    "accept_nomination": {},
    "withdraw_nomination": {},
    "record_election_exception": {},
    "list_voters": None,
    "cast_ballot": {},
    "get_election_result": None,
    "recount_election": {},
    "certify_election": None,
    "cancel_election": {},
    "list_my_access_tokens": None,
    "create_my_access_token": {},
    "list_access_tokens": None,
    "revoke_access_token": None,
    "list_partners": None,
    "create_partner": {},
    "get_partner": None,
    "list_membership_imports": None,
    "create_membership_import": {},
    "get_membership_import": None,
    "list_membership_import_rows": None,
    "get_membership_import_report": None,
    "follow_membership_import": None,
    "map_membership_import": {},
    "apply_membership_import": {},
    "cancel_membership_import": None,
    "reverse_membership_import": None,
    "list_membership_import_mappings": None,
    "save_membership_import_mapping": {"columns": {"E-mail": "email"}},
    "delete_membership_import_mapping": None,
    "update_partner": {},
    "list_credentials": None,
    "create_credential": {},
    "revoke_credential": None,
    "list_people": None,
    "get_person": None,
    "deactivate_person": None,
    "reactivate_person": None,
    "list_community_audit_log": None,
    "list_audit_log": None,
    "request_password_reset": ADDRESS,
    "inspect_password_reset": TOKEN,
    "confirm_password_reset": TOKEN | {"password": PASSWORD},
    "request_email_verification": ADDRESS,
    "inspect_email_verification": TOKEN,
    "confirm_email_verification": TOKEN,
    "request_sign_in_link": ADDRESS,
    "inspect_sign_in_link": TOKEN,
    "confirm_sign_in_link": TOKEN,
    "create_token": None,  # with the caller's own address, see `Calls`
    "refresh_token": None,  # with the caller's own token
    "revoke_my_access_token": None,
    "end_my_session": None,
    "end_current_session": None,  # the last one: the caller is gone after it
}


# Ids of things that are no secret: closed lists, and numbers.
NAMED = ("position", "capability", "number", "mapping_name")


class Calls:
    """All operations, called by one person in one place."""

    def __init__(self, api: Api, place: Place, someone: Someone | None) -> None:
        self.api = api
        self.place = place
        self.someone = someone

    async def prepare(self) -> None:
        """Gives the caller what one needs of one's own: posts, and a second sign-in."""
        place, user = self.place, self.someone or await self.api.person("Spare Account")
        self.ids: dict[str, Any] = {
            "community": place.slug,
            "discussion_id": place.discussion,
            "post_id": place.post,
            "review_id": place.review,
            "join_request_id": place.join_request,
            "membership_id": place.membership,
            "eligibility_verification_id": place.verification,
            "term_id": place.term,
            "seat_id": place.seat,
            "person_id": place.author,
            "subcommittee_id": place.subcommittee,
            "election_id": place.election,
            "nomination_id": place.nomination,
            "succession_candidate_id": place.candidate,
            "handover_item_id": place.handover_item,
            "grant_change_id": place.grant_change,
            "partner_id": place.partner,
            "credential_id": place.credential,
            "membership_import_id": place.membership_import,
            "mapping_name": "Kept",
            "invitation_id": place.invitation,
            "access_token_id": place.access_token,
            "community_proposal_id": place.proposal,
            "position": "member_at_large",
            "capability": "rules:publish",
            "number": 1,
        }
        own = dict.fromkeys(("update_post", "delete_post"), place.post)
        if self.someone is not None:
            written = await own_posts(self.api, place, self.someone)
            own = dict(zip(own, written, strict=True))
        self.own = {name: {"post_id": post} for name, post in own.items()}
        self.ids["session_id"], refresh = await second_sign_in(self.api, user)
        token_id = await own_access_token(self.api, user)
        self.own["revoke_my_access_token"] = {"access_token_id": token_id}
        proposal_id, supported_id = await own_proposals(self.api, user)
        self.own["withdraw_community_proposal"] = {"community_proposal_id": proposal_id}
        self.own["withdraw_proposal_support"] = {"community_proposal_id": supported_id}
        request_id = await own_join_request(self.api, place, user)
        for name in ("give_join_information", "withdraw_join_request"):
            self.own[name] = {"join_request_id": request_id}
        credentials = {"grant_type": "password", "username": user.email, "password": PASSWORD}
        self.bodies = HOW | {
            "create_token": credentials,
            "refresh_token": {"refresh_token": refresh},
        }

    async def call(self, route: Any, *, unknown: bool = False) -> httpx.Response:
        """Calls one operation; with `unknown`, on things that never were."""
        name = route.name
        ids = self.ids | self.own.get(name, {})
        if unknown:
            ids |= {name: unknown_id() for name in ids if name not in NAMED}
        path = route.path_format.format(**ids)
        headers = {"If-Match": "*"} if name.startswith("update_") else {}
        caller = self.someone or self.api
        (method,) = route.methods
        return await caller.call(method, path, json=self.bodies[name], headers=headers)


def operations(api: Api) -> dict[str, Any]:
    """The operations of the contract by name."""
    return {route.name: route for route in openapi.operations(api.edge.app)}
