"""Faults of clients over HTTP/1: they are slow, they never read, they send too much, there are too many of them."""

import resource
import select
import socket
import subprocess
import time

from callers import Callers
from faults_connections import Wire, call_at_the_gate
from faults_store import make_and_delete_key
from ledger_test import PRODUCTS
from tollgate import Tollgate, equal, until

HEADER_SECONDS, REQUEST_SECONDS, WRITE_SECONDS = 2, 3, 2
LIMITS = f"header_seconds = {HEADER_SECONDS}\nrequest_seconds = {REQUEST_SECONDS}\nwrite_seconds = {WRITE_SECONDS}\n"
# Of a machine that does other things as well.
SLACK_SECONDS = 10
SLOW_CLIENTS = 100
BIG = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
IDLE_CLIENTS = 10_000
IDLE_SECONDS = 30
MOST_KIB_PER_CONNECTION = 64
# Of those who wait the system holds a hundred or more (net.core.somaxconn).
FEW_DESCRIPTORS, MORE_CLIENTS = 200, 220


class only_let_through:
    """Callers of whom each call is let through while something is done, and whose bill is exact afterwards."""

    def __init__(self, tollgate):
        self.callers = Callers(tollgate)

    def __enter__(self):
        self.callers.__enter__()
        self.callers.wait_for(200)
        return self.callers

    def __exit__(self, problem, *_):
        self.callers.__exit__(problem)
        if not problem:
            equal(set(self.callers.statuses), {200})
            self.callers.check_bill()
            equal(self.callers.tollgate.process.poll(), None)


def slow_clients(binary, directory):
    head = b"GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: "
    body = b"POST /oauth2/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    with Tollgate(binary, directory, LIMITS + PRODUCTS) as tollgate, only_let_through(tollgate):
        before = tollgate.sockets()
        headers = trickle(tollgate, head, b"a")
        bodies = trickle(tollgate, body + b"content-length: 1000\r\n\r\n", b"a")
        for answer, took in headers:
            equal(answer == b"" or answer.startswith(b"HTTP/1.1 408 "), True, answer)
            equal(HEADER_SECONDS - 1 <= took <= HEADER_SECONDS + SLACK_SECONDS, True, took)
        for answer, took in bodies:
            equal(answer == b"" or answer.startswith(b"HTTP/1.1 408 "), True, answer)
            equal(REQUEST_SECONDS - 1 <= took <= REQUEST_SECONDS + SLACK_SECONDS, True, took)
        until("the connections are gone", SLACK_SECONDS, lambda: tollgate.sockets() <= before)
    slowest = [max(took for _, took in ended) for ended in (headers, bodies)]
    return f"{SLOW_CLIENTS} headers ended after {slowest[0]:.1f} s, as many bodies after {slowest[1]:.1f} s; others let through"


def trickle(tollgate, begun, more):
    """Clients that send a little four times a second: what each was answered until the connection ended, and when."""
    began, ended = time.monotonic(), []
    open_ones = {}
    for _ in range(SLOW_CLIENTS):
        wire = Wire(tollgate)
        wire.socket.sendall(begun)
        open_ones[wire.socket] = wire, []
    while open_ones:
        for one in select.select(list(open_ones), [], [], 0.25)[0]:
            wire, answer = open_ones[one]
            try:
                part = one.recv(4096)
            except ConnectionResetError:
                part = b""  # What it sent meanwhile was not read any more.
            answer.append(part)
            if not part:
                ended.append((b"".join(answer), time.monotonic() - began))
                wire.close()
                del open_ones[one]
        for one in open_ones:
            try:
                one.send(more)
            except ConnectionError:
                pass  # It has been closed, which reading tells.
        equal(time.monotonic() - began < 60, True, f"{len(open_ones)} slow clients are still connected")
    return ended


def narrow(tollgate):
    """A connection whose client has room for a few kilobytes."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.connect(("127.0.0.1", tollgate.port))
    return wire


def send_until_stuck(wire, octets):
    """Sends the same again and again until the server has taken nothing for half a second."""
    wire.settimeout(0.5)
    try:
        while True:
            wire.sendall(octets)
    except TimeoutError:
        pass


def clients_that_never_read(binary, directory):
    with Tollgate(binary, directory, LIMITS + PRODUCTS) as tollgate, only_let_through(tollgate):
        before = tollgate.sockets()
        wires = [narrow(tollgate) for _ in range(3)]
        for wire in wires:
            send_until_stuck(wire, BIG * 100)
        began = time.monotonic()
        until("who never reads is let go", WRITE_SECONDS + SLACK_SECONDS, lambda: tollgate.sockets() <= before)
        gone = time.monotonic() - began
        for wire in wires:
            wire.close()
        took = read_slowly(tollgate)
    return f"let go after {gone:.1f} s; one that read slowly for {took:.1f} s got all"


def read_slowly(tollgate):
    """A client that reads a little, but goes on reading, is served to the end. Returns for how long."""
    length = len(tollgate.ask("GET", "/openapi.json")[2])
    number = 6 * 1024 * 1024 // length
    wire, began, got, answers = narrow(tollgate), time.monotonic(), 0, 0
    wire.settimeout(20)
    wire.sendall(BIG * (number - 1) + BIG.replace(b"host: x", b"host: x\r\nconnection: close"))
    while part := wire.recv(65536):
        got, answers = got + len(part), answers + part.count(b"HTTP/1.1 200 OK")
        time.sleep(0.05 * len(part) / 65536)
    wire.close()
    equal(got > number * length, True, f"{got} octets instead of {number} times {length}")
    took = time.monotonic() - began
    equal(took > 2 * WRITE_SECONDS, True, f"only {took:.1f} s: not slow")
    return took


def half_closed_clients(binary, directory):
    with Tollgate(binary, directory, PRODUCTS) as tollgate, only_let_through(tollgate) as callers:
        before = tollgate.sockets()
        for _ in range(SLOW_CLIENTS):
            client = Caller(tollgate, callers)
            client.wire.socket.shutdown(socket.SHUT_WR)
            equal(client.is_answered(SLACK_SECONDS), True)
            equal(client.wire.answer(), None, "the connection is closed")
            client.close()
        until("the connections are gone", SLACK_SECONDS, lambda: tollgate.sockets() <= before)
    return f"{SLOW_CLIENTS} answered, each on the bill once"


def allow_descriptors(number):
    """For this test's own connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    equal(hard == resource.RLIM_INFINITY or hard >= number, True, f"{number} descriptors are needed, {hard} are allowed: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), hard))


def no_descriptor_left(binary, directory):
    with Tollgate(binary, directory, PRODUCTS) as tollgate:
        tollgate.stop()
        tollgate.under = ["prlimit", f"--nofile={FEW_DESCRIPTORS}"]
        tollgate.start()
        with only_let_through(tollgate) as callers:
            before = tollgate.sockets()
            served = more_than_there_is_room_for(tollgate, callers)
            # As when the system itself has none left: then it is not the server who keeps clients waiting.
            until("the connections are gone", SLACK_SECONDS, lambda: tollgate.sockets() <= before)
            limit(tollgate, tollgate.lowest_descriptor())
            late = Caller(tollgate, callers)
            callers.wait_for(200)
            equal(late.is_answered(1), False, "there is a descriptor left")
            limit(tollgate, FEW_DESCRIPTORS)
            equal(late.is_answered(SLACK_SECONDS), True)
            late.close()
    return f"{served} of {MORE_CLIENTS} served at first, the others when those had gone; changes and known connections all the time"


def more_than_there_is_room_for(tollgate, callers):
    """How many of too many clients are answered at first. The others are when those have gone."""
    clients = [Caller(tollgate, callers) for _ in range(MORE_CLIENTS)]
    time.sleep(1)
    served = [client for client in clients if client.is_answered(0)]
    equal(FEW_DESCRIPTORS / 2 < len(served) < FEW_DESCRIPTORS, True, f"{len(served)} are served")
    callers.wait_for(200)
    make_and_delete_key(tollgate, callers)
    for client in served:
        client.close()
    for client in set(clients) - set(served):
        equal(client.is_answered(SLACK_SECONDS), True)
        client.close()
    return len(served)


def limit(tollgate, descriptors):
    subprocess.run(["prlimit", f"--pid={tollgate.process.pid}", f"--nofile={descriptors}:{FEW_DESCRIPTORS}"], check=True)


class Caller:
    """One call, on a connection of its own."""

    def __init__(self, tollgate, callers):
        self.callers, self.wire = callers, Wire(tollgate)
        self.wire.socket.sendall(call_at_the_gate(callers.project, callers.keys[0]))

    def is_answered(self, seconds):
        """Whether it is let through in time. To be asked until it is, and no more."""
        if not select.select([self.wire.socket], [], [], seconds)[0]:
            return False
        equal(self.wire.answer()[0], 200)
        with self.callers.lock:
            self.callers.let_through[self.callers.keys[0].id] += 1
        return True

    def close(self):
        self.wire.close()


def idle_clients(binary, directory):
    allow_descriptors(IDLE_CLIENTS + 1_000)
    with Tollgate(binary, directory, f"header_seconds = {IDLE_SECONDS}\n{PRODUCTS}") as tollgate:
        tollgate.stop()
        tollgate.under = ["prlimit", f"--nofile={IDLE_CLIENTS + 1_000}"]
        tollgate.start()
        with only_let_through(tollgate) as callers:
            sockets, memory = tollgate.sockets(), tollgate.resident()
            wires = [socket.create_connection(("127.0.0.1", tollgate.port)) for _ in range(IDLE_CLIENTS)]
            for wire in wires[: IDLE_CLIENTS // 2]:
                wire.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
            for wire in wires[: IDLE_CLIENTS // 2]:
                equal(wire.recv(4096)[:15], b"HTTP/1.1 200 OK")
            until("all are connected", 5, lambda: tollgate.sockets() >= sockets + IDLE_CLIENTS)
            each = (tollgate.resident() - memory) / IDLE_CLIENTS
            callers.wait_for(200)
            until("all are let go", IDLE_SECONDS + SLACK_SECONDS, lambda: tollgate.sockets() <= sockets)
            for wire in wires:
                equal(wire.recv(4096), b"", "each ends in order")
                wire.close()
    equal(each < MOST_KIB_PER_CONNECTION, True, f"{each:.1f} KiB per connection")
    return f"{each:.1f} KiB each; others let through; all ended in order after {IDLE_SECONDS} s"


def too_much_header(binary, directory):
    long, many, target = "a" * 70_000, "x-many: a\r\n" * 5_000, "/" + "a" * 70_000
    with Tollgate(binary, directory, PRODUCTS) as tollgate, only_let_through(tollgate):
        for about, octets, expected in [
            ("a long header", f"GET /livez HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n", [431]),
            ("many headers", f"GET /livez HTTP/1.1\r\nhost: x\r\n{many}\r\n", [431]),
            ("more headers than a hundred", f"GET /livez HTTP/1.1\r\nhost: x\r\n{many[: 11 * 200]}\r\n", [431]),
            ("a long target", f"GET {target} HTTP/1.1\r\nhost: x\r\n\r\n", [414, 431]),
        ]:
            wire = Wire(tollgate)
            wire.socket.sendall(octets.encode())
            status, _, text = wire.answer()
            equal(status in expected, True, f"{about}: {status} {text}")
            equal(wire.answer(), None, "the connection is closed")
            wire.close()
            equal(tollgate.ask("GET", "/livez")[0], 200)
    return "431; the next request is served"


FAULTS = [slow_clients, half_closed_clients, clients_that_never_read, no_descriptor_left, idle_clients, too_much_header]
