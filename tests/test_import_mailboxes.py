"""What becomes of the messages of a mailbox: requests that somebody decides, and no rights."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.models import (
    Agreement,
    Community,
    CommunityStatus,
    JoinPolicy,
    JoinRequest,
    Membership,
    Person,
)
from tests.answers import FORM, ok
from tests.applicants import ask_about, followed, read, take_back, with_link
from tests.cast import (
    DTC,
    PASSWORD,
    ROUNDTABLE,
    WELLNESS,
    Api,
    Someone,
    day,
    mail_to,
    text_of,
    token_in,
)
from tests.importing import applied, ask, done, outcomes, planned, rows_of, send
from tests.machines import script_of
from tests.test_eligibility import YES, asked_for, decided
from tests.test_join_requests import ACCEPTED, DECLINED, asked_and_proven, decide

WEI = "wei@example.org"


def message(
    community: str = "Drug Treatment Court CP", sender: str = f"Wei Wong <{WEI}>", **changed: Any
) -> str:
    """A message whose answers are labelled; what is None is left out."""
    said = {
        "Your name": "Wei Wong",
        "Community of Practice you wish to join": community,
        "Occupation": "Judge",
        "Affiliation": "Territorial Court of Yukon",
        "Area of interest": "circle sentencing",
    } | {key.replace("_", " "): value for key, value in changed.items() if key != "id"}
    headers = {"From": sender, "Date": "Tue, 06 Oct 2026 10:00:00 -0400", "Message-ID": "<1@mail>"}
    headers |= {"Message-ID": changed["id"]} if "id" in changed else {}
    lines = [
        "From MAILER-DAEMON Sun Nov 22 17:15:30 2026",
        *(f"{name}: {value}" for name, value in headers.items() if value),
        "Content-Type: text/plain; charset=utf-8",
        "",
        *(f"{label}: {value}" for label, value in said.items() if value is not None),
        "",
        "",
    ]
    return "\n".join(lines)


async def waiting(by: Someone, community: str = DTC) -> list[dict[str, Any]]:
    """The requests that wait in a community."""
    path = f"/communities/{community}/join-requests"
    return ok(await by.get(path, params={"status": "pending"}))["items"]


async def imported(staff: Someone, *messages: str, **fields: Any) -> dict[str, Any]:
    """A mailbox of these messages, planned and applied."""
    return await applied(staff, "".join(messages), name="requests.mbox", **fields)


async def the_request(staff: Someone, **fields: Any) -> str:
    """The id of the one request of a mailbox with one message."""
    await imported(staff, message(), **fields)
    (request,) = await waiting(staff)
    return request["id"]


# What is decided


async def test_an_accepted_message_makes_a_member_who_has_proven_and_agreed_to_nothing(
    api: Api,
) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    request = await the_request(await api.staff())
    accepted = ok(await decide(chair, request, ACCEPTED))
    assert (accepted["status"], accepted["rules_version"]) == ("accepted", None)
    (person,) = await api.read(sa.select(Person).where(col(Person.email_key) == WEI))
    assert person[0].email_verified_at is None
    agreed = sa.select(Agreement.person_id).where(col(Agreement.person_id) == person[0].id)
    assert await api.read(agreed) == []
    welcome = mail_to(await api.work_off(), WEI)
    assert "Wei" not in text_of(welcome)
    body = {"token": token_in(welcome), "password": PASSWORD}
    assert (await api.post("/auth/password-resets/confirmation", body)).status_code == 204
    (person,) = await api.read(sa.select(Person).where(col(Person.email_key) == WEI))
    assert person[0].email_verified_at is not None


async def test_a_member_cannot_decide_what_a_leader_can_and_nobody_their_own(api: Api) -> None:
    chair, mia = await api.leader("Chidi Chair", "chair"), await api.member("Mia Member")
    staff = await api.staff()
    await imported(staff, message(Your_name="Chidi Chair", sender=chair.email, community="DTC"))
    assert await outcomes(staff, (await imported(staff, message(sender=chair.email)))) == [
        ("unchanged", ["mail_sender_taken", "already_member"])
    ]
    request = await the_request(staff)
    assert (await decide(mia, request, ACCEPTED)).status_code == 404
    assert (await decide(chair, request, ACCEPTED)).status_code == 200


async def test_the_applicant_is_asked_follows_and_takes_it_back_by_the_mailed_link(
    api: Api,
) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    request = await the_request(await api.staff())
    await api.work_off()
    ok(await ask_about(chair, request))
    link = await followed(api, WEI)
    shown = ok(await read(api, request, link))
    assert (shown["origin"], shown["status"]) == ("mailbox", "information_requested")
    assert ok(await take_back(api, request, link))["status"] == "withdrawn"
    assert (await api.get(f"/join-requests/{request}", **with_link("x" + link))).status_code == 401


async def test_a_judge_who_wrote_is_verified_before_being_accepted(api: Api) -> None:
    staff, other = await api.staff(), await api.staff("Otis Other")
    await imported(staff, message("Judicial Roundtable"))
    (request,) = await waiting(staff, ROUNDTABLE)
    refused = await decide(staff, request["id"], ACCEPTED)
    assert refused.json()["code"] == "eligibility.not_verified"
    verification = await asked_for(staff, join_request_id=request["id"])
    ok(await decided(other, verification, **YES | {"until_on": day(365)}))
    await api.work_off()
    assert ok(await decide(staff, request["id"], ACCEPTED))["status"] == "accepted"
    token = token_in(mail_to(await api.work_off(), WEI))
    password = {"token": token, "password": PASSWORD}
    assert (await api.post("/auth/password-resets/confirmation", password)).status_code == 204
    asked = {"grant_type": "password", "username": WEI, "password": PASSWORD}
    token = ok(await api.call("POST", "/auth/tokens", data=asked))["access_token"]
    discussions = f"/communities/{ROUNDTABLE}/discussions"
    ok(await api.get(discussions, headers={"Authorization": f"Bearer {token}"}))


async def test_a_form_from_the_same_address_takes_the_place_of_a_message(api: Api) -> None:
    staff = await api.staff()
    first = await the_request(staff)
    second = await asked_and_proven(api, email=WEI)
    replaced = ok(await staff.get(f"/join-requests/{first}"))
    assert (replaced["status"], replaced["withdrawn_because"]) == ("withdrawn", "newer_request")
    assert [(one["id"], one["origin"]) for one in await waiting(staff)] == [(second, "form")]


# What is not asked again, or not here


async def test_a_message_for_which_there_is_nothing_to_decide_is_noted(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    place = await api.community_id()
    await api.change(Community, place, reapplication_days=30)
    await asked_and_proven(api)
    declined = await asked_and_proven(api, email="dee@example.org")
    ok(await decide(staff, declined, DECLINED))
    job = await imported(
        staff,
        message(Your_name="Mia Member", sender=mia.email, id="<a@mail>"),
        message(Your_name="Siobhan O'Neill", sender=FORM["email"], id="<b@mail>"),
        message(Your_name="Dee Clined", sender="dee@example.org", id="<c@mail>"),
        message(id="<d@mail>"),
        message(id="<e@mail>"),
    )
    told = [(outcome, codes[1:]) for outcome, codes in await outcomes(staff, job)]
    assert told == [
        ("unchanged", ["already_member"]),
        ("unchanged", ["request_open"]),
        ("unchanged", ["asked_too_soon"]),
        ("created", []),
        ("unchanged", ["mail_asks_again"]),
    ]


async def test_a_message_to_a_community_that_takes_no_requests_is_refused(api: Api) -> None:
    staff = await api.staff()
    await api.change(Community, await api.community_id(WELLNESS), join_policy=JoinPolicy.CLOSED)
    job = await imported(staff, message("Wellness Courts; Drug Treatment Court CP"))
    assert await outcomes(staff, job) == [
        ("created", ["mail_sender_taken", "community_takes_no_requests"])
    ]
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    job = await imported(staff, message(id="<2@mail>"))
    assert await outcomes(staff, job) == [("refused", ["mail_sender_taken", "community_archived"])]


async def test_a_message_without_an_id_or_a_name_is_known_again_by_its_text(api: Api) -> None:
    staff = await api.staff()
    bare = message(id="", Your_name=None)
    job = await imported(staff, bare)
    (row,) = await rows_of(staff, job)
    codes = [finding["code"] for finding in row["findings"]]
    assert codes == ["mail_answer_missing", "mail_sender_name_taken", "mail_sender_taken"]
    (request,) = await waiting(staff)
    assert request["name"] == "Wei Wong"
    ok(await decide(staff, request["id"], DECLINED))
    assert (await outcomes(staff, await imported(staff, bare)))[0][1][-1] == "mail_known"


async def test_a_request_that_came_in_between_is_not_made_twice(api: Api) -> None:
    staff = await api.staff()
    job = await planned(staff, message(), name="requests.mbox")
    await asked_and_proven(api, email=WEI)
    job = await done(staff, job, "application")
    assert (await outcomes(staff, job))[0][0] == "refused"
    assert [one["origin"] for one in await waiting(staff)] == ["form"]


async def test_a_mailbox_only_adds(api: Api) -> None:
    staff = await api.staff()
    for mode in ("sync", "update", "fill"):
        answer = await send(staff, message(), name="requests.mbox", mode=mode, source="mail")
        assert answer.json()["code"] == "import.mailbox_only_adds"
    assert (await send(staff, message(), name="requests.mbox", mode="add")).status_code == 202


# Who may


async def test_who_may_not_read_requests_learns_of_none_from_a_mailbox(api: Api) -> None:
    staff = await api.staff()
    script = await script_of(staff, "memberships:import")
    refused = await send(script, message(), name="requests.mbox")
    assert (refused.status_code, refused.json()["because"][0]["code"]) == (403, "token_scope")
    script = await script_of(staff, "memberships:import", "join_requests:read")
    assert await outcomes(staff, await imported(script, message())) == [
        ("created", ["mail_sender_taken"])
    ]


async def test_a_leader_imports_the_mailbox_of_their_own_community(api: Api) -> None:
    outsider = await api.leader("Olga Other", "chair", WELLNESS)
    chair = await api.leader("Chidi Chair", "chair")
    mailbox = message("Wellness Courts; Drug Treatment Court CP")
    refused = await send(outsider, mailbox, name="requests.mbox", community=DTC)
    job = await imported(chair, mailbox, community=DTC)
    assert refused.status_code == 403
    assert (await outcomes(chair, job))[0] == (
        "created",
        ["mail_sender_taken", "community_elsewhere"],
    )
    assert [one["name"] for one in await waiting(chair)] == ["Wei Wong"]
    staff = await api.staff()
    assert await waiting(staff, WELLNESS) == []


# Mails, and the way back


async def test_nobody_is_mailed_unless_the_importer_asked_for_it(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Chidi Chair", "chair")
    await api.work_off()
    job = await imported(staff, message())
    assert await api.work_off() == []
    await done(staff, job, "reversal")
    await imported(staff, message(), invite="true")
    sent = await api.work_off()
    assert "/join-request?id=" in text_of(mail_to(sent, WEI))
    assert "Wei" not in text_of(mail_to(sent, WEI))
    assert mail_to(sent, chair.email)


async def test_what_nobody_has_dealt_with_is_erased_again_and_the_rest_stays(api: Api) -> None:
    staff = await api.staff()
    job = await imported(
        staff,
        message(),
        message(Your_name="Ada Asked", sender="ada@example.org", id="<2@mail>"),
        message("Judicial Roundtable", Your_name="Jo", sender="jo@example.org", id="<3@mail>"),
    )
    ada = next(one for one in await waiting(staff) if one["name"] == "Ada Asked")
    ok(await decide(staff, ada["id"], DECLINED))
    (jo,) = await waiting(staff, ROUNDTABLE)
    await asked_for(staff, join_request_id=jo["id"])
    job = await done(staff, job, "reversal")
    assert (job["status"], job["counts"]["kept"]) == ("reversed", 2)
    rows = await rows_of(staff, job)
    assert [row["state"] for row in rows] == ["reversed", "kept", "kept"]
    assert rows[1]["findings"][-1]["code"] == "request_handled_since"
    left = await api.read(sa.select(JoinRequest.name).order_by(JoinRequest.name))
    assert [row.name for row in left] == ["Ada Asked", "Jo"]
    assert (await ask(staff, job, "application")).status_code == 202
    assert await api.read(sa.select(Membership.id)) == []
