"""JSON that is refused unless it is canonical (RFC 8785 with the two differences of docs/format.md)."""

import json
import math

MAX_DEPTH = 33


class NotCanonical(ValueError):
    """The text is no JSON, or not in its canonical form."""


class TooDeep(ValueError):
    """Nested deeper than MAX_DEPTH."""


def _number(value):
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return str(value)
    value = float(value)
    if not math.isfinite(value):
        raise NotCanonical("number out of range")
    if value == 0:
        return "0"
    sign, value = ("-" if value < 0 else ""), abs(value)
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    tail = ("." + digits[1:]) if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def _text(value):
    escapes = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    return '"' + "".join(escapes.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'


def serialize(value):
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return "[" + ",".join(serialize(item) for item in value) + "]"
    members = sorted(value.items(), key=lambda member: member[0].encode("utf-8", "surrogatepass"))
    return "{" + ",".join(_text(key) + ":" + serialize(item) for key, item in members) + "}"


def _check_depth(data):
    depth, quoted, escaped = 0, False, False
    for byte in data:
        if quoted:
            quoted = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise TooDeep()
        elif byte in b"]}":
            depth -= 1


def _members(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise NotCanonical("a member is there twice")
    return dict(pairs)


def parse(data):
    """The value of canonical JSON text (bytes)."""
    _check_depth(data)
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_members)
        if serialize(value).encode("utf-8") != data:
            raise NotCanonical("another form")
    except (ValueError, OverflowError) as error:
        raise NotCanonical(str(error)) from error
    return value
