"""A real nginx with `auth_request`, a small backend behind it, and what the tests with them share."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler

IDENTITY = ["account", "project", "credential", "credential-kind", "scope", "request-id"]

CONFIGURATION = r"""
daemon off;
@USER@
worker_processes 1;
pid @DIRECTORY@/nginx.pid;
error_log @DIRECTORY@/error.log notice;

events {
    worker_connections 1024;
}

http {
    access_log off;
    client_body_temp_path @DIRECTORY@/body;
    proxy_temp_path @DIRECTORY@/proxy;
    fastcgi_temp_path @DIRECTORY@/fastcgi;
    uwsgi_temp_path @DIRECTORY@/uwsgi;
    scgi_temp_path @DIRECTORY@/scgi;
    keepalive_requests 100000;

    upstream tollgate {
        server @TOLLGATE@;
        keepalive 32;
    }

    upstream backend {
        server @BACKEND@;
        keepalive 32;
    }

    server {
        listen 127.0.0.1:@PORT@;

        location / {
            auth_request /_tollgate;
            auth_request_set $tollgate_account $upstream_http_tollgate_account;
            auth_request_set $tollgate_project $upstream_http_tollgate_project;
            auth_request_set $tollgate_credential $upstream_http_tollgate_credential;
            auth_request_set $tollgate_credential_kind $upstream_http_tollgate_credential_kind;
            auth_request_set $tollgate_scope $upstream_http_tollgate_scope;
            auth_request_set $tollgate_request_id $upstream_http_tollgate_request_id;
            auth_request_set $tollgate_deny $upstream_http_tollgate_deny;
            error_page 401 = @unauthorized;
            error_page 403 = @forbidden;

            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header Authorization "";
            proxy_set_header tollgate-account $tollgate_account;
            proxy_set_header tollgate-project $tollgate_project;
            proxy_set_header tollgate-credential $tollgate_credential;
            proxy_set_header tollgate-credential-kind $tollgate_credential_kind;
            proxy_set_header tollgate-scope $tollgate_scope;
            proxy_set_header tollgate-request-id $tollgate_request_id;
        }

        location = /_tollgate {
            internal;
            proxy_pass http://tollgate/gate/nginx;
            proxy_http_version 1.1;
            # A question that may have been heard is not asked again: it would count twice.
            proxy_next_upstream off;
            proxy_pass_request_body off;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Original-URI $request_uri;
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Forwarded-For $remote_addr;
        }

        # nginx has dropped the body of the denial; the challenge is still there.
        location @unauthorized {
            default_type application/json;
            return 401 '{"error":{"code":401,"message":"$tollgate_deny","status":"UNAUTHENTICATED"}}';
        }

        # nginx knows no denial but 401 and 403: the reason says which one it was.
        location @forbidden {
            default_type application/json;
            if ($tollgate_deny = "@NO_ROUTE@") {
                return 404 '{"error":{"code":404,"message":"$tollgate_deny","status":"NOT_FOUND"}}';
            }
            return 403 '{"error":{"code":403,"message":"$tollgate_deny","status":"PERMISSION_DENIED"}}';
        }
    }
}
"""
NO_ROUTE = "no_route"



class Backend(BaseHTTPRequestHandler):
    """Writes down what reached it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        length = int(self.headers.get("content-length", 0))
        call = {"path": self.path, "length": len(self.rfile.read(length))}
        call["authorization"] = self.headers.get_all("authorization", [])
        call |= {name: self.headers.get_all(f"tollgate-{name}", []) for name in IDENTITY}
        self.server.seen.append(call)
        body = b'{"hello":"world"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Nginx:
    """A server of its own: everything that it writes is in one directory."""

    def __init__(self, directory, tollgate, backend):
        self.port = free_port()
        self.log = directory / "error.log"
        self.configuration = directory / "nginx.conf"
        self.configuration.write_text(
            CONFIGURATION.replace("@DIRECTORY@", str(directory))
            .replace("@USER@", "user root;" if os.getuid() == 0 else "")
            .replace("@PORT@", str(self.port))
            .replace("@TOLLGATE@", tollgate)
            .replace("@BACKEND@", f"127.0.0.1:{backend}")
            .replace("@NO_ROUTE@", NO_ROUTE)
        )
        # Debian keeps it where only root's PATH looks.
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        self.command = [program, "-p", str(directory), "-e", str(self.log), "-c", str(self.configuration)]

    def __enter__(self):
        subprocess.run([*self.command, "-q", "-t"], check=True)
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except ConnectionRefusedError:
                time.sleep(0.02)
        self.__exit__(AssertionError)
        raise AssertionError("nginx did not start")

    def __exit__(self, problem, *_):
        self.process.terminate()
        self.process.wait(10)
        if problem:
            print(self.log.read_text(), file=sys.stderr)


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
