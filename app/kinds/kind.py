"""What one kind of thing that can happen is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can happen: to what, with which facts, and which mails it causes.

    Of what is `anonymous`, the log shows to nobody who did it.
    """

    subject: str
    facts: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    says: str = ""
    anonymous: bool = False
