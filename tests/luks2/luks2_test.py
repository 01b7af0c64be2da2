#!/usr/bin/env python3
"""LUKS2 for real: a small virtual machine with Debian's kernel, in software emulation, in which deploy/luks2-setup.sh
makes the volumes and `oa-backup doctor` says what they are.

usage: luks2_test.py OA-BACKUP FOLDER   (FOLDER: where kernel.sh has put the kernel)
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SETUP = os.path.join(HERE, "..", "..", "deploy", "luks2-setup.sh")
PROGRAM, KERNEL = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
PROGRAMS = ["bash", "cryptsetup", "mkfs.ext4", "mkswap", "swapon", "swapoff", "mount", "umount", "stat", "readlink", "chmod", "mkdir",
            "mv", "cat", "ls", "id", "touch", "head", "tail", "tr", "basename", "grep", "sed", "awk", "find", "truncate", "setpriv",
            "seq", "sleep"]
# In the order in which they are loaded.
MODULES = ["virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk", "loop",
           "dm-mod", "ecb", "xts", "authenc", "essiv", "dm-crypt"]
DISKS = {"vda": 256, "vdb": 64, "vdc": 32, "vdd": 64}  # MiB
PATIENCE = 400  # seconds


def kernel():
    """The kernel's image and the folder of its modules."""
    return glob.glob(f"{KERNEL}/root/boot/vmlinuz-*")[0], glob.glob(f"{KERNEL}/root/lib/modules/*")[0]


def copy(path, root):
    """A file to where it is here, through symbolic links."""
    target = root + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        shutil.copy2(path, target)


def copy_program(path, root, target):
    os.makedirs(os.path.dirname(root + target), exist_ok=True)
    shutil.copy2(os.path.realpath(path), root + target)
    listed = subprocess.run(["ldd", path], text=True, capture_output=True).stdout
    for library in re.findall(r"(/\S+) \(0x", listed):
        copy(library, root)


def copy_postgres(root):
    """What a private server of ours, and its backups, need."""
    programs = "/usr/lib/postgresql/15/bin"
    for name in ("postgres", "initdb"):
        copy_program(f"{programs}/{name}", root, f"{programs}/{name}")
    for folder in ("/usr/lib/postgresql/15/lib", "/usr/share/postgresql/15", "/usr/lib/locale/C.utf8"):
        shutil.copytree(folder, root + folder, ignore=shutil.ignore_patterns("llvmjit*", "bitcode", "man"),
                        ignore_dangling_symlinks=True)
    for zone in ("UTC", "Etc/UTC", "GMT"):
        copy(f"/usr/share/zoneinfo/{zone}", root)
    copy("/bin/sh", root)
    copy_program(shutil.which("pgbackrest"), root, "/usr/bin/pgbackrest")


def make_root(root, modules):
    for folder in ("proc", "sys", "dev", "tmp", "run", "etc", "srv", "modules", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"):
        os.makedirs(f"{root}/{folder}")
    for name in ("bin", "sbin", "lib", "lib64"):
        os.symlink(f"usr/{name}", f"{root}/{name}")
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for name in PROGRAMS:
        copy_program(shutil.which(name, path=path), root, f"/usr/bin/{name}")
    copy_program(shutil.which("busybox", path=path), root, "/usr/bin/busybox")
    copy_program(PROGRAM, root, "/usr/bin/oa-backup")
    copy_postgres(root)
    shutil.copy2(SETUP, f"{root}/usr/bin/luks2-setup.sh")
    shutil.copy2(f"{HERE}/guest.sh", f"{root}/init")
    os.chmod(f"{root}/init", 0o755)
    for name in MODULES:
        shutil.copy2(glob.glob(f"{modules}/**/{name}.ko", recursive=True)[0], f"{root}/modules/{name}.ko")
    with open(f"{root}/modules/order", "w") as order:
        order.write("\n".join(f"{name}.ko" for name in MODULES))
    with open(f"{root}/usr/bin/env", "w") as env:  # of the scripts' first lines
        env.write("#!/bin/bash\nexec \"$@\"\n")
    os.chmod(f"{root}/usr/bin/env", 0o755)
    with open(f"{root}/etc/passwd", "w") as accounts:
        accounts.write("root:x:0:0::/:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n"
                       "postgres:x:100:100::/:/bin/bash\n")
    with open(f"{root}/etc/group", "w") as groups:
        groups.write("root:x:0:\npostgres:x:100:\n")
    with open(f"{root}/etc/fstab", "w") as fstab:
        fstab.write("/dev/vdb /plain ext4 defaults 0 2\n/dev/vdc none swap sw 0 0\n")


def run_machine(scratch):
    """What the guest printed."""
    image, modules = kernel()
    root = f"{scratch}/root"
    make_root(root, modules)
    with open(f"{scratch}/initrd", "wb") as initrd:
        files = subprocess.Popen(["find", "."], cwd=root, stdout=subprocess.PIPE)
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, stdin=files.stdout, stdout=initrd, check=True)
        files.wait()
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1536", "-nodefaults", "-display", "none", "-serial", "stdio",
               "-no-reboot", "-nic", "none", "-kernel", image, "-initrd", f"{scratch}/initrd",
               "-append", "console=ttyS0 quiet loglevel=1 panic=-1"]
    for name, size in DISKS.items():
        with open(f"{scratch}/{name}", "wb") as disk:
            disk.truncate(size << 20)
        command += ["-drive", f"file={scratch}/{name},if=virtio,format=raw,cache=unsafe"]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace")


class Luks2(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="oa-luks2-", dir="/tmp") as scratch:
            cls.console = run_machine(scratch)
        cls.results = {}
        for name, status, text in re.findall(r"@@RESULT (\S+) (\d+) (.*)", cls.console):
            cls.results[name] = (int(status), text.strip())

    def findings(self, name):
        status, text = self.results[name]
        document = json.JSONDecoder().raw_decode(text)[0]
        self.assertEqual(status, 0 if document["ok"] else 12, name)
        return {each["id"]: each for each in document["findings"]}

    def holds(self, name, severities, words=()):
        found = self.findings(name)
        for finding, severity in severities.items():
            self.assertEqual(found[finding]["severity"], severity, f"{name}: {found[finding]}")
        for word in words:
            self.assertIn(word, found["at-rest.postgres"]["what"], name)

    def test_it_came_to_its_end(self):
        self.assertIn("@@END", self.console, self.console[-3000:])
        self.assertNotIn("@@FAILED", self.console, self.console[-3000:])

    def test_a_plain_volume_and_plain_swap_break_the_promise(self):
        self.holds("plain", {"at-rest.postgres": "broken", "at-rest.scratch": "broken", "at-rest.data": "note", "memory.swap": "broken"},
                   ["NOT encrypted", "vdb"])

    def test_strict_refuses_there(self):
        status, text = self.results["strict"]
        self.assertEqual(status, 12)
        for word in ("deployment/promise-broken", "at-rest.postgres", "memory.swap"):
            self.assertIn(word, text)

    def test_the_script_makes_a_host_that_keeps_it(self):
        self.holds("set-up", {"at-rest.postgres": "ok", "at-rest.scratch": "ok", "at-rest.continuity": "ok", "at-rest.data": "ok",
                              "memory.swap": "ok", "memory.core-dumps": "ok", "memory.core-pattern": "ok", "memory.hibernation": "ok"},
                   ["LUKS2", "dm-0", "aes-xts-plain64", "512 bits"])
        self.assertEqual(self.results["set-up"][0], 0)

    def test_the_script_touches_nothing_that_is_in_use(self):
        self.assertEqual(self.results["again"][0], 2, self.results["again"])
        self.assertIn("in use", self.results["again"][1])
        self.assertEqual(self.results["mounted"][0], 2)
        self.assertIn("is mounted", self.results["mounted"][1])

    def test_the_script_writes_what_a_restart_needs(self):
        text = self.results["files"][1]
        self.assertRegex(text, r"oa UUID=[0-9a-f-]{36} /run/key luks")
        self.assertRegex(text, r"oa-swap /dev/vdc /dev/urandom plain,swap,cipher=aes-xts-plain64,size=512")
        self.assertIn("/dev/mapper/oa /srv/oa ext4", text)
        self.assertIn("#/dev/vdc none swap", text)
        self.assertIn("/dev/mapper/oa-swap none swap", text)
        self.assertIn("|/bin/false", text)

    def test_cipher_and_key_size_by_header_and_for_nobody(self):
        self.holds("header", {"at-rest.postgres": "ok"}, ["aes-xts-plain64, 512 bits"])
        self.holds("unprivileged", {"at-rest.postgres": "warning", "memory.swap": "ok"}, ["LUKS2", "cannot be read by this account"])

    def test_a_loop_device_on_the_volume_is_on_the_volume(self):
        self.holds("loop", {"at-rest.postgres": "ok"}, ["dm-0"])

    def test_strict_starts_there(self):
        status, text = self.results["up"]
        self.assertEqual(status, 0, text)
        self.assertIn("on a LUKS2 volume", json.JSONDecoder().raw_decode(text)[0]["volume"])
        self.assertEqual(self.results["running"][0], 0)
        self.holds("running", {"at-rest.postgres": "ok", "at-rest.scratch": "ok", "memory.swap": "ok", "keys.reach": "ok",
                               "memory.core-dumps-postgres": "ok", "continuity.state": "ok"}, ["aes-xts-plain64, 512 bits"])
        self.assertEqual(self.results["down"][0], 0)

    def test_swap_off(self):
        self.holds("swap-off", {"memory.swap": "ok"})
        self.assertEqual(self.findings("swap-off")["memory.swap"]["what"], "there is no swap")

    def test_other_encryption_is_said(self):
        self.holds("luks1", {"at-rest.postgres": "broken"}, ["LUKS1"])
        self.holds("aes-128", {"at-rest.postgres": "broken"}, ["LUKS2", "256 bits", "not AES-256"])
        self.holds("aes-cbc", {"at-rest.postgres": "ok"}, ["aes-cbc-essiv:sha256", "256 bits"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
