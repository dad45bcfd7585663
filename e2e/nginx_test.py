"""A real nginx with `auth_request` in front of a small backend, and Tollgate as its gate.

What may pass passes, what may not is stopped with the right status, the backend hears the caller's identity from the gate
and from nobody else, and the account's usage is exactly what the backend saw.
"""

import base64
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

URL = os.environ["TOLLGATE_URL"]
SOCKET = os.environ["TOLLGATE_SOCKET"]
ACCOUNT_ID = os.environ["TOLLGATE_ACCOUNT_ID"]
PROJECT_ID = os.environ["TOLLGATE_PROJECT_ID"]
KEY_ID = os.environ["TOLLGATE_KEY_ID"]
KEY_SECRET = os.environ["TOLLGATE_KEY_SECRET"]

HELLO = f"/v1/projects/{PROJECT_ID}/hello"
IDENTITY = ["account", "project", "credential", "credential-kind", "scope", "request-id"]
# A caller who would like to be someone else sends these with every call.
FORGED = {f"tollgate-{name}": "other" for name in IDENTITY}

CONFIGURATION = r"""
daemon off;
@USER@
worker_processes 1;
pid @DIRECTORY@/nginx.pid;
error_log @DIRECTORY@/error.log notice;

events {
    worker_connections 1024;
}

http {
    access_log off;
    client_body_temp_path @DIRECTORY@/body;
    proxy_temp_path @DIRECTORY@/proxy;
    fastcgi_temp_path @DIRECTORY@/fastcgi;
    uwsgi_temp_path @DIRECTORY@/uwsgi;
    scgi_temp_path @DIRECTORY@/scgi;
    keepalive_requests 100000;

    upstream tollgate {
        server @TOLLGATE@;
        keepalive 32;
    }

    upstream backend {
        server @BACKEND@;
        keepalive 32;
    }

    server {
        listen 127.0.0.1:@PORT@;

        location / {
            auth_request /_tollgate;
            auth_request_set $tollgate_account $upstream_http_tollgate_account;
            auth_request_set $tollgate_project $upstream_http_tollgate_project;
            auth_request_set $tollgate_credential $upstream_http_tollgate_credential;
            auth_request_set $tollgate_credential_kind $upstream_http_tollgate_credential_kind;
            auth_request_set $tollgate_scope $upstream_http_tollgate_scope;
            auth_request_set $tollgate_request_id $upstream_http_tollgate_request_id;
            auth_request_set $tollgate_deny $upstream_http_tollgate_deny;
            error_page 401 = @unauthorized;
            error_page 403 = @forbidden;

            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header Authorization "";
            proxy_set_header tollgate-account $tollgate_account;
            proxy_set_header tollgate-project $tollgate_project;
            proxy_set_header tollgate-credential $tollgate_credential;
            proxy_set_header tollgate-credential-kind $tollgate_credential_kind;
            proxy_set_header tollgate-scope $tollgate_scope;
            proxy_set_header tollgate-request-id $tollgate_request_id;
        }

        location = /_tollgate {
            internal;
            proxy_pass http://tollgate/gate/nginx;
            proxy_http_version 1.1;
            proxy_pass_request_body off;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Original-URI $request_uri;
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Forwarded-For $remote_addr;
        }

        # nginx has dropped the body of the denial; the challenge is still there.
        location @unauthorized {
            default_type application/json;
            return 401 '{"error":{"code":401,"message":"$tollgate_deny","status":"UNAUTHENTICATED"}}';
        }

        # nginx knows no denial but 401 and 403: the reason says which one it was.
        location @forbidden {
            default_type application/json;
            if ($tollgate_deny = "@NO_ROUTE@") {
                return 404 '{"error":{"code":404,"message":"$tollgate_deny","status":"NOT_FOUND"}}';
            }
            return 403 '{"error":{"code":403,"message":"$tollgate_deny","status":"PERMISSION_DENIED"}}';
        }
    }
}
"""
NO_ROUTE = "no_route"


def main():
    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as backend:
        backend.daemon_threads = True
        backend.seen = []
        threading.Thread(target=backend.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory(prefix="tollgate-nginx.", dir="/tmp") as directory:
            with Nginx(Path(directory), backend.server_address[1]) as nginx:
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


class Backend(BaseHTTPRequestHandler):
    """Writes down what reached it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        length = int(self.headers.get("content-length", 0))
        call = {"path": self.path, "length": len(self.rfile.read(length))}
        call["authorization"] = self.headers.get_all("authorization", [])
        call |= {name: self.headers.get_all(f"tollgate-{name}", []) for name in IDENTITY}
        self.server.seen.append(call)
        body = b'{"hello":"world"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Nginx:
    """A server of its own: everything that it writes is in one directory."""

    def __init__(self, directory, backend):
        self.port = free_port()
        self.log = directory / "error.log"
        self.configuration = directory / "nginx.conf"
        self.configuration.write_text(
            CONFIGURATION.replace("@DIRECTORY@", str(directory))
            .replace("@USER@", "user root;" if os.getuid() == 0 else "")
            .replace("@PORT@", str(self.port))
            .replace("@TOLLGATE@", urlsplit(URL).netloc)
            .replace("@BACKEND@", f"127.0.0.1:{backend}")
            .replace("@NO_ROUTE@", NO_ROUTE)
        )
        # Debian keeps it where only root's PATH looks.
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        self.command = [program, "-p", str(directory), "-e", str(self.log), "-c", str(self.configuration)]

    def __enter__(self):
        subprocess.run([*self.command, "-q", "-t"], check=True)
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except ConnectionRefusedError:
                time.sleep(0.02)
        self.__exit__(AssertionError)
        raise AssertionError("nginx did not start")

    def __exit__(self, problem, *_):
        self.process.terminate()
        self.process.wait(10)
        if problem:
            print(self.log.read_text(), file=sys.stderr)


def free_port():
    """Below the range from which the system gives ports to outgoing connections."""
    for port in random.sample(range(20000, 32000), 1000):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError("no free port")


def equal(actual, expected, about=""):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r} {about}")


if __name__ == "__main__":
    main()
