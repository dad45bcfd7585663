"""`tollgate serve` for a test: its own directory and ports, and the operator's way in."""

import base64
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

START_SECONDS = 30
CONFIGURATION = """
public_url = "http://127.0.0.1:@PORT@"
listen = "127.0.0.1:@PORT@"
admin_listen = "127.0.0.1:0"
data_dir = "@DIRECTORY@/data"

[http]
drain_wait_seconds = 0

@REST@
"""


class Tollgate:
    """A server that can be stopped, killed and started again on the same data and port."""

    def __init__(self, binary, directory, configuration, master_key=None):
        self.binary, self.directory = binary, Path(directory)
        self.port = free_port()
        self.file = self.directory / "tollgate.toml"
        self.socket = self.directory / "data/tollgate.sock"
        text = CONFIGURATION.replace("@PORT@", str(self.port)).replace("@DIRECTORY@", str(directory))
        if master_key:
            text = f'master_key_file = "{master_key}"\n{text}'
        self.file.write_text(text.replace("@REST@", configuration))
        self.process = None
        # A program that starts it, and more environment.
        self.under, self.environment = [], {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, problem, *_):
        if self.process.poll() is None:
            self.kill()
        if problem:
            print((self.directory / "tollgate.log").read_text(errors="replace")[-4000:], file=sys.stderr)

    def launch(self):
        with open(self.directory / "tollgate.log", "ab") as log:
            command = [*self.under, self.binary, "serve", "--config", self.file]
            environment = os.environ | self.environment
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
            )

    def start(self):
        self.launch()
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while self.ready() != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("Tollgate did not start")
            time.sleep(0.02)

    def ready(self):
        try:
            return self.ask("GET", "/readyz")[0]
        except OSError:
            return None

    def sockets(self):
        """How many it has open. Connections are among them, and files are not."""
        number = 0
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # It has just been closed.
                number += os.readlink(descriptor).startswith("socket:")
        return number

    def lowest_descriptor(self):
        """What the next file that it opens becomes."""
        taken = set(map(int, os.listdir(f"/proc/{self.process.pid}/fd")))
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def resident(self):
        """Its memory in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(15), 0)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None, headers={}):
        """Status, headers and text of an answer on the public port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def operate(self, method, path, body=None):
        """What the operator's socket answers, which must be 200."""
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(30)
        connection.sock.connect(str(self.socket))
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"content-type": "application/json"} if text else {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        equal(answer.status, 200, f"{method} {path}: {text}")
        return json.loads(text)

    def run(self, *arguments):
        """Standard output of a command of the same program, over the operator's socket where it asks a server."""
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, check=False)
        equal(done.returncode, 0, done.stderr)
        return done.stdout

    def account(self):
        return self.operate("POST", "/v1/accounts", {"displayName": "An account"})["accountId"]

    def project(self, account):
        return self.operate("POST", f"/v1/accounts/{account}/projects", {"displayName": "A project"})["projectId"]

    def subproject(self, project):
        return self.operate("POST", f"/v1/projects/{project}/subprojects", {"displayName": "Below"})["subprojectId"]

    def key(self, project, name, scopes):
        made = self.operate("POST", f"/v1/projects/{project}/accessKeys", {"displayName": name, "scopes": scopes})
        return Key(self, made["accessKey"]["accessKeyId"], made["secret"])

    def plan(self, project, name):
        """A service plan's id, and its first API token."""
        made = self.operate("POST", f"/v1/projects/{project}/servicePlans", {"displayName": name})
        return made["servicePlan"]["servicePlanId"], made["secret"]


class Key:
    """An access key of a test."""

    def __init__(self, tollgate, id, secret):
        self.tollgate, self.id, self.secret = tollgate, id, secret

    def basic(self, secret=None):
        pair = f"{self.id}:{secret or self.secret}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def token(self):
        headers = {"authorization": self.basic(), "content-type": "application/x-www-form-urlencoded"}
        status, _, text = self.tollgate.ask("POST", "/oauth2/token", "grant_type=client_credentials", headers)
        equal(status, 200, text)
        return json.loads(text)["access_token"]

    def bearer(self):
        return f"Bearer {self.token()}"


def until(what, seconds, is_so):
    """Waits until it is so, and fails when it is not in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        equal(time.monotonic() < deadline, True, f"not within {seconds} s: {what}")
        time.sleep(0.02)


def free_port():
    """Below the range from which the system gives ports to outgoing connections."""
    for port in random.sample(range(20000, 32000), 1000):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError("no free port")


def equal(actual, expected, about=""):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r} {about}")
