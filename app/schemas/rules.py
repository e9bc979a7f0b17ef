"""The rules of etiquette and participation, and agreements to them."""

from datetime import date
from typing import Annotated

from pydantic import Field

from app.models import RuleKind
from app.schemas.base import (
    Answer,
    DayIn,
    InstantOut,
    Language,
    Localized,
    LocalizedLine,
    LocalizedRule,
    Number,
    Request,
)


class Rule(Answer):
    """One rule; its code stays the same over versions."""

    code: str = Field(description="What reports and decisions cite.", examples=["no-attacks"])
    kind: RuleKind = Field(description="To know, to agree to, to keep, or to strive for.")
    heading: Localized = Field(description="The rule in a few words.")
    text: Localized = Field(description="The rule in full.")


class Rules(Answer):
    """One version of the rules."""

    version: int = Field(description="What an agreement names.", examples=[1])
    effective_on: date = Field(description="The first day on which it is in force.")
    published_at: InstantOut = Field(description="When it was published.")
    in_force: bool = Field(description="True if it is the version in force today.")
    items: list[Rule] = Field(description="The rules, in order.")


class RulesVersion(Answer):
    """A version of the rules, without its texts."""

    version: int = Field(description="The number.")
    effective_on: date = Field(description="The first day on which it is in force.")
    published_at: InstantOut = Field(description="When it was published.")
    in_force: bool = Field(description="True if it is the version in force today.")


class RulesVersionList(Answer):
    """The versions of the rules, the latest first."""

    items: list[RulesVersion] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class RuleText(Request):
    """One rule of a version to be published."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)] = Field(
        description="Keep the code of a rule that stays the same rule.", examples=["no-attacks"]
    )
    kind: Annotated[RuleKind, Field(strict=False)] = Field(description="What the rule is.")
    heading: LocalizedLine = Field(description="The rule in a few words.")
    text: LocalizedRule = Field(description="The rule in full.")


class RulesPublication(Request):
    """A new version of the rules, whole; everybody is asked to agree again when it takes effect."""

    based_on: Number = Field(
        description="The latest version that there is, those to come included: the one that you"
        " have read and that this one is to follow.",
        examples=[1],
    )
    effective_on: DayIn = Field(description="The first day in force: today or later.")
    items: list[RuleText] = Field(
        min_length=1, max_length=100, description="All rules, in order; replaces the last version."
    )


class Agreement(Answer):
    """The caller's agreement to one version of the rules."""

    version: int = Field(description="The version agreed to.")
    agreed_at: InstantOut = Field(description="When.")
    language: Language = Field(description="The language in which the text was shown.")


class AgreementList(Answer):
    """The caller's agreements, the latest first."""

    items: list[Agreement] = Field(description="All of them.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")


class AgreementCreate(Request):
    """The agreement to the version in force; a version to come can be agreed to early."""

    version: Number = Field(description="The version in force, or one that is to come.")
