"""Ten thousand calls through nginx, with every kind of credential, over several accounts and projects: the ledger is what the
API saw, to the call, and still is when Tollgate is killed and started again in between.
"""

import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from gateways import Api, Nginx, identity
from tollgate import Tollgate, equal

CALLS = 10_000
WORKERS = 16
KILLS = 10
ACCOUNTS = 3
PROJECTS = 2
PRODUCTS = """
[limits]
token_burst = 0
token_per_second = 0
basic_burst = 0
basic_per_second = 0

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
"""


class Credential:
    """What a customer calls with, where to, and what it must be counted on."""

    def __init__(self, kind, path, authorization, account, project, id):
        self.kind, self.path, self.authorization, self.counted_on = kind, path, authorization, (account, project, id)


def main():
    with tempfile.TemporaryDirectory(prefix="tollgate-ledger.", dir="/tmp") as directory, ExitStack() as stack:
        tollgate = stack.enter_context(Tollgate(os.environ["TOLLGATE_BINARY"], directory, PRODUCTS))
        api = stack.enter_context(Api())
        credentials = customers(tollgate)
        nginx = stack.enter_context(Nginx(tollgate, api.port))

        unanswered = make_calls(nginx.port, credentials)
        equal(unanswered, Counter())
        seen = Counter(who(call) for call in api.seen)
        equal(sum(seen.values()), CALLS)
        equal(set(seen), {one.counted_on for one in credentials})
        equal({kind(call) for call in api.seen}, {one.kind for one in credentials})
        check_ledger(tollgate, seen, unanswered)
        print(f"ok: {CALLS} calls through nginx reached the API, and the ledger has each of them once")

        unanswered = make_calls(nginx.port, credentials, killing(tollgate))
        everything = Counter(who(call) for call in api.seen)
        equal(len({identity(call)["request-id"][0] for call in api.seen}), sum(everything.values()))
        check_ledger(tollgate, everything, unanswered)
        more = sum(everything.values()) - CALLS
        print(f"ok: {KILLS} times killed: {more} of {CALLS} calls reached the API, {sum(unanswered.values())} got no answer of it")


def customers(tollgate):
    credentials = []
    for account in [tollgate.account() for _ in range(ACCOUNTS)]:
        for project in [tollgate.project(account) for _ in range(PROJECTS)]:
            below = tollgate.subproject(project)
            first, second = [tollgate.key(project, name, ["numbers"]) for name in ["first", "second"]]
            plan, api_token = tollgate.plan(project, "sms")
            numbers, sms = f"/v1/projects/{project}/numbers", f"/xms/v1/{project}/batches"
            for kind, path, authorization, on, id in [
                ("access-token", numbers, first.bearer(), project, first.id),
                ("access-token", f"/v1/projects/{below}/numbers", first.bearer(), below, first.id),
                ("access-key", numbers, second.basic(), project, second.id),
                ("access-token", sms, second.bearer(), project, second.id),
                ("api-token", f"/xms/v1/{plan}/batches", f"Bearer {api_token}", project, plan),
            ]:
                credentials.append(Credential(kind, path, authorization, account, on, id))
    return credentials


class killing:
    """Kills the server again and again while the calls are made, and has it running at the end."""

    def __init__(self, tollgate):
        self.tollgate, self.made = tollgate, 0
        self.thread = threading.Thread(target=self.kill_often)
        self.failed = None

    def kill_often(self):
        try:
            for round in range(1, KILLS + 1):
                while self.made < round * CALLS // (KILLS + 1):
                    time.sleep(0.001)
                time.sleep(random.uniform(0, 0.02))
                self.tollgate.kill()
                self.tollgate.start()
        except BaseException as problem:
            self.failed = problem

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join()
        if self.failed:
            raise self.failed


class nothing:
    made = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def make_calls(port, credentials, meanwhile=None):
    """How many calls of each credential were not answered by the API, after all were made."""
    calls = [random.choice(credentials) for _ in range(CALLS)]
    local = threading.local()
    unanswered, lock = Counter(), threading.Lock()
    with meanwhile or nothing() as meanwhile, ThreadPoolExecutor(WORKERS) as pool:

        def make(call):
            status = ask(local, port, call)
            with lock:
                meanwhile.made += 1
                if status != 200:
                    unanswered[call.counted_on] += 1
            if status != 200:
                # A client that is told 503 waits before its next call.
                time.sleep(0.01)
            return status

        statuses = Counter(pool.map(make, calls))
    # An outage is never the client's fault.
    equal(set(statuses) <= {200, 503, None}, True, statuses)
    return unanswered


def ask(local, port, call):
    """The status that the client saw, `None` when the connection broke."""
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        forged = {"authorization": call.authorization, "tollgate-account": "other", "tollgate-credential": "other"}
        local.connection.request("GET", call.path, None, forged)
        answer = local.connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        local.connection.close()
        return None


def who(call):
    found = identity(call)
    return tuple(only(found[name]) for name in ["account", "project", "credential"])


def kind(call):
    return only(identity(call)["credential-kind"])


def only(values):
    equal(len(values), 1, values)
    return values[0]


def check_ledger(tollgate, seen, unanswered):
    """What the API saw is counted, and nothing more than what nobody got an answer to, in every way of adding it up."""
    for account in {account for account, _, _ in seen}:
        for by, field, place in [("key", "accessKeyId", 2), ("project", "projectId", 1)]:
            low, high = Counter(), Counter()
            for calls, sums in [(seen, [low, high]), (unanswered, [high])]:
                for counted_on, number in calls.items():
                    if counted_on[0] == account:
                        for each in sums:
                            each[counted_on[place]] += number
            counted, total = usage(tollgate, account, by, field)
            equal(set(counted) <= set(high), True, f"{counted} by {by}")
            for id in high:
                about = f"{by} {id}: {low[id]} seen, {counted[id]} counted, at most {high[id]}"
                equal(low[id] <= counted[id] <= high[id], True, about)
            equal(total, sum(counted.values()), by)


def usage(tollgate, account, by, field):
    """The ledger as the operator's command line shows it."""
    arguments = ["--data", tollgate.directory / "data", "usage", "show", "--account", account, "--by", by, "-o", "json"]
    answer = json.loads(tollgate.run(*arguments))
    counted = Counter()
    for row in answer["usage"]:
        counted[row.get(field) or row["servicePlanId"]] += row["calls"]
    return counted, answer["totalCalls"]


if __name__ == "__main__":
    main()
