// Trees of /proc, /sys and /dev as a kernel shows them, and headers as cryptsetup writes them.
#include "oa/instance/block_crypt.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace oa::instance {
namespace {

namespace fs = std::filesystem;

class Tree {
 public:
  Tree() {
    char name[] = "/tmp/oa-tree-XXXXXX";
    root_ = ::mkdtemp(name);
    fs::create_directories(root_ / "sys/dev/block");
    fs::create_directories(root_ / "sys/class/block");
    fs::create_directories(root_ / "dev");
  }
  ~Tree() { fs::remove_all(root_); }
  void write(const std::string& path, std::string_view text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  // "vda/vda1" with "254:1"
  void device(const std::string& place, const std::string& numbers) const {
    write("sys/devices/" + place + "/dev", numbers + "\n");
    const fs::path real = "../../devices/" + place;
    fs::create_directory_symlink(real, root_ / "sys/dev/block" / numbers);
    fs::create_directory_symlink(real, root_ / "sys/class/block" / fs::path(place).filename());
  }
  void crypt(const std::string& name, const std::string& numbers, const std::string& uuid,
             const std::string& slave) const {
    device(name, numbers);
    write("sys/devices/" + name + "/dm/uuid", uuid + "\n");
    write("sys/devices/" + name + "/dm/name", name + "-name\n");
    over(name, slave);
  }
  void over(const std::string& name, const std::string& slave) const {
    fs::create_directories(root_ / "sys/devices" / name / "slaves");
    fs::create_directory_symlink(
        fs::path("../..") / slave,
        root_ / "sys/devices" / name / "slaves" / fs::path(slave).filename());
  }
  void mounts(const std::string& text) const { write("proc/self/mountinfo", text); }
  SystemView view() const { return {root_.string(), {}}; }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

constexpr const char* kRootMount = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n";

std::string luks2(const std::string& cipher, int key_bytes) {
  std::string header("LUKS\xba\xbe\0\2\0\0\0\0\0\0\x40\0", 16);
  header.resize(4096);
  header +=
      R"({"keyslots":{"0":{"type":"luks2","key_size":)" + std::to_string(key_bytes) +
      R"(,"area":{"encryption":"aes-xts-plain64","key_size":64}}},"segments":{"0":{"type":"crypt","encryption":")" +
      cipher + R"("}},"digests":{}})";
  header.resize(0x4000);
  return header;
}

TEST(BlockCryptTest, APlainPartitionIsNotEncrypted) {
  Tree tree;
  tree.device("vda", "254:0");
  tree.device("vda/vda1", "254:1");
  tree.write("sys/devices/vda/vda1/partition", "1\n");
  tree.mounts(kRootMount);
  const auto found = volume_crypt("/srv/oa/postgres", tree.view());
  EXPECT_EQ(found.kind, VolumeEncryption::kNone);
  EXPECT_EQ(found.device, "vda");
  EXPECT_FALSE(is_luks2_aes256(found));
}

TEST(BlockCryptTest, Luks2IsFoundUnderALogicalVolumeAndItsHeaderTellsTheCipher) {
  Tree tree;
  tree.device("vda", "254:0");
  tree.crypt("dm-0", "253:0", "CRYPT-LUKS2-0123456789abcdef-oa", "vda");
  tree.device("dm-1", "253:1");
  tree.write("sys/devices/dm-1/dm/uuid", "LVM-abcdef\n");
  tree.over("dm-1", "dm-0");
  tree.mounts(std::string(kRootMount) +
              "30 22 253:1 / /srv/oa\\040data rw - ext4 /dev/mapper/vg-oa rw\n");
  tree.write("dev/vda", luks2("aes-xts-plain64", 64));
  const auto found = volume_crypt("/srv/oa data/postgres", tree.view());
  EXPECT_EQ(found.kind, VolumeEncryption::kLuks2);
  EXPECT_EQ(found.spec, (CipherSpec{"aes-xts-plain64", 512}));
  EXPECT_TRUE(is_luks2_aes256(found));
  EXPECT_EQ(describe(found), "on a LUKS2 volume (dm-0, aes-xts-plain64, 512 bits)");
  // Another folder whose name only begins alike is on another volume.
  EXPECT_NE(volume_crypt("/srv/oa datax", tree.view()).kind, VolumeEncryption::kLuks2);

  tree.write("dev/vda", luks2("aes-xts-plain64", 32));
  EXPECT_FALSE(is_luks2_aes256(volume_crypt("/srv/oa data", tree.view())));
  tree.write("dev/vda", "nothing");
  const auto untold = volume_crypt("/srv/oa data", tree.view());
  EXPECT_EQ(untold.kind, VolumeEncryption::kLuks2);
  EXPECT_EQ(untold.spec, CipherSpec{});
}

TEST(BlockCryptTest, TheKernelsTableGoesBeforeTheHeader) {
  Tree tree;
  tree.device("vda", "254:0");
  tree.crypt("dm-0", "253:0", "CRYPT-LUKS2-0123-oa", "vda");
  tree.mounts("22 1 253:0 / / rw - ext4 /dev/mapper/oa rw\n");
  tree.write("dev/vda", luks2("aes-xts-plain64", 64));
  SystemView view = tree.view();
  std::string asked;
  view.table = [&](const std::string& name) -> Result<CipherSpec> {
    asked = name;
    return CipherSpec{"aes-xts-plain64", 256};
  };
  EXPECT_EQ(volume_crypt("/x", view).spec.key_bits, 256u);
  EXPECT_EQ(asked, "dm-0-name");
}

TEST(BlockCryptTest, OfSeveralDisksTheWeakestCounts) {
  Tree tree;
  tree.device("vda", "254:0");
  tree.device("vdb", "254:16");
  tree.crypt("dm-0", "253:0", "CRYPT-LUKS2-0123-oa", "vda");
  tree.device("md0", "9:0");
  tree.over("md0", "dm-0");
  tree.over("md0", "vdb");
  tree.mounts("22 1 9:0 / / rw - ext4 /dev/md0 rw\n");
  const auto found = volume_crypt("/x", tree.view());
  EXPECT_EQ(found.kind, VolumeEncryption::kNone);
  EXPECT_EQ(found.device, "vdb");
}

TEST(BlockCryptTest, LoopDevicesAndAnonymousNumbersLeadToTheirDevice) {
  Tree tree;
  tree.device("vda", "254:0");
  tree.crypt("dm-0", "253:0", "CRYPT-LUKS1-0123-oa", "vda");
  tree.device("loop0", "7:0");
  tree.write("sys/devices/loop0/loop/backing_file", "/images/disk\n");
  tree.mounts(
      "22 1 0:35 / / rw - btrfs /dev/mapper/dm-0-name rw\n30 22 7:0 / /mnt rw - ext4 /dev/loop0 "
      "rw\n"
      "31 22 0:40 / /run rw - tmpfs tmpfs rw\n32 22 0:41 / /net rw - nfs host:/x rw\n");
  EXPECT_EQ(volume_crypt("/mnt/x", tree.view()).kind, VolumeEncryption::kLuks1);
  EXPECT_TRUE(volume_crypt("/run/x", tree.view()).in_memory);
  EXPECT_EQ(volume_crypt("/net/x", tree.view()).kind, VolumeEncryption::kUnknown);
}

TEST(BlockCryptTest, ADeviceThatLiesOnItselfDoesNotHang) {
  Tree tree;
  tree.device("dm-1", "253:1");
  tree.over("dm-1", "dm-1");
  tree.mounts("22 1 253:1 / / rw - ext4 /dev/dm-1 rw\n");
  EXPECT_EQ(volume_crypt("/x", tree.view()).kind, VolumeEncryption::kUnknown);
}

TEST(BlockCryptTest, ThisMachinesTreeIsReadAlike) {
  EXPECT_EQ(volume_crypt("/proc").kind, VolumeEncryption::kUnknown);
  EXPECT_TRUE(volume_crypt("/dev/shm").in_memory);
  EXPECT_EQ(volume_crypt("/tmp/no/such/folder").kind, volume_crypt("/tmp").kind);
}

TEST(CryptTableTest, KeysInTheRingAndKeysInHex) {
  EXPECT_EQ(*parse_crypt_table("aes-xts-plain64 :64:logon:cryptsetup:0123-d0 0 254:0 32768"),
            (CipherSpec{"aes-xts-plain64", 512}));
  EXPECT_EQ(*parse_crypt_table("aes-cbc-essiv:sha256 " + std::string(64, '0') + " 0 254:0 4096"),
            (CipherSpec{"aes-cbc-essiv:sha256", 256}));
  for (const std::string bad :
       {"", "linear", "aes-xts-plain64 :x:logon:y 0", "aes :0:logon:y 0", "aes :64", " x y"})
    EXPECT_FALSE(parse_crypt_table(bad).ok()) << bad;
  EXPECT_FALSE(parse_crypt_table("aes " + std::string(5000, 'a') + " 0").ok());
}

TEST(LuksHeaderTest, BothVersionsAndNothingElse) {
  EXPECT_EQ(*parse_luks_header(as_bytes(luks2("aes-xts-plain64", 64))),
            (CipherSpec{"aes-xts-plain64", 512}));
  std::string one("LUKS\xba\xbe\0\1", 8);
  one.resize(592);
  one.replace(8, 3, "aes").replace(40, 11, "xts-plain64");
  one[111] = 64;
  EXPECT_EQ(*parse_luks_header(as_bytes(one)), (CipherSpec{"aes-xts-plain64", 512}));
  one[111] = 0;
  EXPECT_FALSE(parse_luks_header(as_bytes(one)).ok());
  EXPECT_FALSE(parse_luks_header(as_bytes(one.substr(0, 100))).ok());
  one[7] = 3;
  EXPECT_FALSE(parse_luks_header(as_bytes(one)).ok());
  EXPECT_FALSE(parse_luks_header(as_bytes(std::string("ext4"))).ok());
  for (const std::size_t size : {0, 7, 8, 4095, 4096, 4097, 4200})
    EXPECT_FALSE(parse_luks_header(as_bytes(luks2("aes-xts-plain64", 64).substr(0, size))).ok())
        << size;
  EXPECT_FALSE(parse_luks_header(as_bytes(luks2("aes-xts-plain64", 100000))).ok());
  EXPECT_FALSE(parse_luks_header(as_bytes(luks2("", 64))).ok());
}

TEST(LuksHeaderTest, AsCryptsetupWritesThem) {
  Tree tree;
  for (const auto& [type, key_bits] : {std::pair{"luks2", 512}, {"luks2", 256}, {"luks1", 512}}) {
    tree.write("volume", "");
    tree.write("key", std::string(64, 'k'));
    fs::resize_file(tree.root() / "volume", 32 << 20);
    const std::string make = std::string("cryptsetup luksFormat --batch-mode --type ") + type +
                             " --cipher aes-xts-plain64 --key-size " + std::to_string(key_bits) +
                             " --pbkdf-force-iterations 1000 --pbkdf pbkdf2 --key-file " +
                             (tree.root() / "key").string() + " " +
                             (tree.root() / "volume").string();
    ASSERT_EQ(std::system(make.c_str()), 0) << make;
    std::ifstream file(tree.root() / "volume", std::ios::binary);
    std::string header(64 << 10, '\0');
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    const auto spec = parse_luks_header(as_bytes(header));
    ASSERT_TRUE(spec.ok()) << type << spec.error().message;
    EXPECT_EQ(*spec, (CipherSpec{"aes-xts-plain64", static_cast<unsigned>(key_bits)})) << type;
  }
}

TEST(CipherTest, WhatIsAes256) {
  EXPECT_TRUE(is_aes256({"aes-xts-plain64", 512}));
  EXPECT_TRUE(is_aes256({"aes-cbc-essiv:sha256", 256}));
  EXPECT_TRUE(is_aes256({"capi:xts(aes)-plain64", 512}));
  EXPECT_FALSE(is_aes256({"aes-xts-plain64", 256}));
  EXPECT_FALSE(is_aes256({"serpent-xts-plain64", 512}));
  EXPECT_FALSE(is_aes256({"cipher_null-ecb", 512}));
  EXPECT_FALSE(is_aes256({}));
}

}  // namespace
}  // namespace oa::instance
