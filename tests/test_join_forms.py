"""A community's own questions, the form that asks them, and the answers."""

import asyncio
from typing import Any

import httpx
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import questions
from app.models import Community, CommunityStatus, QuestionKind
from app.schemas.join_forms import JoinQuestionsUpdate
from tests.answers import FORM, because, code, leaves, ok, wrong
from tests.cast import DTC, WELLNESS, Api, Someone, mail_to, token_in

QUESTIONS = f"/communities/{DTC}/join-questions"
THE_FORM = f"/communities/{DTC}/join-form"


def both(text: str) -> dict[str, str]:
    """A text in both languages."""
    return {"en": text, "fr": f"{text} (fr)"}


def option(name: str) -> dict[str, Any]:
    return {"code": name, "label": both(name.title())}


YEARS = {"code": "years", "kind": "text", "label": both("Years at court"), "max_length": 10}
WHY = {"code": "why", "kind": "long_text", "label": both("Why"), "required": True}
HEARD = {
    "code": "heard",
    "kind": "choice",
    "label": both("How did you hear of us?"),
    "help": both("One of these."),
    "options": [option("forum"), option("colleague")],
}
TOPICS = {
    "code": "topics",
    "kind": "choices",
    "label": both("Topics"),
    "options": [option("sanctions"), option("housing"), option("health")],
    "max_choices": 2,
}
LEADS = {"code": "leads", "kind": "yes_no", "label": both("Would you lead?")}
ALL = [YEARS, WHY, HEARD, TOPICS, LEADS]
ANSWERS: dict[str, Any] = {
    "years": " 12 ",
    "why": "To learn,\r\nand to teach.",
    "heard": "forum",
    "topics": ["housing", "health"],
    "leads": False,
}


async def change(by: Someone, items: list[dict[str, Any]], **options: Any) -> httpx.Response:
    """Puts these questions in place of those that are there now."""
    if "headers" not in options:
        options["headers"] = {"If-Match": (await by.get(QUESTIONS)).headers["etag"]}
    return await by.put(QUESTIONS, {"items": items}, **options)


async def asking(api: Api, *items: dict[str, Any]) -> Someone:
    """The secretary, who has just made the community ask these questions."""
    secretary = await api.leader("Simone Secretary", "secretary")
    ok(await change(secretary, list(items)))
    return secretary


async def ask(api: Api, answers: dict[str, Any], **form: Any) -> httpx.Response:
    return await api.post("/join-requests", FORM | {"answers": answers} | form)


# The questions


async def test_a_community_asks_what_it_wants_beside_what_everybody_is_asked(api: Api) -> None:
    secretary = await api.leader("Simone Secretary", "secretary")
    none = await secretary.get(QUESTIONS)
    assert (ok(none)["items"], ok(none)["version"]) == ([], 1)
    async with leaves(api, ("join_form.changed", secretary)):
        changed = ok(await change(secretary, ALL))
    assert [item["code"] for item in changed["items"]] == [item["code"] for item in ALL]
    assert changed["version"] == 2
    by_code = {item["code"]: item for item in changed["items"]}
    assert by_code["why"]["max_length"] == 2000
    assert by_code["leads"]["max_length"] is None
    async with leaves(api):  # what says only what is so already changes nothing
        assert ok(await change(secretary, ALL))["version"] == 2
    assert ok(await change(secretary, []))["items"] == []


async def test_only_those_who_may_change_a_community_change_its_questions(api: Api) -> None:
    member = await api.member("Mo Member")
    anything = {"headers": {"If-Match": "*"}}
    assert because(await member.put(QUESTIONS, {"items": []}, **anything)) == ["position_required"]
    assert because(await member.get(QUESTIONS)) == ["position_required"]
    assert code(await api.get(QUESTIONS), 401) == "auth.required"
    secretary = await api.leader("Simone Secretary", "secretary")
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    assert code(await change(secretary, [LEADS]), 409) == "community.archived"


async def test_of_changes_at_the_same_moment_one_is_kept(api: Api) -> None:
    secretary = await api.leader("Simone Secretary", "secretary")
    assert code(await change(secretary, [LEADS], headers={}), 428) == "precondition.required"
    headers = {"If-Match": (await secretary.get(QUESTIONS)).headers["etag"]}
    answers = await asyncio.gather(
        *(change(secretary, [question], headers=headers) for question in ALL)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 4
    assert ok(await secretary.get(QUESTIONS))["version"] == 2


@pytest.mark.parametrize(
    ("items", "faults"),
    [
        ([LEADS, LEADS], [("/items/1/code", "duplicate")]),
        ([YEARS | {"max_length": 201}], [("/items/0/max_length", "too_large")]),
        ([LEADS | {"max_length": 5}], [("/items/0/max_length", "not_for_this_kind")]),
        ([LEADS | {"options": [option("a")]}], [("/items/0/options", "not_for_this_kind")]),
        ([HEARD | {"options": [option("a")]}], [("/items/0/options", "too_few")]),
        ([HEARD | {"options": [option("a")] * 2}], [("/items/0/options/1/code", "duplicate")]),
        ([HEARD | {"max_choices": 1}], [("/items/0/max_choices", "not_for_this_kind")]),
        ([TOPICS | {"max_choices": 4}], [("/items/0/max_choices", "too_large")]),
        ([LEADS | {"code": "No Code"}], [("/items/0/code", "pattern_mismatch")]),
        ([LEADS | {"label": {"en": "Lead?"}}], [("/items/0/label/fr", "required")]),
        ([LEADS | {"kind": "date"}], [("/items/0/kind", "not_one_of")]),
        ([LEADS | {"code": f"q{n}"} for n in range(21)], [("/items", "too_many")]),
    ],
)
async def test_questions_that_cannot_be_asked_are_refused(
    api: Api, items: list[dict[str, Any]], faults: list[tuple[str, str]]
) -> None:
    secretary = await api.leader("Simone Secretary", "secretary")
    assert wrong(await change(secretary, items)) == faults


# The form


async def test_a_form_can_be_built_from_what_anybody_may_read(api: Api) -> None:
    await asking(api, *ALL)
    form = ok(await api.get(THE_FORM))
    assert form["title"] == form["x-title"]["en"] == "Drug Treatment Court CP"
    asked = form["properties"]["answers"]["properties"][DTC]
    assert list(asked["properties"]) == list(ANSWERS)
    assert asked["required"] == ["why"]
    heard = asked["properties"]["heard"]
    assert [one["const"] for one in heard["oneOf"]] == ["forum", "colleague"]
    assert (heard["title"], heard["description"]) == ("How did you hear of us?", "One of these.")
    french = await api.get(THE_FORM, headers={"Accept-Language": "fr-CA"})
    shown = ok(french)["properties"]["answers"]["properties"][DTC]["properties"]["heard"]
    assert shown["title"] == heard["x-title"]["fr"]
    assert "Accept-Language" in french.headers["vary"]


async def test_what_the_form_accepts_can_be_sent_as_it_is(api: Api) -> None:
    await asking(api, *ALL)
    schema = jsonschema_rs.validator_for(ok(await api.get(THE_FORM)))
    good = FORM | {"answers": {DTC: ANSWERS}}
    assert schema.is_valid(good)
    ok(await api.post("/join-requests", good), 202)
    for bad in (FORM, good | {"agrees_to_rules_version": 2}, good | {"answers": {}}):
        assert not schema.is_valid(bad)
        assert (await api.post("/join-requests", bad)).status_code in (409, 422)


async def test_the_form_of_a_hidden_community_is_not_there(api: Api) -> None:
    await api.change(Community, await api.community_id(), listed=False)
    assert code(await api.get(THE_FORM), 404) == "not_found"
    member = await api.member("Mo Member")
    assert ok(await member.get(THE_FORM))["title"] == "Drug Treatment Court CP"


# Answers


async def test_leaders_read_the_answers_as_they_were_asked(api: Api) -> None:
    secretary = await asking(api, *ALL)
    ok(await ask(api, {DTC: ANSWERS}), 202)
    token = token_in(mail_to(await api.work_off(), FORM["email"]))
    ok(await api.post("/auth/email-verifications/confirmation", {"token": token}))
    ok(await change(secretary, []))
    (item,) = ok(await secretary.get(f"/communities/{DTC}/join-requests"))["items"]
    shown = {answer["code"]: answer for answer in item["answers"]}
    assert [shown[name]["value"] for name in ("years", "why", "leads")] == [
        "12",
        "To learn,\nand to teach.",
        False,
    ]
    assert shown["heard"]["label"] == HEARD["label"]
    assert shown["heard"]["chosen"] == [option("forum")]
    assert shown["topics"]["chosen"] == [option("housing"), option("health")]
    assert ok(await secretary.get(f"/join-requests/{item['id']}"))["answers"] == item["answers"]


async def test_each_community_is_answered_as_the_form_names_it(api: Api) -> None:
    await asking(api, WHY)
    place = str(await api.community_id(DTC))
    named = {"communities": [WELLNESS, place]}
    ok(await ask(api, {place: {"why": "Because."}}, **named), 202)
    assert wrong(await ask(api, {DTC: {"why": "Because."}}, **named)) == [
        (f"/answers/{DTC}", "not_known"),
        (f"/answers/{place}/why", "required"),
    ]


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ({}, ("why", "required")),
        ({"why": "x", "colour": "red"}, ("colour", "unknown_member")),
        ({"why": "x", "a/b~c": 1}, ("a~1b~0c", "unknown_member")),
        ({"why": 5}, ("why", "wrong_type")),
        ({"why": " \n "}, ("why", "too_short")),
        ({"why": "x" * 2001}, ("why", "too_long")),
        ({"why": "x\u0007"}, ("why", "text_control_characters")),
        ({"why": "x", "years": "1\n2"}, ("years", "text_control_characters")),
        ({"why": "x", "heard": "radio"}, ("heard", "not_one_of")),
        ({"why": "x", "topics": []}, ("topics", "too_few")),
        ({"why": "x", "topics": ["health"] * 2}, ("topics/1", "duplicate")),
        ({"why": "x", "topics": ["sanctions", "housing", "health"]}, ("topics", "too_many")),
        ({"why": "x", "topics": ["health", None]}, ("topics/1", "not_one_of")),
        ({"why": "x", "topics": "health"}, ("topics", "wrong_type")),
        ({"why": "x", "leads": 1}, ("leads", "wrong_type")),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_where_it_stands(
    api: Api, answers: dict[str, Any], fault: tuple[str, str]
) -> None:
    await asking(api, *ALL)
    place, expected = fault
    assert wrong(await ask(api, {DTC: answers})) == [(f"/answers/{DTC}/{place}", expected)]


# The schema and the check say the same of every value

CODES = ("one", "two", "three", "four")
LABELS = st.just(both("Asked"))
OPTIONS = st.lists(st.sampled_from(CODES), min_size=2, unique=True).map(
    lambda codes: [option(name) for name in codes]
)


def of_kind(kind: QuestionKind, **members: Any) -> st.SearchStrategy[dict[str, Any]]:
    fixed = {"kind": st.just(str(kind)), "label": LABELS, "required": st.booleans()}
    return st.fixed_dictionaries({"code": st.sampled_from("abcdef")} | fixed | members)


ONE = st.one_of(
    of_kind(QuestionKind.TEXT, max_length=st.integers(1, 6)),
    of_kind(QuestionKind.LONG_TEXT, max_length=st.integers(1, 6)),
    of_kind(QuestionKind.CHOICE, options=OPTIONS),
    of_kind(QuestionKind.CHOICES, options=OPTIONS, max_choices=st.integers(1, 2)),
    of_kind(QuestionKind.YES_NO),
)
SEVERAL = st.lists(ONE, max_size=4, unique_by=lambda question: question["code"])
# Plain ones, and those at which two readers of a text may differ: blanks, breaks, marks, astral.
CHARACTERS = st.one_of(
    st.sampled_from(
        "ab \t\n\r\u0085\u00a0\u00ad\u2028\u200b\u200f\u3000\ufeff\uffff\u0301é\U0001f600"
    ),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.one_of(st.text(CHARACTERS, max_size=8), st.sampled_from(CODES))
SCALARS = st.one_of(TEXTS, st.booleans(), st.none(), st.integers(0, 2), st.floats(0, 1))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(TEXTS, SCALARS))


def right(question: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit."""
    codes = st.sampled_from([one["code"] for one in question["options"]] or list(CODES))
    most = question["max_choices"]
    return {
        QuestionKind.TEXT: st.text("a é", max_size=question["max_length"]).map(
            lambda text: text or "a"
        ),
        QuestionKind.LONG_TEXT: st.just("b"),
        QuestionKind.CHOICE: codes,
        QuestionKind.CHOICES: st.lists(codes, min_size=1, max_size=most, unique=True),
        QuestionKind.YES_NO: st.booleans(),
    }[QuestionKind(question["kind"])]


def fitting(question: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that are right, nearly right, or anything."""
    codes = st.sampled_from([one["code"] for one in question["options"]] or list(CODES))
    return st.one_of(right(question), VALUES, TEXTS, codes, st.lists(codes, max_size=3))


@st.composite
def asked_and_answered(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Questions as a community keeps them, and what somebody sends for answers."""
    items = JoinQuestionsUpdate.model_validate({"items": draw(SEVERAL)}).model_dump()["items"]
    assert questions.faults_of(items) == []
    kept = [questions.complete(item) for item in items]
    of, skips = draw(st.sampled_from([(right, 0), (right, 1), (fitting, 1), (fitting, 3)]))
    answered = {
        question["code"]: draw(of(question))
        for question in kept
        if draw(st.integers(0, 9)) >= skips
    }
    beside = draw(st.sampled_from([0, 0, 0, 1]))
    return kept, answered | draw(st.dictionaries(st.just("x"), VALUES, max_size=beside))


@given(asked_and_answered())
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_the_schema_accepts_the_server_accepts_and_nothing_else(
    case: tuple[list[dict[str, Any]], dict[str, Any]],
) -> None:
    asked, answered = case
    schema = jsonschema_rs.validator_for(
        {"$schema": "https://json-schema.org/draft/2020-12/schema"} | questions.schema(asked, "en")
    )
    faults = questions.faults(asked, answered, "answers")
    assert schema.is_valid(answered) == (faults == []), (asked, answered, faults)
    if not faults:
        kept = questions.kept(asked, answered)
        assert [answer["code"] for answer in kept] == [
            question["code"] for question in asked if question["code"] in answered
        ]
        assert all(answer["value"] != "" for answer in kept)
