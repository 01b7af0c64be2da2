"""docs/openapi.yaml as rules that answers are held against, and a record of what was seen of it."""

import copy
import re

import jsonschema
import yaml

COMMON = {
    "request/invalid", "request/headers-too-large", "request/timeout", "request/rate-limited",
    "service/overloaded", "database/unavailable", "privacy/replay-pending", "privacy/ledger-broken", "internal",
}
OF_CALLERS = {
    "auth/missing-token", "auth/invalid-token", "auth/expired-token", "auth/scope-denied",
    "auth/permission-denied", "auth/tenant-mismatch",
}
OF_JSON_BODIES = {"request/unsupported-media-type", "request/limit-exceeded"}
OF_KEYS = {"request/idempotency-key-reused", "resource/conflict"}
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")

FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("uuid")
def is_uuid(value):
    return not isinstance(value, str) or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value) is not None


@FORMATS.checks("date-time")
def is_moment(value):
    form = r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d{1,6})?Z"
    return not isinstance(value, str) or re.fullmatch(form, value) is not None


class Operation:
    def __init__(self, method, path, item, shared_parameters):
        self.method, self.path = method.upper(), path
        self.id = item["operationId"]
        self.right = item["x-right"]
        self.scope = item.get("x-scope")
        self.public = item.get("security") == []
        self.parameters = shared_parameters + item.get("parameters", [])
        self.responses = item["responses"]
        content = item.get("requestBody", {}).get("content", {})
        self.body = content.get("application/json", {}).get("schema")
        self.codes = set(item["x-errors"]) | COMMON
        self.changes = self.method not in ("GET", "HEAD", "OPTIONS")
        if not self.public:
            self.codes |= OF_CALLERS
            if self.changes:
                self.codes.add("auth/forged-request")
        if self.body is not None:
            self.codes |= OF_JSON_BODIES
        if self.idempotent:
            self.codes |= OF_KEYS
        self.own_codes = set(item["x-errors"])

    def parameter_names(self, place):
        return [p["name"] for p in self.parameters if p["in"] == place]

    @property
    def idempotent(self):
        return "Idempotency-Key" in self.parameter_names("header")


class Contract:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.document = yaml.safe_load(file)
        expanded = self._expand(self.document["paths"])
        self.operations = {}
        for path_text, item in expanded.items():
            for method in METHODS:
                if method in item:
                    operation = Operation(method, path_text, item[method], item.get("parameters", []))
                    assert operation.id not in self.operations, operation.id
                    self.operations[operation.id] = operation
        self.problem = self._expand({"$ref": "#/components/schemas/Problem"})
        self.job = self._expand({"$ref": "#/components/schemas/Job"})
        self.succeeded = set()  # operation ids
        self.seen = set()       # (operation id, code)

    def _expand(self, node):
        """Without references, and with every object closed: what is not documented is not valid."""
        if isinstance(node, list):
            return [self._expand(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            rest = {key: value for key, value in node.items() if key != "$ref"}
            return self._expand({**copy.deepcopy(target), **rest})
        made = {key: self._expand(value) for key, value in node.items()}
        if "allOf" in made:
            merged = {"type": "object", "properties": {}, "required": []}
            for part in made.pop("allOf"):
                merged["properties"].update(part["properties"])
                merged["required"] += part.get("required", [])
            made.update(merged)
        if isinstance(made.get("properties"), dict) and "type" in made:
            made.setdefault("additionalProperties", False)
        return made

    def validate(self, value, schema, what):
        errors = list(jsonschema.Draft202012Validator(schema, format_checker=FORMATS).iter_errors(value))
        assert not errors, f"{what}: {'/'.join(map(str, errors[0].absolute_path))}: {errors[0].message[:300]}"

    def check(self, operation, answer):
        """Holds one answer against what the operation promises."""
        what = f"{operation.id} {answer.status}"
        if answer.status >= 400:
            self._check_problem(operation, answer, what)
            return
        promised = operation.responses.get(str(answer.status))
        assert promised is not None, f"{what}: this status is not documented"
        for name, header in promised.get("headers", {}).items():
            value = answer.header(name)
            assert value is not None, f"{what}: the header {name} is missing"
            if header["schema"].get("type") == "integer":
                assert re.fullmatch(r"\d+", value), f"{what}: {name}: {value}"
        content = promised.get("content", {})
        if not content:
            assert answer.header("Content-Type") is None and answer.body == b"", f"{what}: has a body"
        else:
            media = (answer.header("Content-Type") or "").split(";")[0]
            assert media in content, f"{what}: Content-Type {media}"
            if media == "application/json" and answer.method != "HEAD":
                self.validate(answer.json, content[media]["schema"], what)
        self.succeeded.add(operation.id)

    def _check_problem(self, operation, answer, what):
        if answer.method == "HEAD":  # says no code; its status does
            assert answer.body == b"", what
            codes = {404: "resource/not-found", 410: "resource/gone"}
            if answer.status in codes:
                self.seen.add((operation.id, codes[answer.status]))
            return
        self.check_problem(answer, what)
        code = answer.json["code"]
        assert code in operation.codes, f"{what}: {code} is not documented: {answer.json['detail']}"
        self.seen.add((operation.id, code))

    def check_problem(self, answer, what):
        assert answer.header("Content-Type") == "application/problem+json", f"{what}: {answer.body[:200]}"
        problem = answer.json
        self.validate(problem, self.problem, what)
        assert problem["status"] == answer.status, what
        assert problem["trace_id"] == answer.header("X-Trace-Id"), f"{what}: trace id: {problem}"
        assert problem["type"] == problem["doc_url"] == "/docs/errors#" + problem["code"], what
        assert problem["title"] and problem["detail"], what
        assert (answer.status == 401) == (answer.header("WWW-Authenticate") is not None), what

    def missing(self, excused):
        """What was promised and not seen, but for (operation or "*", code) pairs that are excused."""
        never = [f"{id}: no success" for id in self.operations if id not in self.succeeded]
        for id, operation in self.operations.items():
            for code in sorted(operation.own_codes | self.expected_of_all(operation)):
                if (id, code) in self.seen or (id, code) in excused or ("*", code) in excused:
                    continue
                never.append(f"{id}: {code}")
        return never

    def expected_of_all(self, operation):
        """Those of the common codes that each operation of its kind must have shown."""
        codes = {"request/headers-too-large"}
        if not operation.public:
            codes |= {"auth/missing-token", "auth/invalid-token", "auth/expired-token", "auth/scope-denied",
                      "auth/tenant-mismatch"}
            if operation.changes:
                codes.add("auth/forged-request")
        if operation.right in ("backup", "owner", "editor"):
            codes.add("auth/permission-denied")
        if operation.body is not None:
            codes |= OF_JSON_BODIES | {"request/invalid"}
        if operation.parameter_names("query"):
            codes.add("request/invalid")
        if operation.idempotent:
            codes.add("request/idempotency-key-reused")
        return codes if operation.method != "HEAD" else set()
