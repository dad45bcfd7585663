"""Faults of clients over HTTP/2: they take nothing, flood the server, send too much; and the server stops under load."""

import itertools
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

import http2
from faults_clients import LIMITS, SLACK_SECONDS, WRITE_SECONDS, only_let_through
from http2 import Ended, Http2, Reset, field, frame, request
from ledger_test import PRODUCTS, usage
from tollgate import Tollgate, equal, until

STREAMS = 200
FLOOD_SECONDS, LEAST_CALLS = 3, 20
MOST_FLOOD_KIB = 64 * 1024
NO_ERROR, ENHANCE_YOUR_CALM = 0, 11
CONNECTIONS, AT_ONCE = 8, 4


def http2_clients_that_take_nothing(binary, directory):
    with Tollgate(binary, directory, LIMITS + PRODUCTS) as tollgate, only_let_through(tollgate):
        before = tollgate.sockets()
        took = [
            let_go(tollgate, before, silent(tollgate)),
            let_go(tollgate, before, without_window(tollgate)),
            let_go(tollgate, before, never_reading(tollgate)),
        ]
        polite_ones(tollgate)
    names = ["without PING", "without a window", "never reading"]
    gone = ", ".join(f"{name} after {seconds:.1f} s" for name, seconds in zip(names, took, strict=True))
    return f"let go: {gone}; one that takes slowly gets all, one that is idle stays"


def let_go(tollgate, before, client):
    """After how many seconds. It is connected at first."""
    began = time.monotonic()
    equal(tollgate.sockets() > before, True)
    until("the client is let go", 2 * WRITE_SECONDS + SLACK_SECONDS, lambda: tollgate.sockets() <= before)
    took = time.monotonic() - began
    client.close()
    return took


def silent(tollgate):
    """Half-open, as the server sees it: nothing comes any more, and no PING is answered."""
    client = Http2(tollgate.port, polite=False)
    equal(client.get("/livez")[0], 200)
    return client


class Polite(threading.Thread):
    """Answers PING, and does nothing else."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client = client
        self.start()

    def run(self):
        try:
            while True:
                self.client.frame()
        except (Ended, OSError, ValueError):
            pass

    def close(self):
        with suppress(OSError):  # The server may have closed it.
            self.client.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self.client.close()


def without_window(tollgate):
    """Asks for much, and opens no window for it; its connection is well otherwise."""
    client = Http2(tollgate.port, initial_window_size=0)
    for _ in range(STREAMS):
        client.ask("/openapi.json")
    return Polite(client)


def never_reading(tollgate):
    client = Http2(tollgate.port)
    client.socket.settimeout(0.5)
    try:
        while True:
            client.send(frame(http2.PING, payload=bytes(8)) * 10_000)
    except TimeoutError:
        return client


def polite_ones(tollgate):
    """A client that takes an answer in small parts, and one that is idle but answers PING, for several times the limit."""
    text = tollgate.ask("GET", "/openapi.json")[2]
    idle, slow = Http2(tollgate.port), Http2(tollgate.port, initial_window_size=0)
    idling = Polite(idle)
    stream = slow.ask("/openapi.json")
    part = len(text) // 30 + 1
    for _ in range(30):
        opened = part.to_bytes(4, "big")
        slow.send(frame(http2.WINDOW_UPDATE, 0, stream, opened) + frame(http2.WINDOW_UPDATE, 0, 0, opened))
        taken = 0
        while taken < part and not slow.is_answered(stream):
            taken += len(slow.next_part()[1])
        time.sleep(0.3)
    equal(slow.answer(stream), (200, text))
    equal(idling.is_alive(), True, "the idle one is connected still")
    equal(idle.pings > 1, True, "the idle one was asked with PING")
    idling.close()
    slow.close()


def http2_floods(binary, directory):
    seen = []
    with Tollgate(binary, directory, PRODUCTS) as tollgate, only_let_through(tollgate) as callers:
        before, memory = tollgate.sockets(), tollgate.resident()
        for flood, expected in FLOODS:
            name = flood.__name__.replace("_", " ")
            calls = callers.let_through.total()
            sent, end = send_flood(tollgate, flood, SLACK_SECONDS if expected else FLOOD_SECONDS)
            equal(end, expected, f"{name}, {sent} octets")
            # A flood that is not ended lasts for seconds.
            equal(end is not None or callers.let_through.total() > calls + LEAST_CALLS, True, f"calls meanwhile: {name}")
            callers.wait_for(200)
            until("the connections are gone", SLACK_SECONDS, lambda: tollgate.sockets() <= before)
            grown = tollgate.resident() - memory
            equal(grown < MOST_FLOOD_KIB, True, f"{grown} KiB more after {name}")
            seen.append(f"{name} {'ended' if end else 'taken'} at {sent // 1024} KiB")
    return f"{', '.join(seen)}; {grown} KiB more memory; others let through"


def send_flood(tollgate, flood, seconds):
    """Sends until the server ends it, or time is up, and reads what comes. How many octets; the code of GOAWAY."""
    client = Http2(tollgate.port, polite=False)
    reader = Polite(client)
    sent, deadline = 0, time.monotonic() + seconds
    try:
        for octets in flood():
            client.send(octets)
            sent += len(octets)
            if time.monotonic() > deadline:
                break
    except ConnectionError:
        pass
    # What ended it comes behind the answers to what was sent before.
    until("the flood is over", 2 * SLACK_SECONDS, lambda: client.goaway is not None or time.monotonic() > deadline)
    reader.close()
    return sent, client.goaway


def in_hundreds(octets_of):
    for first in itertools.count(1, 200):
        yield b"".join(octets_of(stream) for stream in range(first, first + 200, 2))


def opened(stream, ends=True, block=request("/gate")):
    return frame(http2.HEADERS, http2.END_HEADERS | (http2.END_STREAM if ends else 0), stream, block)


def rapid_reset():
    return in_hundreds(lambda stream: opened(stream) + frame(http2.RST_STREAM, 0, stream, http2.CANCEL.to_bytes(4, "big")))


def made_reset():
    """Each stream is given more window than there may be, so that it is the server which resets it."""
    return in_hundreds(lambda stream: opened(stream) + frame(http2.WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff"))


def too_many_streams():
    """None of them ends, all but the first few hundred are refused."""
    return in_hundreds(lambda stream: opened(stream, ends=False, block=request("/oauth2/token", method="POST")))


def continuation():
    yield frame(http2.HEADERS, http2.END_STREAM, 1, request("/gate"))
    while True:
        yield frame(http2.CONTINUATION, 0, 1, field("x-more", "a" * 1000)) * 10


def empty_continuation():
    yield frame(http2.HEADERS, http2.END_STREAM, 1, request("/gate"))
    while True:
        yield frame(http2.CONTINUATION, 0, 1) * 100


def empty_data():
    yield opened(1, ends=False, block=request("/oauth2/token", method="POST"))
    while True:
        yield frame(http2.DATA, 0, 1) * 100


def ping():
    while True:
        yield frame(http2.PING, payload=bytes(8)) * 1000


def changed_settings():
    while True:
        yield http2.settings(initial_window_size=1000) * 1000


def priority():
    while True:
        yield frame(http2.PRIORITY, 0, 1, bytes(5)) * 1000


# With the code of the GOAWAY that ends each. Those without one cost the client no less than the server, which remembers nothing.
FLOODS = [
    (rapid_reset, ENHANCE_YOUR_CALM),
    (made_reset, ENHANCE_YOUR_CALM),
    (too_many_streams, ENHANCE_YOUR_CALM),
    (continuation, ENHANCE_YOUR_CALM),
    (empty_continuation, ENHANCE_YOUR_CALM),
    (empty_data, ENHANCE_YOUR_CALM),
    (ping, None),
    (changed_settings, None),
    (priority, None),
]


def http2_too_much_header(binary, directory):
    with Tollgate(binary, directory, PRODUCTS) as tollgate, only_let_through(tollgate):
        seen = {}
        for name, fields, path in [
            ("long", {"x-long": "a" * 70_000}, "/livez"),
            ("many", {f"x-{number}": "a" for number in range(5_000)}, "/livez"),
            ("enormous", {"x-long": "a" * 1_000_000}, "/livez"),
            ("path", {}, "/" + "a" * 70_000),
        ]:
            with Http2(tollgate.port) as client:
                seen[name] = refusal(client, request(path, fields))
            with Http2(tollgate.port) as client:
                equal(client.get("/livez")[0], 200)
        for name, refused in seen.items():
            equal(refused in (431, 414) or isinstance(refused, (Reset, Ended)), True, f"{name}: {refused!r}")
    return f"{ {name: str(refused) for name, refused in seen.items()} }; the next request is served"


def refusal(client, block):
    parts = [block[at : at + 16_384] for at in range(0, len(block), 16_384)]
    try:
        client.send(frame(http2.HEADERS, http2.END_STREAM, 1, parts[0]))
        for part in parts[1:-1]:
            client.send(frame(http2.CONTINUATION, 0, 1, part))
        client.send(frame(http2.CONTINUATION, http2.END_HEADERS, 1, parts[-1]))
        refused = client.answer(1)[0]
        # The connection goes on.
        client.next = 3
        equal(client.get("/livez")[0], 200)
        return refused
    except (Reset, Ended) as refused:
        return refused
    except ConnectionError:
        return Ended(None)


class Streams(threading.Thread):
    """Calls, several at once, on one connection until GOAWAY; all that was asked before must be answered."""

    def __init__(self, tollgate, project, key):
        super().__init__()
        self.client, self.key, self.problem, self.let_through = Http2(tollgate.port), key, None, 0
        path = f"/v1/projects/{project}/numbers"
        self.headers = {"authorization": key.basic(), "x-forwarded-method": "GET", "x-forwarded-uri": path}

    def run(self):
        try:
            asked = []
            while self.client.goaway is None:
                asked.extend(self.client.ask("/gate", self.headers) for _ in range(AT_ONCE - len(asked)))
                self.wait_for(asked.pop(0))
            for stream in asked:
                self.wait_for(stream)
            end_in_order(self.client)
        except BaseException as problem:
            self.problem = problem

    def wait_for(self, stream):
        status, text = self.client.answer(stream)
        equal(status, 200, text)
        self.let_through += 1


def end_in_order(client):
    """What comes last is GOAWAY."""
    try:
        while True:
            client.frame()
    except Ended as end:
        equal(end.args, (NO_ERROR,))


def http2_stop_under_load(binary, directory):
    with Tollgate(binary, directory, PRODUCTS) as tollgate:
        account = tollgate.account()
        project = tollgate.project(account)
        callers = [Streams(tollgate, project, tollgate.key(project, f"caller {n}", ["numbers"])) for n in range(CONNECTIONS)]
        for caller in callers:
            caller.start()
        idle = Http2(tollgate.port)
        time.sleep(1)
        tollgate.process.send_signal(signal.SIGTERM)
        for caller in callers:
            caller.join(20)
            equal((caller.is_alive(), caller.problem), (False, None))
        end_in_order(idle)
        equal(tollgate.process.wait(15), 0)
        tollgate.start()
        let_through = Counter({caller.key.id: caller.let_through for caller in callers})
        equal(usage(tollgate, account, "key", "accessKeyId")[0], let_through)
    calls = sum(let_through.values())
    return f"all of {calls} calls on {CONNECTIONS} connections answered, each on the bill once; GOAWAY, then the end in order"


FAULTS = [http2_clients_that_take_nothing, http2_floods, http2_too_much_header, http2_stop_under_load]
