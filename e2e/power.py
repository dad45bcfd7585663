#!/usr/bin/env python3
"""Takes the power away: replays what Tollgate wrote and synced, and starts it on the disk as it may look at any moment.

    e2e/power.py [--cuts N] [--seconds N] [--durability disk|process] [--seed N] TOLLGATE

Tollgate runs under strace while customers make and delete keys, issue and revoke tokens, and call the gate; they note when they
asked and when they were answered. Then, for each of N instants: a data directory as a loss of power could have left it, a start, a
look at every credential and at the bill. What was acknowledged before the instant must hold. With `--durability process`, which
promises less, the calls of the last moments are missing and this fails.
"""

import argparse
import os
import random
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import disk
from ledger_test import PRODUCTS, usage
from tollgate import Tollgate, equal

CUSTOMERS = 4


class Credential:
    """What a customer calls with, and when it began and ended."""

    def __init__(self, key, authorization, made):
        self.key, self.authorization, self.made = key, authorization, made
        self.end_asked = self.end_acknowledged = None

    def expected(self, cut):
        """Whether it must be let through after a cut; None where nobody can say."""
        if self.end_acknowledged is not None and self.end_acknowledged < cut:
            return False
        if self.made >= cut or (self.end_asked is not None and self.end_asked < cut):
            return None
        return True


class Customer(threading.Thread):
    """One project, and what was asked and acknowledged in it, with its time."""

    def __init__(self, tollgate, seed):
        super().__init__()
        self.tollgate, self.random = tollgate, random.Random(seed)
        self.account = tollgate.account()
        self.project = tollgate.project(self.account)
        self.keys, self.tokens, self.credentials, self.calls = [], [], [], []
        self.stopping, self.failed = threading.Event(), None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.random.choice([self.make, self.delete, self.issue, self.revoke] + [self.call] * 8)()
        except BaseException as problem:
            self.failed = problem

    def add(self, key, authorization):
        credential = Credential(key, authorization, time.time())
        self.credentials.append(credential)
        return credential

    def make(self):
        if len(self.keys) < 6:
            key = self.tollgate.key(self.project, f"key {self.random.getrandbits(64):x}", ["numbers"])
            self.keys.append((key, self.add(key.id, key.basic())))

    def delete(self):
        if len(self.keys) > 3:
            key, _ = self.keys.pop(self.random.randrange(len(self.keys)))
            self.tokens = [token for token in self.tokens if token[0].id != key.id]
            self.ended([known for known in self.credentials if known.key == key.id], lambda: self.tollgate.operate("DELETE", self.path(key.id)))

    def issue(self):
        if self.keys and len(self.tokens) < 10:
            key, _ = self.random.choice(self.keys)
            text = key.token()
            self.tokens.append((key, text, self.add(key.id, f"Bearer {text}")))

    def revoke(self):
        if len(self.tokens) > 3:
            key, text, credential = self.tokens.pop(self.random.randrange(len(self.tokens)))
            headers = {"authorization": key.basic(), "content-type": "application/x-www-form-urlencoded"}
            self.ended([credential], lambda: equal(self.tollgate.ask("POST", "/oauth2/revoke", f"token={text}", headers)[0], 200))

    def ended(self, credentials, ask):
        live = [credential for credential in credentials if credential.end_acknowledged is None]
        for credential in live:
            credential.end_asked = time.time()
        ask()
        for credential in live:
            credential.end_acknowledged = time.time()

    def call(self):
        live = [credential for _, credential in self.keys] + [credential for _, _, credential in self.tokens]
        if live:
            credential = self.random.choice(live)
            asked = time.time()
            equal(self.gate(self.tollgate, credential), 200)
            self.calls.append((credential.key, asked, time.time()))

    def gate(self, tollgate, credential):
        path = f"/v1/projects/{self.project}/numbers"
        headers = {"authorization": credential.authorization, "x-forwarded-method": "GET", "x-forwarded-uri": path}
        return tollgate.ask("GET", "/gate", None, headers)[0]

    def path(self, key):
        return f"/v1/projects/{self.project}/accessKeys/{key}"

    def check(self, tollgate, cut):
        """The bill first: to try a credential is a call."""
        counted, _ = usage(tollgate, self.account, "key", "accessKeyId")
        least = Counter(key for key, _, acknowledged in self.calls if acknowledged < cut)
        most = Counter(key for key, asked, _ in self.calls if asked < cut)
        for key in counted | most:
            fits = least[key] <= counted[key] <= most[key]
            equal(fits, True, f"{key}: {counted[key]} counted, {least[key]} let through, at most {most[key]}")
        for credential in self.credentials:
            expected = credential.expected(cut)
            if expected is not None:
                status = self.gate(tollgate, credential)
                equal(status == 200, expected, f"{credential.key}, {credential.authorization[:6]}: {status}")
        return sum(least.values())


def record(binary, directory, configuration, seconds, seed):
    """A run under strace: its customers, its events, and the instants between which it was ready."""
    wrapper = directory / "traced"
    wrapper.write_text(f'#!/bin/sh\nexec {" ".join(disk.STRACE)} {directory}/trace {Path(binary).resolve()} "$@"\n')
    wrapper.chmod(0o755)
    with Tollgate(str(wrapper), directory, configuration) as tollgate:
        customers = [Customer(tollgate, f"{seed}/{place}") for place in range(CUSTOMERS)]
        began = time.time()
        for customer in customers:
            customer.start()
        time.sleep(seconds)
        for customer in customers:
            customer.stopping.set()
        for customer in customers:
            customer.join()
            if customer.failed:
                raise customer.failed
        ended = time.time()
        tollgate.stop()
    return tollgate, customers, disk.read(sorted(directory.glob("trace.*")), tollgate.directory / "data"), (began, ended)


def look(binary, traced, customers, cut, directory, state, chance):
    """Starts Tollgate on what the disk may hold, and lets the customers look."""
    data = directory / "data"
    data.mkdir(mode=0o700)
    state.write_to(data, chance)
    replayed = Tollgate(binary, directory, "")
    replayed.port = traced.port
    replayed.file.write_text(traced.file.read_text().replace(str(traced.directory), str(directory)))
    with replayed:
        calls = sum(customer.check(replayed, cut) for customer in customers)
        replayed.stop()
    with sqlite3.connect(data / "tollgate.db") as database:
        equal(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
    return calls


def lose_power(binary, cuts, seconds, durability, seed):
    chance = random.Random(seed)
    configuration = f'[metering]\ndurability = "{durability}"\n{PRODUCTS}'
    with tempfile.TemporaryDirectory(prefix="tollgate-power.", dir="/tmp") as directory:
        traced_in = Path(directory) / "traced"
        traced_in.mkdir()
        traced, customers, events, (began, ended) = record(binary, traced_in, configuration, seconds, seed)
        syncs = sum(event.kind == "sync" for event in events)
        state = disk.Disk(events)
        calls = 0
        for number, cut in enumerate(sorted(chance.uniform(began, ended) for _ in range(cuts))):
            state.advance(cut)
            place = Path(directory) / f"cut-{number}"
            place.mkdir()
            try:
                calls = look(binary, traced, customers, cut, place, state, chance)
            except BaseException:
                print(f"cut {number}, {cut - began:.6f} s after the first request", flush=True)
                raise
            subprocess.run(["rm", "-r", place], check=True)
        print(
            f"ok: {cuts} cuts, {durability}: {len(events)} writes and syncs ({syncs}), {calls} calls before the last cut,"
            f" {sum(len(customer.credentials) for customer in customers)} credentials"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--durability", choices=["process", "disk"], default="disk")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("tollgate", nargs="?", default=os.environ.get("TOLLGATE_BINARY"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    lose_power(options.tollgate, options.cuts, options.seconds, options.durability, options.seed)


if __name__ == "__main__":
    main()
