"""Where leadership needs attention: terms that end soon, and what each community lacks."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from app.schemas.base import Answer, Localized, PersonReference
from app.schemas.communities import CommunityReference
from app.schemas.memberships import IdentityLine
from app.schemas.terms import SeatHolder


class ExpiringTerm(Answer):
    """A term that runs today and ends soon."""

    term_id: UUID = Field(description="The term's id.")
    community: CommunityReference | None = Field(
        description="Where it is held; null: in the association."
    )
    position: str = Field(description="The position's code.", examples=["chair"])
    title: Localized = Field(description="The position's title.")
    seat: int | None = Field(description="Which of the position's seats; null where it has none.")
    seat_id: UUID | None = Field(description="The seat's id.")
    person: IdentityLine = Field(description="Who holds it, as they are today.")
    starts_on: date = Field(description="The first day.")
    ends_on: date = Field(description="The last day.", examples=["2026-12-31"])
    days_left: int = Field(description="How many days are left after today.", examples=[39])
    next_term: SeatHolder | None = Field(
        description="Who begins in the seat on a later day; null while no such term is recorded."
    )
    has_candidate: bool = Field(
        description="True if somebody in the seat's succession plan has agreed to be there."
    )
    election_id: UUID | None = Field(
        description="An election under way that fills the seat; null if there is none, and for"
        " restricted communities."
    )


class ExpiringTermList(Answer):
    """A page of terms, the first to end first."""

    items: list[ExpiringTerm] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class Severity(StrEnum):
    """How much a finding matters, from what stops a community to what is worth a thought."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


class FindingCode(StrEnum):
    """What can be found; openapi.json tells when each is."""

    NO_CHAIR = "no_chair"
    CHAIR_AWAY = "chair_away"
    TOO_FEW_SEATS_FILLED = "too_few_seats_filled"
    HOLDERS_LAPSED = "holders_lapsed"
    VACANT_SEATS = "vacant_seats"
    TERMS_PAST_OR_NEAR_END = "terms_past_or_near_end"
    ELECTIONS_OVERDUE = "elections_overdue"
    TERMS_END_TOGETHER = "terms_end_together"
    NOBODY_IN_PLAN = "nobody_in_plan"
    TERRITORIES_UNREPRESENTED = "territories_unrepresented"
    TERRITORIES_WITHOUT_LEADER = "territories_without_leader"


class FindingSeat(Answer):
    """A seat that a finding is about."""

    id: UUID = Field(description="The seat's id.")
    position: str = Field(description="The position's code.", examples=["chair"])
    seat: int = Field(description="Which of the position's seats.")
    title: Localized = Field(description="The position's title.")
    holder: PersonReference | None = Field(
        description="Who holds it, or (holders_lapsed) whose term runs on paper only."
    )
    acting_holder: PersonReference | None = Field(description="Who acts in it; null if nobody.")
    since_on: date | None = Field(
        description="For a vacant seat: the first day on which nobody held it."
    )
    ends_on: date | None = Field(
        description="The last day of the term that the finding is about, past or to come."
    )
    next_starts_on: date | None = Field(
        description="When the next recorded term begins in it; null while there is none."
    )


class Finding(Answer):
    """One thing that needs attention, in words and in facts; those without a meaning are empty."""

    code: FindingCode = Field(
        description="no_chair: nobody holds the first seat by rank. chair_away: its holder is"
        " absent or suspended, and nobody acts. too_few_seats_filled: fewer than half are."
        " holders_lapsed: a term runs and its holder's membership or account does not."
        " vacant_seats: all of them, the first one too. terms_past_or_near_end: the last term is"
        " over, or ends within 90 days, and no successor is recorded. elections_overdue: not"
        " certified a week after voting, or when the terms should begin. terms_end_together: more"
        " than half of a staggered group in one year. nobody_in_plan: no candidate who has agreed,"
        " for any seat."
        " territories_unrepresented, territories_without_leader: nobody from there."
    )
    severity: Severity = Field(description="critical, warning or notice.")
    detail: Localized = Field(
        description="A sentence.",
        examples=[{"en": "Seats that nobody holds: 2.", "fr": "Sièges vacants : 2."}],
    )
    seats: list[FindingSeat] = Field(description="The seats that it is about.")
    year: int | None = Field(description="terms_end_together: the year.", examples=[None])
    territories: list[str] = Field(
        description="The codes of provinces and territories, see /territories.", examples=[[]]
    )
    election_ids: list[UUID] = Field(description="The elections that it is about.", examples=[[]])


class BodyHealth(Answer):
    """How the leadership of a community, or of the association, stands."""

    community: CommunityReference | None = Field(description="Null for the association itself.")
    severity: Severity | None = Field(
        description="Of the gravest finding; null where nothing was found."
    )
    seats: int = Field(description="How many seats the Leadership Group has.", examples=[7])
    filled_seats: int = Field(description="How many of them somebody holds.", examples=[5])
    member_count: int | None = Field(description="How many belong; null for the association.")
    findings: list[Finding] = Field(description="The gravest first.")


class FindingCount(Answer):
    """In how many communities something was found."""

    code: FindingCode = Field(description="What was found.")
    severity: Severity = Field(description="The gravest that it has anywhere.")
    communities: int = Field(description="In how many communities.")


class HealthSummary(Answer):
    """All communities in a few numbers."""

    communities: int = Field(description="How many there are, archived ones left out.")
    critical: int = Field(description="In how many the gravest finding is critical.")
    warning: int = Field(description="In how many it is a warning.")
    notice: int = Field(description="In how many it is a notice.")
    well: int = Field(description="In how many nothing was found.")
    seats: int = Field(description="How many seats their Leadership Groups have.")
    vacant_seats: int = Field(description="How many of them nobody holds.")
    findings: list[FindingCount] = Field(description="By what was found, the gravest first.")


class LeadershipHealth(Answer):
    """All communities on one page, those in trouble first."""

    as_of: date = Field(description="The day.")
    summary: HealthSummary = Field(
        description="In a few numbers; the association's own seats are not among them."
    )
    association: BodyHealth = Field(description="The association's own seats.")
    communities: list[BodyHealth] = Field(
        description="By the gravest finding, then by how many there are, then as in the catalogue."
    )
