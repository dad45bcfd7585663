"""Clients that call the gate again and again over kept connections, and remember what they were told."""

import http.client
import threading
import time
from collections import Counter

from ledger_test import usage
from tollgate import equal

OUTAGE = 503
# Who waits for a batch of the ledger may wait for the one before it too.
LONGEST_WAIT_SECONDS = 2.0


class Callers:
    """One key per caller. What is answered is 200, or 503 where the fault allows it, and never a denial."""

    def __init__(self, tollgate, number=4, pause=0.002):
        self.tollgate, self.pause = tollgate, pause
        self.account = tollgate.account()
        self.project = tollgate.project(self.account)
        self.keys = [tollgate.key(self.project, f"caller {number}", ["numbers"]) for number in range(number)]
        self.let_through, self.statuses, self.slowest = Counter(), Counter(), 0.0
        self.lock, self.stopping, self.failed = threading.Lock(), threading.Event(), None
        self.threads = [threading.Thread(target=self.run, args=[key]) for key in self.keys]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, problem, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.failed and not problem:
            raise self.failed

    def run(self, key):
        connection = http.client.HTTPConnection("127.0.0.1", self.tollgate.port, timeout=30)
        try:
            while not self.stopping.is_set():
                self.call(connection, key)
                time.sleep(self.pause)
        except BaseException as problem:
            self.failed = problem
        finally:
            connection.close()

    def call(self, connection, key):
        began = time.monotonic()
        path = f"/v1/projects/{self.project}/numbers"
        headers = {"authorization": key.basic(), "x-forwarded-method": "GET", "x-forwarded-uri": path}
        connection.request("GET", "/gate", None, headers)
        answer = connection.getresponse()
        text = answer.read()
        equal(answer.status in (200, OUTAGE), True, f"{answer.status}: {text}")
        with self.lock:
            self.statuses[answer.status] += 1
            self.let_through[key.id] += answer.status == 200
            self.slowest = max(self.slowest, time.monotonic() - began)

    def wait_for(self, status, seconds=20):
        """Until every caller's next answers are this status alone."""
        deadline = time.monotonic() + seconds
        self.statuses.clear()
        # What was asked before this one and is answered after it does not count.
        while self.statuses[status] < 3 * len(self.keys):
            equal((self.failed, time.monotonic() < deadline), (None, True), f"no {status} in {seconds} s, but {self.statuses}")
            time.sleep(0.02)
            with self.lock:
                if set(self.statuses) - {status}:
                    self.statuses.clear()

    def check_bill(self):
        """Every call that was let through is counted, once, and none that was refused."""
        counted, total = usage(self.tollgate, self.account, "key", "accessKeyId")
        equal(counted, +self.let_through)
        equal(total, sum(self.let_through.values()))
        return total
