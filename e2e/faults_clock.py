"""A fault of the machine: its clock steps an hour forward and an hour back while the server serves."""

import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from callers import Callers
from clock import movable_clock, move
from ledger_test import PRODUCTS
from tollgate import Tollgate, equal, until

HOUR = 3600
LIMITED = PRODUCTS.replace("token_burst = 0\ntoken_per_second = 0", "token_burst = 8\ntoken_per_second = 1")
FORM = "application/x-www-form-urlencoded"


def middle_of_a_month():
    """How many seconds away a noon is from which an hour leads into no other month, whose usage would be shown apart."""
    now = datetime.now(timezone.utc)
    return int(((now + timedelta(days=31)).replace(day=15, hour=12) - now).total_seconds())


class Shop:
    """A server with a clock that can be moved, and a customer with tokens of several times."""

    def __init__(self, tollgate, clock, callers):
        self.tollgate, self.callers = tollgate, callers
        self.clock, self.noon = clock
        # A key of its own, on an account of its own, whose calls the callers' bill has not.
        self.project = tollgate.project(tollgate.account())
        self.key = tollgate.key(self.project, "clock", ["numbers"])
        self.kid = self.kids()

    def move(self, seconds):
        move(self.clock, self.noon + seconds)

    def steady(self):
        """All goes on: calls, folds of the ledger, changes; and the signing keys that are published are the same."""
        self.callers.wait_for(200)
        equal(set(self.callers.statuses), {200})
        counted = self.counted()
        until("the ledger goes on to be folded", 10, lambda: self.counted() > counted)
        made = self.tollgate.key(self.project, f"made at {time.monotonic()}", ["numbers"])
        equal(self.gate(made.basic())[0], 200)
        self.tollgate.operate("DELETE", f"/v1/projects/{self.project}/accessKeys/{made.id}")
        equal(self.gate(made.basic())[0], 401)
        equal(self.kids(), self.kid)

    def counted(self):
        return self.tollgate.operate("GET", f"/v1/accounts/{self.callers.account}/usage")["totalCalls"]

    def kids(self):
        return {key["kid"] for key in json.loads(self.tollgate.ask("GET", "/.well-known/jwks.json")[2])["keys"]}

    def gate(self, authorization):
        """Status of a call, and why it was refused."""
        path = f"/v1/projects/{self.project}/numbers"
        headers = {"authorization": authorization, "x-forwarded-method": "GET", "x-forwarded-uri": path}
        status, answered, _ = self.tollgate.ask("GET", "/gate", None, headers)
        return status, answered.get("www-authenticate", "")

    def calls_with(self, *tokens):
        return [self.gate(f"Bearer {token}")[0] for token in tokens]

    def revoke(self, token):
        headers = {"authorization": self.key.basic(), "content-type": FORM}
        equal(self.tollgate.ask("POST", "/oauth2/revoke", f"token={token}", headers)[0], 200)

    def ask_token(self):
        headers = {"authorization": self.key.basic(), "content-type": FORM}
        return self.tollgate.ask("POST", "/oauth2/token", "grant_type=client_credentials", headers)[0]

    def use_up_limit(self):
        until("the limit is reached", 20, lambda: self.ask_token() == 429)

    def is_not_locked_out(self):
        until("the limit lets the next request through", 10, lambda: self.ask_token() == 200)
        time.sleep(3)  # One a second: for what is asked next.


def clock_steps(binary, directory):
    clock = Path(directory) / "clock", middle_of_a_month()
    tollgate = Tollgate(binary, directory, LIMITED)
    tollgate.environment = movable_clock(clock[0])
    move(*clock)
    with tollgate, Callers(tollgate) as callers:
        shop = Shop(tollgate, clock, callers)
        early, revoked = shop.key.token(), shop.key.token()
        shop.revoke(revoked)
        equal(shop.calls_with(early, revoked), [200, 401])
        shop.steady()

        shop.move(HOUR + 60)
        equal(shop.calls_with(early, revoked), [401, 401], "an hour later they are over")
        equal("expired" in shop.gate(f"Bearer {early}")[1], True)
        ahead, revoked_ahead = shop.key.token(), shop.key.token()
        shop.revoke(revoked_ahead)
        equal(shop.calls_with(ahead, revoked_ahead), [200, 401])
        shop.use_up_limit()
        shop.steady()

        for seconds in [0, -HOUR]:
            shop.move(seconds)
            equal(shop.calls_with(early, ahead, revoked, revoked_ahead), [200, 200, 401, 401], f"at {seconds} s")
            shop.is_not_locked_out()
            shop.use_up_limit()
            shop.steady()
        callers.__exit__(None)
        shop.move(0)
        tollgate.kill()
        tollgate.start()
        shop.move(HOUR + 60)
        calls = callers.check_bill()
    return f"an hour forward, two back: {calls} calls let through, each on the bill once; ends of tokens, revocations and limits hold"


FAULTS = [clock_steps]
