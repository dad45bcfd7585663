"""Faults of connections: the server stops under load."""

import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

from ledger_test import PRODUCTS, usage
from tollgate import Tollgate, equal

CALLERS = 24


class Wire:
    """A kept connection whose bytes are written by hand."""

    def __init__(self, tollgate):
        self.socket = socket.create_connection(("127.0.0.1", tollgate.port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.read = self.socket.makefile("rb")

    def answer(self):
        """Status, headers and body. None where the connection was closed instead."""
        line = self.read.readline()
        if not line:
            return None
        headers = {}
        while (field := self.read.readline().strip()) != b"":
            name, value = field.decode().split(":", 1)
            headers[name] = value.strip()
        return int(line.split()[1]), headers, self.read.read(int(headers.get("content-length", 0)))

    def close(self):
        self.read.close()
        self.socket.close()


def call_at_the_gate(project, key):
    lines = [
        "GET /gate HTTP/1.1",
        "host: tollgate",
        f"authorization: {key.basic()}",
        "x-forwarded-method: GET",
        f"x-forwarded-uri: /v1/projects/{project}/numbers",
    ]
    return "\r\n".join([*lines, "\r\n"]).encode()


class Kept(threading.Thread):
    """Calls on one connection until it is told that the connection ends: each call that was sent must be answered."""

    def __init__(self, tollgate, project, key):
        super().__init__()
        self.wire, self.call = Wire(tollgate), call_at_the_gate(project, key)
        self.let_through, self.lost = 0, None

    def run(self):
        try:
            while True:
                self.wire.socket.sendall(self.call)
                status, headers, text = self.wire.answer()
                equal(status, 200, text)
                self.let_through += 1
                if headers.get("connection") == "close":
                    equal(self.wire.answer(), None)
                    return
        except BaseException as problem:
            self.lost = problem
        finally:
            self.wire.close()


def slow_token(tollgate, key):
    """A token request of which half the body is sent."""
    form = b"grant_type=client_credentials"
    head = f"POST /oauth2/token HTTP/1.1\r\nhost: x\r\nauthorization: {key.basic()}\r\ncontent-length: {len(form)}\r\n"
    wire = Wire(tollgate)
    wire.socket.sendall(head.encode() + b"content-type: application/x-www-form-urlencoded\r\n\r\n" + form[:9])
    return wire, form[9:]


def stop_under_load(binary, directory):
    calls = 0
    for wait in [0, 1]:
        below = Path(directory) / str(wait)
        below.mkdir()
        with Tollgate(binary, below, PRODUCTS) as tollgate:
            tollgate.stop()
            tollgate.file.write_text(tollgate.file.read_text().replace("drain_wait_seconds = 0", f"drain_wait_seconds = {wait}"))
            tollgate.start()
            calls += stop_once(tollgate)
    return f"all of {calls} calls on {CALLERS} kept connections answered, none reset, each on the bill once; half-sent requests too"


def stop_once(tollgate):
    account = tollgate.account()
    project = tollgate.project(account)
    keys = [tollgate.key(project, f"caller {number}", ["numbers"]) for number in range(6)]
    callers = [Kept(tollgate, project, keys[number % len(keys)]) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    time.sleep(1)
    idle, half = Wire(tollgate), slow_token(tollgate, keys[0])
    time.sleep(0.1)
    tollgate.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    half[0].socket.sendall(half[1])
    equal(half[0].answer()[0], 200)
    equal(idle.answer(), None, "an idle connection ends in order")
    for caller in callers:
        caller.join(20)
        equal(caller.lost, None)
    equal(tollgate.process.wait(15), 0)
    tollgate.start()
    let_through = Counter()
    for number, caller in enumerate(callers):
        let_through[keys[number % len(keys)].id] += caller.let_through
    equal(usage(tollgate, account, "key", "accessKeyId")[0], let_through)
    for wire in [idle, half[0]]:
        wire.close()
    return sum(let_through.values())


FAULTS = [stop_under_load]
