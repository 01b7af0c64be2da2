"""What every operation refuses in the same way: who asks, how they ask, and bodies and queries that are not valid."""

import time
import unittest
import uuid

import world
from openapi import METHODS
from service import Caller
from world import TUS, ids, nobody, people
from wrong import wrong_objects, wrong_texts

NEVER = "0" * 64
BODIES = {
    "signIn": {"organisation": "Demo", "email": "viewer@people.example", "password": "not this one"},
    "changePassword": {"present": "not this one", "next": "another long one 815"},
    "createToken": {"name": "of a test", "scopes": ["read"]},
    "createArchive": {},
    "createArchiveFromMoment": {"at": "2020-01-01T00:00:00Z"},
    "receiveArchive": {"upload_id": str(uuid.uuid4())},
    "planRestore": {"archive_id": str(uuid.uuid4()), "everything": True},
    "applyRestore": {"plan_hash": NEVER},
    "planUndo": {},
    "setSchedule": {"frequency": "off", "rows": False, "audit": False, "keep_days": 30},
    "setDrills": {"takes_part": False},
    "acceptSigner": {"public_key": "RWQ", "fingerprint": NEVER},
    "createPersonalExport": {},
    "createErasure": {"user_id": str(uuid.uuid4()), "confirm": "nobody@people.example"},
    "setPrivacySettings": {"archives": "list", "cooling_off_days": 0},
}
SCOPES = ["read", "reports", "datasets", "backup", "restore", "admin"]


def operations():
    return world.contract.operations.values()


def path_of(operation):
    return {name: ids[name] for name in operation.parameter_names("path")}


def must_refuse(case, code, operation, caller, path=None, **named):
    """`code`, or for HEAD, whose answers have no body, the status of `code`."""
    path = path_of(operation) if path is None else path
    with case.subTest(operation=operation.id, code=code, caller=caller.name):
        if operation.method == "HEAD":
            answer = world.client.call(operation.id, caller, path, **named)
            status = {"auth/scope-denied": 403, "auth/permission-denied": 403, "auth/tenant-mismatch": 403,
                      "request/headers-too-large": 431, "resource/not-found": 404}.get(code, 401)
            case.assertEqual(answer.status, status)
        else:
            world.client.refused(code, operation.id, caller, path, **named)


class Gate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.expired, _ = world.token_of(people["owner"], SCOPES, world.soon(2))
        cls.expired_at = time.time() + 2.5

    def callers_operations(self):
        return [operation for operation in operations() if not operation.public]

    def test_1_without_proof(self):
        for operation in self.callers_operations():
            must_refuse(self, "auth/missing-token", operation, nobody)

    def test_2_with_a_token_that_is_none(self):
        revoked, token_id = world.token_of(people["owner"], SCOPES)
        world.client.call("revokeToken", people["owner"], {"token_id": token_id})
        for operation in self.callers_operations():
            must_refuse(self, "auth/invalid-token", operation, revoked)
        tenant = world.client.call("me", people["owner"]).json["tenant"]["id"]
        texts = ["", "x", "oab_", f"oab_{tenant}_" + "A" * 43, "oab_" + "x" * 4000, revoked.token[:-1],
                 revoked.token + "A", "' OR 1=1", "oab_\u00e4", f"oab_{tenant}_"]
        for text in texts:
            for headers in ({"Authorization": "Bearer " + text}, {"Authorization": "Basic " + text},
                            {"Cookie": "__Host-oa-session=" + text}):
                headers = {name: value.encode() for name, value in headers.items()}
                with self.subTest(headers=headers):
                    world.client.refused("auth/invalid-token", "me", nobody, headers=headers)

    def test_3_from_another_site(self):
        owner = people["owner"]
        wrongs = [{"X-CSRF-Token": None}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": people["admin"].csrf},
                  {"X-CSRF-Token": owner.csrf[:-1]}, {"Origin": "https://evil.example"}, {"Origin": "null"},
                  {"Origin": f"http://127.0.0.1:{world.service.port}.evil.example"},
                  {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
        for operation in self.callers_operations():
            for headers in wrongs if operation.changes else []:
                must_refuse(self, "auth/forged-request", operation, owner, headers=headers)
        for headers in wrongs[4:]:
            must_refuse(self, "auth/forged-request", world.contract.operations["signIn"], nobody, headers=headers)

    def test_4_with_a_token_of_other_scopes(self):
        for scope in SCOPES:
            token, _ = world.token_of(people["owner"], [each for each in SCOPES if each != scope])
            for operation in self.callers_operations():
                self.assertIn(operation.scope, SCOPES, operation.id)
                if operation.scope == scope:
                    must_refuse(self, "auth/scope-denied", operation, token)
        less, _ = world.token_of(people["owner"], ["read", "admin"])
        world.client.refused("auth/permission-denied", "createToken", less, body={"name": "more", "scopes": ["backup"]})

    def test_5_for_another_tenant(self):
        for operation in self.callers_operations():
            must_refuse(self, "auth/tenant-mismatch", operation, people["owner"],
                        headers={"X-Tenant-Id": str(uuid.uuid4())})
        own = world.client.call("me", people["owner"]).json["tenant"]["id"]
        self.assertEqual(world.client.call("me", people["owner"], headers={"X-Tenant-Id": own}).status, 200)

    def test_6_too_much_of_a_head(self):
        for operation in operations():
            must_refuse(self, "request/headers-too-large", operation, people["owner"],
                        headers={"X-Much": "x" * 20000})

    def test_7_by_another_method(self):
        paths = {}
        for operation in operations():
            paths.setdefault(operation.path, []).append(operation)
        for path, there in paths.items():
            if not path.startswith("/v1"):
                continue
            target = path
            for name in there[0].parameter_names("path"):
                target = target.replace("{" + name + "}", str(ids[name]))
            documented = {operation.method for operation in there}
            documented |= {"HEAD"} if "GET" in documented else set()
            for method in {name.upper() for name in METHODS} - documented - {"HEAD"}:
                with self.subTest(method=method, path=path):
                    answer = world.client.send(method, target, people["owner"].headers(True))
                    self.assertEqual(answer.status, 405)
                    self.assertEqual(answer.json["code"], "request/method-not-allowed")
                    world.contract.check_problem(answer, f"{method} {path}")
                    self.assertEqual(sorted(answer.header("Allow").split(", ")), sorted(documented))

    def test_8_with_a_token_too_old(self):
        time.sleep(max(0.0, self.expired_at - time.time()))
        for operation in self.callers_operations():
            must_refuse(self, "auth/expired-token", operation, self.expired)

    def test_9_at_no_address(self):
        for target in ("/v1", "/v1/", "/v1/nothing", "/v1/me/", "/v1//me", "/v1/me/x", "/v1/archives/", "/v1/me;x"):
            with self.subTest(target=target):
                answer = world.client.send("GET", target, people["owner"].headers(False))
                self.assertIn(answer.status, (400, 404))
                world.contract.check_problem(answer, target)


class Bodies(unittest.TestCase):
    def bodied(self):
        there = {operation.id: operation for operation in operations() if operation.body is not None}
        self.assertEqual(set(there), set(BODIES))
        for id, operation in there.items():
            yield operation, people["owner"] if not operation.public else nobody

    def test_1_what_the_schema_does_not_allow(self):
        for operation, caller in self.bodied():
            for body in wrong_objects(operation.body, BODIES[operation.id]):
                with self.subTest(operation=operation.id, body=str(body)[:200]):
                    world.client.refused("request/invalid", operation.id, caller, path_of(operation), body=body)

    def test_2_what_is_no_json(self):
        texts = [b"{", b"[]", b'"x"', b"null", b"", b"5", b"nul", b"{}{}", b"{,}", b"{'a':1}", b'{"a":1,}', b"\xef\xbb\xbf{}",
                 b'{"a":NaN}', b"// x\n{}", b'{"\xff":1}', b'{"a":"\xc3\x28"}', b'{"a":"\\ud800"}', b'{"a":"\x01"}',
                 b"{" * 1000]
        for operation, caller in self.bodied():
            name = next(iter(operation.body["properties"]))
            twice = b'{"%s":true,"%s":true}' % (name.encode(), name.encode())
            for text in [*texts, twice]:
                with self.subTest(operation=operation.id, text=text[:60]):
                    world.client.refused("request/invalid", operation.id, caller, path_of(operation), raw=text,
                                         headers={"Content-Type": "application/json"})

    def test_2_nested_a_thousand_times(self):
        for operation, caller in self.bodied():
            for text in (b"[" * 1000 + b"]" * 1000, b'{"a":' * 1000 + b"1" + b"}" * 1000):
                with self.subTest(operation=operation.id, text=text[:2]):
                    world.client.refused("request/limit-exceeded", operation.id, caller, path_of(operation), raw=text,
                                         headers={"Content-Type": "application/json"})

    def test_3_of_another_type(self):
        for operation, caller in self.bodied():
            for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                          "application/jsonp", "application/json-patch+json", "", None):
                with self.subTest(operation=operation.id, media=media):
                    world.client.refused("request/unsupported-media-type", operation.id, caller, path_of(operation),
                                         raw=b"{}", headers={"Content-Type": media})

    def test_4_too_long(self):
        for operation, caller in self.bodied():
            with self.subTest(operation=operation.id):
                world.client.refused("request/limit-exceeded", operation.id, caller, path_of(operation),
                                     declared=100_000_000, headers={"Content-Type": "application/json"})

    def test_5_texts_that_a_database_refuses(self):
        for operation, caller in self.bodied():
            for name, member in operation.body["properties"].items():
                if member.get("type") != "string" or "pattern" in member:
                    continue
                for text in ("a\u0000b", "\u0000", "\ufffe", "\U0010ffff", "'; DROP TABLE oa.tenants; --", "\r\nX: y"):
                    with self.subTest(operation=operation.id, member=name, text=text):
                        answer = world.client.call(operation.id, caller, path_of(operation),
                                                   body={**BODIES[operation.id], name: text})
                        self.assertLess(answer.status, 500)

    def test_6_queries(self):
        for operation in operations():
            for parameter in operation.parameters:
                if parameter["in"] != "query":
                    continue
                name = parameter["name"]
                for text in wrong_texts(parameter["schema"]):
                    with self.subTest(operation=operation.id, parameter=name, text=text[:60]):
                        world.client.refused("request/invalid", operation.id, people["owner"], path_of(operation),
                                             {name: text})
                for text in ("a\u0000b", "\u0000", "\ufffe", "'; --", "%", "_", "\\", "x" * 3000):
                    with self.subTest(operation=operation.id, parameter=name, any=text[:60]):
                        answer = world.client.call(operation.id, people["owner"], path_of(operation), {name: text})
                        self.assertLess(answer.status, 500)
                with self.subTest(operation=operation.id, twice=name):
                    world.client.refused("request/invalid", operation.id, people["owner"], path_of(operation),
                                         [(name, "1"), (name, "1")])

    def test_7_headers_of_uploads(self):
        owner = people["owner"]
        for length in (None, "", "x", "-1", "0", "1.5", "99999999999999999999999", "0x10"):
            with self.subTest(length=length):
                world.client.refused("request/invalid", "createUpload", owner, headers={**TUS, "Upload-Length": length})
        for metadata in ("filename !!!", "filename AAAA", "filename DQpY", "filename /w=="):
            with self.subTest(metadata=metadata):
                world.client.refused("request/invalid", "createUpload", owner,
                                     headers={**TUS, "Upload-Length": "5", "Upload-Metadata": metadata})
        path = {"upload_id": ids["upload_id"]}
        for name, value in (("Upload-Offset", None), ("Upload-Offset", "-1"), ("Upload-Offset", "x"),
                            ("Upload-Checksum", "sha256"), ("Upload-Checksum", "md5 AAAA"),
                            ("Upload-Checksum", "sha256 !!"), ("Upload-Checksum", "sha256 AAAA")):
            headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", name: value}
            with self.subTest(name=name, value=value):
                world.client.refused("request/invalid", "appendUpload", owner, path, raw=b"x", headers=headers)
        self.assertEqual(world.client.call("getUpload", owner, path).json["offset"], 0)

    def test_8_what_is_not_there(self):
        somebody_new = str(uuid.uuid4())
        for operation in operations():
            names = operation.parameter_names("path")
            if "resource/not-found" not in operation.own_codes:
                continue
            headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
            named = {"headers": headers, "raw": b""} if operation.id == "appendUpload" else {}
            if operation.id in ("uploadOffset", "abandonUpload"):
                named = {"headers": TUS}
            if operation.body is not None:
                named = {"body": BODIES[operation.id]}
            if operation.id == "createPersonalExport":
                named = {"body": {"user_id": somebody_new}}
            if operation.id == "createArchive":
                named = {"body": {"workspace_ids": [somebody_new]}}
            if not names:
                must_refuse(self, "resource/not-found", operation, people["owner"], **named)
            for name in names:
                texts = ["nothing", "..%2f..", "0", "x" * 500, "\u00e4", "' OR ''='", ids[name] + "0"]
                for text in [NEVER if name == "fingerprint" else somebody_new, *(texts if name != "fingerprint" else [])]:
                    must_refuse(self, "resource/not-found", operation, people["owner"],
                                {**path_of(operation), name: text}, **named)
