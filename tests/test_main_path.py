"""The main path, once, over HTTP: from asking to join to a hidden post, on both databases."""

import httpx

from tests.cast import DTC, Api, day, mail_to, text_of, token_in

FORM = {
    "name": "Siobhan O'Neill",
    "email": "siobhan@example.org",
    "communities": [DTC, "indigenous-courts"],
    "occupation": "Defence counsel",
    "occupation_code": "defence_counsel",
    "affiliation": "Legal Aid Ontario",
    "area_of_interest": "sanctions and incentives",
    "territory": "CA-ON",
    "language": "en",
    "agrees_to_rules_version": 1,
}


async def sign_in(api: Api, email: str, password: str) -> dict[str, str]:
    answer = await api.post(
        "/auth/tokens",
        data={"grant_type": "password", "username": email, "password": password},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 900
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def ok(answer: httpx.Response, status: int = 200) -> dict:
    assert answer.status_code == status, answer.text
    return answer.json()


def code(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return answer.json()["code"]


async def test_the_whole_path(api: Api) -> None:
    staff = await api.staff()

    # Anyone
    catalogue = ok(await api.get("/communities?limit=100"))
    assert len(catalogue["items"]) == 17 and catalogue["next_cursor"] is None
    court = next(item for item in catalogue["items"] if item["slug"] == DTC)
    assert (court["member_count"], court["vacant_seats"]) == (0, 7)
    assert court["viewer"] == {"can": ["submit_join_request"]}
    rules = ok(await api.get("/rules"))
    assert rules["version"] == 1 and len(rules["items"]) == 17
    association = ok(await api.get("/association"))
    assert association["languages"] == ["en", "fr"] and association["notices"]
    for name, count in (("occupations", 26), ("territories", 14), ("positions", 10)):
        assert len(ok(await api.get(f"/{name}"))["items"]) == count

    # Asking to join
    received = ok(await api.post("/join-requests", FORM), 202)
    assert [item["status"] for item in received["items"]] == ["awaiting_verification"] * 2
    assert received["items"][0]["community"]["slug"] == DTC
    proof = mail_to(await api.work_off(), "siobhan@example.org")
    assert "Siobhan" not in text_of(proof) and "Legal Aid" not in text_of(proof)
    token = token_in(proof)
    confirmed = ok(await api.post("/auth/email-verifications/confirmation", {"token": token}))
    assert confirmed["email"] == "siobhan@example.org"
    assert [item["status"] for item in confirmed["join_requests"]] == ["pending", "pending"]
    again = await api.post("/auth/email-verifications/confirmation", {"token": token})
    assert code(again, 409) == "mailed_token.invalid"
    told = mail_to(await api.work_off(), staff.email)
    assert "siobhan" not in text_of(told).lower()

    # Deciding
    waiting = ok(await staff.get(f"/communities/{DTC}/join-requests?status=pending"))
    (asked,) = waiting["items"]
    assert asked["area_of_interest"] == "sanctions and incentives"
    decision = f"/join-requests/{asked['id']}/decision"
    bare = await staff.put(decision, {"outcome": "declined"})
    assert code(bare, 422) == "validation.failed"
    assert bare.json()["errors"][0]["pointer"] == "/comment"
    decided = ok(await staff.put(decision, {"outcome": "accepted", "comment": None}))
    assert decided["status"] == "accepted" and decided["membership_id"]
    assert decided["decision"]["decided_by"]["name"] == "Stella Staff"
    twice = await staff.put(decision, {"outcome": "accepted", "comment": None})
    assert code(twice, 409) == "join_request.already_decided"

    welcome = mail_to(await api.work_off(), "siobhan@example.org")
    password = "sanctions and incentives"
    chosen = await api.post(
        "/auth/password-resets/confirmation", {"token": token_in(welcome), "password": password}
    )
    assert chosen.status_code == 204, chosen.text
    siobhan = await sign_in(api, "siobhan@example.org", password)
    me = ok(await api.get("/me", headers=siobhan))
    assert me["affiliation"] == "Legal Aid Ontario" and me["territory"] == "CA-ON"
    mine = ok(await api.get("/me/memberships", headers=siobhan))
    assert [item["community"]["slug"] for item in mine["items"]] == [DTC]
    roster = ok(await api.get(f"/communities/{DTC}/memberships", headers=siobhan))
    assert roster["items"][0]["person"]["name"] == "Siobhan O'Neill"
    assert roster["items"][0]["status"] == "active" and roster["items"][0]["positions"] == []

    # Leading
    chair = {
        "person_id": me["id"],
        "position": "chair",
        "starts_on": day(0),
        "ends_on": day(729),
        "basis": "election",
    }
    term = ok(await staff.post(f"/communities/{DTC}/terms", chair), 201)
    assert (term["position"], term["seat"], term["status"]) == ("chair", 1, "running")
    other = await api.member("Olga MacLeod")
    second = await staff.post(f"/communities/{DTC}/terms", chair | {"person_id": str(other.id)})
    assert code(second, 409) == "term.seat_taken"
    also = await staff.post(f"/communities/{DTC}/terms", chair | {"position": "secretary"})
    assert code(also, 409) == "term.person_holds_seat"
    stranger = await api.person("Nobody Here")
    outside = await staff.post(f"/communities/{DTC}/terms", chair | {"person_id": str(stranger.id)})
    assert code(outside, 409) == "term.not_a_member"
    group = ok(await api.get(f"/communities/{DTC}/leadership"))
    assert len(group["seats"]) == 7 and group["vacant_seats"] == 6
    assert group["seats"][0]["holder"]["person"]["name"] == "Siobhan O'Neill"
    assert group["seats"][1] | {"title": None, "id": None} == {
        "id": None,
        "position": "vice_chair",
        "seat": 1,
        "title": None,
        "state": "vacant",
        "holder": None,
        "acting_holder": None,
        "held_with": None,
    }
    standing = ok(await api.get(f"/communities/{DTC}/standing", headers=siobhan))
    assert "posts:moderate" in standing["can"]
    refused = next(item for item in standing["cannot"] if item["capability"] == "minutes:write")
    assert refused["because"][0]["code"] == "position_required"
    assert refused["because"][0]["positions"] == ["secretary", "staff"]
    assert standing["rules"] == {"in_force": 1, "agreed": 1}

    # Talking
    discussion = ok(
        await api.post(
            f"/communities/{DTC}/discussions",
            {"title": "First month", "body": "What **works**?", "tags": [], "language": "en"},
            headers=siobhan,
        ),
        201,
    )
    assert discussion["post_count"] == 1 and discussion["opening_post"]["number"] == 1
    listed = ok(await api.get(f"/communities/{DTC}/discussions", headers=siobhan))
    assert "opening_post" not in listed["items"][0]
    posts = f"/discussions/{discussion['id']}/posts"
    post = ok(await other.post(posts, {"body": "Nothing *you* do.", "language": "en"}), 201)
    assert post["number"] == 2 and post["body_html"] == "<p>Nothing <em>you</em> do.</p>\n"
    assert post["author"]["position"] is None
    read = ok(await other.get(posts))
    assert [item["number"] for item in read["items"]] == [1, 2]
    assert read["items"][0]["author"]["position"] == "chair"
    assert code(await stranger.get(posts), 404) == "not_found"
    assert code(await api.get(posts), 401) == "auth.required"

    # Moderating
    report = {"rule": "no-attacks", "note": "It is about me."}
    made = await api.post(f"/posts/{post['id']}/reports", report, headers=siobhan)
    assert made.status_code == 201, made.text
    queue = ok(await staff.get(f"/communities/{DTC}/review-queue"))
    (review,) = queue["items"]
    assert review["version"] == 1 and review["actions"] == ["keep", "hide"]
    assert review["reports"][0]["rule"] == "no-attacks" and "reporter" not in str(review)
    own = ok(await api.get(f"/communities/{DTC}/review-queue", headers=siobhan))
    assert own["items"][0]["actions"] == []
    hide = {"action": "hide", "rule": "no-attacks", "reason": "It attacks.", "version": 1}
    mine = await api.client.put(
        f"/api/v1/reviews/{review['id']}/decision", json=hide, headers=siobhan
    )
    assert code(mine, 403) == "review.own_case"
    stale = await staff.put(f"/reviews/{review['id']}/decision", hide | {"version": 7})
    assert code(stale, 409) == "review.changed"
    ok(await staff.put(f"/reviews/{review['id']}/decision", hide))
    place = ok(await other.get(posts))["items"][1]
    assert (place["status"], place["body"], place["body_html"]) == ("hidden", None, None)
    assert place["hidden"]["rule"] == "no-attacks"
    back = await staff.post(f"/reviews/{review['id']}/reversal", {"reason": "Said in jest."})
    assert back.status_code == 201, back.text
    assert ok(await other.get(posts))["items"][1]["body"] == "Nothing *you* do."

    # A right ends at that instant, on the token that there is
    removal = await staff.post(f"/terms/{term['id']}/removal", {"reason": "Left the court."})
    assert removal.status_code == 201 and removal.json()["status"] == "removed"
    after = await api.get(f"/communities/{DTC}/review-queue", headers=siobhan)
    assert code(after, 403) == "permission.denied"
    successor = await staff.post(f"/communities/{DTC}/terms", chair | {"person_id": str(other.id)})
    assert successor.status_code == 201, successor.text

    # Each step once on the log
    log = ok(await staff.get(f"/communities/{DTC}/audit-log?limit=100"))
    kinds = [item["kind"] for item in reversed(log["items"])]
    assert kinds == [
        "join_request.submitted",
        "join_request.verified",
        "join_request.accepted",
        "term.started",
        "discussion.started",
        "post.written",
        "post.reported",
        "review.decided",
        "review.reversed",
        "term.removed",
        "term.started",
    ]
    assert log["items"][0]["actor"]["name"] == "Stella Staff"
    assert "Nothing" not in str(log) and "siobhan@" not in str(log)
