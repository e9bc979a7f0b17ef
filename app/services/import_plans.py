"""What a row would do to the world as it is: said once, when it is planned and when it is applied.

Nothing here writes; what a plan looks like says import_decisions.py.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from app.membership_files.folding import name_key
from app.membership_files.rows import Finding
from app.models import ActorKind, ImportMode, MembershipCategory, RowOutcome
from app.services import import_days
from app.services.import_days import day
from app.services.import_decisions import Deciding, Decision, membership_plan, person_plan
from app.services.import_worlds import Place

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


class Planner(Deciding):
    """Decides about the rows of a list of members."""

    @property
    def _whole(self) -> bool:
        return self._job.community_id is None

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
        if self._is_own(said, person):
            self._leave_own(found)
        if not said["whole"] and person is not None:
            found.mentions.update(row.id for row in self._world.of_person.get(person.id, ()))
        if named and refused == len(named):
            return found.refused()
        found.outcome = _outcome(found)
        if self._whole and person is not None and person.deactivated_at and found.does():
            told = Finding(None, "account_deactivated")
            return Decision(RowOutcome.REFUSED, findings=[told], mentions=found.mentions)
        return found

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
            found.person = person_plan(act, link=linked)
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
        found.person = person_plan(act, person.id, values, link=linked)

    def _unlinked(self, said: Mapping[str, Any]) -> bool:
        """Whether the number in the source is not yet known to be anybody's."""
        number = said["external_id"]
        known = number in self._world.by_number
        return bool(self._job.source and number) and not known and said["adds_to"] is None

    # Memberships

    def _may_belong(
        self, place: Place, person: Any | None, said: Mapping[str, Any], found: Decision
    ) -> bool:
        code = self._closed(place)
        if code is None and place.restricted and not said["former"]:
            code = None if self._is_admitted(place, person, said) else "eligibility_not_verified"
        if code is None:
            return True
        found.note(code, place)
        found.mentions.update(row.id for row in self._here(person, place))
        return False

    def _is_admitted(self, place: Place, person: Any | None, said: Mapping[str, Any]) -> bool:
        """Whether a restricted community takes somebody; who is a member already is not admitted,
        verified or not."""
        if person is None:
            return (said["key"], place.id) in self._world.verified_addresses
        return (
            self._world.running(person.id, place.id) is not None
            or (person.email_key, place.id) in self._world.verified_addresses
            or (person.id, place.id) in self._world.verified
        )

    def _is_own(self, said: Mapping[str, Any], person: Any | None) -> bool:
        """Whether a row is about whoever has the import done."""
        known = person.id if person is not None else self._world.elsewhere.get(said["key"])
        return self._job.asked_by_kind is ActorKind.PERSON and self._job.asked_by == known

    def _leave_own(self, found: Decision) -> None:
        """Nobody brings themselves in, or changes their own membership; to end it is everybody's
        right."""
        for one in found.memberships:
            if one["act"] != "end":
                found.note("own_membership", self._world.places[UUID(one["community"])])
        found.memberships = [one for one in found.memberships if one["act"] == "end"]
        if found.person["act"] == "make":
            found.person = person_plan("keep")

    def _here(self, person: Any | None, place: Place) -> list[Any]:
        """Every membership that somebody has or had in a community."""
        return self._world.memberships.get((person.id, place.id), []) if person else []

    def _plan_membership(
        self, said: Mapping[str, Any], person: Any | None, place: Place, found: Decision
    ) -> None:
        here = self._here(person, place)
        found.mentions.update(row.id for row in here)
        current = self._world.running(person.id, place.id) if person else None
        until = day(said["until_on"])
        if any(import_days.is_told(said, row) for row in here if row is not current):
            # An earlier membership: the one that runs since then is not meant.
            return
        if current is not None:
            self._plan_current(said, place, current, here, found)
            return
        past = until is not None and until < self._world.today
        if said["former"]:
            if not here:
                found.note("former_not_added", place)
        elif import_days.ended_since(said, here) or (
            past and any(row.ended_at is None for row in here)
        ):
            found.note("ended_here_since", place)
        elif not past and person is not None and (person.id, place.id) in self._world.suspended:
            found.note("suspended_here", place)
        else:
            self._begin("past" if past else "begin", said, place, here, found)

    def _begin(
        self, act: str, said: Mapping[str, Any], place: Place, here: list[Any], found: Decision
    ) -> None:
        """A membership on the days that the file says, so far as they belong to no earlier one; one
        that is over already is kept as history."""
        until, today = day(said["until_on"]), self._world.today
        since = day(said["since_on"]) or min(today, until or today)
        first = import_days.behind(since, until, here)
        if first != since:
            found.note("days_of_earlier", place)
            if until is not None and until < first:
                return
        values = {
            "category": said["category"] or MembershipCategory.PRACTITIONER.value,
            "since_on": said["since_on"] if first == since else first.isoformat(),
            "until_on": said["until_on"],
        }
        lapses = next((row.id for row in here if row.ended_at is None), None)
        found.memberships.append(membership_plan(act, place.id, None, values, lapses))

    def _plan_current(
        self,
        said: Mapping[str, Any],
        place: Place,
        current: Any,
        here: list[Any],
        found: Decision,
    ) -> None:
        until = day(said["until_on"])
        gone = said["former"] or (until is not None and until < self._world.today)
        brought = (
            current.source is not None
            and current.source == self._job.source
            and current.realm_id == self._job.community_id
        )
        seated = (current.person_id, place.id) in self._world.seated
        if self._job.mode not in _CHANGING:
            if gone:
                found.note("membership_not_ended", place)
        elif not gone:
            self._change(said, place, current, here, found, brought=brought, seated=seated)
        elif seated:
            found.note("seat_holder_kept", place)
        elif not brought:
            found.note("membership_of_other_origin", place)
        else:
            found.memberships.append(membership_plan("end", place.id, current.id))

    def _change(
        self,
        said: Mapping[str, Any],
        place: Place,
        current: Any,
        here: list[Any],
        found: Decision,
        *,
        brought: bool,
        seated: bool,
    ) -> None:
        """What is overwritten of a membership. Its first day is its source's alone; its last day
        besides whoever's who updates the lists of the association as a whole."""
        values: dict[str, Any] = {}
        if said["category"] not in (None, current.category):
            values["category"] = said["category"]
        if day(said["until_on"]) not in (None, current.until_on):
            if seated:
                found.note("seat_holder_kept", place)
            elif brought or (self._whole and self._job.mode is ImportMode.UPDATE):
                values["until_on"] = said["until_on"]
            else:
                found.note("membership_of_other_origin", place)
        since = day(said["since_on"])
        if since is not None and since != current.since_on:
            still_ahead = current.since_on > self._world.today or since <= self._world.today
            if brought and still_ahead and not seated:
                values |= self._first_day(since, place, current, here, found)
            else:
                found.note("since_not_changed", place)
        first = day(values.get("since_on")) or current.since_on
        last = day(values.get("until_on")) or current.until_on
        if last is not None and last < first:
            found.note("days_not_changed", place)
            values.pop("since_on", None)
            values.pop("until_on", None)
        if values:
            found.memberships.append(membership_plan("change", place.id, current.id, values))

    def _first_day(
        self, since: date, place: Place, current: Any, here: list[Any], found: Decision
    ) -> dict[str, Any]:
        """Another first day, so far as it belongs to no earlier membership."""
        first = import_days.behind(since, None, (row for row in here if row.id != current.id))
        if first != since:
            found.note("days_of_earlier", place)
        return {} if first == current.since_on else {"since_on": first.isoformat()}


def _outcome(found: Decision) -> RowOutcome:
    """One word for all that a row does; a new account alone is never told apart."""
    acts = {one["act"] for one in found.memberships}
    if acts & {"begin", "past"} or found.person["act"] == "make":
        return RowOutcome.CREATED
    if "change" in acts or found.person["act"] == "update":
        return RowOutcome.CHANGED
    return RowOutcome.ENDED if "end" in acts else RowOutcome.UNCHANGED
