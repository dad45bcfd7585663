#!/usr/bin/env python3
"""What Tollgate does when what it stands on fails it, or its clients do: each fault is made, seen, and taken away again.

    e2e/faults_test.py [--only WORD] [TOLLGATE]        as root: a full disk is a small file system of its own
"""

import argparse
import os
import tempfile
import time

import faults_clients
import faults_clock
import faults_connections
import faults_http2
import faults_store

NOUNS = [faults_store, faults_connections, faults_clients, faults_http2, faults_clock]
FAULTS = [fault for noun in NOUNS for fault in noun.FAULTS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the faults whose name has this word")
    parser.add_argument("tollgate", nargs="?", default=os.environ.get("TOLLGATE_BINARY"))
    options = parser.parse_args()
    for fault in FAULTS:
        if options.only in fault.__name__:
            # Short, because the path of a Unix socket may not be long.
            with tempfile.TemporaryDirectory(prefix="tollgate-faults.", dir="/tmp") as directory:
                began = time.monotonic()
                seen = fault(options.tollgate, directory)
                name = fault.__name__.replace("_", " ")
                print(f"ok: {name}: {seen} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
