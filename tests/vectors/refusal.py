"""What an archive is refused with, and reading that cannot run past the end."""

import struct


class Refusal(Exception):
    """Carries the class of docs/format.md that the archive is refused with."""


def demand(condition, outcome):
    if not condition:
        raise Refusal("archive/" + outcome)


class Bytes:
    """Takes fields off the front of a payload; running out of bytes is malformed."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        demand(size <= len(self.data) - self.at, "malformed")
        self.at += size
        return self.data[self.at - size:self.at]

    def unpack(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                demand((byte or shift == 7) and value < 1 << 63, "malformed")
                return value
            demand(shift < 63, "malformed")
