"""Faults of what the data lies on: a disk that is full or read-only, a database that does not answer."""

import errno
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from callers import LONGEST_WAIT_SECONDS, OUTAGE, Callers
from ledger_test import PRODUCTS
from postgres import Postgres
from tollgate import Tollgate, equal, until

# How SQLite changes its files.
WRITES = "write,pwrite64,writev,pwritev,ftruncate,fallocate,unlink,unlinkat,rename"
DISK_BYTES = 8 * 1024 * 1024


@contextmanager
def small_disk(directory):
    """A file system of its own for the data. Where it cannot be mounted the test fails: it is not skipped."""
    disk = Path(directory) / "data"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk):
    """Takes all the room there is."""
    with open(disk / "ballast", "wb", buffering=0) as ballast:
        for size in [1 << 16, 1 << 10, 1]:
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError as problem:
                equal(problem.errno, errno.ENOSPC)
    return disk / "ballast"


def make_key(tollgate, project, name):
    """Status and answer of a change, which may fail."""
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    connection.sock.connect(str(tollgate.socket))
    body = json.dumps({"displayName": name, "scopes": ["numbers"]})
    connection.request("POST", f"/v1/projects/{project}/accessKeys", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    text = json.loads(answer.read())
    connection.close()
    return answer.status, text


def is_out(tollgate, project):
    """Says of every door that it is our failure, and nobody's fault."""
    equal(tollgate.ask("GET", "/readyz")[0], OUTAGE)
    status, answer = make_key(tollgate, project, "during the outage")
    equal((status, answer["error"]["status"]), (OUTAGE, "UNAVAILABLE"))
    equal(tollgate.ask("GET", "/livez")[0], 200)


def is_well(tollgate, callers):
    callers.wait_for(200)
    tollgate.wait_until_ready()
    status, answer = make_key(tollgate, callers.project, "after the outage")
    equal(status, 200, answer)
    equal(tollgate.process.poll(), None)


def kept_after_a_kill(tollgate, callers):
    """How many calls are on the bill, before and after."""
    callers.__exit__(None)
    calls = callers.check_bill()
    tollgate.kill()
    tollgate.start()
    equal(callers.check_bill(), calls)
    return calls


def disk_full(binary, directory):
    with small_disk(directory) as disk, Tollgate(binary, directory, PRODUCTS) as tollgate, Callers(tollgate) as callers:
        for _ in range(2):
            callers.wait_for(200)
            ballast = fill(disk)
            # The log of the database has room left from before, which is used up first. A change takes it at once.
            callers.wait_for(OUTAGE, seconds=40)
            is_out(tollgate, callers.project)
            ballast.unlink()
            is_well_once(tollgate, callers)
        calls = kept_after_a_kill(tollgate, callers)
    return f"503, then well by itself, twice; the bill has each of {calls} calls once, also after a kill"


def is_well_once(tollgate, callers):
    """As `is_well`, for a fault that comes again: the name of the key is free again afterwards."""
    callers.wait_for(200)
    tollgate.wait_until_ready()
    make_and_delete_key(tollgate, callers)


def make_and_delete_key(tollgate, callers):
    status, answer = make_key(tollgate, callers.project, "after the outage")
    equal(status, 200, answer)
    path = f"/v1/projects/{callers.project}/accessKeys/{answer['accessKey']['accessKeyId']}"
    tollgate.operate("DELETE", path)


def disk_read_only(binary, directory):
    with small_disk(directory) as disk:
        with Tollgate(binary, directory, PRODUCTS) as tollgate, Callers(tollgate) as callers:
            callers.wait_for(200)
            # What is open for writing keeps a file system writable: so it is mounted anew, over itself, and the server is new.
            callers.__exit__(None)
            before = callers.check_bill()
            tollgate.stop()
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            began = time.monotonic()
            tollgate.launch()
            equal(tollgate.process.wait(20) != 0, True, "a start on a read-only disk")
            took = time.monotonic() - began
            said = (tollgate.directory / "tollgate.log").read_text().strip().splitlines()[-1]
            equal("read-only" in said.lower() or "readonly" in said.lower(), True, said)
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
            tollgate.start()
            equal(callers.check_bill(), before)
    return f"no start, after {took:.1f} s, with: {said}"


@contextmanager
def read_only(tollgate):
    """Whatever the server writes to its data fails as on a file system that the system has made read-only, as ext4 is after an
    error. Asking for that is refused while files are open for writing; so strace, once it is attached, fails the calls instead.
    """
    data = tollgate.directory / "data"
    paths = [f"--trace-path={path}" for path in [data, *data.iterdir()]]
    fail = f"inject={WRITES}:error=EROFS"
    command = ["strace", "-f", "-qq", "-o", "/dev/null", *paths, "-e", f"trace={WRITES}", "-e", fail, "-p", str(tollgate.process.pid)]
    tracer = subprocess.Popen(command)
    try:
        until("strace is attached", 10, lambda: traced_by(tollgate.process.pid) == tracer.pid)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)


def traced_by(process):
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(fields["TracerPid"])


def disk_read_only_while_serving(binary, directory):
    with Tollgate(binary, directory, PRODUCTS) as tollgate, Callers(tollgate) as callers:
        for _ in range(2):
            callers.wait_for(200)
            with read_only(tollgate):
                callers.wait_for(OUTAGE)
                is_out(tollgate, callers.project)
            is_well_once(tollgate, callers)
        calls = kept_after_a_kill(tollgate, callers)
    return f"503, then well by itself, twice; the bill has each of {calls} calls once, also after a kill"


@contextmanager
def stopped(postgres):
    """PostgreSQL with all its processes does nothing, and takes connections and bytes all the same."""
    children = Path(f"/proc/{postgres.process.pid}/task/{postgres.process.pid}/children").read_text().split()
    processes = [postgres.process.pid, *map(int, children)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def slow_database(binary, directory):
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(directory))
        master_key = Path(directory) / "given.key"
        master_key.write_text(f"{os.urandom(32).hex()}\n")
        configuration = f'[database]\nurl = "{postgres.url}"\n{PRODUCTS}'
        tollgate = stack.enter_context(Tollgate(binary, directory, configuration, master_key))
        callers = stack.enter_context(Callers(tollgate))
        callers.wait_for(200)
        before = tollgate.resident()
        for seconds in [0.4, 8]:
            callers.slowest = 0.0
            with stopped(postgres):
                time.sleep(seconds)
                if seconds > LONGEST_WAIT_SECONDS:
                    callers.wait_for(OUTAGE)
                    is_out(tollgate, callers.project)
            callers.wait_for(200)
            equal(callers.slowest < LONGEST_WAIT_SECONDS + 0.5, True, f"a call waited {callers.slowest:.2f} s")
        slowest = callers.slowest
        is_well(tollgate, callers)
        grown = (tollgate.resident() - before) // 1024
        equal(grown < 32, True, f"{grown} MB more memory")
        callers.__exit__(None)
        counted = callers.check_bill()
    return f"503 after at most {slowest:.2f} s, then well by itself; {counted} calls counted once; {grown} MB more memory"


FAULTS = [disk_full, disk_read_only, disk_read_only_while_serving, slow_database]
