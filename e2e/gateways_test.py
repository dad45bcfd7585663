"""nginx, Caddy, Traefik and Envoy, from the configurations that Tollgate prints, with Tollgate as their gate.

What may pass passes, what may not is stopped with the status, headers and body that Tollgate gave it, whatever the path looks
like; the API hears the caller's identity from the gate and from nobody else; and an outage of the gate is an error, and
never a denial.
"""

import http.client
import json
import os
import socket
import tempfile
import time
import uuid
from contextlib import ExitStack

from gateways import Api, Caddy, Envoy, EnvoyHttp, Nginx, Traefik, identity
from tollgate import Tollgate, equal

PRODUCTS = """
[tokens]
lifetime_seconds = 61
leeway_seconds = 0

[limits]
token_burst = 0
token_per_second = 0
basic_burst = 100
basic_per_second = 1

[[product]]
name = "numbers"
routes = ["/v1/projects/{project_id}/**"]
accepts = ["token", "basic"]
scope = "numbers"

[[product]]
name = "sms"
routes = ["/xms/v1/{service_plan_id}/**"]
accepts = ["token", "api-token"]
errors = "xms"

[[product]]
name = "maps"
routes = ["/maps/**"]
accepts = ["token", "basic"]
errors = "oauth"
"""
IDENTITY = ["account", "project", "credential", "credential-kind", "scope", "request-id"]
SPELLINGS = [str, str.upper, str.title, lambda name: name.replace("-", "_"), lambda name: name.replace("-", "_").title()]
# A caller who would like to be someone else sends these with every call, each twice.
FORGED = 2 * [(spell(f"tollgate-{name}"), "other") for name in IDENTITY for spell in SPELLINGS]
PRETENDED = "/maps/pretended"
FORGED += [(name, PRETENDED) for name in ["X-Forwarded-Uri", "X-Original-URI", "X-Envoy-Original-Path", "X-Rewrite-URL"]]
FORGED += [("X-Forwarded-Method", "OPTIONS"), ("X-Original-Method", "OPTIONS"), ("X-Original-Host", "other.example")]


def main():
    with tempfile.TemporaryDirectory(prefix="tollgate-gateways.", dir="/tmp") as directory, ExitStack() as stack:
        tollgate = stack.enter_context(Tollgate(os.environ["TOLLGATE_BINARY"], directory, PRODUCTS))
        api = stack.enter_context(Api())
        world = World(tollgate)
        kinds = [Nginx, Caddy, Traefik, Envoy, EnvoyHttp]
        gateways = [stack.enter_context(kind(tollgate, api.port)) for kind in kinds]
        for gateway in gateways:
            check(gateway, api, world)
        check_external_auth(world)
        check_expired(gateways, api, world)
        tollgate.kill()
        for gateway in gateways:
            check_outage(gateway, api, world)
        tollgate.start()
        for gateway in gateways:
            Call(200, authorization=world.fresh.bearer(), path=world.own).through(gateway, api)
            print(f"ok: {gateway.kind} goes on when Tollgate is back")
        counted = int(tollgate.operate("GET", f"/v1/accounts/{world.account}/usage")["totalCalls"])
        equal(counted, len(api.seen) + world.asked)
        print(f"ok: {len(api.seen)} calls reached the API, and the account's usage says the same")


class World:
    """Customers with every kind of credential."""

    def __init__(self, tollgate):
        self.tollgate = tollgate
        self.account = tollgate.account()
        self.project = tollgate.project(self.account)
        self.subproject = tollgate.subproject(self.project)
        self.other = tollgate.project(tollgate.account())
        self.key = tollgate.key(self.project, "main", ["numbers"])
        self.fresh = tollgate.key(self.project, "fresh", ["numbers"])
        self.bare = tollgate.key(self.project, "bare", [])
        self.plan, self.api_token = tollgate.plan(self.project, "plan")
        self.ended = self.key.bearer()
        self.ended_at = time.monotonic() + 62
        revoked = self.key.token()
        form = {"authorization": self.key.basic(), "content-type": "application/x-www-form-urlencoded"}
        equal(tollgate.ask("POST", "/oauth2/revoke", f"token={revoked}", form)[0], 200)
        self.revoked = f"Bearer {revoked}"
        self.own = f"/v1/projects/{self.project}/hello"
        self.asked = 0

    def decided(self, path, authorization):
        """Status of the gate itself about a call, and the project that it would be counted on."""
        headers = {"x-forwarded-method": "GET", "x-forwarded-uri": path, "authorization": authorization}
        status, headers, _ = self.tollgate.ask("GET", "/gate", None, headers)
        self.asked += status == 200
        return status, headers.get("tollgate-project")


class Call:
    """A call, how it must end, and what the answer must say."""

    def __init__(self, status, path, authorization=None, method="GET", body=None, shape="google", challenge="", **more):
        self.status, self.path, self.method, self.body, self.shape = status, path, method, body, shape
        self.authorization = [authorization] if isinstance(authorization, str) else authorization or []
        self.challenge, self.more = challenge, more

    def send(self, port, headers=FORGED):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.putrequest(self.method, self.path)
        for name, value in headers + [("Authorization", value) for value in self.authorization]:
            connection.putheader(name, value)
        chunked = self.more.get("chunked", False)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif self.body is not None:
            connection.putheader("Content-Length", str(len(self.body)))
        connection.endheaders(self.body, encode_chunked=chunked)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, text

    def through(self, gateway, api):
        """The call as the API saw it; `None` for one that was stopped."""
        before = len(api.seen)
        answer, text = self.send(gateway.port)
        about = f"{gateway.kind}: {self.method} {self.path}: {text[:300]}"
        equal(answer.status, self.status, about)
        equal(answer.headers.get_content_type(), "application/json", about)
        if answer.status == 200:
            equal(len(api.seen), before + 1, about)
            return api.seen[-1]
        equal(len(api.seen), before, about)
        self.check_denial(answer, text, about)
        return None

    def check_denial(self, answer, text, about):
        equal(len(text) < 1024, True, about)
        body = json.loads(text)
        if self.shape == "google":
            equal(sorted(body["error"]), ["code", "details", "message", "status"], about)
            equal(body["error"]["code"], answer.status, about)
        else:
            words = {"xms": ["code", "text"], "oauth": ["error", "error_description"]}[self.shape]
            equal(sorted(body), words, about)
            equal(all(isinstance(value, str) for value in body.values()), True, about)
        challenges = answer.headers.get_all("www-authenticate", [])
        equal(len(challenges), 1 if answer.status == 401 or self.challenge else 0, about)
        for challenge in challenges:
            equal(challenge.startswith(self.challenge), True, f"{challenge} {about}")
            equal("expired" in challenge, "expired" in self.challenge, about)
        equal(answer.headers.get_all("retry-after", []) != [], answer.status == 429, about)
        equal(answer.headers.get_all("cache-control"), ["no-store"], about)
        equal(len(answer.headers.get_all("request-id", [])), 1, about)
        for word in self.more.get("says", []):
            equal(word in text.decode(), True, f"{word} {about}")


def check(gateway, api, world):
    check_allowed(gateway, api, world)
    for call in denials(world):
        call.through(gateway, api)
    check_two_credentials(gateway, api, world)
    check_limit(gateway, api, world)
    print(f"ok: {gateway.kind} lets through what may pass, and passes on every denial as it is")
    check_pretenders(gateway, api, world)
    print(f"ok: {gateway.kind} tells the API who calls, whatever the client says of itself")
    check_paths(gateway, api, world)
    print(f"ok: {gateway.kind} and the API read every path as the gate reads it")


def check_allowed(gateway, api, world):
    token, own, below = world.key.bearer(), world.own, f"/v1/projects/{world.subproject}"
    plan = f"Bearer {world.api_token}"
    key, scope = world.key.id, "numbers"
    for call, project, credential, kind, scope in [
        (Call(200, own, token), world.project, key, "access-token", scope),
        (Call(200, own, world.key.basic()), world.project, key, "access-key", scope),
        (Call(200, f"{own}?a=1&b=%2F..//", token), world.project, key, "access-token", scope),
        (Call(200, f"{own}/a%20b/c", token), world.project, key, "access-token", scope),
        (Call(200, f"{below}/availableNumbers:rentAny", token), world.subproject, key, "access-token", scope),
        (Call(200, own, token, "POST", b"x" * 5000), world.project, key, "access-token", scope),
        (Call(200, own, token, "PUT", b"x" * 5000, chunked=True), world.project, key, "access-token", scope),
        (Call(200, own, token, "DELETE"), world.project, key, "access-token", scope),
        (Call(200, f"/xms/v1/{world.plan}/batches", plan), world.project, world.plan, "api-token", ""),
        (Call(200, f"/xms/v1/{world.project}/batches", token), world.project, key, "access-token", scope),
        (Call(200, "/maps/tile", world.bare.bearer()), world.project, world.bare.id, "access-token", ""),
    ]:
        seen = call.through(gateway, api)
        about = f"{gateway.kind} {call.path}"
        equal((seen["method"], seen["path"], seen["length"]), (call.method, call.path, len(call.body or b"")), about)
        found = identity(seen)
        expected = {"account": world.account, "project": project, "credential": credential, "credential-kind": kind}
        equal({name: found.get(name) for name in expected}, {name: [value] for name, value in expected.items()}, about)
        # An empty value may be sent or left out.
        equal([value for value in found.get("scope", []) if value], [scope] if scope else [], about)
        equal(len(found.get("request-id", [])), 1, about)
        equal("other" in str(found), False, about)
        equal([value for name, value in seen["headers"] if name.lower() == "authorization"], [], about)


def denials(world):
    token, own = world.key.bearer(), world.own
    head, payload, signature = token.removeprefix("Bearer ").split(".")
    invalid = 'Bearer error="invalid_token", error_description="'
    other = f"/v1/projects/{world.other}/hello"
    sms = f"/xms/v1/{world.plan}/batches"
    return [
        Call(401, own, challenge='Bearer realm="'),
        Call(401, own, "Bearer garbage", challenge=invalid),
        Call(401, own, f"Bearer {head}.{payload}.{signature[::-1]}", challenge=invalid),
        Call(401, own, world.revoked, challenge=invalid, says=["revoked"]),
        Call(401, own, "Digest username=x", challenge=invalid),
        Call(401, own, world.key.basic("wrong"), challenge="Basic realm="),
        Call(401, own, f"Bearer {world.api_token}", challenge=invalid, says=["API token", "access token"]),
        Call(403, other, token, says=[world.key.id, world.project]),
        Call(403, own, world.bare.bearer(), challenge='Bearer error="insufficient_scope", scope="numbers"'),
        Call(404, "/nowhere", token),
        Call(404, "/", token),
        Call(401, sms, f"Bearer {world.api_token}x", shape="xms", challenge=invalid),
        Call(401, sms, world.key.basic(), shape="xms", challenge=invalid),
        Call(403, f"/xms/v1/{world.other}/batches", token, shape="xms", says=[world.key.id]),
        Call(401, sms, shape="xms", challenge='Bearer realm="'),
        Call(401, "/maps/tile", "Bearer x", shape="oauth", challenge=invalid),
        Call(401, own, "Bearer x", "POST", b"x" * 5000, challenge=invalid),
    ]


def check_two_credentials(gateway, api, world):
    """Some gateways refuse two headers themselves; what joins them makes a credential that nobody knows."""
    token, before = world.key.bearer(), len(api.seen)
    answer, text = Call(400, world.own, [token, world.fresh.bearer()]).send(gateway.port)
    equal((answer.status in (400, 401), len(api.seen)), (True, before), f"{gateway.kind} {answer.status} {text}")


def check_limit(gateway, api, world):
    """Basic is for trying things out, and limited hard."""
    key = world.tollgate.key(world.project, f"limited {gateway.kind}", ["numbers"])
    for _ in range(100):
        world.asked += world.tollgate.ask("GET", "/gate", None, {
            "x-forwarded-method": "GET", "x-forwarded-uri": world.own, "authorization": key.basic()
        })[0] == 200
    for _ in range(100):
        answer, text = Call(429, world.own, key.basic()).send(gateway.port)
        if answer.status == 429:
            equal(json.loads(text)["error"]["status"], "RESOURCE_EXHAUSTED")
            equal(answer.headers["retry-after"], "1")
            return
    raise AssertionError("the limit was never reached")


def check_pretenders(gateway, api, world):
    """What a client says of itself, or of its path, changes nothing, however it is said."""
    token, other = world.key.bearer(), f"/v1/projects/{world.other}/hello"
    for name in ["x-forwarded-uri", "x-original-uri", "x-envoy-original-path", "x-forwarded-uri_"]:
        for forged in ([(name, world.own)], 2 * [(name, world.own)]):
            before = len(api.seen)
            answer, text = Call(403, other, token).send(gateway.port, forged)
            equal((answer.status in (400, 403), len(api.seen)), (True, before), f"{gateway.kind} {name} {text}")
    # A header that the connection is said to keep to itself would be lost on the way, and with it who calls.
    hidden = ", ".join(f"tollgate-{name}" for name in IDENTITY) + ", x-forwarded-uri, x-forwarded-method, x-original-uri"
    before = len(api.seen)
    answer, text = Call(200, world.own, token).send(gateway.port, [("Connection", f"close, {hidden}")])
    if answer.status == 200:
        found = identity(api.seen[-1])
        equal((found.get("account"), found.get("credential")), ([world.account], [world.key.id]), gateway.kind)
    equal(len(api.seen) - before, 1 if answer.status == 200 else 0, f"{gateway.kind} {text}")


def check_paths(gateway, api, world):
    own, other, token = f"/v1/projects/{world.project}", f"/v1/projects/{world.other}", world.key.bearer()
    odd = [
        f"{own}/../{world.other}/hello",
        f"{own}/%2e%2e/{world.other}/hello",
        f"{own}/..%2f{world.other}/hello",
        f"{own}%2f..%2f{world.other}/hello",
        f"{own}/.%2e/{world.other}/hello",
        f"{own}/..;/{world.other}/hello",
        f"{own}/..\\{world.other}\\hello",
        f"{own}/%5c..%5c{world.other}",
        f"{own}/%252e%252e/{world.other}",
        f"{own}//hello",
        f"/{own}/hello",
        f"//v1/projects/{world.other}/hello",
        f"{own}/./hello",
        f"{own}/hello/.",
        f"{own}/hello/..",
        f"{own}/a%2Fb",
        f"{own}/%41",
        f"{own}/a;b=c",
        f"{own}/100%25",
        f"{own}/availableNumbers:rentAny",
        f"{own}/%C3%A9",
        f"{own}/a%00b",
        f"{own}/%",
        f"{own}?x=/../{world.other}",
        f"{own}/{'x' * 6000}",
        own,
        f"{own}/",
        f"{other}/../{world.project}/hello",
        f"http://127.0.0.1{other}/hello",
        f"http://127.0.0.1{own}/hello",
        f"/gate/../{own}",
        "/_tollgate",
    ]
    for path in odd:
        before = len(api.seen)
        status = raw_status(gateway.port, path, token)
        about = f"{gateway.kind} {path[:120]}"
        if len(api.seen) == before:
            equal(400 <= status < 500, True, f"{status} {about}")
            continue
        equal((status, len(api.seen)), (200, before + 1), about)
        seen = api.seen[-1]
        # What the API reads is what the gate decides over, to the byte.
        project = identity(seen)["project"]
        equal(world.decided(seen["path"], token), (200, project[0]), f"{seen['path']} {about}")
        equal(project, [world.project], about)


def raw_status(port, path, authorization):
    """The path goes out as it is."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1])


def check_external_auth(world):
    """What the Gateway API's ExternalAuth sends: method and path below the prefix, host, and few headers."""
    token, own = world.key.bearer(), world.own
    for method in ["GET", "POST", "DELETE"]:
        headers = {"authorization": token, "content-length": "0", "host": "api.example.com"}
        status, headers, text = world.tollgate.ask(method, f"/gate/envoy{own}?a=b", None, headers)
        equal((status, text), (200, b""))
        equal([f"tollgate-{name}" in headers for name in IDENTITY], 6 * [True])
        world.asked += 1
    status, headers, text = world.tollgate.ask("GET", f"/gate/envoy/v1/projects/{world.other}/x", None, {"authorization": token})
    equal((status, json.loads(text)["error"]["status"]), (403, "PERMISSION_DENIED"))
    print("ok: the Gateway API's ExternalAuth gets its answers")


def check_expired(gateways, api, world):
    """Old clients get a new token for one word, and for that alone."""
    time.sleep(max(0, world.ended_at - time.monotonic()))
    expired = 'Bearer error="invalid_token", error_description="Jwt expired at 20'
    for gateway in gateways:
        Call(401, world.own, world.ended, challenge=expired).through(gateway, api)
        Call(401, f"/xms/v1/{world.project}/batches", world.ended, shape="xms", challenge=expired).through(gateway, api)
        print(f"ok: {gateway.kind} tells a client that its token has expired")


def check_outage(gateway, api, world):
    before = len(api.seen)
    for call in [Call(503, world.own, world.key.basic()), Call(503, f"/xms/v1/{world.plan}/x", "Bearer x"), Call(503, "/nowhere")]:
        for _ in range(3):
            answer, text = call.send(gateway.port)
            equal(500 <= answer.status < 600, True, f"{gateway.kind} {answer.status} {text}")
            equal(answer.headers.get_all("www-authenticate", []), [])
        if gateway.kind == "nginx":
            equal(answer.status, 503)
            equal(sorted(json.loads(text)), ["code", "text"] if call.path.startswith("/xms") else ["error"])
        if gateway.kind.startswith("envoy"):
            equal(answer.status, 503)
    equal(len(api.seen), before)
    print(f"ok: {gateway.kind} says by {answer.status} that it is an outage, and lets nothing through")


if __name__ == "__main__":
    main()
