"""Runs the blocks of docs/tutorial.md that are for a shell, in one shell and an empty directory, as a reader would.

Only the ports are others. What the text promises is what the shell must have said.
"""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

TUTORIAL = Path(__file__).resolve().parent.parent / "docs/tutorial.md"
BINARIES = Path(os.environ["TOLLGATE_BINARY"]).parent
SECONDS = 120


def main():
    blocks = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)
    equal(len(blocks) > 5, True)
    script = "\n".join(blocks)
    for port in (8080, 8081, 8090):
        script = script.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
    # Short, because the path of a Unix socket may not be long.
    with tempfile.TemporaryDirectory(prefix="tollgate-e2e.", dir="/tmp") as directory:
        said = run(script, directory)
        sent = [json.loads(line) for line in re.findall(r'\{"body".*?"mt_text"\}', said)]
        equal([len(batch["to"]) for batch in sent], [2, 1])
        usage = (Path(directory) / "usage").read_text().splitlines()
        counted = sorted(line.split()[-3:] for line in usage if "worker" in line or "main" in line)
        equal(counted, [["1", "0", "2"], ["1", "0", "2"]])
        equal('{"code":"unauthorized"' in said, True)
    print(f"ok: {len(blocks)} blocks of the tutorial lead to a paid message")


def run(script, directory):
    """What the shell said. Its servers end with it."""
    environment = {"PATH": f"{BINARIES}:{os.environ['PATH']}", "HOME": directory, "LANG": "C.UTF-8"}
    shell = subprocess.Popen(
        ["sh", "-e", "-c", script],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    try:
        # The servers write to files of their own, so that the pipe ends with the shell.
        said, _ = shell.communicate(timeout=SECONDS)
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
    if shell.returncode != 0:
        logs = "".join(path.read_text() for path in sorted(Path(directory).glob("*.log")))
        raise AssertionError(re.sub(r"\btg[a-z]_\w+", "<secret>", f"exit code {shell.returncode}\n{said}\n{logs}"))
    return said


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


if __name__ == "__main__":
    main()
