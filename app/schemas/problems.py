"""The one shape of every error (RFC 9457)."""

from datetime import date
from uuid import UUID

from pydantic import MISSING, ConfigDict, Field

from app.models import ElectionPhase, ImportStatus
from app.schemas.base import Answer
from app.schemas.membership_mappings import ImportField


class FieldProblem(Answer):
    """What is wrong with one member of the body, or with one parameter."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    code: str = Field(description="A stable code.", examples=["too_long"])
    detail: str = Field(description="A sentence in the language asked for.")
    pointer: str | MISSING = Field(
        default=MISSING, description="Where in the body (RFC 6901).", examples=["/name"]
    )
    parameter: str | MISSING = Field(default=MISSING, description="Or which parameter.")
    minimum: int | MISSING = Field(default=MISSING, description="What the value has to reach.")
    maximum: int | MISSING = Field(default=MISSING, description="What the value may not exceed.")


class Reason(Answer):
    """One reason why the caller may not do something."""

    code: str = Field(
        description="sign_in_required, membership_required, membership_suspended,"
        " membership_paused,"
        " position_required, term_ended, term_not_begun, holder_absent, rules_agreement_required,"
        " eligibility_required, own_only or token_scope.",
        examples=["position_required"],
    )
    positions: list[str] = Field(description="The positions that would allow it.")
    from_on: date | None = Field(description="term_not_begun: the first day of that term.")
    until: date | None = Field(
        description="The last day of what stands in the way; term_ended: the last day of that term."
    )
    rules_version: int | None = Field(description="The version that has to be agreed to.")
    detail: str = Field(description="A sentence in the language asked for.")


class Problem(Answer):
    """Why a request was refused; members beyond `request_id` come with the codes they name."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: str = Field(description="Where the code is described.")
    title: str = Field(description="The problem in a few words, in the language asked for.")
    status: int = Field(description="The HTTP status.", examples=[403])
    detail: str = Field(description="A sentence for a person.")
    instance: str = Field(description="The path that was asked for.")
    code: str = Field(description="A stable code for a program.", examples=["permission.denied"])
    request_id: str = Field(description="Names the request in the logs.")
    errors: list[FieldProblem] | MISSING = Field(
        default=MISSING, description="With validation.failed: what is wrong where."
    )
    because: list[Reason] | MISSING = Field(
        default=MISSING, description="With permission.denied: the reasons."
    )
    capability: str | None | MISSING = Field(
        default=MISSING,
        description="With permission.denied: what was asked for; null where nothing gives it.",
    )
    rules_version: int | MISSING = Field(
        default=MISSING, description="With the codes of rules: the version in force."
    )
    version: int | MISSING = Field(
        default=MISSING, description="With review.changed: the review's version now."
    )
    phase: ElectionPhase | MISSING = Field(
        default=MISSING, description="With election.wrong_phase: the phase in which it is."
    )
    import_status: ImportStatus | MISSING = Field(
        default=MISSING,
        description="With import.not_in_this_state: the state in which the import is.",
    )
    row: int | MISSING = Field(
        default=MISSING, description="With refusals of a file: the row where reading stopped."
    )
    missing: list[ImportField] | MISSING = Field(
        default=MISSING, description="With import.mapping_unfit: what no column says."
    )
    nomination_id: UUID | MISSING = Field(
        default=MISSING, description="With election.winner_unfit: whose seat it would be."
    )
    reason: str | MISSING = Field(
        default=MISSING,
        description="With election.winner_unfit: the code of what stands in the way.",
    )
    communities: int | MISSING = Field(
        default=MISSING,
        description="With seat.in_use: in how many communities too many seats are held or"
        " promised; 0 where it is the association.",
    )
