"""Gateways that we did not write, started from the configurations that `tollgate gateway print` prints, and an API behind
them that writes down what reached it."""

import http.client
import os
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tollgate import free_port

START_SECONDS = 30
NGINX = """
daemon off;
@USER@
worker_processes 1;
pid @DIRECTORY@/nginx.pid;
error_log @DIRECTORY@/error.log notice;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path @DIRECTORY@/body;
    proxy_temp_path @DIRECTORY@/proxy;
    fastcgi_temp_path @DIRECTORY@/fastcgi;
    uwsgi_temp_path @DIRECTORY@/uwsgi;
    scgi_temp_path @DIRECTORY@/scgi;
    large_client_header_buffers 4 16k;
    keepalive_requests 100000;
    include @DIRECTORY@/printed;
}
"""


def beside(name):
    """A program of the packages that are installed beside this Python."""
    return str(Path(sys.executable).parent / name)


class Gateway:
    """A process of its own: everything that it writes is in one directory."""

    def __init__(self, tollgate, api):
        self.directory = tollgate.directory / type(self).__name__
        self.directory.mkdir()
        self.port = free_port()
        self.log = self.directory / "log"
        self.printed = self.directory / self.file
        listen = f"127.0.0.1:{self.port}"
        arguments = ["--config", tollgate.file, "--listen", listen, "--api", f"127.0.0.1:{api}"]
        self.printed.write_text(tollgate.run("gateway", "print", self.kind, *arguments))

    def __enter__(self):
        home = os.environ | {"HOME": str(self.directory), "XDG_CONFIG_HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory)}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.directory, env=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.asks():
                return self
            time.sleep(0.02)
        self.__exit__(AssertionError)
        raise AssertionError(f"{self.kind} did not start")

    def asks(self):
        """Whether it asks Tollgate, which says in JSON that there is no such route."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().headers.get_content_type() == "application/json"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def __exit__(self, problem, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if problem:
            print(f"--- {self.kind}\n{self.log.read_text(errors='replace')[-3000:]}", file=sys.stderr)


class Nginx(Gateway):
    kind, file = "nginx", "printed"

    def command(self):
        configuration = self.directory / "nginx.conf"
        text = NGINX.replace("@DIRECTORY@", str(self.directory))
        configuration.write_text(text.replace("@USER@", "user root;" if os.getuid() == 0 else ""))
        # Debian keeps it where only root's PATH looks.
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        return [program, "-p", str(self.directory), "-e", str(self.log), "-c", str(configuration)]


class Caddy(Gateway):
    kind, file = "caddy", "printed"

    def command(self):
        configuration = self.directory / "Caddyfile"
        configuration.write_text("{\n    admin off\n    auto_https off\n    persist_config off\n}\nimport printed\n")
        return [beside("caddy"), "run", "--adapter", "caddyfile", "--config", str(configuration)]


class Traefik(Gateway):
    kind, file = "traefik", "printed.yaml"

    def command(self):
        listen = f"--entryPoints.web.address=127.0.0.1:{self.port}"
        files = f"--providers.file.filename={self.printed}"
        quiet = ["--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"]
        return [beside("traefik"), listen, files, *quiet]


class Envoy(Gateway):
    kind, file = "envoy", "printed.yaml"

    def command(self):
        # Several run at once, and one does not restart another.
        return [beside("envoy"), "--config-path", str(self.printed), "--disable-hot-restart", "--log-level", "warning"]


class EnvoyHttp(Envoy):
    kind = "envoy-http"


class Api(ThreadingHTTPServer):
    """Writes down each call that reaches it."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = []

    @property
    def port(self):
        return self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self):
        length = len(self.body())
        self.server.seen.append(
            {"method": self.command, "path": self.path, "length": length, "headers": self.headers.items()}
        )
        body = b'{"hello":"world"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_):
        pass


def identity(call):
    """The identity headers of a call as the API saw them, however they were spelled."""
    found = {}
    for name, value in call["headers"]:
        plain = name.lower().replace("_", "-")
        if plain.startswith("tollgate-"):
            found.setdefault(plain.removeprefix("tollgate-"), []).append(value)
    return found
