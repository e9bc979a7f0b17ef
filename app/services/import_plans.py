"""What a row would do to the world as it is: said once, when it is planned and when it is applied.

Nothing here writes. A plan is JSON: the person (`make`, `update`, `keep`, or `other_row` where an
earlier row of the file makes the account), and what becomes of each membership. It names no
versions, so that two plans are equal if they would do the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from app import clock
from app.membership_files.folding import name_key
from app.membership_files.rows import Finding
from app.models import (
    ImportMode,
    MembershipCategory,
    MembershipEnding,
    MembershipImport,
    RowOutcome,
)
from app.services.import_worlds import Place, World

# What is said of a person; the address and everything else of a sign-in is their own.
PERSONAL = (
    "name",
    "occupation",
    "occupation_code",
    "affiliation",
    "area_of_interest",
    "territory",
    "language",
)
_BLANK = {"occupation_code": "other"}
_CHANGING = (ImportMode.UPDATE, ImportMode.SYNC)
_BY_SOMEBODY = (MembershipEnding.LEFT, MembershipEnding.ENDED)


@dataclass(slots=True)
class Decision:
    """What a row would do, what is said of it, and which memberships it speaks of."""

    outcome: RowOutcome = RowOutcome.UNCHANGED
    person: dict[str, Any] = field(default_factory=dict)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    mentions: set[UUID] = field(default_factory=set)

    def does(self) -> dict[str, Any] | None:
        """The plan as it is kept and compared; None for one that changes nothing."""
        person = self.person
        if self.requests:
            return {"person": person, "memberships": [], "requests": self.requests}
        if not (self.memberships or person.get("act") in ("make", "update") or person.get("link")):
            return None
        return {"person": self.person, "memberships": self.memberships}


def _day(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None


def _is_told(said: Mapping[str, Any], row: Any) -> bool:
    """Whether a file tells of a membership that is here, by its days as an export has them."""
    last = row.until_on
    if row.ended_at is not None and row.ending != MembershipEnding.LAPSED:
        ended_on = clock.day_of(row.ended_at)
        last = ended_on if last is None else min(last, ended_on)
    return last == _day(said["until_on"]) and _day(said["since_on"]) in (None, row.since_on)


class Planner:
    """Decides about the rows of one import in one state of the world."""

    def __init__(self, job: MembershipImport, world: World) -> None:
        self._job = job
        self._world = world
        self._places = world.places_for(job)
        self._whole = job.community_id is None

    def decide(self, said: Mapping[str, Any]) -> Decision:
        """What becomes of a row that says this; `said` is what `import_rows.said` keeps."""
        found = Decision()
        person = self._person(said, found)
        if found.outcome is RowOutcome.REFUSED:
            return found
        named = list(self._named(said, found))
        self._plan_person(said, person, found, new=bool(named))
        refused = 0
        for place in named:
            if self._may_belong(place, person, said, found):
                self._plan_membership(said, person, place, found)
            else:
                refused += 1
        if not said["whole"] and person is not None:
            found.mentions.update(row.id for row in self._world.of_person.get(person.id, ()))
        if named and refused == len(named):
            return self._refused(found)
        found.outcome = _outcome(found)
        if self._whole and person is not None and person.deactivated_at and found.does():
            told = Finding(None, "account_deactivated")
            return Decision(RowOutcome.REFUSED, findings=[told], mentions=found.mentions)
        return found

    def _named(self, said: Mapping[str, Any], found: Decision) -> Iterator[Place]:
        """The communities of a row; an import into one leaves the others aside."""
        for one in said["communities"]:
            place = self._world.places.get(UUID(one))
            if place is None:
                continue
            if self._whole or place.id == self._job.community_id:
                yield place
            else:
                self._note(found, "community_elsewhere", place)

    @staticmethod
    def _refused(found: Decision) -> Decision:
        """The person is not even made where no community takes them."""
        told = [Finding(one.column, one.code, one.facts) for one in found.findings]
        return Decision(RowOutcome.REFUSED, findings=told, mentions=found.mentions)

    # The person

    def _person(self, said: Mapping[str, Any], found: Decision) -> Any | None:
        """Whom the row is about: by the number in the source, then by the address."""
        world = self._world
        number = world.by_number.get(said["external_id"] or "")
        by_address = world.by_address.get(said["key"])
        person = world.people.get(number or by_address) if number or by_address else None
        if person is None or not self._whole:
            return person
        if number is None and name_key(person.name) != name_key(said["name"]):
            self._refuse(found, "account_of_another_name")
        elif number is not None and person.email_key != said["key"]:
            found.findings.append(Finding(None, "address_not_changed", refuses=False))
        if found.outcome is RowOutcome.REFUSED:
            found.mentions.update(row.id for row in world.of_person.get(person.id, ()))
        return person

    @staticmethod
    def _refuse(found: Decision, code: str) -> None:
        found.outcome = RowOutcome.REFUSED
        found.findings.append(Finding(None, code))

    def _plan_person(
        self, said: Mapping[str, Any], person: Any | None, found: Decision, *, new: bool
    ) -> None:
        if person is None:
            # One that an earlier row of the file brings is not made twice.
            act = "make" if new and not said["former"] else "keep"
            act = "other_row" if said["adds_to"] is not None else act
            linked = act == "make" and self._unlinked(said)
            found.person = {"act": act, "id": None, "values": {}, "link": linked}
            return
        values: dict[str, Any] = {}
        if self._whole and said["adds_to"] is None and self._job.mode is not ImportMode.ADD:
            fill = self._job.mode is ImportMode.FILL
            for name in PERSONAL:
                new, old = said[name], getattr(person, name)
                blank = old is None or old == _BLANK.get(name)
                if new is not None and new != old and (blank or not fill):
                    values[name] = new
        act = "update" if values else "keep"
        linked = self._unlinked(said)
        found.person = {"act": act, "id": str(person.id), "values": values, "link": linked}

    def _unlinked(self, said: Mapping[str, Any]) -> bool:
        """Whether the number in the source is not yet known to be anybody's."""
        number = said["external_id"]
        known = number in self._world.by_number
        return bool(self._job.source and number) and not known and said["adds_to"] is None

    # Memberships

    def _may_belong(
        self, place: Place, person: Any | None, said: Mapping[str, Any], found: Decision
    ) -> bool:
        code = None
        if place.id not in self._places:
            code = "community_not_permitted"
        elif place.archived:
            code = "community_archived"
        elif place.restricted and not said["former"] and not self._belongs(person, place):
            address = (said["key"] if person is None else person.email_key, place.id)
            admitted = address in self._world.verified_addresses or (
                person is not None and (person.id, place.id) in self._world.verified
            )
            code = None if admitted else "eligibility_not_verified"
        if code is None:
            return True
        found.findings.append(Finding(None, code, {"community": place.slug}, refuses=False))
        if person is not None:
            rows = self._world.memberships.get((person.id, place.id), ())
            found.mentions.update(row.id for row in rows)
        return False

    def _belongs(self, person: Any | None, place: Place) -> bool:
        """Who is a member already is not admitted, verified or not."""
        current = self._world.open_one(person.id, place.id) if person else None
        return current is not None and not self._world.over(current)

    def _plan_membership(
        self, said: Mapping[str, Any], person: Any | None, place: Place, found: Decision
    ) -> None:
        here = self._world.memberships.get((person.id, place.id), []) if person else []
        found.mentions.update(row.id for row in here)
        current = self._world.open_one(person.id, place.id) if person else None
        if current is not None and not self._world.over(current):
            self._plan_current(said, place, current, found)
            return
        until = _day(said["until_on"])
        if said["former"]:
            code = None if here else "former_not_added"
        elif until is not None and any(_is_told(said, row) for row in here):
            code = None
        elif until is not None and until < self._world.today:
            code = self._plan_past(said, place, here, found)
        elif self._ended_since(said, here):
            code = "ended_here_since"
        elif person is not None and (person.id, place.id) in self._world.suspended:
            code = "suspended_here"
        else:
            found.memberships.append(
                self._begun(place, "begin", said, str(current.id) if current else None)
            )
            code = None
        if code is not None:
            self._note(found, code, place)

    def _plan_past(
        self, said: Mapping[str, Any], place: Place, here: list[Any], found: Decision
    ) -> str | None:
        """A membership that is over already is kept as history."""
        if any(row.ended_at is None for row in here) or self._ended_since(said, here):
            return "ended_here_since"
        found.memberships.append(self._begun(place, "past", said, None))
        return None

    @staticmethod
    def _begun(
        place: Place, act: str, said: Mapping[str, Any], lapsed: str | None
    ) -> dict[str, Any]:
        values = {
            "category": said["category"] or MembershipCategory.PRACTITIONER.value,
            "since_on": said["since_on"],
            "until_on": said["until_on"],
        }
        return {
            "community": str(place.id),
            "act": act,
            "id": None,
            "values": values,
            "lapses": lapsed,
        }

    @staticmethod
    def _ended_since(said: Mapping[str, Any], here: list[Any]) -> bool:
        """Whether somebody ended it here after the day on which the file says that it began."""
        ended = [
            row.ended_at
            for row in here
            if row.ended_at is not None and row.ending in _BY_SOMEBODY and row.ended_by is None
        ]
        if not ended:
            return False
        since = _day(said["since_on"])
        return since is None or since <= clock.day_of(max(ended))

    def _plan_current(
        self, said: Mapping[str, Any], place: Place, current: Any, found: Decision
    ) -> None:
        until = _day(said["until_on"])
        over = until is not None and until < self._world.today
        brought = (
            current.source is not None
            and current.source == self._job.source
            and current.realm_id == self._job.community_id
        )
        if self._job.mode not in _CHANGING:
            if said["former"] or over:
                self._note(found, "membership_not_ended", place)
            return
        seated = (current.person_id, place.id) in self._world.seated
        if said["former"] or over:
            if seated:
                self._note(found, "seat_holder_kept", place)
            elif not brought:
                self._note(found, "membership_of_other_origin", place)
            else:
                found.memberships.append(self._changed(place, "end", current, {}))
            return
        values: dict[str, Any] = {}
        if said["category"] is not None and said["category"] != current.category:
            values["category"] = said["category"]
        if until is not None and until != current.until_on:
            if seated:
                self._note(found, "seat_holder_kept", place)
            else:
                values["until_on"] = said["until_on"]
        since = _day(said["since_on"])
        if since is not None and since != current.since_on:
            still_ahead = current.since_on > self._world.today or since <= self._world.today
            if brought and still_ahead and not seated:
                values["since_on"] = said["since_on"]
            else:
                self._note(found, "since_not_changed", place)
        first = _day(values.get("since_on")) or current.since_on
        last = _day(values.get("until_on")) or current.until_on
        if last is not None and last < first:
            self._note(found, "days_not_changed", place)
            values.pop("since_on", None)
            values.pop("until_on", None)
        if values:
            found.memberships.append(self._changed(place, "change", current, values))

    @staticmethod
    def _changed(place: Place, act: str, current: Any, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "community": str(place.id),
            "act": act,
            "id": str(current.id),
            "values": values,
            "lapses": None,
        }

    @staticmethod
    def _note(found: Decision, code: str, place: Place) -> None:
        found.findings.append(Finding(None, code, {"community": place.slug}, refuses=False))


def _outcome(found: Decision) -> RowOutcome:
    """One word for all that a row does; a new account alone is never told apart."""
    acts = {one["act"] for one in found.memberships}
    if acts & {"begin", "past"} or found.person["act"] == "make":
        return RowOutcome.CREATED
    if "change" in acts or found.person["act"] == "update":
        return RowOutcome.CHANGED
    return RowOutcome.ENDED if "end" in acts else RowOutcome.UNCHANGED
