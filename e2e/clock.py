"""A server's clock that can be moved while it serves, by libfaketime. Waiting is not faked."""

import glob
import os

FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def movable_clock(file):
    """The environment of a server whose clock is ahead by as much as the file says."""
    libraries = glob.glob(FAKETIME)
    if not libraries:
        raise AssertionError(f"libfaketime is missing: {FAKETIME}")
    move(file, 0)
    return {
        "LD_PRELOAD": libraries[0],
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def move(file, seconds):
    """To so many seconds after the machine's. In one step: half a file would be another time."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+}\n")
    os.replace(new, file)
