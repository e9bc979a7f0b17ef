"""Passwords: hashed with argon2 in a thread, a few at a time, and never a common one."""

import re

import anyio
import anyio.to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app import errors

_hasher = PasswordHash((Argon2Hasher(memory_cost=19456, time_cost=2, parallelism=1),))
# What an unknown address is checked against, so that it costs the same as a known one.
_NOBODY = _hasher.hash("nobody has this password")
_AT_ONCE = 2
_limiter: list[anyio.CapacityLimiter] = []

# One of these, or several in a row, whatever digits and signs stand around them.
_COMMON = re.compile(
    "(password|passwrd|motdepasse|qwerty|azerty|letmein|iloveyou|administrator"
    "|bienvenue|welcome|abcdefghij)+"
)


def _turn() -> anyio.CapacityLimiter:
    # Made on the loop that uses it; a hash keeps a core busy for 50 ms.
    if not _limiter:
        _limiter.append(anyio.CapacityLimiter(_AT_ONCE))
    return _limiter[0]


async def hashed(password: str) -> str:
    """The hash to store."""
    return await anyio.to_thread.run_sync(_hasher.hash, password, limiter=_turn())


async def matches(password: str, stored: str | None) -> bool:
    """True if the password is the stored one; takes as long where nothing is stored."""
    good = await anyio.to_thread.run_sync(
        _hasher.verify, password, stored or _NOBODY, limiter=_turn()
    )
    return good and stored is not None


def refuse_weak(password: str, email: str) -> None:
    """Raises PasswordWeak for what is guessed first: the address, sequences, common words."""
    plain = password.casefold()
    letters = re.sub(r"[\d\W_]+", "", plain)
    if len(set(plain)) < 5 or _COMMON.fullmatch(letters) or email.casefold() in plain:
        raise errors.PasswordWeak
    if plain.isdigit() and (plain in "01234567890123456789" or plain in "98765432109876543210"):
        raise errors.PasswordWeak
    if email.casefold().split("@")[0] == letters and letters:
        raise errors.PasswordWeak
