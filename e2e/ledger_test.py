"""Ten thousand calls through nginx, with every kind of credential, of several accounts: the ledger says what the backend saw,
to the call, per account, project and credential. And once more while Tollgate is killed and started ten times: what reached
the backend counts once, and what got no answer once or not at all.
"""

import base64
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from pathlib import Path

from nginx import Backend, Nginx, equal, free_port

BINARY = os.environ["TOLLGATE_BINARY"]
CALLS = 10_000
KILLS = 10
THREADS = 16
START_SECONDS = 30
ACCOUNTS = 3
PROJECTS = 2

CONFIGURATION = """
public_url = "http://127.0.0.1:{port}"
listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin}"
data_dir = "{data}"

[http]
drain_wait_seconds = 0

[limits]
basic_per_second = 0
token_per_second = 0
guess_per_second = 0

[[product]]
name = "numbers"
routes = ["/v1/projects/{{project_id}}/**"]
accepts = ["token", "basic"]

[[product]]
name = "sms"
routes = ["/xms/v1/{{service_plan_id}}/**"]
accepts = ["token", "api-token"]
errors = "xms"
"""


def main():
    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as backend:
        backend.daemon_threads = True
        backend.seen = []
        threading.Thread(target=backend.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory(prefix="tollgate-ledger.", dir="/tmp") as directory:
            check(Path(directory), backend)
        backend.shutdown()


def check(directory, backend):
    with Tollgate(directory) as tollgate:
        customers = Customers(tollgate)
        with Nginx(directory, tollgate.address, backend.server_address[1]) as nginx:
            equal(load(nginx.port, customers.calls, tollgate, kills=0), Counter(), "calls without an answer")
            seen = attributed(backend.seen)
            equal(customers.ledger(), seen, "in the ledger, and what the backend saw")
            print(f"ok: {CALLS} calls; {len(backend.seen)} reached the backend, and the ledger says so of each credential")

            before = len(backend.seen)
            lost = load(nginx.port, customers.calls, tollgate, kills=KILLS)
            check_bounds(attributed(backend.seen), customers.ledger(), lost)
            reached = len(backend.seen) - before
            print(f"ok: {CALLS} more with {KILLS} kills; {reached} reached the backend and count once")


def check_bounds(seen, counted, lost):
    """What reached the backend counts once; what got no answer once or not at all."""
    equal(seen.total() > 0 and lost.total() > 0, True, "there were calls, and some were cut off")
    for whose in seen.keys() | counted.keys():
        low, high = seen[whose], seen[whose] + lost[whose]
        equal(low <= counted[whose] <= high, True, f"{whose}: {counted[whose]} counted, {low} to {high} expected")


def attributed(calls):
    """How many calls the backend saw, by account, by project and by credential."""
    sums = Counter()
    for call in calls:
        sums.update(attributes(call["account"][0], call["project"][0], call["credential"][0]))
    return sums


def attributes(account, project, credential):
    return [("account", account), ("project", project), ("credential", credential)]


def load(port, calls, tollgate, kills):
    """Makes the calls, and kills Tollgate meanwhile. Answers how many got no answer from Tollgate, by what they count on."""
    done = threading.Semaphore(0)
    local = threading.local()
    lost = []

    def make(_):
        call = random.choice(calls)
        status = call.make(local, port)
        if status >= 500:
            lost.append(call.whose)
        else:
            equal(status, call.status, call.path)
        done.release()

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(make, number) for number in range(CALLS)]
        for _ in range(kills):
            # Not at a time, but when so many calls are through: the machine may be slow.
            for _ in range(CALLS // (kills + 1)):
                done.acquire()
            tollgate.kill()
            tollgate.start()
        for call in running:
            call.result()
    return Counter(name for whose in lost for name in attributes(*whose))


class Call:
    """One kind of call: what it is counted on, and how it ends."""

    def __init__(self, whose, path, authorization, status=200):
        self.whose, self.path, self.status = whose, path, status
        self.headers = {"authorization": authorization, "tollgate-account": "other"}

    def make(self, local, port):
        if getattr(local, "connection", None) is None:
            local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        local.connection.request("GET", self.path, headers=self.headers)
        answer = local.connection.getresponse()
        answer.read()
        return answer.status


class Customers:
    """Accounts with projects, a subproject, keys and service plans, and all the calls that they can make."""

    def __init__(self, tollgate):
        self.tollgate = tollgate
        self.accounts = []
        self.calls = []
        for number in range(ACCOUNTS):
            account = tollgate.make("accounts", displayName=f"Account {number}")["accountId"]
            self.accounts.append(account)
            for name in range(PROJECTS):
                project = tollgate.make(f"accounts/{account}/projects", displayName=f"Project {name}")["projectId"]
                self.add_project(account, project)
        random.shuffle(self.calls)

    def add_project(self, account, project):
        tollgate = self.tollgate
        below = tollgate.make(f"projects/{project}/subprojects", displayName="Below")["subprojectId"]
        for name in ["one", "two"]:
            made = tollgate.make(f"projects/{project}/accessKeys", displayName=name)
            key, secret = made["accessKey"]["accessKeyId"], made["secret"]
            basic = "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()
            bearer = "Bearer " + tollgate.token(basic)
            own, of_below = (account, project, key), (account, below, key)
            self.calls += [
                Call(own, f"/v1/projects/{project}/numbers", bearer),
                Call(own, f"/v1/projects/{project}/numbers", basic),
                Call(of_below, f"/v1/projects/{below}/numbers", bearer),
                Call(own, f"/xms/v1/{project}/batches", bearer),
                Call(own, f"/v1/projects/{account}/numbers", bearer, 403),
                Call(own, f"/v1/projects/{project}/numbers", basic + "A", 401),
            ]
        made = tollgate.make(f"projects/{project}/servicePlans", displayName="plan")
        plan, token = made["servicePlan"]["servicePlanId"], "Bearer " + made["secret"]
        self.calls += 4 * [Call((account, project, plan), f"/xms/v1/{plan}/batches", token)]
        self.calls += [
            Call((account, project, plan), f"/v1/projects/{project}/numbers", token, 401),
            Call((account, project, plan), f"/xms/v1/{project}/batches", token, 401),
        ]

    def ledger(self):
        """What is counted, by account, by project and by credential."""
        sums = Counter()
        for account in self.accounts:
            for group, fields in {"project": ["projectId"], "key": ["accessKeyId", "servicePlanId"]}.items():
                answer = self.tollgate.get(f"accounts/{account}/usage?groupBy={group}")
                for row in answer["usage"]:
                    name = "project" if group == "project" else "credential"
                    sums[(name, next(row[field] for field in fields if field in row))] += row["calls"]
            sums[("account", account)] += answer["totalCalls"]
        return +sums


class Tollgate:
    """A server that is started again on the same data."""

    def __init__(self, directory):
        self.directory = directory
        self.data = directory / "data"
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self.file = directory / "tollgate.toml"
        self.file.write_text(CONFIGURATION.format(port=port, admin=free_port(), data=self.data))
        self.log = open(directory / "tollgate.log", "ab")
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(START_SECONDS), 0, "at the end")
        self.log.close()

    def start(self):
        command = [BINARY, "serve", "--config", self.file]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            equal(self.process.poll(), None, "instead of running")
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.01)
        raise AssertionError("Tollgate was not ready in time")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None):
        """Asks as the operator, beside the data."""
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.data / "tollgate.sock"))
        headers = {"content-type": "application/json"} if body else {}
        connection.request(method, path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def get(self, path):
        status, text = self.ask("GET", f"/v1/{path}")
        equal(status, 200, text)
        return json.loads(text)

    def make(self, path, **body):
        status, text = self.ask("POST", f"/v1/{path}", body)
        equal(status, 200, text)
        return json.loads(text)

    def token(self, basic):
        host, port = self.address.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        headers = {"authorization": basic, "content-type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/oauth2/token", "grant_type=client_credentials", headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        equal(answer.status, 200, text)
        return json.loads(text)["access_token"]


if __name__ == "__main__":
    main()
