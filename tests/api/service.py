"""The real binary on a scratch folder, and callers that talk to it over HTTP."""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

COOKIE = "__Host-oa-session"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
}


class Service:
    def __init__(self, binary):
        self.binary = binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="oa-api-"))
        self.folder.chmod(0o711)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        with open(self.folder / "out", "wb") as out, open(self.folder / "errors", "wb") as errors:
            self.process = subprocess.Popen(
                [binary, "up", "--data", str(self.data), "--port", "0", "--demo", "--rows", "2000", "--json",
                 "--log", str(self.log), "--operator-port", "0"], stdout=out, stderr=errors)
        self.started = self._wait_for_start()
        self.port = urllib.parse.urlparse(self.started["address"]).port
        self.operator_port = urllib.parse.urlparse(self.started["operator_address"]).port

    def _wait_for_start(self):
        for _ in range(1200):
            text = (self.folder / "out").read_text()
            if text.endswith("\n"):
                return json.loads(text)
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("the service did not start: " + (self.folder / "errors").read_text())

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=60)
        shutil.rmtree(self.folder)
        return status

    def command(self, *arguments):
        done = subprocess.run([self.binary, "--data", str(self.data), "--json", *arguments],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (arguments, done.stderr)
        return json.loads(done.stdout)

    def _psql(self):
        return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
                str(self.data / "postgres" / "socket"), "-U", "postgres", "-d", "oneanalytics"]

    def sql(self, statement):
        """For what only time or a rare moment brings about."""
        done = subprocess.run([*self._psql(), "-c", statement], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def hold(self, statement):
        """A transaction that did `statement` and stays open; ended by close_hold()."""
        process = subprocess.Popen(self._psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write(f"BEGIN;\n{statement};\nSELECT 'held';\n")
        process.stdin.flush()
        while process.stdout.readline().strip() != "held":
            assert process.poll() is None
        return process

    @staticmethod
    def close_hold(process):
        process.communicate("ROLLBACK;\n", timeout=30)

    def exchange(self, data, timeout=20):
        """Sends bytes as they are; what comes until the server closes or says nothing more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all of it was sent
            received = b""
            while True:
                try:
                    piece = connection.recv(65536)
                except (ConnectionResetError, TimeoutError):
                    return received
                if not piece:
                    return received
                received += piece


class Answer:
    def __init__(self, method, response, body):
        self.method, self.status, self.body = method, response.status, body
        self.headers = response.getheaders()
        self._json = None

    def header(self, name):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, (name, values)
        return values[0] if values else None

    @property
    def json(self):
        if self._json is None:
            self._json = json.loads(self.body)
        return self._json


class Caller:
    """Somebody with a cookie, a token, or neither."""

    def __init__(self, name="somebody", cookie=None, csrf=None, token=None):
        self.name, self.cookie, self.csrf, self.token = name, cookie, csrf, token

    def headers(self, changes):
        if self.token is not None:
            return {"Authorization": "Bearer " + self.token}
        if self.cookie is None:
            return {}
        made = {"Cookie": f"{COOKIE}={self.cookie}"}
        if changes:
            made["X-CSRF-Token"] = self.csrf
        return made


class Client:
    """Every answer that comes through here is held against the contract."""

    def __init__(self, service, contract):
        self.service, self.contract = service, contract
        self.connection = None

    def send(self, method, target, headers=None, body=None, declared=None):
        """`declared`: a Content-Length whose bytes never come."""
        if declared is not None:
            connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
            connection.request(method, target, headers={**headers, "Content-Length": str(declared)})
            response = connection.getresponse()
            answer = Answer(method, response, response.read())
            connection.close()
            self.check_always(answer, f"{method} {target[:80]}")
            return answer
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
            try:
                self.connection.request(method, target, body=body, headers=headers or {})
                response = self.connection.getresponse()
                answer = Answer(method, response, response.read())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
                continue
            if response.will_close:
                self.connection.close()
                self.connection = None
            self.check_always(answer, f"{method} {target[:80]}")
            return answer
        raise AssertionError("not reached")

    def check_always(self, answer, what):
        for name, value in SECURITY_HEADERS.items():
            assert answer.header(name) == value, f"{what} {answer.status}: {name}: {answer.header(name)}"
        trace = answer.header("X-Trace-Id")
        assert trace is not None and len(trace) == 32, f"{what} {answer.status}: X-Trace-Id {trace}"
        if answer.status >= 400 and answer.method != "HEAD":
            told = answer.body.decode() if answer.json.get("instance") is None else json.dumps(
                {key: value for key, value in answer.json.items() if key != "instance"})
            for never in (str(self.service.folder), "/tmp/", "/var/", "/src/", ".cc", "SELECT ", "INSERT ",
                          "pg_", "psql", "SQLSTATE", "oa-backup ", "ERROR:", "libpq", "terminate called"):
                assert never not in told, f"{what}: tells {never!r}: {told}"
            assert answer.status != 500, f"{what}: {told}"

    def call(self, operation_id, caller, path=None, query=None, body=None, raw=None, headers=None, declared=None):
        """`body`: a JSON document. `raw`: bytes as they are."""
        operation = self.contract.operations[operation_id]
        target = operation.path
        for name in operation.parameter_names("path"):
            target = target.replace("{" + name + "}", urllib.parse.quote(str(path[name]), safe=""))
        if query:
            target += "?" + urllib.parse.urlencode(query)
        sent = caller.headers(operation.changes)
        if body is not None:
            raw = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        answer = self.send(operation.method, target, sent, raw, declared)
        self.contract.check(operation, answer)
        return answer

    def refused(self, code, operation_id, caller, *arguments, **named):
        answer = self.call(operation_id, caller, *arguments, **named)
        assert answer.status >= 400, f"{operation_id} by {caller.name}: {answer.status} instead of {code}"
        assert answer.json["code"] == code, f"{operation_id} by {caller.name}: {answer.json} instead of {code}"
        return answer

    def sign_in(self, organisation, email, password):
        answer = self.call("signIn", Caller(email),
                           body={"organisation": organisation, "email": email, "password": password})
        assert answer.status == 200, answer.body
        cookie = answer.header("Set-Cookie").split(";")[0].removeprefix(COOKIE + "=")
        return Caller(email, cookie=cookie, csrf=answer.json["csrf_token"])

    def wait_for(self, answer, caller, state="succeeded"):
        """The job of a 202, once it is over; `state`: None for any."""
        assert answer.status == 202, answer.body
        job = answer.json
        assert answer.header("Location") == "/v1/jobs/" + job["id"]
        deadline = time.monotonic() + 60
        while job["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, job
            time.sleep(0.03)
            job = self.call("getJob", caller, {"job_id": job["id"]}).json
        assert state is None or job["state"] == state, job
        return job
