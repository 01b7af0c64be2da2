#!/usr/bin/env python3
"""A second reader of `.oa-archive` files, written from the text of docs/format.md; shares no code with the C++ one.

usage: independent_reader.py [--every-signature] --trust KEY FILE...   prints each file's outcome
       independent_reader.py --vectors FOLDER                          compares with FOLDER/vectors.json

Reads a whole file into memory and keeps to the sizes that the test vectors have. Needs `zstd`; --vectors also
`minisign` and `b3sum`, against which it checks its own Ed25519 and BLAKE3.
"""

import argparse
import base64
import datetime
import hashlib
import pathlib
import re
import struct
import sys

import blake3
import ed25519
import strict_json
from frames import check_zstd_frame, decompress, skippable, stored_frame, stored_frame_size
from refusal import Bytes, Refusal, demand
from tar_form import named_there, octal, padded, tar_header, take_header

SMALL_BYTES = 1_048_576
CHUNK_BYTES = 4_194_304
MAX_ENTRIES = 50_000_000
MAX_PATH_BYTES = 1024
MAX_ENTRY_BYTES = 1 << 42
MAX_MANIFEST_BYTES = 64 << 20
MAX_FRAME_BYTES = 16 << 20
MAX_INDEX_BYTES = 64 << 20
MAX_EXPANSION = 2000
KNOWN_MINOR = 1

MEMBERS = {
    "format": dict, "archive_id": str, "tenant_id": str, "snapshot_time": str, "tenant": dict, "counts": dict,
    "options": dict, "probes": dict, "signer": dict, "entry_count": int, "content_bytes": int,
    "content_hash": str, "index_root": str,
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def check_path(path):
    demand(len(path) <= MAX_PATH_BYTES, "limit")
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        demand(False, "malformed")
    segments = path.split(b"/")
    demand(not any(s in (b"", b".", b"..") for s in segments), "malformed")
    demand(not any(c < 0x20 or c in (0x7F, 0x5C) for c in path), "malformed")
    demand(segments[0] not in (b"signatures", b"manifest.json"), "malformed")
    demand(not path.startswith(b"manifest.json.sig/"), "malformed")


# ---- signatures ----

def from_base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if base64.b64encode(data) == text else b""


class Key:
    def __init__(self, line):
        data = from_base64(line.encode())
        demand(len(data) == 42 and data[:2] == b"Ed", "malformed")
        self.line, self.number, self.point = line, data[2:10], data[10:]
        self.name = data[9:1:-1].hex().upper()


def check_signature(text, key, archive_id, path, content_size, content_hash):
    comment = b"archive=%s size=%d path=%s" % (archive_id.encode(), content_size, path)
    lines = text.split(b"\n")
    demand(len(lines) == 5 and not lines[4], "signature-invalid")
    demand(lines[0] == b"untrusted comment: signature from oa-backup key " + key.name.encode(), "signature-invalid")
    demand(lines[2] == b"trusted comment: " + comment, "signature-invalid")
    first, second = from_base64(lines[1]), from_base64(lines[3])
    demand(len(first) == 74 and len(second) == 64 and first[:10] == b"ED" + key.number, "signature-invalid")
    demand(ed25519.verify(key.point, content_hash, first[10:]), "signature-invalid")
    demand(ed25519.verify(key.point, first[10:] + comment, second), "signature-invalid")


def signature_size(archive_id, path, content_size):
    comment = len(b"archive=%s size=%d path=%s" % (archive_id.encode(), content_size, path))
    return len(b"untrusted comment: signature from oa-backup key ") + 17 + 101 + 18 + comment + 89


# ---- the archive ----

class Archive:
    def __init__(self, data, trusted):
        self.data = data
        self.read_seek_table()
        self.read_manifest()
        self.read_root()
        demand(self.key.line in trusted, "untrusted-signer")

    def read_seek_table(self):
        data = self.data
        if data[-4:] != struct.pack("<I", 0x8F92EAB1):
            magic = int.from_bytes(data[:4], "little")
            frame = len(data) < 4 or magic == 0xFD2FB528 or magic & ~15 == 0x184D2A50
            demand(False, "truncated" if frame else "malformed")
        demand(len(data) >= 33, "malformed")
        rows, descriptor = struct.unpack("<IB", data[-9:-4])
        start = len(data) - 17 - 8 * rows
        demand(start >= 0, "truncated")
        demand(descriptor == 0 and rows >= 2, "malformed")
        (root, _), (manifest, _) = struct.iter_unpack("<II", data[-25:-9])
        self.table_at = start
        self.manifest_at = start - manifest
        self.root_at = self.manifest_at - root
        demand(self.root_at >= 0, "truncated")

    def read_manifest(self):
        frame = self.data[self.manifest_at:self.table_at]
        demand(len(frame) <= len(stored_frame(b"")) + 2 * MAX_MANIFEST_BYTES, "limit")
        at, plain = 9, b""
        while at < len(frame):
            size = int.from_bytes(frame[at:at + 3], "little") >> 3
            plain += frame[at + 3:at + 3 + size]
            at += 3 + size
        demand(frame == stored_frame(plain), "malformed")
        demand(len(plain) >= 512, "malformed")
        size = octal(plain[124:136])
        text = plain[512:512 + size]
        demand(len(text) == size, "malformed")
        signature_at = 512 + len(padded(text))
        demand(len(plain) >= signature_at + 512, "malformed")
        signature_size = octal(plain[signature_at + 124:signature_at + 136])
        signature = plain[signature_at + 512:signature_at + 512 + signature_size]
        self.parse_manifest(text)
        demand(plain == tar_header(b"manifest.json", size, self.mtime) + padded(text) +
               tar_header(b"signatures/manifest.json.sig", signature_size, self.mtime) + padded(signature) +
               bytes(1024), "malformed")
        self.manifest_plain = len(plain)
        check_signature(signature, self.key, self.archive_id, b"manifest.json", size,
                        hashlib.blake2b(text).digest())

    def parse_manifest(self, text):
        try:
            manifest = strict_json.parse(text)
        except strict_json.TooDeep:
            demand(False, "limit")
        except strict_json.NotCanonical:
            demand(False, "malformed")
        demand(isinstance(manifest, dict) and isinstance(manifest.get("format"), dict), "malformed")
        version = manifest["format"]
        demand(all(type(version.get(n)) is int and version[n] >= 0 for n in ("major", "minor")), "malformed")
        demand(version["major"] == 1, "version-unsupported")
        demand(version["minor"] < 2**32, "malformed")
        newer = version["minor"] > KNOWN_MINOR
        demand(newer or len(version) == 2, "malformed")
        if not newer:
            demand(set(manifest) <= set(MEMBERS), "malformed")
        demand(all(type(manifest.get(name)) is kind for name, kind in MEMBERS.items()), "malformed")
        demand(UUID.fullmatch(manifest["archive_id"]) and UUID.fullmatch(manifest["tenant_id"]), "malformed")
        demand(MOMENT.fullmatch(manifest["snapshot_time"]), "malformed")
        self.mtime = seconds(manifest["snapshot_time"])
        demand(re.fullmatch("[0-9a-f]{128}", manifest["content_hash"]), "malformed")
        demand(re.fullmatch("[0-9a-f]{64}", manifest["index_root"]), "malformed")
        counts = [manifest["entry_count"], manifest["content_bytes"], *manifest["counts"].values()]
        demand(all(type(count) is int and 0 <= count <= 2**53 for count in counts), "malformed")
        signer = manifest["signer"]
        demand({"key_id", "public_key"} <= set(signer), "malformed")
        demand(newer or len(signer) == 2, "malformed")
        demand(all(type(signer[name]) is str for name in ("key_id", "public_key")), "malformed")
        self.key = Key(signer["public_key"])
        demand(signer["key_id"] == self.key.name, "malformed")
        self.manifest, self.archive_id = manifest, manifest["archive_id"]

    def read_root(self):
        payload = skippable(self.data[self.root_at:self.manifest_at], 0x184D2A5B)
        demand(len(payload) <= MAX_INDEX_BYTES, "limit")
        demand(blake3.digest(payload).hex() == self.manifest["index_root"], "content-mismatch")
        source = Bytes(payload)
        magic, at, entries, content_bytes, count = source.unpack("8sQQQI")
        demand(magic == b"OAINDEX1" and at == self.root_at, "malformed")
        demand(entries <= MAX_ENTRIES, "limit")
        demand((entries, content_bytes) == (self.manifest["entry_count"], self.manifest["content_bytes"]), "malformed")
        self.pages, end, before = [], 0, b""
        for _ in range(count):
            at, size, digest, length = source.unpack("QI32sH")
            first = source.take(length)
            check_path(first)
            demand(size <= MAX_INDEX_BYTES, "limit")
            demand(first > before and end < at and at + 8 + size <= self.root_at, "malformed")
            self.pages.append((end, at, size, digest, first))
            end, before = at + 8 + size, first
        demand(source.at == len(payload) and end == self.root_at, "malformed")
        demand(bool(entries) == bool(count), "malformed")

    # -- verify --

    def verify(self, every_signature):
        self.frames, self.entries, rows = [], [], []
        for page in self.pages:
            rows += self.read_page(*page)
        paths = [path for path, *_ in self.entries]
        demand(all(a < b for a, b in zip(paths, paths[1:])), "malformed")
        files = {name for path in paths + [b"manifest.json"] for name in (path, b"signatures/" + path + b".sig")}
        demand(not any(name[:i] in files for name in files for i in range(len(name)) if name[i] == 0x2F), "malformed")
        plain = decompress([frame for frame, _ in self.frames], sum(size for _, size in self.frames))
        self.check_stream(plain, set(paths), every_signature)
        sizes = [size for _, size, *_ in self.entries]
        demand((len(paths), sum(sizes)) == (self.manifest["entry_count"], self.manifest["content_bytes"]), "malformed")
        lines = [b"%s %d %s\n" % (digest.hex().encode(), size, path) for path, size, digest, *_ in self.entries]
        demand(hashlib.blake2b(b"".join(lines)).hexdigest() == self.manifest["content_hash"], "content-mismatch")
        rows += [(self.manifest_at - self.root_at, 0), (self.table_at - self.manifest_at, self.manifest_plain)]
        table = b"".join(struct.pack("<II", *row) for row in rows) + struct.pack("<IBI", len(rows), 0, 0x8F92EAB1)
        demand(self.data[self.table_at:] == struct.pack("<II", 0x184D2A5E, len(table)) + table, "malformed")

    def read_page(self, start, at, size, digest, first_path):
        payload = skippable(self.data[at:at + 8 + size], 0x184D2A5A)
        demand(blake3.digest(payload) == digest, "content-mismatch")
        source = Bytes(payload)
        frame_count, entry_count = source.unpack("II")
        rows = [source.unpack("II32s") for _ in range(min(frame_count, len(payload)))]
        demand(entry_count >= 1, "malformed")
        for stored, plain, _ in rows:
            demand(plain <= MAX_FRAME_BYTES and plain <= MAX_EXPANSION * stored, "limit")
        demand(all(stored <= stored_frame_size(plain) for stored, plain, _ in rows), "malformed")
        demand(start + sum(stored for stored, _, _ in rows) == at, "malformed")
        first_frame = len(self.frames)
        self.read_entries(source, entry_count, first_frame, [plain for _, plain, _ in rows], first_path)
        demand(source.at == len(payload), "malformed")
        # The header of a large entry ends the frame before its content.
        heads = {frame - (size > SMALL_BYTES) for _, size, _, frame, _ in self.entries if frame >= first_frame}
        demand(first_frame in heads, "malformed")
        for stored, plain, digest_of_frame in rows:
            frame = self.data[start:start + stored]
            demand(blake3.digest(frame) == digest_of_frame, "content-mismatch")
            check_zstd_frame(frame, plain)
            self.frames.append((frame, plain))
            start += stored
        return [(stored, plain) for stored, plain, _ in rows] + [(size + 8, 0)]

    def read_entries(self, source, count, first_frame, plain_sizes, first_path):
        frame, path = 0, b""
        for i in range(count):
            step, offset, shared, suffix, size = (source.varint() for _ in range(5))
            demand(shared <= len(path), "malformed")
            name = source.take(suffix)
            demand(shared + suffix <= MAX_PATH_BYTES, "limit")
            demand(size <= MAX_ENTRY_BYTES, "limit")
            demand(shared == len(path) or path[shared:shared + 1] != name[:1], "malformed")
            frame, path = frame + step, path[:shared] + name
            check_path(path)
            demand(i or path == first_path, "malformed")
            demand(frame < len(plain_sizes), "malformed")
            if size <= SMALL_BYTES:
                demand(offset + size <= plain_sizes[frame], "entry-missing")
            else:
                chunks = [min(CHUNK_BYTES, size - done) for done in range(0, size, CHUNK_BYTES)]
                demand(offset == 0 and plain_sizes[frame:frame + len(chunks)] == chunks, "malformed")
            self.entries.append((path, size, source.take(64), first_frame + frame, offset))

    def check_stream(self, stream, listed, every_signature):
        """That the plain bytes of each frame are exactly what the index implies."""
        borders = [0]
        for _, plain in self.frames:
            borders.append(borders[-1] + plain)
        frame, at = 0, 0  # the frame being read, and how far
        for path, size, digest, content_frame, offset in self.entries:
            chunks = 0 if size <= SMALL_BYTES else -(-size // CHUNK_BYTES)
            while frame < content_frame - (1 if chunks else 0):
                demand(at > borders[frame], "entry-unlisted")
                check_end(stream[at:borders[frame + 1]])
                frame, at = frame + 1, borders[frame + 1]
            at += take_header(stream[at:borders[frame + 1]], path, size, self.mtime, listed)
            if chunks:
                check_end(stream[at:borders[frame + 1]])
                frame, at = content_frame, borders[content_frame]
            demand(at == borders[content_frame] + offset, "malformed")
            demand(hashlib.blake2b(stream[at:at + size]).digest() == digest, "content-mismatch")
            at, frame = at + size, frame + chunks
            demand(frame < len(self.frames), "entry-missing")
            at = self.check_tail(stream[:borders[frame + 1]], at, path, size, digest, listed, every_signature)
        if self.frames:
            check_end(stream[at:borders[frame + 1]])
            demand(frame + 1 == len(self.frames), "entry-unlisted")

    def check_tail(self, stream, at, path, size, digest, listed, every_signature):
        """Padding and signature entry of an entry; `stream` ends with their frame."""
        at = expect(stream, at, bytes(-size % 512))
        length = signature_size(self.archive_id, path, size)
        at += take_header(stream[at:], b"signatures/" + path + b".sig", length, self.mtime, listed)
        text = stream[at:at + length]
        demand(len(text) == length, "entry-missing")
        if every_signature:
            check_signature(text, self.key, self.archive_id, path, size, digest)
        return expect(stream, at + length, bytes(-length % 512))


def check_end(rest):
    """What is left of a frame behind its last listed entry."""
    demand(not rest or named_there(rest) is None, "entry-unlisted")
    demand(not rest, "malformed")


def expect(stream, at, wanted):
    demand(stream[at:at + len(wanted)] == wanted, "malformed")
    return at + len(wanted)


def seconds(moment):
    try:
        parsed = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        demand(False, "malformed")
    value = int(parsed.replace(microsecond=0).timestamp())
    demand(value >= 0, "malformed")
    return value


def outcomes(data, trusted):
    """What opening, verifying, and verifying every signature end with."""
    result = []
    for step in (None, False, True):
        try:
            archive = Archive(data, trusted)
            if step is not None:
                archive.verify(step)
            result.append("ok")
        except Refusal as refusal:
            result.append(str(refusal))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every-signature", action="store_true")
    parser.add_argument("--trust", action="append", default=[], metavar="KEY")
    parser.add_argument("--vectors", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    if options.vectors:
        import vector_check
        return vector_check.run(options.vectors, outcomes)
    failed = False
    for path in options.files:
        outcome = outcomes(path.read_bytes(), options.trust)[2 if options.every_signature else 1]
        failed |= outcome != "ok"
        print(f"{path}: {outcome}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
