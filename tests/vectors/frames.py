"""Zstandard frames (RFC 8878) in the forms that an archive has them."""

import struct
import subprocess
import tempfile

from refusal import Bytes, demand

MAX_WINDOW_BYTES = 16 << 20


def skippable(frame, magic):
    demand(len(frame) >= 8 and struct.unpack("<II", frame[:8]) == (magic, len(frame) - 8), "malformed")
    return frame[8:]


def stored_frame(plain):
    blocks = [plain[i:i + 131072] for i in range(0, len(plain), 131072)] or [b""]
    frame = struct.pack("<IBI", 0xFD2FB528, 0xA0, len(plain))
    for i, block in enumerate(blocks):
        frame += ((i == len(blocks) - 1) | len(block) << 3).to_bytes(3, "little") + block
    return frame


def stored_frame_size(plain_size):
    return 9 + plain_size + 3 * max(1, -(-plain_size // 131072))


def check_zstd_frame(frame, plain_size):
    """That these bytes are one Zstandard frame (RFC 8878, 3.1.1) of the form that content frames have."""
    source = Bytes(frame)
    magic, descriptor = source.unpack("IB")
    demand(magic == 0xFD2FB528 and descriptor & 0x0F == 0, "malformed")
    single, flag = descriptor >> 5 & 1, descriptor >> 6
    window = plain_size
    if not single:
        byte = source.take(1)[0]
        window = (1 << 10 + (byte >> 3)) // 8 * (8 + (byte & 7))
    demand(single or flag, "malformed")
    size = int.from_bytes(source.take((1, 2, 4, 8)[flag]), "little") + (256 if flag == 1 else 0)
    demand(size == plain_size, "malformed")
    demand(window <= MAX_WINDOW_BYTES, "limit")
    last = 0
    while not last:
        header = int.from_bytes(source.take(3), "little")
        last, kind, length = header & 1, header >> 1 & 3, header >> 3
        demand(kind != 3, "malformed")
        source.take(1 if kind == 1 else length)
    demand(source.at == len(frame), "malformed")


def decompress(frames, size):
    """The plain bytes of verified frames, which are to have `size` bytes together."""
    if not frames:
        return b""
    with tempfile.TemporaryFile() as stored:
        stored.write(b"".join(frames))
        stored.seek(0)
        with subprocess.Popen(["zstd", "-q", "-d", "-c"], stdin=stored, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            plain = process.stdout.read(size + 1)
            process.stdout.close()
        demand(process.returncode == 0 and len(plain) == size, "malformed")
    return plain
