"""What operations refuse because of what there is: conflicts, limits, keys that came before, lists that went on."""

import base64
import concurrent.futures
import hashlib
import json
import socket
import time
import unittest
import uuid

import world
from refusals import BODIES, operations, path_of
from service import Caller, Client
from world import TUS, ids, nobody, people


def refused(code, operation_id, *arguments, caller=None, **named):
    return world.client.refused(code, operation_id, caller or people["owner"], *arguments, **named)


def call(operation_id, *arguments, caller=None, **named):
    answer = world.client.call(operation_id, caller or people["owner"], *arguments, **named)
    assert answer.status < 400, (operation_id, answer.status, answer.body)
    return answer


class Conflicts(unittest.TestCase):
    def test_archives(self):
        archive = {"archive_id": ids["archive_id"]}
        size = call("getArchive", archive).json["size_bytes"]
        beyond = refused("request/range-not-satisfiable", "downloadArchive", archive, headers={"Range": f"bytes={size}-"})
        self.assertEqual(beyond.header("Content-Range"), f"bytes */{size}")
        world.service.sql(f"UPDATE oa.restores SET state = 'applying' WHERE id = '{ids['restore_id']}'")
        refused("resource/conflict", "deleteArchive", archive)
        world.service.sql(f"UPDATE oa.restores SET state = 'planned' WHERE id = '{ids['restore_id']}'")
        refused("resource/conflict", "receiveArchive", body={"upload_id": ids["upload_id"]})
        refused("request/invalid", "createArchive", body={"audit": True, "workspace_ids": [ids["workspace_id"]]})

    def test_moments(self):
        begun = world.continuity()["earliest"]
        for at in (world.soon(3600), "2020-01-01T00:00:00Z", begun.replace(begun[:4], "2021")):
            problem = refused("backup/outside-window", "createArchiveFromMoment", body={"at": at}).json
            self.assertIn("longer ago" if at < begun else "future", problem["detail"])
        repository = world.service.data / "continuity" / "repository"
        repository.rename(repository.with_name("elsewhere"))
        try:
            time.sleep(2.1)  # what was seen of it last is that old at most
            state = call("getContinuity").json
            self.assertIn("repository-unavailable", [alarm["code"] for alarm in state["alarms"]])
            self.assertEqual((state["state"], state["earliest"]), ("at-risk", None))
            refused("backup/repository-unavailable", "createArchiveFromMoment", body={"at": world.now()})
        finally:
            repository.with_name("elsewhere").rename(repository)
        time.sleep(2.1)

    def test_datasets(self):
        tenant = call("me").json["tenant"]["id"]
        text = f"oa-dataset-refresh:v1:{tenant}:{ids['dataset_id']}"
        digest = f"sha256(convert_to('{text}', 'UTF8'))"
        key = "('x' || string_agg(to_hex(get_byte(d, i) / 16) || to_hex(get_byte(d, i) % 16), '' ORDER BY -i))::bit(64)::bigint"
        held = world.service.hold(f"SELECT pg_advisory_xact_lock({key}) FROM {digest} AS d, generate_series(0, 7) AS i")
        try:
            for id in ("pauseDataset", "resumeDataset"):
                refused("dataset/refresh-in-progress", id, {"dataset_id": ids["dataset_id"]})
        finally:
            world.service.close_hold(held)

    def test_jobs(self):
        finished = next(job for job in call("listJobs").json["data"] if job["state"] == "succeeded")
        refused("resource/conflict", "cancelJob", {"job_id": finished["id"]})
        for last in ("x", "-1", "1.5", "1" * 30):
            refused("request/invalid", "jobEvents", {"job_id": finished["id"]}, headers={"Last-Event-ID": last})

    def test_keys(self):
        refused("resource/conflict", "revokeKey", {"fingerprint": ids["fingerprint"]})
        [foreign] = call("listKeys", caller=people["outsider"]).json["data"]
        body = {"public_key": foreign["public_key"], "fingerprint": foreign["fingerprint"]}
        refused("request/invalid", "acceptSigner", body={**body, "fingerprint": "0" * 64})
        call("acceptSigner", body=body)
        refused("resource/already-exists", "acceptSigner", body=body)

    def test_reports(self):
        report = {"report_id": ids["report_id"]}
        refused("resource/not-found", "openReport", report, {"bookmark_id": str(uuid.uuid4())})
        where = f"WHERE id = '{ids['report_id']}'"
        before = world.service.sql(f"SELECT document FROM oa.reports {where}")
        wrong = {**json.loads(before), "filters": {"items": [{"field": "region", "op": "resembles", "value": 1}]}}
        for document, is_wrong in ((json.dumps(wrong), True), (before, False)):
            world.service.sql(f"UPDATE oa.reports SET document = $j${document}$j$ {where}")
            if is_wrong:
                refused("query/invalid-semantic", "openReport", report)
            else:
                call("openReport", report)

    def test_restores(self):
        refused("resource/precondition-failed", "applyRestore", {"restore_id": ids["restore_id"]},
                body={"plan_hash": "0" * 64})
        item = {"kind": "report", "asset_id": ids["report_to_delete"]}
        refused("resource/conflict", "restoreItemDifferences", {"restore_id": ids["applied_id"], **item})
        asset = {"kind": "report", "id": call("listReports", {"workspace_id": ids["workspace_id"]}).json["data"][-1]["id"]}
        call("deleteReport", {"report_id": asset["id"]})
        planned = world.job("planRestore", people["owner"], body={"archive_id": ids["archive_id"], "assets": [asset]})
        plan_hash = call("getRestore", planned).json["plan_hash"]
        world.job("applyRestore", people["owner"], planned, body={"plan_hash": plan_hash})
        undo = {**world.job("planUndo", people["owner"], planned, body={}), "kind": "report", "asset_id": asset["id"]}
        call("restoreItemDifferences", undo)
        call("deleteReport", {"report_id": asset["id"]})  # so that the undo is another one now
        refused("resource/precondition-failed", "restoreItemDifferences", undo)
        refused("resource/not-found", "restoreItemDifferences",
                {"restore_id": ids["restore_id"], "kind": "nonsense", "asset_id": ids["asset_id"]})
        for body in ({"archive_id": ids["archive_id"]},
                     {"archive_id": ids["archive_id"], "everything": True, "assets": [
                         {"kind": "report", "id": ids["asset_id"]}]}):
            refused("request/invalid", "planRestore", body=body)

    def test_uploads(self):
        owner = people["owner"]
        refused("request/limit-exceeded", "createUpload", headers={**TUS, "Upload-Length": str(2**41)})
        refused("request/limit-exceeded", "createUpload",
                headers={**TUS, "Upload-Length": "5", "Upload-Metadata": "filename " + "A" * 1400})
        for version in (None, "0.2.2", "1.0.0, 0.2.2"):
            refused("resource/precondition-failed", "createUpload",
                    headers={"Tus-Resumable": version, "Upload-Length": "5"})
        upload_id = world.begin_upload(owner, 10)
        path = {"upload_id": upload_id}
        for offset in (1, 10, 11, 2**63):
            self.code("upload/offset-conflict", world.append(owner, upload_id, offset, b"x"))
        wrong = "sha256 " + base64.b64encode(bytes(32)).decode()
        self.code("upload/checksum-mismatch", world.append(owner, upload_id, 0, b"x", Upload_Checksum=wrong))
        self.assertEqual(call("getUpload", path).json["offset"], 0)
        for media in ("application/json", "application/octet-stream", None):
            self.code("request/unsupported-media-type", world.append(owner, upload_id, 0, b"x", Content_Type=media))
        self.code("resource/precondition-failed", world.append(owner, upload_id, 0, b"x", Tus_Resumable=None))
        refused("resource/precondition-failed", "abandonUpload", path)
        self.code("request/limit-exceeded", world.append(owner, upload_id, 0, b"x" * 11))
        self.in_use(owner, path)
        world.service.sql(f"UPDATE oa.uploads SET expires_at = now() - interval '1 s' WHERE id = '{upload_id}'")
        self.code("resource/gone", world.append(owner, upload_id, 0, b"x"))
        refused("resource/gone", "getUpload", path)
        refused("resource/gone", "receiveArchive", body={"upload_id": upload_id})
        self.assertEqual(world.client.call("uploadOffset", owner, path, headers=TUS).status, 410)

    def code(self, code, answer):
        self.assertEqual(answer.json["code"], code)

    def in_use(self, owner, path):
        """While another request is in the middle of its bytes."""
        headers = {"Host": "localhost", **TUS, "Upload-Offset": "0", "Content-Length": "10",
                   "Content-Type": "application/offset+octet-stream", **owner.headers(True)}
        head = f"PATCH /v1/uploads/{path['upload_id']} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection(("127.0.0.1", world.service.port)) as other:
            other.sendall(head.encode() + b"\r\nhalf ")
            deadline = time.monotonic() + 10
            while world.service.sql(f"SELECT held_until > now() FROM oa.uploads WHERE id = '{path['upload_id']}'") != "t":
                self.assertLess(time.monotonic(), deadline)
            self.code("upload/in-use", world.append(owner, path["upload_id"], 0, b""))
            refused("upload/in-use", "abandonUpload", path, headers=TUS)
        deadline = time.monotonic() + 10
        while True:  # what had arrived counts
            if call("getUpload", path).json["offset"] == 5:
                return
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_tokens(self):
        member = people["member_of_nothing"]
        for count in range(101):
            answer = world.client.call("createToken", member, body={"name": "one of many", "scopes": ["read"]})
            if answer.status != 201:
                break
        self.assertEqual((count, answer.json["code"]), (100, "request/limit-exceeded"))

    def test_what_a_token_does_not_do(self):
        token, _ = world.token_of(people["owner"], ["read", "admin"])
        refused("request/invalid", "signOut", caller=token)
        refused("auth/permission-denied", "changePassword", caller=token,
                body={"present": world.PASSWORD, "next": "another long one 815"})


class Keys(unittest.TestCase):
    """Idempotency-Key."""

    def test_1_the_first_answer_again(self):
        key = {"Idempotency-Key": "the-first"}
        first = call("createArchive", body={"rows": False}, headers=key)
        self.assertIsNone(first.header("Idempotent-Replay"))
        for _ in range(3):
            again = call("createArchive", body={"rows": False}, headers=key)
            self.assertEqual((again.status, again.json, again.header("Location")),
                             (202, first.json, first.header("Location")))
            self.assertEqual(again.header("Idempotent-Replay"), "true")
        refused("request/idempotency-key-reused", "createArchive", body={"rows": True}, headers=key)
        world.client.wait_for(first, people["owner"])
        by_another = call("createArchive", caller=people["admin"], body={"rows": False}, headers=key)
        self.assertNotEqual(by_another.json["id"], first.json["id"])

    def test_2_at_the_same_time(self):
        def ask(number):
            client = Client(world.service, world.contract)
            headers = {"Idempotency-Key": "at-once" if number % 2 else f"at-once-{number}"}
            answer = client.call("verifyAudit", people["owner"], headers=headers)
            client.connection.close()
            return number % 2, answer.json["id"]

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(ask, range(24)))
        self.assertEqual(len({id for same, id in answers if same}), 1)
        self.assertEqual(len({id for same, id in answers if not same}), 12)

    def test_3_with_another_request(self):
        headers = {"Idempotency-Key": "of-the-audit-log"}
        first = call("verifyAudit", headers=headers)
        for operation in operations():
            if not operation.idempotent or operation.id == "verifyAudit":
                continue
            named = {"body": BODIES[operation.id]} if operation.body is not None else {}
            refused("request/idempotency-key-reused", operation.id, path_of(operation), headers=headers, **named)
        token, _ = world.token_of(people["owner"], ["admin", "read"])
        self.assertEqual(call("verifyAudit", caller=token, headers=headers).json["id"], first.json["id"])
        target = world.contract.operations["verifyAudit"].path + "?another=request"
        answer = world.client.send("POST", target, {**people["owner"].headers(True), **headers})
        self.assertEqual(answer.json["code"], "request/idempotency-key-reused")
        world.contract.check(world.contract.operations["verifyAudit"], answer)

    def test_4_a_key_that_is_none(self):
        for key in ("", " ", "a b", "x" * 129, "x" * 8000, "\u00e4", "a\tb"):
            refused("request/invalid", "verifyAudit", headers={"Idempotency-Key": key.encode()})
        call("verifyAudit", headers={"Idempotency-Key": "~" * 128})

    def test_5_an_answer_that_was_an_error_is_not_kept(self):
        headers = {"Idempotency-Key": "wrong-at-first"}
        for _ in range(2):
            refused("resource/not-found", "createArchive", body={"workspace_ids": [str(uuid.uuid4())]}, headers=headers)
        call("createArchive", body={}, headers=headers)

    def test_6_what_is_no_part_of_the_transaction_is_done_once(self):
        headers = {"Idempotency-Key": "rotate"}
        first, again = (call("rotateKey", headers=headers) for _ in range(2))
        self.assertEqual((first.json, first.status), (again.json, again.status))
        self.assertEqual(again.header("Idempotent-Replay"), "true")
        keys = call("listKeys").json["data"]
        self.assertEqual([key["fingerprint"] for key in keys if key["state"] == "signs"], [first.json["fingerprint"]])
        ids["fingerprint"] = first.json["fingerprint"]
        begin = {**TUS, "Upload-Length": "7", "Idempotency-Key": "begin"}
        begun, again = (call("createUpload", headers=begin) for _ in range(2))
        self.assertEqual(begun.header("Location"), again.header("Location"))
        refused("request/idempotency-key-reused", "createUpload", headers={**begin, "Upload-Length": "8"})
        call("abandonUpload", {"upload_id": begun.header("Location").split("/")[-1]}, headers=TUS)
        job = {"job_id": call("createArchive", body={"rows": True}).json["id"]}
        cancelled, again = (call("cancelJob", job, headers={"Idempotency-Key": "cancel"}).json for _ in range(2))
        self.assertEqual(cancelled, again)

    def test_7_a_repeat_while_the_first_goes_on_has_no_effect(self):
        path = {"dataset_id": ids["dataset_id"]}
        headers = {"Idempotency-Key": "pause"}

        def ask(_):
            client = Client(world.service, world.contract)
            answer = client.call("createUpload", people["owner"], headers={**TUS, "Upload-Length": "9", "Idempotency-Key": "nine"})
            client.connection.close()
            return answer

        before = len(call("listUploads").json["data"])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(16)))
        self.assertEqual(len(call("listUploads").json["data"]), before + 1)
        places = {answer.header("Location") for answer in answers if answer.status == 201}
        self.assertEqual(len(places), 1)
        self.assertLessEqual({answer.json["code"] for answer in answers if answer.status != 201}, {"resource/conflict"})
        call("abandonUpload", {"upload_id": places.pop().split("/")[-1]}, headers=TUS)
        call("pauseDataset", path, headers=headers)
        world.service.sql("UPDATE oa.idempotent_answers SET status = 0 WHERE key = 'pause'")  # as one that was killed
        call("resumeDataset", path)
        refused("resource/conflict", "pauseDataset", path, headers=headers)
        self.assertEqual(call("getDataset", path).json["state"], "ready")

    def test_8_a_secret_is_not_kept(self):
        headers = {"Idempotency-Key": "a-token"}
        body = {"name": "made once", "scopes": ["read"]}
        made = call("createToken", body=body, headers=headers).json
        refused("resource/conflict", "createToken", body=body, headers=headers)
        names = [token["name"] for token in call("listTokens").json["data"]]
        self.assertEqual(names.count("made once"), 1)
        kept = world.service.sql("SELECT string_agg(body || headers || encode(request, 'hex'), '') FROM oa.idempotent_answers")
        self.assertNotIn(made["token"], kept)
        digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
        self.assertNotIn(digest, kept)

    def test_9_a_request_that_was_refused_may_be_sent_again(self):
        headers = {"Idempotency-Key": "refused-at-first"}
        body = {"name": "later", "scopes": ["read"]}
        for _ in range(2):
            refused("request/invalid", "createToken", body={**body, "scopes": []}, headers=headers)
        call("createToken", body=body, headers=headers)


def cursor_of(document):
    return base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).decode().rstrip("=")


def opened(cursor):
    text, seal = cursor.split(".")
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))), seal


class Pages(unittest.TestCase):
    def lists(self):
        for operation in operations():
            if "cursor" in operation.parameter_names("query"):
                path = path_of(operation)
                if operation.id == "listRestoreItems":
                    path["restore_id"] = ids["comparison_id"]
                yield operation, path

    def test_1_page_by_page(self):
        for operation, path in self.lists():
            if operation.id == "listAuditEvents":
                continue  # grows with what is asked; below
            with self.subTest(operation=operation.id):
                whole = call(operation.id, path, {"limit": 500}).json
                self.assertFalse(whole["page"]["has_more"])
                self.assertGreater(len(whole["data"]), 1)
                seen, query = [], {"limit": max(1, len(whole["data"]) // 7)}
                while True:
                    page = call(operation.id, path, query).json
                    seen += [each["id"] for each in page["data"]]
                    if not page["page"]["has_more"]:
                        self.assertIsNone(page["page"]["next_cursor"])
                        break
                    query["cursor"] = page["page"]["next_cursor"]
                self.assertEqual(seen, [each["id"] for each in whole["data"]])

    def test_2_a_page_of_the_audit_log(self):
        first = call("listAuditEvents", query={"limit": 3}).json
        second = call("listAuditEvents", query={"limit": 3, "cursor": first["page"]["next_cursor"]}).json
        numbers = [event["sequence"] for event in first["data"] + second["data"]]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] - 6, -1)))

    def test_2_changes_in_the_audit_log(self):
        events = call("listAuditEvents", query={"changes": "true", "limit": 500}).json["data"]
        actions = {event["action"] for event in events}
        self.assertIn("backup.restore.apply", actions)
        self.assertFalse({"report.view", "auth.login.success", "backup.archive.create"} & actions)
        deleted = [event["detail"]["name"] for event in events if event["action"] == "report.delete"]
        self.assertTrue(deleted and all(deleted), deleted)
        refused("request/invalid", "listAuditEvents", query={"changes": "yes"})

    def test_3_cursors_that_are_none(self):
        cursors = {operation.id: call(operation.id, path, {"limit": 1}).json["page"]["next_cursor"]
                   for operation, path in self.lists()}
        for operation, path in self.lists():
            own = cursors[operation.id]
            document, seal = opened(own)
            other = cursors["listJobs" if operation.id != "listJobs" else "listArchives"]
            position = {"listAuditEvents": "3", "listRestoreItems": "3"}.get(operation.id, str(uuid.uuid4()))
            forged = [{**document, "p": position}, {**document, "t": document["t"] + 1}, {**document, "x": 1}, [], {}]
            wrong = [other, "", "x", "AAAA", "!!!!", own[:-2], own + "AAAA", "e30", "é", own.upper(), own.split(".")[0],
                     f"{own.split('.')[0]}.{other.split('.')[1]}",
                     *(f"{cursor_of(each)}{end}" for each in forged for end in ("", ".", "." + seal))]
            for cursor in wrong:
                with self.subTest(operation=operation.id, cursor=cursor):
                    refused("pagination/cursor-mismatch", operation.id, path, {"limit": 1, "cursor": cursor})

    def test_4_a_cursor_belongs_to_its_query(self):
        items = {"restore_id": ids["comparison_id"]}
        cursor = call("listRestoreItems", items, {"limit": 1, "kind": "report"}).json["page"]["next_cursor"]
        call("listRestoreItems", items, {"limit": 5, "kind": "report", "cursor": cursor})
        refused("pagination/cursor-mismatch", "listRestoreItems", items, {"kind": "dataset", "cursor": cursor})
        refused("pagination/cursor-mismatch", "listRestoreItems", items, {"cursor": cursor})
        refused("pagination/cursor-mismatch", "listRestoreItems", {"restore_id": ids["restore_id"]},
                {"kind": "report", "cursor": cursor})


class SignIns(unittest.TestCase):
    """Last of all, for accounts are locked after it."""

    def test_1_refused(self):
        bodies = [{"organisation": "Nobody", "email": "viewer@people.example", "password": world.PASSWORD},
                  {"organisation": "Demo", "email": "nobody@people.example", "password": world.PASSWORD},
                  {"organisation": world.OTHER, "email": "viewer@people.example", "password": world.PASSWORD},
                  {"organisation": "Demo", "email": "user03@demo.example", "password": world.PASSWORD}]
        told = {json.dumps({**refused("auth/sign-in-refused", "signIn", caller=nobody, body=body).json,
                            "trace_id": ""}) for body in bodies}
        self.assertEqual(len(told), 1, "the answer tells what was wrong")

    def test_2_locked_out(self):
        body = {"organisation": "Demo", "email": "editor@people.example", "password": "wrong"}
        codes = [world.client.call("signIn", nobody, body=body).json["code"] for _ in range(7)]
        self.assertIn("auth/locked-out", codes)
        self.assertEqual(sorted(set(codes)), ["auth/locked-out", "auth/sign-in-refused"])
        refused("auth/locked-out", "signIn", caller=nobody, body={**body, "password": world.PASSWORD})
        call("me", caller=people["editor"])

    def test_3_a_password_that_is_guessed(self):
        body = {"present": "wrong", "next": "another long one 815"}
        codes = [world.client.call("changePassword", people["admin_elsewhere"], body=body).json["code"]
                 for _ in range(7)]
        self.assertEqual(sorted(set(codes)), ["auth/locked-out", "auth/permission-denied"])
