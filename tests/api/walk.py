"""Every operation at least once with success, in the order in which somebody comes to them."""

import hashlib
import json
import unittest
import uuid

import jsonschema

import world
from openapi import FORMATS
from service import COOKIE, Caller
from world import TUS, ids, people


def call(operation_id, *arguments, caller=None, **named):
    answer = world.client.call(operation_id, caller or people["owner"], *arguments, **named)
    assert answer.status < 400, (operation_id, answer.status, answer.body)
    return answer


def data_of(answer):
    assert answer.json["data"], "an empty list shows nothing"
    return answer.json["data"]


class Walk(unittest.TestCase):
    def test_01_service(self):
        call("health", caller=world.nobody)
        call("readiness", caller=world.nobody)
        options = call("uploadOptions", caller=world.nobody)
        self.assertEqual(options.header("Tus-Version"), "1.0.0")

    def test_02_who_one_is(self):
        me = call("me").json
        self.assertTrue(me["owner"] and me["may_back_up"])
        self.assertEqual(me["csrf_token"], people["owner"].csrf)
        for name, may in {"admin": True, "editor": False, "viewer": False, "member_of_nothing": False}.items():
            seen = call("me", caller=people[name]).json
            self.assertEqual((seen["owner"], seen["may_back_up"]), (False, may), name)

    def test_03_the_cookie(self):
        answer = call("signIn", caller=world.nobody, body={
            "organisation": "Demo", "email": "viewer@people.example", "password": world.PASSWORD})
        cookie = answer.header("Set-Cookie")
        attributes = [part.strip() for part in cookie.split(";")][1:]
        self.assertTrue(cookie.startswith(COOKIE + "="))
        self.assertEqual(set(attributes[:4]), {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"})
        self.assertRegex(attributes[4], r"^Max-Age=\d+$")
        self.assertEqual(len(attributes), 5)
        value = cookie.split(";")[0].removeprefix(COOKIE + "=")
        again = Caller("somebody who leaves", cookie=value, csrf=answer.json["csrf_token"])
        gone = call("signOut", caller=again)
        self.assertIn("Max-Age=0", gone.header("Set-Cookie"))
        world.client.refused("auth/invalid-token", "me", again)

    def test_04_tokens(self):
        token, ids["token_id"] = world.token_of(people["owner"], ["read", "admin"], world.soon(3600))
        self.assertEqual(call("me", caller=token).json["scopes"], ["read", "admin"])
        listed = data_of(call("listTokens"))
        self.assertIn(ids["token_id"], [each["id"] for each in listed])
        _, other = world.token_of(people["owner"], ["read"])
        call("revokeToken", {"token_id": other})

    def test_05_reports(self):
        workspaces = data_of(call("listWorkspaces"))
        self.assertEqual(len(workspaces), 2)
        where = {"workspace_id": ids["workspace_id"]}
        reports = data_of(call("listReports", where))
        for summary in reports:
            path = {"report_id": summary["id"]}
            report = call("getReport", path).json
            opened = call("openReport", path).json
            self.assertEqual([v["id"] for v in opened["visuals"]], [v["id"] for v in report["visuals"]])
            for bookmark in report["bookmarks"]:
                ids["bookmark_id"] = bookmark["id"]
                call("openReport", path, {"bookmark_id": bookmark["id"]})
        ids["report_id"] = reports[0]["id"]
        ids["report_to_delete"] = reports[1]["id"]
        self.assertIn("bookmark_id", ids)
        world.client.call("getReport", people["owner"], {"report_id": ids["report_id"].upper()})

    def test_06_datasets(self):
        datasets = data_of(call("listDatasets", {"workspace_id": ids["workspace_id"]}))
        products = next(each for each in datasets if each["name"] == "products")  # of a file; others ask a source
        ids["dataset_id"] = products["id"]
        path = {"dataset_id": ids["dataset_id"]}
        self.assertEqual(call("getDataset", path).json, products)
        self.assertEqual(call("pauseDataset", path).json["state"], "paused")
        self.assertEqual(call("resumeDataset", path).json["state"], "ready")
        self.assertEqual(world.job("refreshDataset", people["owner"], path), {"row_count": products["row_count"]})

    def test_07_archives(self):
        estimate = call("estimateArchive").json
        self.assertEqual(len(estimate["workspaces"]), 2)
        ids["archive_id"] = world.archive(people["owner"], rows=True, audit=True)
        path = {"archive_id": ids["archive_id"]}
        made = call("getArchive", path).json
        self.assertTrue(made["rows"] and made["audit"] and made["own_signer"])
        self.assertIn(made, data_of(call("listArchives")))
        verification = world.job("verifyArchive", people["owner"], path)
        self.assertEqual(verification["state"], "verified")
        self.assertEqual(call("getArchive", path).json["verification"], verification)

    def test_07_moments(self):
        state = world.continuity()
        self.assertEqual(state["window_days"], 30)
        self.assertLessEqual(state["earliest"], state["latest"])
        self.assertLess(state["rpo_seconds"], 10)
        made = world.job("createArchiveFromMoment", people["owner"], body={"at": world.now(), "rows": False})
        archive = call("getArchive", made).json
        self.assertEqual((archive["origin"], archive["rows"]), ("moment", False))
        self.assertIsNotNone(archive["expires_at"])
        restore = world.job("compareArchive", people["owner"], made)
        reports = data_of(call("listRestoreItems", restore, {"kind": "report"}))
        self.assertEqual({item["action"] for item in reports}, {"identical"})

    def test_08_download(self):
        path = {"archive_id": ids["archive_id"]}
        whole = call("downloadArchive", path)
        archive = call("getArchive", path).json
        self.assertEqual(whole.status, 200)
        self.assertEqual(len(whole.body), archive["size_bytes"])
        self.assertIn(archive["name"], whole.header("Content-Disposition"))
        part = call("downloadArchive", path, headers={"Range": "bytes=100-299"})
        self.assertEqual(part.status, 206)
        self.assertEqual(part.body, whole.body[100:300])
        self.assertEqual(part.header("Content-Range"), f"bytes 100-299/{len(whole.body)}")
        end = call("downloadArchive", path, headers={"Range": "bytes=-5", "If-Range": whole.header("ETag")})
        self.assertEqual(end.body, whole.body[-5:])
        changed = call("downloadArchive", path, headers={"Range": "bytes=-5", "If-Range": '"another"'})
        self.assertEqual(changed.status, 200)
        self.__class__.archive_bytes = whole.body

    def test_09_uploads(self):
        upload_id = world.uploaded(people["owner"], self.archive_bytes)
        path = {"upload_id": upload_id}
        head = call("uploadOffset", path, headers=TUS)
        self.assertEqual(head.header("Upload-Offset"), str(len(self.archive_bytes)))
        self.assertTrue(call("getUpload", path).json["complete"])
        call("deleteArchive", {"archive_id": ids["archive_id"]})
        received = world.job("receiveArchive", people["owner"], body={"upload_id": upload_id})
        ids["archive_id"] = received["archive_id"]
        again = call("downloadArchive", {"archive_id": ids["archive_id"]})
        self.assertEqual(hashlib.sha256(again.body).digest(), hashlib.sha256(self.archive_bytes).digest())
        ids["upload_id"] = world.begin_upload(people["owner"], 1000)
        other = world.begin_upload(people["owner"], 10)
        listed = data_of(call("listUploads"))
        self.assertEqual([each["id"] for each in listed[:2]], [other, ids["upload_id"]])
        self.assertEqual(listed[1], call("getUpload", {"upload_id": ids["upload_id"]}).json)
        of_admin = world.begin_upload(people["admin"], 10)
        self.assertEqual([each["id"] for each in data_of(call("listUploads", caller=people["admin"]))], [of_admin])
        self.assertIn(of_admin, [each["id"] for each in data_of(call("listUploads"))])
        call("abandonUpload", {"upload_id": other}, headers=TUS)

    def test_10_compare(self):
        call("deleteReport", {"report_id": ids["report_to_delete"]})
        restore_id = world.compared(people["owner"], ids["archive_id"])
        path = {"restore_id": restore_id}
        self.assertEqual(call("getRestore", path).json["purpose"], "compare")
        items = data_of(call("listRestoreItems", path, {"limit": 500}))
        [deleted] = [item for item in items if item["action"] == "create" and item["kind"] == "report"]
        self.assertEqual(deleted["id"], ids["report_to_delete"])
        query = {"kind": "report", "action": "create", "workspace_id": ids["workspace_id"], "q": deleted["name"][:3]}
        self.assertEqual(data_of(call("listRestoreItems", path, query)), [deleted])
        for item in items:
            call("restoreItemDifferences", {**path, "kind": item["kind"], "asset_id": item["id"]})
        ids.update(comparison_id=restore_id, kind="report", asset_id=ids["report_to_delete"])

    def test_11_restore_and_undo(self):
        asset = {"kind": "report", "id": ids["report_to_delete"]}
        planned = world.job("planRestore", people["owner"], body={
            "archive_id": ids["archive_id"], "assets": [asset], "mode": "overwrite",
            "choices": [{**asset, "mode": "overwrite"}], "with_roles": False, "leave_out_blocked": True})
        self._apply(planned["restore_id"])
        call("getReport", {"report_id": ids["report_to_delete"]})
        undo = world.job("planUndo", people["owner"], {"restore_id": planned["restore_id"]},
                         body={"discard_edits": False})
        self._apply(undo["restore_id"])
        world.client.refused("resource/not-found", "getReport", people["owner"],
                             {"report_id": ids["report_to_delete"]})
        forked = world.job("planRestore", people["owner"], body={
            "archive_id": ids["archive_id"], "everything": True, "mode": "fork"})
        ids["restore_id"] = forked["restore_id"]
        ids["applied_id"] = planned["restore_id"]
        states = {each["id"]: each["state"] for each in data_of(call("listRestores"))}
        self.assertEqual(states[planned["restore_id"]], "undone")
        self.assertNotIn(ids["comparison_id"], states)

    def _apply(self, restore_id):
        path = {"restore_id": restore_id}
        plan_hash = call("getRestore", path).json["plan_hash"]
        applied = world.job("applyRestore", people["owner"], path, body={"plan_hash": plan_hash})
        self.assertEqual(applied, {"restore_id": restore_id})

    def test_12_jobs(self):
        jobs = data_of(call("listJobs"))
        kinds = {"archive.create", "archive.receive", "archive.verify", "restore.compare", "restore.plan",
                 "restore.apply", "restore.undo", "dataset.refresh"}
        self.assertLessEqual(kinds - {"restore.undo"}, {each["kind"] for each in jobs})
        ids["job_id"] = jobs[0]["id"]
        call("jobEvents", {"job_id": ids["job_id"]})
        waiting = [call("createArchive", body={"rows": True}).json["id"] for _ in range(6)]
        asked = call("cancelJob", {"job_id": waiting[-1]}).json
        self.assertTrue(asked["state"] == "cancelled" or asked["cancel_requested"])
        for job_id in waiting[:-1]:
            world.client.call("cancelJob", people["owner"], {"job_id": job_id})

    def test_13_settings(self):
        wanted = {"frequency": "weekly", "rows": False, "audit": True, "keep_days": 30}
        put = call("setSchedule", body=wanted).json
        self.assertEqual({name: put[name] for name in wanted}, wanted)
        self.assertEqual(call("getSchedule").json, put)
        off = call("setSchedule", body={**wanted, "frequency": "off"}).json
        self.assertIsNone(off["next_run_at"])
        events = data_of(call("listAuditEvents", query={"action": "backup.", "limit": 5}))
        self.assertTrue(all(event["action"].startswith("backup.") for event in events))
        actor = call("me").json["user"]["id"]
        own = data_of(call("listAuditEvents", query={"actor_id": actor, "from": "2020-01-01T00:00:00Z"}))
        self.assertEqual({event["actor"]["id"] for event in own}, {actor})
        none = call("listAuditEvents", query={"resource_id": "nothing", "to": "2020-01-01T00:00:00Z"})
        self.assertEqual(none.json["data"], [])
        verified = world.job("verifyAudit", people["owner"])
        self.assertTrue(verified["valid"])

    def test_13_drills(self):
        none = call("getDrills").json
        self.assertEqual((none["takes_part"], none["changed_at"], none["drills"]), (False, None, []))
        agreed = call("setDrills", body={"takes_part": True}).json
        self.assertEqual((agreed["takes_part"], agreed["changed_by"]["id"]), (True, call("me").json["user"]["id"]))
        [event] = data_of(call("listAuditEvents", query={"action": "drill.consent.change", "limit": 5}))
        self.assertEqual(event["detail"], {"takes_part": True})
        self.assertFalse(call("setDrills", body={"takes_part": False}).json["takes_part"])
        report = call("getTrustReport", caller=world.nobody).json
        for never in (ids["workspace_id"], "demo", "people.example"):
            self.assertNotIn(never, str(report).lower())

    def test_14_keys(self):
        [foreign] = data_of(call("listKeys", caller=people["outsider"]))
        body = {"public_key": foreign["public_key"], "fingerprint": foreign["fingerprint"], "note": "of a test"}
        self.assertEqual(call("acceptSigner", body=body).json["state"], "accepted")
        path = {"fingerprint": foreign["fingerprint"]}
        file = call("downloadKey", path).body.decode()
        self.assertIn(foreign["public_key"], file)
        call("revokeKey", path)
        states = {each["fingerprint"]: each["state"] for each in data_of(call("listKeys"))}
        self.assertEqual(states[foreign["fingerprint"]], "accepted_revoked")
        ids["retired_fingerprint"] = next(key for key, state in states.items() if state == "signs")
        ids["fingerprint"] = call("rotateKey").json["fingerprint"]
        self.assertNotEqual(ids["fingerprint"], ids["retired_fingerprint"])

    def test_15_an_untrusted_signer(self):
        archive_id = world.archive(people["outsider"])
        foreign = call("downloadArchive", {"archive_id": archive_id}, caller=people["outsider"]).body
        upload_id = world.uploaded(people["admin"], foreign)
        result = world.job("receiveArchive", people["admin"], body={"upload_id": upload_id})
        self.assertIsNone(result["archive_id"])
        self.assertEqual(set(result["signer"]), {"fingerprint", "public_key"})

    def test_15_personal_data(self):
        """Exported by the person, an Admin, and for those who never sign in; erased by an Owner."""
        found = {each["email"]: each["id"] for each in data_of(call("listPeople", query={"q": "UNDECIDED"}))}
        self.assertEqual(set(found), {"leaver@people.example", "stayer@people.example"})
        leaver, stayer = found["leaver@people.example"], found["stayer@people.example"]
        ids["user_id"] = leaver
        ids["export_id"] = world.job("createPersonalExport", people["owner"], body={})["export_id"]
        path = {"export_id": ids["export_id"]}
        bundle = call("downloadPersonalExport", path).json
        jsonschema.validate(bundle, json.loads((world.DOCS / "personal-data.schema.json").read_text()),
                            format_checker=FORMATS)
        made = call("getPersonalExport", path).json
        self.assertEqual((made["state"], made["downloads"], made["counts"]), ("ready", 1, bundle["counts"]))
        self.assertEqual(bundle["profile"]["id"], call("me").json["user"]["id"])
        self.assertEqual({name: len(rows) if isinstance(rows, list) else 1
                          for name, rows in bundle.items() if name in bundle["counts"]}, bundle["counts"])
        of_leaver = world.job("createPersonalExport", people["admin"], body={"user_id": leaver})["export_id"]
        own = data_of(call("listPersonalExports", caller=people["admin"], query={"user_id": leaver}))
        self.assertEqual([each["id"] for each in own], [of_leaver])

        settings = {"archives": "list", "cooling_off_days": 3}
        self.assertEqual(call("setPrivacySettings", body=settings).json, settings)
        self.assertEqual(call("getPrivacySettings").json, settings)
        waiting = call("createErasure", body={"user_id": stayer, "confirm": "STAYER@people.example"})
        self.assertEqual((waiting.status, waiting.json["state"]), (201, "scheduled"))
        waits = {"erasure_id": waiting.json["id"]}
        again = call("createErasure", body={"user_id": stayer, "confirm": "stayer@people.example"})
        self.assertEqual((again.status, again.json["id"]), (200, waiting.json["id"]))
        self.assertEqual(call("previewErasure", {"user_id": stayer}).json["pending_erasure_id"], waiting.json["id"])
        world.client.refused("resource/conflict", "downloadCertificate", people["owner"], waits)
        self.assertEqual(call("cancelErasure", waits).json["state"], "cancelled")
        world.client.refused("resource/conflict", "cancelErasure", people["owner"], waits)

        preview = call("previewErasure", {"user_id": leaver}).json
        self.assertEqual((preview["erased"], preview["last_owner"], preview["effects"]["profile"]), (False, False, 1))
        self.assertIn(ids["archive_id"], [each["id"] for each in preview["archives"]])
        erased = world.job("createErasure", people["owner"], body={
            "user_id": leaver, "confirm": "leaver@people.example", "cooling_off_days": 0})
        ids["erasure_id"] = erased["erasure_id"]
        done = call("getErasure", erased).json
        self.assertEqual((done["state"], done["user"]["name"]), ("done", "Erased user"))
        self.assertEqual(done["effects"], preview["effects"])
        certificate = call("downloadCertificate", erased).json
        self.assertEqual(certificate["statement"]["user"], leaver)
        self.assertIn(ids["archive_id"], [each["archive"] for each in certificate["statement"]["archives"]])
        self.assertIn(ids["erasure_id"], [each["id"] for each in data_of(call("listErasures"))])
        once_more = call("createErasure", body={"user_id": leaver, "confirm": "anything"})
        self.assertEqual((once_more.status, once_more.json["id"]), (200, ids["erasure_id"]))
        self.assertNotIn("leaver@", call("listPeople", query={"limit": 500}).body.decode())
        log = world.service.log.read_text()
        self.assertIn("createErasure", log)
        for never in ("leaver@", "people.example", "Undecided"):
            self.assertNotIn(never, log)
        world.client.refused("privacy/erased", "createPersonalExport", people["owner"], body={"user_id": leaver})
        world.client.refused("resource/gone", "downloadPersonalExport", people["owner"], {"export_id": of_leaver})
        self.assertTrue(world.job("verifyAudit", people["owner"])["valid"])

    def test_15_personal_data_refused(self):
        nobody_there = {"user_id": str(uuid.uuid4())}
        world.client.refused("resource/not-found", "createPersonalExport", people["owner"], body=nobody_there)
        world.client.refused("resource/not-found", "createErasure", people["owner"],
                             body={**nobody_there, "confirm": "x"})
        viewer = call("me", caller=people["viewer"]).json["user"]["id"]
        for name in ("viewer", "editor", "member_of_nothing"):
            world.client.refused("auth/permission-denied", "createPersonalExport", people[name],
                                 body={"user_id": ids["user_id"]})
            world.client.refused("auth/permission-denied", "listPersonalExports", people[name],
                                 query={"user_id": ids["user_id"]})
        world.client.refused("resource/not-found", "createPersonalExport", people["outsider"], body={"user_id": viewer})
        world.client.refused("request/invalid", "createErasure", people["owner"],
                             body={"user_id": viewer, "confirm": "somebody@else.example"})
        own = call("me", caller=people["outsider"]).json["user"]
        world.client.refused("privacy/last-owner", "createErasure", people["outsider"],
                             body={"user_id": own["id"], "confirm": "outsider@people.example"})
        # More than are made at a time: what waits cannot be downloaded yet.
        codes = set()
        while "resource/conflict" not in codes:
            started = [call("createPersonalExport", caller=people["admin"], body={}).json for _ in range(8)]
            answer = world.client.call("downloadPersonalExport", people["admin"], {"export_id": started[-1]["id"]})
            codes.add(answer.json.get("code", "ready"))
            for job in started:
                world.client.call("cancelJob", people["admin"], {"job_id": job["id"]})
        world.wait_for_all_jobs()

    def test_16_passwords(self):
        email = "member_of_nothing@people.example"
        other = world.client.sign_in("Demo", email, world.PASSWORD)
        next_one = world.PASSWORD + " indeed"
        call("changePassword", caller=other, body={"present": world.PASSWORD, "next": next_one})
        world.client.refused("auth/invalid-token", "me", people["member_of_nothing"])
        call("signOutEverywhere", caller=other)
        world.client.refused("auth/invalid-token", "me", other)
        people["member_of_nothing"] = world.client.sign_in("Demo", email, next_one)
