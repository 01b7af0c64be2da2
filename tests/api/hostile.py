"""Requests that no well-meaning client makes. The service answers with a problem, or ends the connection; it goes on."""

import concurrent.futures
import http.client
import json
import time
import unittest

import world
from service import CONTENT_SECURITY_POLICY
from world import ids, people


def head(request_line, *lines):
    return "\r\n".join([request_line, "Host: localhost", "Connection: close", *lines, "", ""]).encode("latin-1")


def cookie_line(caller):
    return "\r\n".join(f"{name}: {value}" for name, value in caller.headers(True).items())


class Hostile(unittest.TestCase):
    def statuses(self, received):
        """Of all answers in it; each of them a problem with all its headers."""
        found = []
        while received.startswith(b"HTTP/1.1 "):
            top, _, rest = received.partition(b"\r\n\r\n")
            lines = top.decode("latin-1").split("\r\n")
            headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
            self.assertEqual(headers.get("content-security-policy"), CONTENT_SECURITY_POLICY, top)
            self.assertEqual(len(headers), len(lines) - 1, "a header twice")
            length = int(headers.get("content-length", "0"))
            status = int(lines[0].split()[1])
            if status >= 400 and length:
                problem = json.loads(rest[:length])
                world.contract.validate(problem, world.contract.problem, lines[0])
                self.assertEqual(problem["trace_id"], headers["x-trace-id"])
            found.append(status)
            received = rest[length:]
        return found

    def sent(self, data):
        return self.statuses(world.service.exchange(data))

    def test_1_paths(self):
        targets = ["/../etc/passwd", "/v1/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2fetc%2fpasswd",
                   "/assets/../../etc/passwd", "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/%00", "/v1/%00", "/a%5c..%5cb",
                   "/%", "/%zz", "/%ff%fe", "/%c0%ae%c0%ae/", "/\x01", "/\x7f", "http://evil.example/v1/me", "*", "v1/me",
                   "/v1/keys/%2e%2e/public-key", "/v1/archives/..%2F..%2Fkeys%2Froot.key/content"]
        for target in targets:
            with self.subTest(target=target):
                received = world.service.exchange(head(f"GET {target} HTTP/1.1", cookie_line(people["owner"])))
                self.assertEqual(self.statuses(received), [400])
                self.assertNotIn(b"root:", received)

    def test_2_headers(self):
        for target in ("/v1/jobs?x=%0d%0aX-Injected:%201", "/v1/audit/events?action=%0d%0aX-Injected:1"):
            received = world.service.exchange(head(f"GET {target} HTTP/1.1", cookie_line(people["owner"])))
            self.assertNotIn(b"\r\nX-Injected", received)
        for line in ("traceparent: 00-" + "g" * 32 + "-" + "0" * 16 + "-01", "traceparent: 00-" + "0" * 32 + "-b-c",
                     "X-Folded: a\r\n b", "X-Bad : 1", "X\x00: 1", "X: \x00", "X: \x7f", ": 1", "X", "X: a\nY: b",
                     "Content-Length: 5\r\nContent-Length: 6", "Content-Length: -1", "Content-Length: 1, 2",
                     "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: gzip",
                     "Host: evil.example", "Authorization: Bearer a\r\nAuthorization: Bearer b", "X: \xff\xfe"):
            with self.subTest(line=line):
                for status in self.sent(head("GET /v1/me HTTP/1.1", line)):
                    self.assertIn(status, (400, 401, 501))
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        answer = world.client.send("GET", "/healthz", {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        self.assertEqual(answer.header("X-Trace-Id"), trace)

    def test_3_versions_and_methods(self):
        for line in ("GET /v1/me", "GET  /v1/me HTTP/1.1", "GET /v1/me HTTP/2.0", "GET /v1/me HTTP/9.9", "/v1/me",
                     "PRI * HTTP/2.0", "G\x00T /v1/me HTTP/1.1", "x" * 9000 + " / HTTP/1.1", "GET /" + "x" * 30000 + " HTTP/1.1",
                     "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            with self.subTest(line=line[:40]):
                for status in self.sent(head(line)):
                    self.assertIn(status, (400, 405, 414, 431, 501, 505))
        for method in ("TRACE", "CONNECT", "FOO", "get", "PROPFIND"):
            with self.subTest(method=method):
                for status in self.sent(head(f"{method} /v1/me HTTP/1.1")):
                    self.assertIn(status, (400, 405, 501))

    def test_4_bodies(self):
        owner = cookie_line(people["owner"])
        large = b'{"rows":' + b" " * 3_000_000
        received = world.service.exchange(
            head("POST /v1/archives HTTP/1.1", owner, "Content-Type: application/json", "Content-Length: 104857600") + large)
        self.assertIn(self.statuses(received), ([413], []))
        chunked = head("POST /v1/archives HTTP/1.1", owner, "Content-Type: application/json", "Transfer-Encoding: chunked")
        self.assertEqual(self.sent(chunked + b"zz\r\n{}\r\n0\r\n\r\n"), [400])
        self.assertEqual(self.sent(chunked + b"100000\r\n" + b" " * 0x100000 + b"\r\n0\r\n\r\n"), [413])
        inner = head("GET /v1/me HTTP/1.1")
        outer = head("POST /v1/auth/nothing HTTP/1.1", f"Content-Length: {len(inner)}").replace(b"Connection: close\r\n", b"")
        self.assertEqual(self.sent(outer + inner + head("GET /healthz HTTP/1.1")), [404, 200])

    def test_5_ranges(self):
        path = {"archive_id": ids["archive_id"]}
        size = world.client.call("getArchive", people["owner"], path).json["size_bytes"]
        for given, status in {"bytes=0-0": 206, "bytes=-1": 206, f"bytes={size - 1}-": 206, f"bytes=0-{size * 2}": 206,
                              f"bytes={size}-": 416, "bytes=-0": 416, "bytes=5-1": 200, "bytes=x-": 200, "bytes=": 200,
                              "rows=0-1": 200, "bytes=0-1,5-6": 200, "bytes=" + "9" * 40 + "-": (200, 416),
                              "bytes=-" + "9" * 40: (200, 206), "bytes=0-0," * 500: 200}.items():
            with self.subTest(range=given[:40]):
                answer = world.client.call("downloadArchive", people["owner"], path, headers={"Range": given})
                self.assertIn(answer.status, status if isinstance(status, tuple) else (status,))
                if answer.status == 206:
                    self.assertEqual(answer.header("Content-Length"), str(len(answer.body)))

    def test_6_too_many_at_once(self):
        line = head("OPTIONS /v1/uploads HTTP/1.1").replace(b"Connection: close\r\n", b"")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            statuses = [status for part in pool.map(lambda _: self.sent(line * 1500 + head("GET /healthz HTTP/1.1")), range(4))
                        for status in part]
        self.assertEqual(set(statuses), {200, 204, 429})
        world.contract.seen.add(("uploadOptions", "request/rate-limited"))

    def test_7_not_ready_is_logged_once(self):
        objects, away = world.service.data / "objects", world.service.data / "objects.away"

        def wait_for(status):
            deadline = time.monotonic() + 10
            while world.client.send("GET", "/readyz").status != status:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.1)

        def logged():
            lines = map(json.loads, world.service.log.read_text().splitlines())
            return [(line["ready"], line.get("code")) for line in lines if line.get("operation") == "readiness"]

        wait_for(200)
        before = logged()
        objects.rename(away)
        try:
            wait_for(503)
            time.sleep(1.2)  # it is looked at again
            wait_for(503)
        finally:
            away.rename(objects)
        wait_for(200)
        self.assertEqual(logged()[len(before):], [(False, "storage/io"), (True, None)])

    def test_8_the_log_tells_nothing(self):
        text = world.service.log.read_text()
        for never in ("demo.example", "people.example", world.PASSWORD, people["owner"].cookie, people["owner"].csrf,
                      "oab_", "wrong", "Demo"):
            self.assertNotIn(never, text)
        for line in text.splitlines():
            entry = json.loads(line)
            self.assertNotEqual((entry.get("level"), entry.get("code")), ("error", "internal"), line)
