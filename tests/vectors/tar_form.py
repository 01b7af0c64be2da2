"""The tar stream of an archive: the one header that each entry has, and what stands there instead."""

import re

from refusal import demand


def ustar(name, prefix, size, mtime, kind):
    header = bytearray(512)
    for at, field in ((0, name), (100, b"0000644\0"), (108, b"0000000\0"), (116, b"0000000\0"),
                      (124, b"%011o\0" % size), (136, b"%011o\0" % mtime), (148, b" " * 8), (156, kind),
                      (257, b"ustar\0" + b"00"), (329, b"0000000\0"), (337, b"0000000\0"), (345, prefix)):
        header[at:at + len(field)] = field
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def pax_record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def padded(data):
    return data + bytes(-len(data) % 512)


def tar_header(path, size, mtime):
    """The one header that this path and size have."""
    name, prefix, records, ustar_size = path, b"", b"", size
    if len(path) > 100:
        cut = path.find(b"/", len(path) - 101)
        if 0 <= cut <= 155:
            prefix, name = path[:cut], path[cut + 1:]
        else:
            name, records = path[:100], pax_record(b"path", path)
    if size > 8_589_934_591:
        records, ustar_size = records + pax_record(b"size", str(size).encode()), 0
    extended = ustar(b"PaxHeader", b"", len(records), mtime, b"x") + padded(records) if records else b""
    return extended + ustar(name, prefix, ustar_size, mtime, b"0")


def octal(field):
    demand(field[-1] == 0 and re.fullmatch(rb"[0-7]+", field[:-1]), "malformed")
    return int(field[:-1], 8)


def named_there(data):
    """The path that a header at the front of `data` names; None when no header is there."""
    block = data[:512]
    if len(block) < 512 or block[257:263] != b"ustar\0":
        return None
    if block[148:154] != b"%06o" % (sum(block) - sum(block[148:156]) + 8 * 32):
        return None
    if block[156:157] == b"x":
        record = re.search(rb" path=([^\n]*)\n", data[512:512 + 2048])
        size = int(block[124:135], 8) if re.fullmatch(rb"[0-7]{11}", block[124:135]) else 0
        return record[1] if record else named_there(data[512 + size + -size % 512:])
    prefix, name = block[345:500].split(b"\0")[0], block[:100].split(b"\0")[0]
    return prefix + b"/" + name if prefix else name


def entry_of(name):
    """The entry that a tar entry belongs to, and whether it is the signature of that."""
    signature = name.startswith(b"signatures/") and name.endswith(b".sig")
    return (name[11:-4], True) if signature else (name, False)


def take_header(room, name, size, mtime, listed):
    """The length of the header that must stand at the front of `room`; refuses any other."""
    header = tar_header(name, size, mtime)
    if room[:len(header)] == header:
        return len(header)
    demand(room, "entry-missing")
    seen = named_there(room)
    demand(seen is not None and seen != name, "malformed")
    later = entry_of(seen)[0] in listed and entry_of(seen) > entry_of(name)
    demand(False, "entry-missing" if later else "entry-unlisted")
