#!/usr/bin/env python3
"""Kills Tollgate again and again under load, and compares it with what it had acknowledged.

    e2e/crash.py [--kills N] [--store sqlite|postgresql] [--durability process|disk] [--seed N] TOLLGATE

Customers make, rotate, disable, enable and delete keys, issue and revoke tokens, make and revoke API tokens, and call the gate. Each
keeps a log of what was acknowledged. `kill -9` comes at random moments, also during a start and during a stop in order; on
PostgreSQL it comes to Tollgate, to PostgreSQL with all its processes, or to both. Ever after,
what was acknowledged holds: a live credential is let through, an ended one never again, and the bill has each call that was let
through once, and nothing more than what nobody got an answer to.
"""

import argparse
import http.client
import json
import os
import random
import socket
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from ledger_test import PRODUCTS, usage
from postgres import Postgres
from tollgate import Key, Tollgate, equal

CUSTOMERS = 6
KEYS_EACH = 4
# Ended credentials that are tried again until the end; more are forgotten at random.
ENDED_EACH = 200


class Unanswered(Exception):
    """The connection broke, or the server could not say whether it was done."""


class Secret:
    """What a customer calls the gate with."""

    def __init__(self, counted_on, path, authorization):
        self.counted_on, self.path, self.authorization = counted_on, path, authorization


class Customer(threading.Thread):
    """One project with keys and a service plan, and the log of what was acknowledged about them. Nobody else changes them."""

    def __init__(self, tollgate, seed):
        super().__init__()
        self.tollgate, self.random = tollgate, random.Random(seed)
        self.account = tollgate.account()
        self.project = tollgate.project(self.account)
        self.plan, _ = tollgate.plan(self.project, "sms")
        self.keys, self.disabled, self.tokens, self.api_tokens, self.ended = {}, {}, {}, {}, []
        self.let_through, self.unanswered = Counter(), Counter()
        self.acknowledged = Counter()
        self.connection, self.stopping, self.failed = None, threading.Event(), None

    def run(self):
        try:
            while not self.stopping.is_set():
                try:
                    self.step()
                except Unanswered:
                    time.sleep(0.005)
        except BaseException as problem:
            self.failed = problem

    def step(self):
        """Something that a customer does, by how often it is done."""
        if len(self.keys) + len(self.disabled) < 2:
            return self.make_key()
        changes = [self.make_key, self.delete_key, self.rotate, self.disable, self.enable, self.revoke]
        changes += [self.make_api_token, self.revoke_api_token]
        often = [self.call_live] * 24 + [self.call_ended] * 6 + [self.issue] * 4
        self.random.choice(changes + often)()

    # Keys. A key about which nobody knows what was done is deleted, which is repeated until it is acknowledged.

    def make_key(self):
        if len(self.keys) + len(self.disabled) >= KEYS_EACH:
            return
        name = f"key {self.random.getrandbits(64):x}"
        try:
            made = self.manage("POST", self.keys_path(), {"displayName": name, "scopes": ["numbers"]})
        except Unanswered:
            for key in self.surely("GET", self.keys_path())["accessKeys"]:
                if key["displayName"] == name:
                    self.surely("DELETE", self.keys_path(key["accessKeyId"]))
            return
        key = Key(self.tollgate, made["accessKey"]["accessKeyId"], made["secret"])
        self.keys[key.id] = key

    def delete_key(self):
        key = self.any_of(self.keys) or self.any_of(self.disabled)
        if key:
            self.end_key(key)

    def end_key(self, key):
        live = [self.by_secret(key)] + [token for token in self.tokens.values() if token.counted_on == key.id]
        self.forget(key)
        self.surely("DELETE", self.keys_path(key.id))
        self.ended += live

    def rotate(self):
        key = self.any_of(self.keys)
        if key:
            old = self.by_secret(key)
            made = self.change(key, "rotateSecret", {"overlapSeconds": 0})
            key.secret = made["secret"]
            self.ended.append(old)

    def disable(self):
        key = self.any_of(self.keys)
        if key:
            self.change(key, "disable")
            self.forget(key)
            self.disabled[key.id] = key

    def enable(self):
        key = self.any_of(self.disabled)
        if key:
            self.change(key, "enable")
            self.forget(key)
            self.keys[key.id] = key

    def change(self, key, verb, body=None):
        try:
            return self.manage("POST", f"{self.keys_path(key.id)}/{verb}", body or {})
        except Unanswered:
            self.end_key(key)
            raise

    def forget(self, key):
        self.keys.pop(key.id, None)
        self.disabled.pop(key.id, None)
        self.tokens = {text: token for text, token in self.tokens.items() if token.counted_on != key.id}

    # Tokens.

    def issue(self):
        key = self.any_of(self.keys)
        if key and len(self.tokens) < 20:
            text = self.oauth("token", key, grant_type="client_credentials")["access_token"]
            self.tokens[text] = Secret(key.id, self.numbers(), f"Bearer {text}")

    def revoke(self):
        text = self.random.choice(list(self.tokens)) if self.tokens else None
        key = text and self.keys.get(self.tokens[text].counted_on)
        if key:
            token = self.tokens.pop(text)
            self.oauth("revoke", key, token=text)
            self.ended.append(token)

    def make_api_token(self):
        if len(self.api_tokens) < 1:
            # One that nobody got an answer about takes the second place: all are ended first.
            for token in self.manage("GET", self.plan_path())["apiTokens"]:
                self.manage("DELETE", self.plan_path(token["apiTokenId"]))
            made = self.manage("POST", self.plan_path(), {})
            secret = Secret(self.plan, f"/xms/v1/{self.plan}/batches", f"Bearer {made['secret']}")
            self.api_tokens[made["apiToken"]["apiTokenId"]] = secret

    def revoke_api_token(self):
        if self.api_tokens:
            id, secret = self.api_tokens.popitem()
            self.surely("DELETE", self.plan_path(id))
            self.ended.append(secret)

    # Calls.

    def call_live(self):
        live = [self.by_secret(key) for key in self.keys.values()] + list(self.tokens.values()) + list(self.api_tokens.values())
        if live:
            self.call(self.random.choice(live), live=True)

    def call_ended(self):
        while len(self.ended) > ENDED_EACH:
            self.ended.pop(self.random.randrange(len(self.ended)))
        self.call_each(self.random.sample(self.ended, min(3, len(self.ended))))
        self.call_each([self.by_secret(key) for key in self.disabled.values()])

    def call_each(self, ended):
        for secret in ended:
            self.call(secret, live=False)

    def call(self, secret, live):
        about = f"{'a live' if live else 'an ended'} credential {secret.counted_on} on {secret.path}"
        headers = {"authorization": secret.authorization, "x-forwarded-method": "GET", "x-forwarded-uri": secret.path}
        try:
            status, _ = self.ask("GET", "/gate", None, headers)
        except Unanswered:
            self.unanswered[secret.counted_on] += 1
            raise
        if status == 200:
            self.let_through[secret.counted_on] += 1
        equal(status == 200, live, f"{about}: {status}")

    def by_secret(self, key):
        return Secret(key.id, self.numbers(), key.basic())

    # How it is asked.

    def numbers(self):
        return f"/v1/projects/{self.project}/numbers"

    def keys_path(self, id=None):
        return f"/v1/projects/{self.project}/accessKeys" + (f"/{id}" if id else "")

    def plan_path(self, id=None):
        return f"/v1/projects/{self.project}/servicePlans/{self.plan}/apiTokens" + (f"/{id}" if id else "")

    def any_of(self, keys):
        return self.random.choice(list(keys.values())) if keys else None

    def oauth(self, endpoint, key, **fields):
        headers = {"authorization": key.basic(), "content-type": "application/x-www-form-urlencoded"}
        status, text = self.ask("POST", f"/oauth2/{endpoint}", urlencode(fields), headers)
        equal(status, 200, text)
        self.acknowledged[endpoint] += 1
        return json.loads(text or "{}")

    def surely(self, method, path):
        """Asks until it is acknowledged; what is gone was deleted before."""
        while True:
            try:
                return self.manage(method, path, gone=True)
            except Unanswered:
                time.sleep(0.005)

    def manage(self, method, path, body=None, gone=False):
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.connect(str(self.tollgate.socket))
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"content-type": "application/json"} if text else {})
            status, text = answer_of(connection)
        except (OSError, http.client.HTTPException) as problem:
            raise Unanswered from problem
        finally:
            connection.close()
        if not (gone and status == 404):
            equal(status, 200, f"{method} {path}: {text}")
        self.acknowledged[f"{method} {path.rsplit('/', 1)[1]}" if method == "POST" else method] += 1
        return json.loads(text or "{}")

    def ask(self, method, path, body, headers):
        """Over one connection, as long as it is there."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.tollgate.port, timeout=30)
        try:
            self.connection.request(method, path, body, headers)
            return answer_of(self.connection)
        except (OSError, http.client.HTTPException) as problem:
            self.connection.close()
            raise Unanswered from problem

    def check_everything(self):
        """At the end: every credential, and the bill to the call."""
        # The kept connection was the server's before.
        self.connection = None
        self.call_each(self.ended)
        self.call_each([self.by_secret(key) for key in self.disabled.values()])
        for secret in [*map(self.by_secret, self.keys.values()), *self.tokens.values(), *self.api_tokens.values()]:
            self.call(secret, live=True)
        counted, total = usage(self.tollgate, self.account, "key", "accessKeyId")
        equal(total, sum(counted.values()))
        for id in counted | self.let_through:
            low, high = self.let_through[id], self.let_through[id] + self.unanswered[id]
            equal(low <= counted[id] <= high, True, f"{id}: {counted[id]} counted, {low} let through, at most {high}")


def answer_of(connection):
    answer = connection.getresponse()
    text = answer.read()
    # An outage is no answer: whether it was done is not known.
    if answer.status == 503:
        raise Unanswered
    return answer.status, text


def kill_tollgate(tollgate, chance):
    if chance.random() < 0.1:
        tollgate.process.terminate()
        time.sleep(chance.uniform(0, 0.02))
    tollgate.kill()
    if chance.random() < 0.1:
        tollgate.launch()
        time.sleep(chance.uniform(0, 0.1))
        tollgate.kill()
    tollgate.start()


def kill_something(tollgate, postgres, chance):
    victim = chance.choice(["Tollgate", "PostgreSQL", "both"]) if postgres else "Tollgate"
    if victim == "Tollgate":
        return kill_tollgate(tollgate, chance)
    postgres.kill()
    if victim == "both":
        tollgate.kill()
    time.sleep(chance.uniform(0, 0.5))
    postgres.start()
    if victim == "both":
        tollgate.start()
    else:
        tollgate.wait_until_ready()


def crash(binary, kills, store, durability, seed):
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="tollgate-crash.", dir="/tmp") as directory, ExitStack() as stack:
        configuration = f'[metering]\ndurability = "{durability}"\n{PRODUCTS}'
        postgres = stack.enter_context(Postgres(directory)) if store == "postgresql" else None
        if postgres:
            configuration = f'[database]\nurl = "{postgres.url}"\n{configuration}'
            master_key = Path(directory) / "given.key"
            master_key.write_text(f"{chance.getrandbits(256):064x}\n")
        else:
            master_key = None
        with Tollgate(binary, directory, configuration, master_key) as tollgate:
            customers = [Customer(tollgate, chance.random()) for _ in range(CUSTOMERS)]
            for customer in customers:
                customer.start()
            try:
                for _ in range(kills):
                    time.sleep(chance.uniform(0, 0.5))
                    kill_something(tollgate, postgres, chance)
                    if any(customer.failed for customer in customers):
                        break
            finally:
                for customer in customers:
                    customer.stopping.set()
                for customer in customers:
                    customer.join()
            for customer in customers:
                if customer.failed:
                    raise customer.failed
                customer.check_everything()
            acknowledged = sum((customer.acknowledged for customer in customers), Counter())
            let_through = sum(sum(customer.let_through.values()) for customer in customers)
            unanswered = sum(sum(customer.unanswered.values()) for customer in customers)
            print(
                f"ok: {kills} kills, {store}, {durability}: {let_through} calls let through and counted, {unanswered} without an answer,"
                f" {sum(acknowledged.values())} other requests acknowledged ({dict(acknowledged)})"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--durability", choices=["process", "disk"], default="process")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("tollgate", nargs="?", default=os.environ.get("TOLLGATE_BINARY"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    crash(options.tollgate, options.kills, options.store, options.durability, options.seed)


if __name__ == "__main__":
    main()
