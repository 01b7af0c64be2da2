"""The operators' API: a listener and a credential of its own."""

import http.client
import json
import time
import unittest
import uuid

import world
from service import Answer
from world import ids, people

TENANTS = "/v1/operator/tenants"


def send(method, target, token=None, body=None, headers=None, raw=None):
    connection = http.client.HTTPConnection("127.0.0.1", world.service.operator_port, timeout=20)
    sent = {"Authorization": "Bearer " + token} if token is not None else {}
    if body is not None:
        raw, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
    connection.request(method, target, raw, {**sent, **(headers or {})})
    response = connection.getresponse()
    answer = Answer(method, response, response.read())
    connection.close()
    world.client.check_always(answer, f"{method} {target}")
    if answer.status >= 400:
        world.contract.check_problem(answer, f"{method} {target}")
    return answer


class Operators(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.token = (world.service.data / "operator.token").read_text().strip()

    def ask(self, method, target, *arguments, **named):
        return send(method, target, self.token, *arguments, **named)

    def refused(self, code, *arguments, **named):
        answer = self.ask(*arguments, **named)
        self.assertEqual(answer.json.get("code"), code, answer.json)
        return answer

    def made(self, name, plan="starter", **named):
        answer = self.ask("POST", TENANTS, {"name": name, "plan": plan}, **named)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json

    def test_1_the_credential(self):
        for target in ("/metrics", TENANTS, "/v1/nothing"):
            for given in (None, "", "x", self.token[:-1], people["owner"].cookie, self.token.upper()):
                answer = send("GET", target, given)
                self.assertEqual(answer.status, 401)
                self.assertIn(answer.json["code"], ("auth/missing-token", "auth/invalid-token"))
        self.assertEqual(send("GET", "/healthz").status, 200)

    def test_2_measures(self):
        answer = self.ask("GET", "/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.header("Content-Type").startswith("text/plain"))
        for never in (b"demo.example", b"people.example", ids["workspace_id"].encode()):
            self.assertNotIn(never, answer.body)

    def test_2_what_is_stored(self):
        status = self.ask("GET", "/v1/operator/storage").json
        self.assertEqual(set(status), {"at", "bucket", "coverage", "damage", "alarms"})
        self.assertIsNone(status["bucket"])  # objects are in the folder
        self.assertEqual((status["damage"], status["alarms"]), ([], []))
        self.assertTrue(0 <= status["coverage"]["verified_share"] <= 1)
        self.refused("resource/conflict", "POST", "/v1/operator/storage/check")
        self.refused("request/method-not-allowed", "DELETE", "/v1/operator/storage")
        self.assertIn(b'oa_storage_alarm{alarm="object-damaged"} 0', self.ask("GET", "/metrics").body)

    def test_2_drills(self):
        tenant = next(t["id"] for t in self.ask("GET", TENANTS + "?limit=500").json["data"] if t["name"] == "Demo")
        target = "/v1/operator/drills"
        self.refused("auth/permission-denied", "POST", target, {"tenant_id": tenant})
        self.refused("resource/not-found", "POST", target, {"tenant_id": str(uuid.uuid4())})
        self.refused("request/invalid", "POST", target, {"tenant": tenant})
        self.refused("resource/not-found", "GET", target + "/" + str(uuid.uuid4()))
        world.client.call("setDrills", people["owner"], body={"takes_part": True})
        self.assertEqual(self.ask("POST", target, {"tenant_id": tenant}).status, 202)
        deadline = time.monotonic() + 120
        while True:  # the service may drill the quarter's sample, too
            drills = [d for d in self.ask("GET", target + "?limit=10").json["data"] if d["tenant_id"] == tenant]
            if drills and drills[0]["state"] != "validating":
                break
            self.assertLess(time.monotonic(), deadline, drills)
            time.sleep(0.5)
        world.client.call("setDrills", people["owner"], body={"takes_part": False})
        drill = self.ask("GET", target + "/" + drills[0]["id"]).json
        self.assertEqual(drill["state"], "successful", drill)
        self.assertIsNone(drill["recovery_tenant_id"])
        self.assertEqual([step["name"] for step in drill["steps"]],
                         ["archive", "recovery-tenant", "restore", "erasures", "sign-in", "reports", "recovery-time",
                          "compare", "refresh", "archive-again", "export", "take-down"])
        [own] = [d for d in world.client.call("getDrills", people["owner"]).json["drills"] if d["id"] == drill["id"]]
        self.assertEqual(own["record"], drill["record"])

    def test_3_tenants_page_by_page(self):
        added = [self.made(f"Page {number}", "growth") for number in range(4)]
        whole = self.ask("GET", TENANTS + "?limit=500").json
        self.assertFalse(whole["page"]["has_more"])
        for tenant in added:
            self.assertEqual((tenant["plan"], set(tenant)), ("growth", {"id", "name", "plan", "created_at"}))
            self.assertIn(tenant, whole["data"])
        seen, target = [], TENANTS + "?limit=2"
        while True:
            page = self.ask("GET", target).json
            self.assertLessEqual(len(page["data"]), 2)
            seen += page["data"]
            if not page["page"]["has_more"]:
                break
            target = f"{TENANTS}?limit=2&cursor={page['page']['next_cursor']}"
        self.assertEqual(seen, whole["data"])
        for query, code in (("limit=0", "request/invalid"), ("limit=x", "request/invalid"),
                            ("cursor=nonsense", "pagination/cursor-mismatch")):
            self.refused(code, "GET", TENANTS + "?" + query)

    def test_4_wrong_requests(self):
        self.refused("resource/not-found", "GET", "/v1/archives")
        self.assertEqual(self.refused("request/method-not-allowed", "DELETE", TENANTS).header("Allow"), "GET, POST, HEAD")
        right = {"name": "Never", "plan": "starter"}
        for body in ({}, [], {"name": "Never"}, {**right, "plan": "free"}, {**right, "more": 1}, {**right, "name": ""}):
            self.refused("request/invalid", "POST", TENANTS, body)
        self.refused("request/unsupported-media-type", "POST", TENANTS, raw=b"{}", headers={"Content-Type": "text/plain"})
        self.refused("request/limit-exceeded", "POST", TENANTS, {**right, "name": "x" * 20_000})
        self.refused("resource/already-exists", "POST", TENANTS, {"name": "Demo", "plan": "starter"})
        self.assertNotIn("Never", self.ask("GET", TENANTS + "?limit=500").body.decode())

    def test_5_a_plan_is_changed(self):
        tenant = self.made("Grows")
        target = f"{TENANTS}/{tenant['id']}"
        changed = self.ask("PATCH", target, {"plan": "scale"})
        self.assertEqual((changed.status, changed.json), (200, {**tenant, "plan": "scale"}))
        self.assertIn(changed.json, self.ask("GET", TENANTS + "?limit=500").json["data"])
        trace = world.service.sql(f"SELECT trace_id FROM oa.audit_events WHERE tenant_id = '{tenant['id']}' AND "
                                  "action = 'tenant.plan.change' AND actor_type = 'operator'")
        self.assertEqual(trace, changed.header("X-Trace-Id"))
        back = world.service.command("tenant", "set-plan", "Grows", "growth")
        self.assertEqual(back, {**tenant, "plan": "growth"})
        for body in ({}, {"plan": "free"}, {"plan": "scale", "name": "Other"}):
            self.refused("request/invalid", "PATCH", target, body)
        for id in (str(uuid.uuid4()), "nothing"):
            self.refused("resource/not-found", "PATCH", f"{TENANTS}/{id}", {"plan": "scale"})

    def test_6_a_tenant_is_made_once(self):
        key = {"Idempotency-Key": "once"}
        first = self.made("Once", headers=key)
        again = self.ask("POST", TENANTS, {"name": "Once", "plan": "starter"}, headers=key)
        self.assertEqual((again.status, again.json, again.header("Idempotent-Replay")), (201, first, "true"))
        self.refused("request/idempotency-key-reused", "POST", TENANTS, {"name": "Twice", "plan": "starter"}, headers=key)
        self.refused("request/invalid", "POST", TENANTS, {"name": "Once", "plan": "starter"}, headers={"Idempotency-Key": "a b"})
        other = {"Idempotency-Key": "wrong-at-first"}
        self.refused("resource/already-exists", "POST", TENANTS, {"name": "Once", "plan": "scale"}, headers=other)
        self.made("Not once", headers=other)
        world.service.sql("UPDATE oa.operator_answers SET status = 0 WHERE key = 'once'")  # as one that was killed
        self.refused("resource/conflict", "POST", TENANTS, {"name": "Once", "plan": "starter"}, headers=key)
