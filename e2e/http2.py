"""HTTP/2 written by hand (RFC 9113, RFC 7541), so that what no library would send can be sent."""

import socket

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE = 1, 4
CANCEL = 8
# The statuses that HPACK has a number for, and its codes of digits (RFC 7541, appendices A and B).
STATUSES = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
DIGITS = {"00000": 0, "00001": 1, "00010": 2} | {format(22 + digit, "06b"): digit for digit in range(3, 10)}


class Ended(Exception):
    """The server ended the connection: by GOAWAY, whose code this is, or without a word."""


class Reset(Exception):
    """The server ended the stream: by RST_STREAM, whose code this is."""


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def field(name, value):
    """A header field that enters no table, its texts without Huffman's code."""
    return b"\0" + b"".join(integer(len(text)) + text.encode() for text in [name, value])


def integer(number):
    """With a prefix of seven bits."""
    if number < 127:
        return bytes([number])
    rest, octets = number - 127, [127]
    while rest >= 128:
        octets.append(rest % 128 + 128)
        rest //= 128
    return bytes([*octets, rest])


def settings(**values):
    numbers = {"header_table_size": HEADER_TABLE_SIZE, "initial_window_size": INITIAL_WINDOW_SIZE}
    pairs = [numbers[name].to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in values.items()]
    return frame(SETTINGS, payload=b"".join(pairs))


def request(path, headers={}, method="GET"):
    """The header block of a request."""
    fields = {":method": method, ":scheme": "http", ":path": path, ":authority": "tollgate"} | headers
    return b"".join(field(name, value) for name, value in fields.items())


def status_of(block):
    """The status, which an answer's header block begins with; our settings keep it out of the dynamic table."""
    while block[0] & 0xE0 == 0x20:  # A change of the table's size.
        block = block[1:]
    if block[0] in STATUSES:
        return STATUSES[block[0]]
    length, code = block[1] & 0x7F, block[1] & 0x80
    text = block[2 : 2 + length]
    return int(text) if not code else decode("".join(format(octet, "08b") for octet in text))


def decode(bits):
    number = 0
    for _ in range(3):
        length = next(length for length in [5, 6] if bits[:length] in DIGITS)
        number, bits = number * 10 + DIGITS[bits[:length]], bits[length:]
    return number


class Http2:
    """A connection. What the server asks of it in between is answered, if it is to be polite."""

    def __init__(self, port, polite=True, **values):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.read, self.polite, self.next, self.pings = self.socket.makefile("rb"), polite, 1, 0
        self.answers, self.goaway = {}, None
        self.send(PREFACE + settings(header_table_size=0, **values))

    def send(self, octets):
        self.socket.sendall(octets)

    def ask(self, path, headers={}, method="GET", ends=True):
        """Sends a request without a body, or its header alone. Returns its stream."""
        stream, self.next = self.next, self.next + 2
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, request(path, headers, method)))
        return stream

    def frame(self):
        """The next frame: kind, flags, stream, payload."""
        try:
            head = self.read.read(9)
        except ConnectionResetError:
            head = b""
        if len(head) < 9:
            raise Ended(self.goaway)
        length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        payload = self.read.read(length)
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.pings += kind == PING
            if self.polite:
                self.send(frame(kind, ACK, 0, payload if kind == PING else b""))
        if kind == GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
        return kind, flags, int.from_bytes(head[5:], "big"), payload

    def next_part(self):
        """Takes the next frame to the answers: its stream, and what of a body it had. Raises `Ended` or `Reset`."""
        kind, flags, stream, payload = self.frame()
        if kind == RST_STREAM:
            raise Reset(int.from_bytes(payload, "big"))
        if kind not in (HEADERS, DATA):
            return stream, b""
        status, body, _ = self.answers.get(stream, (None, b"", False))
        if kind == HEADERS:
            status, payload = status_of(payload) if status is None else status, b""
        self.answers[stream] = status, body + payload, bool(flags & END_STREAM)
        return stream, payload

    def is_answered(self, stream):
        return stream in self.answers and self.answers[stream][2]

    def answer(self, stream):
        """Status and body, whatever else comes before its end."""
        while not self.is_answered(stream):
            self.next_part()
        return self.answers.pop(stream)[:2]

    def get(self, path, headers={}):
        return self.answer(self.ask(path, headers))

    def close(self):
        self.read.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
