"""Who may: every operation with another tenant's ids and with every role, by what `x-right` says of it."""

import unittest
import uuid

import world
from refusals import BODIES, operations, path_of
from world import TUS, ids, people

# Operations that would end what the other cases use, when somebody may.
ENDS = {"deleteReport", "deleteArchive", "revokeToken", "abandonUpload", "revokeKey", "rotateKey", "signOut",
        "signOutEverywhere", "changePassword", "createToken", "setSchedule", "acceptSigner", "planRestore",
        "appendUpload", "cancelJob"}
IN_WORKSPACE = {"owner": "admin", "admin": "admin", "editor": "editor", "viewer": "viewer"}
MAY_BACK_UP = {"owner", "admin", "admin_elsewhere", "outsider"}
# Of a body: what the id in it names is the owner's.
BODY_IDS = {"createArchive": lambda: {"workspace_ids": [ids["other_workspace_id"], ids["workspace_id"]]},
            "receiveArchive": lambda: {"upload_id": ids["upload_id"]},
            "planRestore": lambda: {"archive_id": ids["archive_id"], "everything": True},
            "createErasure": lambda: {"user_id": ids["user_id"], "confirm": "not their address"}}


def expected(operation, person):
    """A code, or None: heard. The ids are those of what the Owner of the demo tenant made."""
    right = operation.right
    names_something = bool(operation.parameter_names("path")) or operation.id in BODY_IDS
    if right == "public":
        return None
    if right == "owner":
        if person not in ("owner", "outsider"):
            return "auth/permission-denied"
    elif right == "backup":
        if person not in MAY_BACK_UP:
            return "auth/permission-denied"
    elif right == "concerned":
        # Of oneself everybody; of the Owner, whose export it is, who may back up.
        heard = not names_something or person in MAY_BACK_UP - {"outsider"}
        return None if heard else "resource/not-found"
    elif right in ("member", "reader", "editor"):
        if person not in IN_WORKSPACE:
            return "resource/not-found"
        if right == "editor" and IN_WORKSPACE[person] == "viewer":
            return "auth/permission-denied"
        return None
    if names_something and person != "owner":
        return "resource/not-found"
    return None


def request_of(operation):
    named = {"path": path_of(operation)}
    if operation.body is not None:
        named["body"] = BODY_IDS.get(operation.id, lambda: BODIES[operation.id])()
    if operation.id == "appendUpload":
        named["raw"] = b""
        named["headers"] = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    elif operation.id == "createUpload":
        named["headers"] = {**TUS, "Upload-Length": "5"}
    elif operation.id in ("uploadOffset", "abandonUpload"):
        named["headers"] = TUS
    return named


class Rights(unittest.TestCase):
    def test_1_every_operation_by_everybody(self):
        status = {"resource/not-found": 404, "auth/permission-denied": 403}
        heard = refused = 0
        for operation in operations():
            for person, caller in people.items():
                code = expected(operation, person)
                if code is None and operation.id in ENDS | {"signIn", "applyRestore"}:
                    continue
                with self.subTest(operation=operation.id, person=person, code=code):
                    answer = world.client.call(operation.id, caller, **request_of(operation))
                    if code is None:
                        self.assertNotIn(answer.status, (401, 403, 404))
                        heard += 1
                    else:
                        self.assertEqual(answer.status, status[code], answer.body)
                        if operation.method != "HEAD":
                            self.assertEqual(answer.json["code"], code)
                        refused += 1
        self.assertGreater(refused, 150)
        self.assertGreater(heard, 100)

    def test_2_another_tenants_id_is_as_one_that_there_is_not(self):
        """In every word but the id."""
        outsider = people["outsider"]
        for operation in operations():
            names = operation.parameter_names("path")
            if not names or operation.method == "HEAD":
                continue
            there, nowhere = request_of(operation), request_of(operation)
            nowhere["path"] = {name: "report" if name == "kind" else "f" * 64 if name == "fingerprint" else str(uuid.uuid4())
                               for name in names}
            told = []
            for named in (there, nowhere):
                problem = world.client.refused("resource/not-found", operation.id, outsider, **named).json
                told.append({key: value for key, value in problem.items() if key not in ("instance", "trace_id")})
            with self.subTest(operation=operation.id):
                self.assertEqual(told[0], told[1])

    def test_3_lists_of_another_tenant_are_blank(self):
        outsider = people["outsider"]
        for id in ("listWorkspaces", "listRestores"):
            self.assertEqual(world.client.call(id, outsider).json["data"], [], id)
        self.assertEqual(world.client.call("estimateArchive", outsider).json["workspaces"], [])
        tenant = world.client.call("me", outsider).json["user"]["id"]
        for job in world.client.call("listJobs", outsider).json["data"]:
            self.assertEqual(job["created_by"]["id"], tenant)
        for event in world.client.call("listAuditEvents", outsider, query={"limit": 500}).json["data"]:
            self.assertIn(event["actor"].get("id"), (tenant, None))

    def test_4_a_viewer_sees_nothing_of_backups(self):
        for person in ("viewer", "editor", "member_of_nothing"):
            caller = people[person]
            jobs = world.client.call("listJobs", caller).json["data"]
            if person != "editor":  # what everybody may do for themselves
                self.assertEqual({job["kind"] for job in jobs} - {"privacy.export"}, set())
            self.assertFalse(world.client.call("me", caller).json["may_back_up"])
        self.assertEqual(world.client.call("listWorkspaces", people["member_of_nothing"]).json["data"], [])
        [only] = world.client.call("listWorkspaces", people["viewer"]).json["data"]
        self.assertEqual((only["id"], only["role"]), (ids["workspace_id"], "viewer"))

    def test_5_an_admin_has_their_workspaces(self):
        admin, elsewhere = people["admin"], people["admin_elsewhere"]
        own = world.archive(admin)
        made = world.client.call("getArchive", admin, {"archive_id": own}).json
        self.assertEqual(made["workspace_ids"], [ids["workspace_id"]])
        self.assertEqual(made["counts"]["workspaces"], 1)
        world.client.call("getArchive", people["owner"], {"archive_id": own})
        world.client.refused("resource/not-found", "getArchive", elsewhere, {"archive_id": own})
        listed = world.client.call("listArchives", admin, query={"limit": 500}).json["data"]
        self.assertIn(own, [each["id"] for each in listed])
        self.assertTrue(all(each["workspace_ids"] == [ids["workspace_id"]] for each in listed), listed)
        self.assertNotIn(own, [each["id"] for each in world.client.call("listArchives", elsewhere).json["data"]])
        world.client.refused("resource/not-found", "createArchive", admin,
                             body={"workspace_ids": [ids["other_workspace_id"]]})
        world.client.refused("auth/permission-denied", "createArchive", admin, body={"audit": True})
        estimate = world.client.call("estimateArchive", admin).json
        self.assertEqual([each["id"] for each in estimate["workspaces"]], [ids["workspace_id"]])
        self.assertIsNone(estimate["audit_events"])
        compared = world.compared(admin, own)
        items = world.client.call("listRestoreItems", admin, {"restore_id": compared}, {"limit": 500}).json["data"]
        self.assertEqual({item["workspace_id"] for item in items}, {ids["workspace_id"]})
        world.client.refused("resource/not-found", "getRestore", elsewhere, {"restore_id": compared})
        self.assertEqual(world.client.call("deleteArchive", admin, {"archive_id": own}).status, 204)

    def test_6_an_admin_restores_only_where_they_are(self):
        """An archive of everything that an Admin uploaded is theirs to look into, not to restore all of."""
        whole = world.client.call("downloadArchive", people["owner"], {"archive_id": ids["archive_id"]}).body
        upload_id = world.uploaded(people["admin"], whole)
        own = world.job("receiveArchive", people["admin"], body={"upload_id": upload_id})["archive_id"]
        compared = world.compared(people["admin"], own)
        items = world.client.call("listRestoreItems", people["admin"], {"restore_id": compared}, {"limit": 500}).json
        self.assertEqual({item["workspace_id"] for item in items["data"]}, {ids["workspace_id"]})
        elsewhere = {"workspace_id": ids["other_workspace_id"]}
        for kind, listed in (("report", "listReports"), ("dataset", "listDatasets")):
            asset = world.client.call(listed, people["owner"], elsewhere).json["data"][0]["id"]
            world.client.refused("resource/not-found", "restoreItemDifferences", people["admin"],
                                 {"restore_id": compared, "kind": kind, "asset_id": asset})
        gone = world.client.call("listReports", people["owner"], elsewhere).json["data"][0]["id"]
        world.client.call("deleteReport", people["owner"], {"report_id": gone})
        self._plan_of_everything(own)
        self._seen_by_its_uploader_and_owners(own)
        there = {"kind": "workspace", "id": ids["other_workspace_id"]}
        asked = world.client.call("planRestore", people["admin"], body={"archive_id": own, "assets": [there]})
        job = world.client.wait_for(asked, people["admin"], state=None)
        if job["state"] == "succeeded":
            plan = world.client.call("getRestore", people["admin"], {"restore_id": job["result"]["restore_id"]}).json
            writes = set(plan["counts"]) - {"identical", "blocked", "skip"}
            self.assertTrue(not writes or not plan["applicable"]["ok"], plan)
        else:
            self.assertIn(job["failure"]["code"], ("auth/permission-denied", "resource/not-found"))

    def _plan_of_everything(self, archive_id):
        """Everything is what the Admin manages: of the rest, gone or not, the plan tells nothing."""
        asked = world.client.call("planRestore", people["admin"],
                                  body={"archive_id": archive_id, "everything": True})
        result = world.client.wait_for(asked, people["admin"])["result"]
        items = world.client.call("listRestoreItems", people["admin"], result, {"limit": 500}).json["data"]
        self.assertGreater(len(items), 1)
        self.assertEqual({item["workspace_id"] for item in items}, {ids["workspace_id"]})
        elsewhere = {"workspace_id": ids["other_workspace_id"]}
        report = world.client.call("listReports", people["owner"], elsewhere).json["data"][0]["id"]
        asked = world.client.call("planRestore", people["admin"], body={
            "archive_id": archive_id, "assets": [{"kind": "report", "id": report}], "leave_out_blocked": True})
        result = world.client.wait_for(asked, people["admin"])["result"]
        items = world.client.call("listRestoreItems", people["admin"], result, {"limit": 500}).json["data"]
        self.assertEqual({item["action"] for item in items}, {"blocked"}, "nor whether it has changed")
        world.client.refused("resource/not-found", "restoreItemDifferences", people["admin"],
                             {**result, "kind": "report", "asset_id": report})

    def _seen_by_its_uploader_and_owners(self, archive_id):
        """An archive that names no workspaces, whatever became of that in the catalog."""
        path = {"archive_id": archive_id}
        for named, seen_elsewhere in (("NULL", False), ("'{}'", False), (f"'{{{ids['other_workspace_id']}}}'", True)):
            world.service.sql(f"UPDATE oa.archives SET workspaces = {named} WHERE id = '{archive_id}'")
            for person, sees in (("owner", True), ("admin", True), ("admin_elsewhere", seen_elsewhere)):
                with self.subTest(workspaces=named, person=person):
                    answer = world.client.call("getArchive", people[person], path)
                    self.assertEqual(answer.status, 200 if sees else 404)
                    listed = world.client.call("listArchives", people[person], query={"limit": 500}).json["data"]
                    self.assertEqual(archive_id in [each["id"] for each in listed], sees)
        world.service.sql(f"UPDATE oa.archives SET workspaces = NULL WHERE id = '{archive_id}'")

    def test_7_an_editor_edits(self):
        editor = people["editor"]
        world.wait_for_all_jobs()
        path = {"dataset_id": ids["dataset_id"]}
        for id in ("pauseDataset", "resumeDataset"):
            self.assertEqual(world.client.call(id, editor, path).status, 200)
        job = world.client.call("refreshDataset", editor, path).json
        self.assertEqual(world.client.call("getJob", editor, {"job_id": job["id"]}).status, 200)
        world.client.refused("resource/not-found", "getJob", people["viewer"], {"job_id": job["id"]})
        reports = world.client.call("listReports", editor, {"workspace_id": ids["workspace_id"]}).json["data"]
        doomed = next(each["id"] for each in reports if each["id"] != ids["report_id"])
        self.assertEqual(world.client.call("deleteReport", editor, {"report_id": doomed}).status, 204)
        world.client.refused("resource/not-found", "getReport", editor, {"report_id": doomed})
