"""Server-sent events, HEAD, conditional requests, pages of the program and their headers."""

import http.client
import json
import re
import unittest

import world
from refusals import operations, path_of
from service import Answer
from world import ids, people


def events_of(job_id, last=None, caller=None):
    """The stream of a job until the server ends it: (id, event, document)."""
    connection = http.client.HTTPConnection("127.0.0.1", world.service.port, timeout=60)
    headers = (caller or people["owner"]).headers(False)
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    connection.request("GET", f"/v1/jobs/{job_id}/events", headers=headers)
    response = connection.getresponse()
    answer = Answer("GET", response, response.read())
    connection.close()
    world.client.check_always(answer, "events")
    world.contract.check(world.contract.operations["jobEvents"], answer)
    made = []
    for block in answer.body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "data" in fields:
            document = json.loads(fields["data"])
            world.contract.validate(document, world.contract.job, "event")
            made.append((int(fields["id"]), fields["event"], document))
    return answer, made


class Events(unittest.TestCase):
    def test_1_a_job_as_it_goes_on(self):
        started = world.client.call("createArchive", people["owner"], body={"rows": True}).json
        answer, events = events_of(started["id"])
        self.assertEqual(answer.header("Content-Type"), "text/event-stream")
        self.assertEqual(answer.header("Cache-Control"), "no-store")
        self.assertGreater(len(events), 0)
        numbers = [number for number, _, _ in events]
        self.assertEqual(numbers, sorted(set(numbers)))
        for number, name, document in events:
            self.assertEqual((name, document["id"], document["revision"]), ("job", started["id"], number))
        self.assertEqual(events[-1][2], world.client.call("getJob", people["owner"], {"job_id": started["id"]}).json)
        self.assertEqual(events[-1][2]["state"], "succeeded")
        _, again = events_of(started["id"], last=numbers[-1] - 1)
        self.assertEqual(again, events[-1:])
        nothing, _ = events_of(started["id"], last=numbers[-1])
        self.assertEqual(nothing.status, 204)

    def test_2_of_somebody_else(self):
        started = world.client.call("createArchive", people["owner"], body={}).json
        answer, events = events_of(started["id"], caller=people["admin"])
        self.assertEqual((answer.status, events), (404, []))
        world.client.call("cancelJob", people["owner"], {"job_id": started["id"]})
        _, events = events_of(started["id"])
        self.assertIn(events[-1][2]["state"], ("cancelled", "succeeded"))


class Heads(unittest.TestCase):
    def test_1_of_every_get(self):
        for operation in operations():
            if operation.method != "GET" or operation.id in ("jobEvents", "getUpload"):
                continue
            target = operation.path
            path = {**path_of(operation), "restore_id": ids["comparison_id"]}
            for name in operation.parameter_names("path"):
                target = target.replace("{" + name + "}", path[name])
            headers = people["owner"].headers(False)
            whole = world.client.send("GET", target, headers)
            head = world.client.send("HEAD", target, headers)
            with self.subTest(operation=operation.id):
                self.assertEqual((head.status, head.body), (whole.status, b""))
                self.assertEqual(head.header("Content-Type"), whole.header("Content-Type"))
                if operation.id not in ("listTokens", "listAuditEvents"):
                    self.assertEqual(head.header("Content-Length"), whole.header("Content-Length"))

    def test_2_pages(self):
        page = world.client.send("GET", "/")
        self.assertEqual((page.status, page.header("Content-Type")), (200, "text/html; charset=utf-8"))
        self.assertEqual(page.header("Cache-Control"), "no-cache")
        assets = set(re.findall(r'(?:src|href)="(/[^"]+)"', page.body.decode()))
        self.assertTrue(any(name.endswith(".js") for name in assets), page.body)
        self.assertNotRegex(page.body.decode(), r"<script>|<style>|style=| on\w+=|https?://")
        for target in ["/", *sorted(assets)]:
            whole = world.client.send("GET", target)
            self.assertEqual(whole.status, 200, target)
            etag = whole.header("ETag")
            for tag in (etag, "W/" + etag, f'"x", {etag}', "*"):
                unchanged = world.client.send("GET", target, {"If-None-Match": tag})
                self.assertEqual((unchanged.status, unchanged.body), (304, b""), target)
                self.assertEqual(unchanged.header("ETag"), etag)
            self.assertEqual(world.client.send("GET", target, {"If-None-Match": '"x"'}).status, 200)
            self.assertEqual(world.client.send("HEAD", target).body, b"")
            if target != "/" and "assets" in target:
                self.assertIn("immutable", whole.header("Cache-Control"))
        errors = world.client.send("GET", "/docs/errors").body.decode()
        for operation in operations():
            for code in operation.codes:
                self.assertIn(f'id="{code}"', errors)

    def test_3_a_secret_is_not_cached(self):
        for operation in ("me", "listArchives", "listAuditEvents", "listTokens"):
            answer = world.client.call(operation, people["owner"])
            self.assertEqual(answer.header("Cache-Control"), "no-store")
