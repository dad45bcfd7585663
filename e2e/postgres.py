"""A PostgreSQL of a test, as durable as a real one, that can be killed and started again."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tollgate import equal

DEBIAN = Path("/usr/lib/postgresql")
START_SECONDS = 30


class Postgres:
    """One server, on a Unix socket in its directory alone."""

    def __init__(self, directory):
        self.directory = Path(directory) / "postgres"
        self.directory.mkdir()
        versions = sorted(DEBIAN.iterdir(), key=lambda version: int(version.name)) if DEBIAN.exists() else []
        self.programs = versions[-1] / "bin" if versions else Path(shutil.which("initdb") or "initdb").parent
        # PostgreSQL refuses to be root, so root hands it to another user, who must get there.
        self.user = []
        if os.getuid() == 0:
            self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            Path(directory).chmod(0o711)
            shutil.chown(self.directory, "postgres", "postgres")
        self.data = self.directory / "data"
        made = [self.programs / "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D", self.data]
        subprocess.run([*self.user, *made], check=True, stdout=subprocess.DEVNULL, cwd=self.directory)
        self.url = f"postgres:///postgres?host={self.directory}&user=postgres"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    def start(self):
        options = ["-c", "listen_addresses=", "-c", "fsync=on", "-c", "max_connections=50", "-k", self.directory]
        with open(self.directory / "log", "ab") as log:
            command = [*self.user, self.programs / "postgres", "-D", self.data, *options]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory)
        deadline = time.monotonic() + START_SECONDS
        ask = [self.programs / "pg_isready", "--quiet", "--host", self.directory]
        while subprocess.run(ask, check=False).returncode != 0:
            equal((self.process.poll(), time.monotonic() < deadline), (None, True), "PostgreSQL did not start")
            time.sleep(0.02)

    def kill(self):
        """`kill -9` of the server and of each of its processes, at once."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in [self.process.pid, *map(int, children)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
