"""A real nginx with `auth_request` in front of a small backend, and Tollgate as its gate.

What may pass passes, what may not is stopped with the right status, the backend hears the caller's identity from the gate
and from nobody else, and the account's usage is exactly what the backend saw.
"""

import base64
import http.client
import json
import os
import random
import socket
import tempfile
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from nginx import IDENTITY, Backend, Nginx, equal

URL = os.environ["TOLLGATE_URL"]
SOCKET = os.environ["TOLLGATE_SOCKET"]
ACCOUNT_ID = os.environ["TOLLGATE_ACCOUNT_ID"]
PROJECT_ID = os.environ["TOLLGATE_PROJECT_ID"]
KEY_ID = os.environ["TOLLGATE_KEY_ID"]
KEY_SECRET = os.environ["TOLLGATE_KEY_SECRET"]

HELLO = f"/v1/projects/{PROJECT_ID}/hello"
# A caller who would like to be someone else sends these with every call.
FORGED = {f"tollgate-{name}": "other" for name in IDENTITY}


def main():
    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as backend:
        backend.daemon_threads = True
        backend.seen = []
        threading.Thread(target=backend.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory(prefix="tollgate-nginx.", dir="/tmp") as directory:
            with Nginx(Path(directory), urlsplit(URL).netloc, backend.server_address[1]) as nginx:
                check(nginx.port, backend.seen)
        backend.shutdown()


def check(port, seen):
    before = usage()
    token = access_token()
    check_one_by_one(port, seen, token)
    print("ok: nginx lets a token and Basic through, stops the others, and says why")
    check_many_at_once(port, seen, token)
    print("ok: a few hundred calls at once get the same answers")
    check_identity(seen)
    print("ok: the backend hears the identity from the gate alone")

    counted = {project: calls - before.get(project, 0) for project, calls in usage().items()}
    equal({project: calls for project, calls in counted.items() if calls}, {PROJECT_ID: len(seen)})
    print(f"ok: {len(seen)} calls reached the backend, and the account's usage says {len(seen)}")


class Call:
    """One kind of call and how it must end."""

    def __init__(self, status, path=HELLO, authorization=None, method="GET", body=None):
        self.status, self.path, self.method, self.body = status, path, method, body
        self.headers = FORGED | ({"authorization": authorization} if authorization else {})

    def make(self, connection):
        connection.request(self.method, self.path, self.body, self.headers)
        answer = connection.getresponse()
        text = answer.read()
        equal(answer.status, self.status, f"{self.method} {self.path}: {text}")
        equal(answer.headers.get_content_type(), "application/json")
        problem = json.loads(text).get("error")
        if answer.status == 200:
            equal(problem, None)
        else:
            equal(problem["code"], self.status)
        challenge = answer.headers.get_all("www-authenticate", [])
        equal(len(challenge), 1 if answer.status == 401 else 0)
        return challenge[0] if challenge else None


def kinds(token):
    bearer = f"Bearer {token}"
    head, payload, signature = token.split(".")
    return {
        "token": Call(200, authorization=bearer),
        "token, lower-case scheme": Call(200, authorization=f"bearer {token}"),
        "token, query": Call(200, path=f"{HELLO}?a=1&b=%2F", authorization=bearer),
        "token, body": Call(200, authorization=bearer, method="POST", body=b"x" * 5000),
        "nothing": Call(401),
        "garbage": Call(401, authorization="Bearer garbage"),
        "forged": Call(401, authorization=f"Bearer {head}.{payload}.{signature[::-1]}"),
        "unknown scheme": Call(401, authorization="Digest username=x"),
        "other project": Call(403, path=f"/v1/projects/{uuid.uuid4()}/hello", authorization=bearer),
        "up and across": Call(403, path=f"/v1/projects/{PROJECT_ID}/../{uuid.uuid4()}/hello", authorization=bearer),
        "no route": Call(404, path="/nowhere", authorization=bearer),
    }


def basic(secret):
    pair = base64.b64encode(f"{KEY_ID}:{secret}".encode()).decode()
    return f"Basic {pair}"


def check_one_by_one(port, seen, token):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for name, call in kinds(token).items():
        before = len(seen)
        challenge = call.make(connection)
        equal(len(seen) - before, 1 if call.status == 200 else 0, name)
        if name == "nothing":
            equal(challenge.startswith("Bearer realm="), True, challenge)
            equal("error=" in challenge, False, challenge)
        if name in ["garbage", "forged"]:
            equal('Bearer error="invalid_token"' in challenge, True, challenge)
            equal("expired" in challenge, False, challenge)
    equal(seen[2]["path"], f"{HELLO}?a=1&b=%2F")
    equal(seen[3]["length"], 5000)

    Call(200, authorization=basic(KEY_SECRET)).make(connection)
    Call(401, authorization=basic(KEY_SECRET + "A")).make(connection)
    equal(len(seen), 5)
    connection.close()


def check_many_at_once(port, seen, token):
    """Basic is for trying things out and limited hard, so that there is little of it here."""
    before = len(seen)
    calls = 40 * list(kinds(token).values()) + 10 * [Call(200, authorization=basic(KEY_SECRET))]
    random.shuffle(calls)
    local = threading.local()

    def make(call):
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        call.make(local.connection)
        return call.status

    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(make, calls))
    equal(statuses, {200: 170, 401: 160, 403: 80, 404: 40})
    equal(len(seen) - before, 170)


def check_identity(seen):
    """Of each header there is one, and it says what is so."""
    for call in seen:
        equal({name: len(call[name]) for name in IDENTITY}, dict.fromkeys(IDENTITY, 1))
        equal(call["authorization"], [])
        equal(call["account"], [ACCOUNT_ID])
        equal(call["project"], [PROJECT_ID])
        equal(call["credential"], [KEY_ID])
    equal(len({call["request-id"][0] for call in seen}), len(seen))
    with_basic = 1 + 10
    kinds_seen = Counter(call["credential-kind"][0] for call in seen)
    equal(kinds_seen, {"access-key": with_basic, "access-token": len(seen) - with_basic})
    equal("other" in {call[name][0] for call in seen for name in IDENTITY}, False)


def access_token():
    address = urlsplit(URL)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    headers = {"authorization": basic(KEY_SECRET), "content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/oauth2/token", "grant_type=client_credentials", headers)
    answer = connection.getresponse()
    text = answer.read()
    equal(answer.status, 200, text)
    connection.close()
    return json.loads(text)["access_token"]


def usage():
    """What the account has to pay for, per project, as the operator reads it beside the data."""
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(SOCKET)
    connection.request("GET", f"/v1/accounts/{ACCOUNT_ID}/usage?groupBy=project")
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    equal(answer.status, 200, text)
    rows = json.loads(text)["usage"]
    calls = {row["projectId"]: row["calls"] for row in rows}
    equal(len(calls), len(rows), text)
    equal({type(number) for number in calls.values()} <= {int}, True, text)
    return calls


if __name__ == "__main__":
    main()
