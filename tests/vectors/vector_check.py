"""Compares the outcomes of the independent reader with those that vectors.json demands."""

import json
import os
import pathlib
import subprocess
import tempfile

import blake3
import ed25519


def _check_blake3():
    for size in (0, 1, 64, 1023, 1024, 1025, 2049, 5000, 70_000):
        data = os.urandom(size)
        said = subprocess.run(["b3sum", "--no-names"], input=data, stdout=subprocess.PIPE, check=True).stdout
        assert said.decode().split()[0] == blake3.digest(data).hex(), f"BLAKE3 of {size} bytes"


def _check_ed25519():
    """That minisign and our Ed25519 agree, on a good signature and on a wrong message."""
    import independent_reader
    import hashlib
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["minisign", "-G", "-W", "-p", "key.pub", "-s", "key.sec"], check=True, **run)
        (folder / "message").write_bytes(b"a message")
        subprocess.run(["minisign", "-S", "-H", "-s", "key.sec", "-m", "message"], input=b"\n", check=True, **run)
        key = independent_reader.Key((folder / "key.pub").read_text().splitlines()[1])
        line = (folder / "message.minisig").read_bytes().splitlines()[1]
        signature = independent_reader.from_base64(line)[10:]
        for message in (b"a message", b"another one"):
            (folder / "message").write_bytes(message)
            said = subprocess.run(["minisign", "-V", "-p", "key.pub", "-m", "message"], **run).returncode == 0
            assert said == ed25519.verify(key.point, hashlib.blake2b(message).digest(), signature), message


def _check_tools(path):
    """That the tools that docs/format.md names read an accepted vector."""
    subprocess.run(["zstd", "-q", "-t", path], check=True)
    subprocess.run(["tar", "--zstd", "-tf", path], check=True, stdout=subprocess.DEVNULL)


def run(folder, outcomes):
    _check_blake3()
    _check_ed25519()
    listed = json.loads((folder / "vectors.json").read_text())
    files = {path.name for path in folder.glob("*.oa-archive")}
    wrong = sorted(files ^ {vector["file"] for vector in listed["vectors"]})
    for vector in listed["vectors"]:
        path = folder / vector["file"]
        said = outcomes(path.read_bytes(), [listed["trusted_key"]])
        wanted = [vector[step] for step in ("open", "verify", "every_signature")]
        if said != wanted:
            wrong.append(f"{vector['file']}: wanted {wanted}, said {said}")
        if wanted[-1] == "ok":
            _check_tools(path)
    print("\n".join(wrong) or f"{len(files)} vectors agree")
    return int(bool(wrong))
