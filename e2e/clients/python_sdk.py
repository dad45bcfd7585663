"""The official Sinch SDK for Python, as it comes, against a running Tollgate and its sample API.

It is pointed at both by its own configuration. Between them stand two plain forwarders, which remember what was asked. The
addresses and the credentials come from the environment, and the file that moves the server's clock.
"""

import os
import threading
import time
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
from sinch import SinchClient
from sinch.core.exceptions import SinchException
from sinch.domains.sms.api.v1.exceptions import SmsException

URL = os.environ["TOLLGATE_URL"]
SAMPLE_URL = os.environ["TOLLGATE_SAMPLE_URL"]
PROJECT_ID = os.environ["TOLLGATE_PROJECT_ID"]
SUBPROJECT_ID = os.environ["TOLLGATE_SUBPROJECT_ID"]
KEY = (os.environ["TOLLGATE_KEY_ID"], os.environ["TOLLGATE_KEY_SECRET"])
SERVICE_PLAN_ID = os.environ["TOLLGATE_SERVICE_PLAN_ID"]
API_TOKEN = os.environ["TOLLGATE_API_TOKEN"]
CLOCK = Path(os.environ["TOLLGATE_CLOCK"])
PASSED_ON = ["authorization", "content-type", "accept", "user-agent"]


def main():
    with Forwarder(URL) as auth, Forwarder(SAMPLE_URL) as api:
        sends_in_project_mode(auth, api)
        sends_in_service_plan_mode(auth, api)
        lists_numbers(auth, api)
        refreshes_once_after_the_end_of_a_token(auth, api)
        does_not_loop_on_a_revoked_token(auth, api)
        shows_what_a_denial_says(auth, api)


def project_client(auth, api, project=PROJECT_ID):
    client = SinchClient(project_id=project, key_id=KEY[0], key_secret=KEY[1], sms_region="us")
    client.configuration.auth_origin = auth.url
    client.configuration.numbers_origin = api.url
    client.configuration.sms_origin = api.url
    return client


def plan_client(api, token=API_TOKEN):
    client = SinchClient(service_plan_id=SERVICE_PLAN_ID, sms_api_token=token, sms_region="us")
    client.configuration.sms_origin_with_service_plan_id = api.url
    return client


def send(client, body="Hello"):
    return client.sms.batches.send_sms(to=["+12025550134"], from_="+12025550100", body=body)


def sends_in_project_mode(auth, api):
    for project in [PROJECT_ID, SUBPROJECT_ID]:
        client = project_client(auth, api, project)
        sent = goes_the_round(client, api, project)
        equal(auth.take(), ["POST /oauth2/token 200"])
        print(f"ok: sends, reads, lists and cancels batch {sent.id} in project mode")
        api.take()


def sends_in_service_plan_mode(auth, api):
    sent = goes_the_round(plan_client(api), api, SERVICE_PLAN_ID)
    equal(auth.take(), [])
    print(f"ok: sends, reads, lists and cancels batch {sent.id} in service plan mode")
    api.take()


def goes_the_round(client, api, place):
    """Everything that can be done with a batch."""
    sent = send(client)
    equal(api.take(), [f"POST /xms/v1/{place}/batches 201"])
    equal((len(sent.id), sent.to, sent.from_, sent.canceled), (26, ["12025550134"], "12025550100", False))
    equal(client.sms.batches.get(sent.id), sent)
    more = {send(client, f"Message {number}").id for number in range(2)}
    listed = [batch.id for batch in client.sms.batches.list(page_size=2).iterator()]
    equal((len(listed), set(listed)), (3, more | {sent.id}))
    equal(len(client.sms.batches.list(start_date=sent.created_at, from_=["+12025550100"]).content()), 3)
    dry = client.sms.batches.dry_run_sms(
        to=["+12025550134", "+12025550135"], from_="+12025550100", body="Zażółć " * 11, per_recipient=True
    )
    equal((dry.number_of_recipients, dry.number_of_messages, dry.per_recipient[0].encoding), (2, 4, "unicode"))
    equal(client.sms.batches.cancel(sent.id).canceled, True)
    equal(client.sms.delivery_reports.get(sent.id).total_message_count, 1)
    return sent


def lists_numbers(auth, api):
    client = project_client(auth, api)
    listed = list(client.numbers.list(region_code="US", number_type="LOCAL").iterator())
    equal([(number.phone_number, number.project_id) for number in listed], [("+12025550134", PROJECT_ID)])
    equal(list(client.numbers.list(region_code="SE", number_type="MOBILE").iterator()), [])
    auth.take(), api.take()
    print("ok: lists numbers")


def refreshes_once_after_the_end_of_a_token(auth, api):
    client = project_client(auth, api)
    send(client)
    first = api.authorization()
    equal(len(auth.take()), 1)
    api.take()
    move_clock(4_000)
    send(client)
    batches = f"POST /xms/v1/{PROJECT_ID}/batches"
    equal(api.take(), [f"{batches} 401", f"{batches} 201"])
    equal(auth.take(), ["POST /oauth2/token 200"])
    send(client)
    equal((api.take(), auth.take()), ([f"{batches} 201"], []))
    equal(api.authorization() == first, False)
    print("ok: refreshes once after a token has really expired")


def does_not_loop_on_a_revoked_token(auth, api):
    client = project_client(auth, api)
    send(client)
    auth.take(), api.take()
    token = api.authorization().removeprefix("Bearer ")
    equal(requests.post(f"{URL}/oauth2/revoke", auth=KEY, data={"token": token}, timeout=10).status_code, 200)
    equal(status_of(lambda: send(client)), 401)
    equal(api.take(), [f"POST /xms/v1/{PROJECT_ID}/batches 401"])
    equal(auth.take(), [])
    print("ok: does not loop on a revoked token")


def shows_what_a_denial_says(auth, api):
    wrong = API_TOKEN[:-1] + ("A" if API_TOKEN[-1] != "A" else "B")
    equal(status_of(lambda: send(plan_client(api, wrong))), 401)
    try:
        stranger = project_client(auth, api, "01995a31-0000-7000-8000-000000000000")
        stranger.numbers.list(region_code="US", number_type="LOCAL")
    except SinchException as error:
        equal(error.response_status_code, 403)
        equal(KEY[0] in str(error), True)
    else:
        raise AssertionError("another project was reached")
    equal(status_of(lambda: plan_client(api).sms.batches.get("01HZX3J6T4W8QK5N2B7R9C0DYE")), 404)
    auth.take(), api.take()
    print("ok: shows what a denial says")


def status_of(call):
    try:
        call()
    except SmsException as error:
        return error.response_status_code
    raise AssertionError("it was not refused")


def move_clock(seconds):
    """Moves the server's clock on, and waits until the server shows it."""
    CLOCK.write_text(f"+{int(CLOCK.read_text()) + seconds}\n")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answer = requests.get(f"{URL}/livez", timeout=10)
        equal(answer.status_code, 200)
        if ahead(answer.headers["date"]) > int(CLOCK.read_text()) - 60:
            return
        time.sleep(0.1)
    raise AssertionError("the server's clock did not move")


def ahead(date):
    return parsedate_to_datetime(date).timestamp() - time.time()


class Forwarder:
    """Passes requests on to `target`, and remembers them."""

    def __init__(self, target):
        asked = self.asked = []
        self.taken = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
                answer = requests.request(
                    self.command, target + self.path, headers=headers, data=body, timeout=30, allow_redirects=False
                )
                asked.append(Asked(self.command, self.path, headers.get("authorization", ""), answer.status_code))
                self.send_response_only(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_DELETE = do_PUT = handle_any

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def authorization(self):
        """With what the last request authenticated."""
        return self.asked[-1].authorization

    def take(self):
        """What was asked since the last time."""
        new = [str(asked) for asked in self.asked[self.taken :]]
        self.taken = len(self.asked)
        return new


class Asked:
    def __init__(self, method, path, authorization, status):
        self.method, self.path, self.authorization, self.status = method, path, authorization, status

    def __str__(self):
        return f"{self.method} {self.path} {self.status}"


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


if __name__ == "__main__":
    main()
