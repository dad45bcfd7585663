"""A disk as it may look after a loss of power: made of the system calls that a program made, as strace wrote them down.

What was synced is there. Of what was written after that, each sector of 512 bytes may be there or not; a file that was made or
removed is so for certain only when its directory was synced. Names are taken in the order in which they were given.
"""

import re
from pathlib import Path

SECTOR = 512
CALLS = "openat,write,pwrite64,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,link,linkat"
STRACE = ["strace", "-D", "-ff", "-ttt", "-T", "-y", "-xx", "-s", "100000000", "-e", f"trace={CALLS}", "-o"]
LINE = re.compile(r"^(\d+\.\d+) (\w+)\((.*)\) += (-?\d+)(?:<[^>]*>)?(?: .*)? <(\d+\.\d+)>$", re.S)
HEX = re.compile(r'"((?:\\x[0-9a-f]{2})*)"|<((?:\\x[0-9a-f]{2})+)>')


class Event:
    """A system call on a file of the data directory."""

    def __init__(self, at, kind, path, began=None, offset=0, data=b"", to=None):
        self.at, self.kind, self.path, self.began, self.offset, self.data, self.to = at, kind, path, began, offset, data, to


class File:
    def __init__(self):
        self.synced, self.pending = bytearray(), []


class Disk:
    """The files of a directory, from the first event on."""

    def __init__(self, events):
        self.events, self.place = events, 0
        self.names, self.synced_names, self.pending_names = {}, {}, []

    def advance(self, to):
        """Does what happened before the instant `to`."""
        while self.place < len(self.events) and self.events[self.place].at < to:
            self.do(self.events[self.place])
            self.place += 1

    def do(self, event):
        if event.kind == "create" and event.path not in self.names:
            self.name(event.at, event.path, File())
        elif event.kind == "unlink":
            self.name(event.at, event.path, None)
        elif event.kind == "rename":
            self.name(event.at, event.to, self.names[event.path])
            self.name(event.at, event.path, None)
        elif event.kind in ("write", "truncate") and event.path in self.names:
            self.names[event.path].pending.append(event)
        elif event.kind == "sync" and event.path in self.names:
            file = self.names[event.path]
            for done in [done for done in file.pending if done.at < event.began]:
                put(file.synced, done)
            file.pending = [done for done in file.pending if done.at >= event.began]
        elif event.kind == "sync directory":
            for at, path, file in self.pending_names:
                if at < event.began:
                    rename(self.synced_names, path, file)
            self.pending_names = [named for named in self.pending_names if named[0] >= event.began]

    def name(self, at, path, file):
        rename(self.names, path, file)
        self.pending_names.append((at, path, file))

    def write_to(self, directory, chance):
        """What may be found at this instant."""
        names = dict(self.synced_names)
        for _, path, file in self.pending_names[: chance.randint(0, len(self.pending_names))]:
            rename(names, path, file)
        # All, none, or any part of what was not synced.
        likely = chance.choice([0.0, 1.0, chance.random()])
        for path, file in names.items():
            content = bytearray(file.synced)
            for event in file.pending:
                if event.kind == "truncate":
                    if chance.random() < likely:
                        put(content, event)
                    continue
                for start in range(0, len(event.data), SECTOR):
                    if chance.random() < likely:
                        part = Event(event.at, "write", path, offset=event.offset + start, data=event.data[start : start + SECTOR])
                        put(content, part)
            target = Path(directory) / path
            target.write_bytes(content)
            target.chmod(0o600)


def rename(names, path, file):
    if file is None:
        names.pop(path, None)
    else:
        names[path] = file


def put(content, event):
    if event.kind == "truncate":
        del content[event.offset :]
        content.extend(bytes(event.offset - len(content)))
        return
    end = event.offset + len(event.data)
    content.extend(bytes(max(0, end - len(content))))
    content[event.offset : end] = event.data


def read(traces, directory):
    """The events of a data directory in the order of time; names are those within it."""
    prefix = str(directory)
    events, positions = [], {}
    lines = [line for trace in traces for line in trace.read_text().splitlines() if line[:1].isdigit()]
    for line in sorted(lines, key=lambda line: line.split(" ", 1)[0]):
        found = LINE.match(line)
        if found and int(found[4]) >= 0:
            events += event_of(found, prefix, positions)
    return sorted(events, key=lambda event: event.at)


def event_of(found, prefix, positions):
    began, call, arguments, result, took = float(found[1]), found[2], found[3], int(found[4]), float(found[5])
    end = began + took
    texts = [bytes.fromhex((text or fd).replace("\\x", "")) for text, fd in HEX.findall(arguments)]
    inside = [path_in(text, prefix) for text in texts]
    if call.startswith("f") and call in ("fsync", "fdatasync"):
        if texts and texts[0].decode(errors="replace") == prefix:
            return [Event(end, "sync directory", None, began=began)]
        return [Event(end, "sync", inside[0], began=began)] if inside and inside[0] else []
    if call == "openat":
        paths = [path for path in inside if path]
        made = paths and "O_CREAT" in arguments
        events = [Event(began, "create", paths[0])] if made else []
        if paths and "O_TRUNC" in arguments:
            events.append(Event(began, "truncate", paths[0], offset=0))
        if paths:
            positions[paths[0]] = 0
        return events
    if call in ("rename", "renameat", "renameat2", "link", "linkat"):
        paths = [path for path in inside if path]
        assert not call.startswith("link") or not paths, found[0]
        # A socket is no file.
        return [Event(began, "rename", paths[0], to=paths[1])] if len(paths) == 2 else []
    if call in ("unlink", "unlinkat"):
        paths = [path for path in inside if path]
        return [Event(began, "unlink", paths[0])] if paths else []
    if not inside or not inside[0]:
        return []
    if call == "ftruncate":
        return [Event(began, "truncate", inside[0], offset=int(arguments.rsplit(", ", 1)[1]))]
    if call == "pwrite64":
        return [Event(began, "write", inside[0], offset=int(arguments.rsplit(", ", 1)[1]), data=texts[1][:result])]
    if call == "write":
        at = positions.get(inside[0], 0)
        positions[inside[0]] = at + result
        return [Event(began, "write", inside[0], offset=at, data=texts[1][:result])]
    raise AssertionError(f"what does this do to a disk? {found[0][:200]}")


def path_in(text, prefix):
    """The name of a file in the data directory that outlives the program."""
    path = text.decode(errors="replace")
    name = path[len(prefix) + 1 :] if path.startswith(prefix + "/") else ""
    return name if name and not name.endswith(("-shm", ".sock", "lock")) else None
