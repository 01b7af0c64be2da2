"""Server-sent events, HEAD, conditional requests, pages of the program and their headers."""

import http.client
import json
import re
import time
import unittest
import uuid

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


class Listening:
    """A stream that stays open: of a job that waits for an hour."""

    def __init__(self, job_id, caller):
        self.connection = http.client.HTTPConnection("127.0.0.1", world.service.port, timeout=60)
        self.connection.request("GET", f"/v1/jobs/{job_id}/events", headers=caller.headers(False))
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.status = self.response.status

    def seconds_to_its_end(self):
        begun = time.monotonic()
        self.response.read()
        return time.monotonic() - begun

    def is_open(self):
        """Nothing but events comes of it now; it is to be closed after that."""
        self.socket.settimeout(0.2)
        try:
            while self.response.read1(65536):
                pass
            return False
        except TimeoutError:
            return True

    def close(self):
        self.response.close()
        self.connection.close()


def waiting_job(creator):
    made = str(uuid.uuid4())
    me = world.client.call("me", creator).json
    world.service.sql("INSERT INTO oa.jobs (tenant_id, id, kind, state, request, created_by, trace_id, run_after) VALUES "
                      f"('{me['tenant']['id']}', '{made}', 'archive.create', 'queued', '{{}}', '{me['user']['id']}', "
                      "'waits', now() + interval '1 hour')")
    return made


class Streams(unittest.TestCase):
    """Streams end with what they were opened by, in a few seconds."""

    def test_1_a_stream_does_not_outlive_who_listens(self):
        service, admin = world.service, people["admin"]
        job_id = waiting_job(admin)
        email = "listener@people.example"
        password_file = str(service.folder / "password")
        service.command("user", "add", email, "--tenant", "Demo", "--first", "listener", "--owner")
        service.command("user", "set-password", email, "--tenant", "Demo", "--password-file", password_file)

        def somebody():
            return world.client.sign_in("Demo", email, world.PASSWORD)

        where = f"WHERE lower(email) = '{email}'"
        revoked, token_id = world.token_of(people["owner"], ["read"])
        first, second, idle = somebody(), somebody(), somebody()
        session = world.service.sql("SELECT s.id FROM oa.sessions s JOIN oa.users u ON u.id = s.user_id "
                                    f"WHERE u.email = '{email}' ORDER BY s.created_at DESC LIMIT 1")
        stays = Listening(job_id, people["owner"])
        listening = {name: Listening(job_id, caller) for name, caller in (
            ("revoked token", revoked), ("signed out", first), ("too old", idle))}
        self.assertEqual([each.status for each in (stays, *listening.values())], [200] * 4)
        world.client.call("revokeToken", people["owner"], {"token_id": token_id})
        world.client.call("signOut", first)
        service.sql(f"UPDATE oa.sessions SET last_used_at = now() - interval '13 hours' WHERE id = '{session}'")
        for name, each in listening.items():
            with self.subTest(name):
                self.assertLess(each.seconds_to_its_end(), 30)
        demoted = Listening(job_id, second)
        service.sql(f"UPDATE oa.users SET owner = false {where}")
        self.assertLess(demoted.seconds_to_its_end(), 30)
        self.assertEqual(Listening(job_id, second).status, 404)
        service.sql(f"UPDATE oa.users SET owner = true {where}")
        gone = Listening(job_id, second)
        service.sql(f"UPDATE oa.users SET active = false {where}")
        self.assertLess(gone.seconds_to_its_end(), 30)
        self.assertTrue(stays.is_open())
        stays.close()
        world.client.call("cancelJob", admin, {"job_id": job_id})

    def test_2_so_many_of_one_person(self):
        job_id = waiting_job(people["editor"])
        open_ones = []
        for _ in range(33):
            open_ones.append(Listening(job_id, people["editor"]))
        self.assertEqual([each.status for each in open_ones], [200] * 32 + [429])
        self.assertEqual(Listening(job_id, people["owner"]).status, 200)
        problem = world.client.refused("request/rate-limited", "jobEvents", people["editor"], {"job_id": job_id}).json
        self.assertIn("streams", problem["detail"])
        for each in open_ones:
            each.close()
        deadline = time.monotonic() + 30
        while (again := Listening(job_id, people["editor"])).status == 429:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        self.assertEqual(again.status, 200)
        again.close()
        world.client.call("cancelJob", people["editor"], {"job_id": job_id})


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
