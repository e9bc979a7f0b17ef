"""Whose turn it is to write to a SQLite file, among the processes that do.

SQLite has whoever waits ask again after pauses that grow; a process that writes one transaction
after the other would be back before them each time. Here one process at a time is the next one, and
is let in as soon as the one before has finished: nobody who waits is overtaken by who has just
written.
"""

import asyncio
import fcntl
import os

WAIT_SECONDS = 5
# Between two looks at whether another process has finished.
LOOK_SECONDS = 0.001


class Turns:
    """The turns at one file, by locks on two files beside it that end with their process.

    It knows processes: within one, whoever takes a turn has to be alone already.
    """

    def __init__(self, path: str) -> None:
        self._next, self._writing = _Lock(f"{path}.next"), _Lock(f"{path}.writing")

    async def take(self) -> None:
        """Waits until no other process writes. Raises TimeoutError where one does for too long."""
        async with asyncio.timeout(WAIT_SECONDS):
            await self._next.take()
            try:
                await self._writing.take()
            finally:
                self._next.give()

    def wanted(self) -> bool:
        """True if another process waits at this moment for the turn that this one has."""
        if not self._next.try_take():
            return True
        self._next.give()
        return False

    def give(self) -> None:
        """Ends the turn, if this process has it."""
        self._writing.give()

    def close(self) -> None:
        """Gives the files back."""
        self._next.close()
        self._writing.close()


class _Lock:
    """A lock on a file, which is made when it is first taken."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    async def take(self) -> None:
        while True:  # a lock of the file system's wakes nobody
            if self.try_take():
                return
            await asyncio.sleep(LOOK_SECONDS)

    def try_take(self) -> bool:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def give(self) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
