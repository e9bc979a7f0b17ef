"""What is mailed about proposals, in each reader's language, and where its link leads."""

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from app import clock, texts
from app.services.retention import UNCONFIRMED
from tests.answers import ok
from tests.calls import HOW
from tests.cast import Api, mail_to, text_of, token_in
from tests.moments import at
from tests.test_community_proposals import (
    ACCEPTED,
    DECLINED,
    FORM,
    NOOR,
    PERSON,
    PROPOSALS,
    REMOTE,
    SUPPORT,
    TOMAS,
    decide,
    propose,
    prove,
    supported,
    with_link,
)
from tests.test_mail import assert_in_language, kind_of


async def noted(api: Api, told: dict[str, EmailMessage]) -> list[EmailMessage]:
    """The mails that go out now, noted by their kind."""
    sent = await api.work_off()
    told |= {await kind_of(api, mail): mail for mail in sent}
    return sent


async def opened(api: Api, language: str, told: dict[str, EmailMessage], **form: Any) -> str:
    """A proposal by somebody who reads this language."""
    received = ok(await propose(api, language=language, **form), 202)
    ok(await prove(api, token_in(mail_to(await noted(api, told), NOOR))))
    await noted(api, told)
    return received["id"]


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_every_mail_about_a_proposal_is_in_its_readers_language(
    api: Api, language: str
) -> None:
    staff = await api.staff(language=language)
    await api.work_off()
    told: dict[str, EmailMessage] = {}
    declined = await opened(api, language, told)
    ok(await decide(staff, declined, DECLINED))
    await noted(api, told)
    accepted = await opened(api, language, told)
    await supported(api, accepted, language=language, wishes_to_belong=False)
    ok(await decide(staff, accepted, ACCEPTED))
    await noted(api, told)
    assert set(told) == {
        "confirm_proposal",
        "proposal_link",
        "proposal_opened",
        "proposal_closed",
        "proposal_accepted",
        "founding_member",
    }
    for kind, mail in told.items():
        assert_in_language(kind, mail, language)


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_each_reader_is_told_what_concerns_them(api: Api, language: str) -> None:
    """The same mail says one thing to a proposer and another to a supporter."""
    staff = await api.staff()
    told: dict[str, EmailMessage] = {}
    said: dict[str, str] = {}
    first = await opened(api, language, told)
    ok(await api.post(f"{PROPOSALS}/{first}/support", SUPPORT | {"language": language}), 202)
    said["confirm_proposal.body_supporter"] = text_of(mail_to(await api.work_off(), TOMAS))
    ok(await prove(api, re.findall(r"#token=(\S+)", said["confirm_proposal.body_supporter"])[0]))
    said["proposal_link.body_supporter"] = text_of(mail_to(await api.work_off(), TOMAS))
    ok(
        await api.post(
            f"{PROPOSALS}/{first}/withdrawal", **with_link(token_in(told["proposal_link"]))
        )
    )
    said["proposal_closed.body_withdrawn"] = text_of(mail_to(await api.work_off(), TOMAS))
    second = await opened(api, language, told)
    await supported(api, second, language=language)
    judges = REMOTE | {"eligible_occupations": ["judge"]}
    ok(await decide(staff, second, ACCEPTED | {"community": judges}))
    sent = await api.work_off()
    said["proposal_accepted.body_asked"] = text_of(mail_to(sent, TOMAS))
    third = await opened(api, language, told)
    await supported(api, third, language=language)
    ok(await decide(staff, third, DECLINED))
    said["proposal_closed.body_supporter"] = text_of(mail_to(await api.work_off(), TOMAS))
    for key, text in said.items():
        words = texts.text("mails", key, language).strip().splitlines()[0].split("{")[0]
        assert words in text, key
        assert PERSON["name"] not in text, key


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize(
    ("community", "body"),
    [
        ({}, "body"),
        ({"listed": False}, "body_by_invitation"),
        ({"join_policy": "invitation_only"}, "body_by_invitation"),
        ({"join_policy": "closed"}, "body_closed"),
        ({"join_policy": "closed", "listed": False}, "body_closed"),
    ],
)
async def test_who_did_not_ask_to_belong_is_told_how_one_comes_to(
    api: Api, language: str, community: dict[str, Any], body: str
) -> None:
    staff = await api.staff()
    proposal = await opened(api, language, {})
    await supported(api, proposal, language=language, wishes_to_belong=False)
    ok(await decide(staff, proposal, ACCEPTED | {"community": REMOTE | community}))
    said = text_of(mail_to(await api.work_off(), TOMAS)).splitlines()
    ways = ("body", "body_by_invitation", "body_closed")
    told = [
        way
        for way in ways
        if texts.text("mails", f"proposal_accepted.{way}", language).splitlines()[-1] in said
    ]
    assert told == [body]


@pytest.mark.parametrize("supports", [False, True])
async def test_no_link_is_sent_for_a_form_that_can_be_confirmed_no_more(
    api: Api, supports: bool
) -> None:
    if supports:
        proposal, address = await opened(api, "en", {}), TOMAS
        ok(await api.post(f"{PROPOSALS}/{proposal}/support", SUPPORT), 202)
    else:
        address = NOOR
        ok(await propose(api), 202)
    over = clock.now() + UNCONFIRMED
    for moment, links in ((over, []), (over - timedelta(hours=1), [1])):
        with at(moment):
            await api.post("/auth/email-verifications", {"email": address})
            sent = [text_of(mail) for mail in await api.work_off() if address in mail["To"]]
            assert [text.count("#token=") for text in sent] == links


# The page to which the link leads


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_the_link_leads_to_a_page_that_offers_what_the_api_does(
    api: Api, language: str
) -> None:
    told: dict[str, EmailMessage] = {}
    proposal = await opened(api, language, told, proposer=FORM["proposer"])
    link = re.findall(r"http://testserver(/\S+)#token=cop_link_", text_of(told["proposal_link"]))[0]
    assert link == f"/pages/proposal?id={proposal}"
    page = await api.client.get(link, headers={"Accept-Language": language})
    assert page.status_code == 200 and page.headers["content-language"] == language
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    offered = set(re.findall(r'<button name="(\w+)"', page.text))
    assert offered == {"withdraw_community_proposal", "withdraw_proposal_support"} & set(HOW)
    assert texts.text("pages", "proposal.withdraw_proposal_support", language) in page.text
