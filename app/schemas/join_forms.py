"""A community's own questions to those who wish to join, and the form that they are part of."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from app.models import QuestionKind
from app.questions import LONGEST, MOST_OPTIONS, MOST_QUESTIONS
from app.schemas.base import (
    Answer,
    InstantOut,
    Localized,
    LocalizedLine,
    LocalizedSentence,
    Request,
)

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", max_length=40)]
_MOST_CHARACTERS = max(LONGEST.values())
_VALUE = {
    "type": ["string", "boolean", "array"],
    "maxLength": _MOST_CHARACTERS,
    "items": {"type": "string", "maxLength": 40},
    "maxItems": MOST_OPTIONS,
}
# What it may be is said by the community's form; app/questions.py looks.
Value = Annotated[Any, WithJsonSchema(_VALUE)]
AnswersIn = Annotated[dict[str, dict[str, Value]], Field(max_length=20)]

_FROM = {"en": "How did you hear of us?", "fr": "Comment nous avez-vous connus?"}
_COLLEAGUE = {"en": "From a colleague", "fr": "Par une ou un collègue"}
_FORUM = {"en": "At a forum", "fr": "Lors d'un forum"}


class JoinOptionIn(Request):
    """One thing that can be chosen."""

    code: Identifier = Field(description="Stable: what an answer says.", examples=["colleague"])
    label: LocalizedLine = Field(description="What people read.", examples=[_COLLEAGUE])


class JoinQuestionIn(Request):
    """One question."""

    code: Identifier = Field(
        description="Stable: under which an answer stands.", examples=["heard_from"]
    )
    kind: Annotated[QuestionKind, Field(strict=False)] = Field(
        description="text (one line), long_text, choice (one option), choices (several), yes_no.",
        examples=["choice"],
    )
    label: LocalizedLine = Field(description="What people are asked.", examples=[_FROM])
    help: LocalizedSentence | None = Field(
        default=None, description="A sentence that helps to answer.", examples=[None]
    )
    required: bool = Field(
        default=False, description="Whether it must be answered.", examples=[False]
    )
    max_length: Annotated[int, Field(ge=1, le=_MOST_CHARACTERS)] | None = Field(
        default=None,
        description="For text (at most 200) and long_text (at most 2000): characters; null for as"
        " many as there may be.",
        examples=[None],
    )
    options: list[JoinOptionIn] = Field(
        default_factory=list,
        max_length=MOST_OPTIONS,
        description="For choice and choices: what can be chosen, two or more.",
        examples=[
            [
                {"code": "colleague", "label": _COLLEAGUE},
                {"code": "forum", "label": _FORUM},
            ]
        ],
    )
    max_choices: Annotated[int, Field(ge=1, le=MOST_OPTIONS)] | None = Field(
        default=None, description="For choices: how many; null for all.", examples=[None]
    )


class JoinQuestionsUpdate(Request):
    """All of a community's own questions, in the order in which they are asked."""

    items: list[JoinQuestionIn] = Field(
        max_length=MOST_QUESTIONS, description="The questions; none takes them all away."
    )


class JoinOption(Answer):
    """One thing that can be chosen."""

    code: str = Field(description="Stable: what an answer says.", examples=["colleague"])
    label: Localized = Field(description="What people read.", examples=[_COLLEAGUE])


class JoinQuestion(Answer):
    """One question."""

    code: str = Field(description="Under which an answer stands.", examples=["heard_from"])
    kind: QuestionKind = Field(description="What an answer is.", examples=["choice"])
    label: Localized = Field(description="What people are asked.", examples=[_FROM])
    help: Localized | None = Field(description="What helps to answer.", examples=[None])
    required: bool = Field(description="Whether it must be answered.", examples=[False])
    max_length: int | None = Field(description="Characters, at most.", examples=[None])
    options: list[JoinOption] = Field(description="What can be chosen.")
    max_choices: int | None = Field(description="Options, at most.", examples=[None])


class JoinQuestions(Answer):
    """A community's own questions; a change of them changes no answer that was given."""

    items: list[JoinQuestion] = Field(description="In the order in which they are asked.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")
    version: int = Field(description="Their version, which each change moves.")
    updated_at: InstantOut | None = Field(
        description="When they last changed; null where there never was one."
    )


class JoinForm(Answer):
    """A JSON Schema (2020-12) of the body with which one asks to join this community alone.

    What it accepts of `answers` is what POST /join-requests accepts. `title` and `description` are
    in the language asked for, `x-title` and `x-description` in both.
    """

    dialect: str = Field(
        alias="$schema",
        description="The dialect.",
        examples=["https://json-schema.org/draft/2020-12/schema"],
    )
    title: str = Field(description="The community's name.", examples=["Drug Treatment Court CP"])
    x_title: Localized = Field(
        alias="x-title",
        description="The same in both languages.",
        examples=[{"en": "Drug Treatment Court CP", "fr": "CP – Toxicomanie"}],
    )
    type: str = Field(description="Always object.", examples=["object"])
    properties: dict[str, Any] = Field(
        description="What is asked of everybody, and the community's own questions under"
        " `answers`, there by the community's slug.",
        examples=[{"name": {"type": "string", "maxLength": 200, "title": "Your name"}}],
    )
    required: list[str] = Field(description="What must be there.", examples=[["name"]])
    additional_properties: bool = Field(
        alias="additionalProperties", description="Always false.", examples=[False]
    )


class JoinAnswer(Answer):
    """An answer to a community's own question, and the question as it was asked."""

    code: str = Field(description="The question's code.", examples=["heard_from"])
    kind: QuestionKind = Field(description="What an answer is.", examples=["choice"])
    label: Localized = Field(description="What was asked.", examples=[_FROM])
    value: Value = Field(description="The answer.", examples=["colleague"])
    chosen: list[JoinOption] = Field(description="The options that it names, as they read then.")
