#!/usr/bin/env python3
"""Takes a backup under load and restores it in another place: what was acknowledged before the backup holds there.

Half of the customers of the crash test have stopped before the backup begins: each of their credentials must be what it was, and
their bill the same to the call. The others work on meanwhile: their bill has at least the calls from before the backup, and at
most all.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from crash import CUSTOMERS, Customer
from ledger_test import PRODUCTS, usage
from tollgate import Tollgate, equal

LOAD_SECONDS = 1.5


def main():
    binary = os.environ["TOLLGATE_BINARY"]
    with tempfile.TemporaryDirectory(prefix="tollgate-backup.", dir="/tmp") as directory:
        first, second = Path(directory) / "a", Path(directory) / "b"
        first.mkdir()
        second.mkdir()
        backup = Path(directory) / "backup.db"
        with Tollgate(binary, first, PRODUCTS) as tollgate:
            still, busy, before = under_load(tollgate, backup)
            refused(binary, tollgate, backup, "in use by another tollgate")
            tollgate.stop()
            other = Tollgate(binary, second, PRODUCTS)
            # Tokens name their issuer: the other one must have the same address.
            other.port = tollgate.port
            other.file.write_text(tollgate.file.read_text().replace(str(first), str(second)))
            refused(binary, other, backup, "the master key of the backup is missing")
            (second / "data").mkdir(mode=0o700)
            shutil.copy(first / "data/master.key", second / "data")
            print(other.run("restore", backup, "--config", other.file).strip())
            refused(binary, other, backup, "--force")
        with other:
            for customer in still:
                customer.tollgate = other
                customer.check_everything()
            for customer, least in zip(busy, before):
                counted, _ = usage(other, customer.account, "key", "accessKeyId")
                for id, calls in least.items():
                    most = customer.let_through[id] + customer.unanswered[id]
                    equal(calls <= counted[id] <= most, True, f"{id}: {counted[id]} counted, {calls} before the backup, at most {most}")
            calls = sum(sum(customer.let_through.values()) for customer in still)
            print(f"ok: {calls} calls of those who stopped before the backup, and {sum(map(sum_of, before))} of the others")


def under_load(tollgate, backup):
    """The customers who had stopped before the backup, the others, and what had been let through for those when it began."""
    customers = [Customer(tollgate, seed) for seed in range(CUSTOMERS)]
    still, busy = customers[::2], customers[1::2]
    for customer in customers:
        customer.start()
    try:
        time.sleep(LOAD_SECONDS)
        end(still)
        before = [customer.let_through.copy() for customer in busy]
        print(tollgate.run("backup", backup, "--config", tollgate.file).strip())
        print(tollgate.run("backup", backup, "--config", tollgate.file, "--force").strip())
    finally:
        end(customers)
    equal(min(map(sum_of, before)) > 0, True)
    return still, busy, before


def end(customers):
    for customer in customers:
        customer.stopping.set()
    for customer in customers:
        customer.join()
        if customer.failed:
            raise customer.failed


def refused(binary, tollgate, backup, reason):
    command = [binary, "restore", backup, "--config", tollgate.file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    equal((done.returncode != 0, reason in done.stderr), (True, True), done.stderr)


def sum_of(counts):
    return sum(counts.values())


if __name__ == "__main__":
    main()
