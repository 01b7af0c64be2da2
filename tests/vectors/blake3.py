"""BLAKE3 in its plain hash mode with 32 bytes of output, from the paper; for test data, not for speed."""

import struct

_MASK = 0xFFFFFFFF
_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_CHUNK_START, _CHUNK_END, _PARENT, _ROOT = 1, 2, 4, 8
_CHUNK_BYTES = 1024


def _schedule():
    order = list(range(16))
    rounds = []
    for _ in range(7):
        rounds.append(tuple(order))
        order = [order[i] for i in _PERMUTATION]
    return rounds


_ROUNDS = _schedule()
_LANES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
          (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def _compress(chaining, words, counter, length, flags):
    s = [*chaining, *_IV[:4], counter & _MASK, counter >> 32, length, flags]
    for order in _ROUNDS:
        k = 0
        for a, b, c, d in _LANES:
            va = (s[a] + s[b] + words[order[k]]) & _MASK
            vd = s[d] ^ va
            vd = (vd >> 16 | vd << 16) & _MASK
            vc = (s[c] + vd) & _MASK
            vb = s[b] ^ vc
            vb = (vb >> 12 | vb << 20) & _MASK
            va = (va + vb + words[order[k + 1]]) & _MASK
            vd ^= va
            vd = (vd >> 8 | vd << 24) & _MASK
            vc = (vc + vd) & _MASK
            vb ^= vc
            s[a], s[b], s[c], s[d] = va, (vb >> 7 | vb << 25) & _MASK, vc, vd
            k += 2
    return tuple(s[i] ^ s[i + 8] for i in range(8))


def _chunk(data, counter, extra):
    chaining = _IV
    blocks = [data[i:i + 64] for i in range(0, len(data), 64)] or [b""]
    for i, block in enumerate(blocks):
        flags = (_CHUNK_START if i == 0 else 0)
        if i == len(blocks) - 1:
            flags |= _CHUNK_END | extra
        words = struct.unpack("<16I", block.ljust(64, b"\0"))
        chaining = _compress(chaining, words, counter, len(block), flags)
    return chaining


def _tree(data, first, extra):
    if len(data) <= _CHUNK_BYTES:
        return _chunk(data, first, extra)
    chunks = (len(data) - 1) // _CHUNK_BYTES
    left = 1 << (chunks.bit_length() - 1)
    split = left * _CHUNK_BYTES
    words = _tree(data[:split], first, 0) + _tree(data[split:], first + left, 0)
    return _compress(_IV, words, 0, 64, _PARENT | extra)


def digest(data):
    return struct.pack("<8I", *_tree(bytes(data), 0, _ROOT))
