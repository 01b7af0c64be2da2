"""Values that a schema does not allow, made from the schema itself."""

import copy
import uuid


def wrong_values(schema):
    """What must be refused in the place of a value of this schema."""
    kinds = schema.get("type", "string")
    kinds = set(kinds) if isinstance(kinds, list) else {kinds}
    if "enum" in schema:
        kinds = {"string"}
        yield from ("nonsense", "", schema["enum"][0].upper())
    for kind, values in {"null": [None], "string": ["text"], "boolean": [True], "integer": [7], "number": [7.5],
                         "array": [[]], "object": [{}]}.items():
        if kind not in kinds:
            yield from values
    if "string" in kinds:
        if schema.get("minLength", 0) > 0:
            yield "x" * (schema["minLength"] - 1)
        if "maxLength" in schema:
            yield "x" * (schema["maxLength"] + 1)
        if "pattern" in schema:
            yield from ("no", "'; --", "a\u0000b", "ä" * 64)
        if schema.get("format") == "date-time":
            yield from ("yesterday", "2026-13-45T00:00:00Z", "2026-01-01", "99999-01-01T00:00:00Z")
    if "integer" in kinds:
        if "minimum" in schema:
            yield from (schema["minimum"] - 1, -9223372036854775808)
        if "maximum" in schema:
            yield from (schema["maximum"] + 1, 18446744073709551615)
        yield 10**30
    if "array" in kinds:
        if schema.get("minItems"):
            yield []
        good = right_value(schema["items"])
        if schema.get("uniqueItems"):
            yield [good, good]
        if "maxItems" in schema:
            yield [right_value(schema["items"]) for _ in range(schema["maxItems"] + 1)]
        for wrong in wrong_values(schema["items"]):
            yield [good, wrong]
    if "object" in kinds and "properties" in schema:
        yield from wrong_objects(schema, right_value(schema))


def right_value(schema):
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "uuid":
        return str(uuid.uuid4())
    if schema.get("type") == "object":
        return {name: right_value(schema["properties"][name]) for name in schema.get("required", [])}
    return {"boolean": True, "integer": schema.get("minimum", 1), "string": "text", "array": []}[schema["type"]]


def wrong_objects(schema, right):
    """`right` with one thing wrong at a time."""
    yield {**right, "unknown_member": 1}
    for name in schema.get("required", []):
        yield {key: value for key, value in right.items() if key != name}
    for name, member in schema["properties"].items():
        for wrong in wrong_values(member):
            made = copy.deepcopy(right)
            made[name] = wrong
            yield made


def wrong_texts(schema):
    """What must be refused as a parameter of a query."""
    kind = schema.get("type")
    if "enum" in schema:
        yield from ("nonsense", schema["enum"][0].upper())
    if kind == "integer":
        yield from ("", "x", "1.5", "+1", " 1", "1 ", "0x1", "-1", "1e2", "99999999999999999999999", "1\u0000")
        yield from (str(schema["minimum"] - 1), str(schema["maximum"] + 1))
    if kind == "string" and "pattern" in schema:
        yield from ("NO", "'; --", "a\u0000b", "ä")
    if schema.get("format") == "date-time":
        yield from ("", "yesterday", "2026-13-45T00:00:00Z", "2026-01-01", "99999-01-01T00:00:00Z")
    if kind == "string" and schema.get("maxLength", 1000) < 1000:
        yield "x" * (schema["maxLength"] + 1)
