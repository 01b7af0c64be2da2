// What encrypts the block device under a path: kind, cipher and key size, as the kernel and the
// volume's own header tell.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "oa/base/bytes.h"
#include "oa/instance/volume.h"

namespace oa::instance {

/// As dm-crypt writes it: "aes-xts-plain64", of whose key half is for the tweak.
struct CipherSpec {
  std::string cipher;
  unsigned key_bits = 0;
  bool operator==(const CipherSpec&) const = default;
};
/// AES with a key of 256 bits: 512 with XTS.
bool is_aes256(const CipherSpec& spec);

/// Where the kernel shows itself.
struct SystemView {
  std::string root;  // before /proc, /sys and /dev; empty: this machine's, else a tree that was
                     // taken from one
  /// The cipher of a device-mapper device by its name, as the kernel has it. Empty: asked of
  /// /dev/mapper/control when `root` is empty, which takes CAP_SYS_ADMIN, and else not known.
  std::function<Result<CipherSpec>(const std::string& name)> table = {};
};

struct VolumeCrypt {
  VolumeEncryption kind = VolumeEncryption::kUnknown;
  bool in_memory =
      false;           // tmpfs: what is there goes to a disk by the swap alone; kind is kUnknown
  std::string device;  // "dm-0": what encrypts, else what holds the data; empty: not known
  CipherSpec spec;     // of kLuks2, kLuks1 and kOtherCrypt; empty when it could not be read
};
/// Whether LUKS2 with AES-256 is below; false too when the cipher could not be read.
bool is_luks2_aes256(const VolumeCrypt& volume);
/// "on a LUKS2 volume (dm-0, aes-xts-plain64, 512 bits)"
std::string describe(const VolumeCrypt& volume);

/// The volume that holds `path`, or, where there is no such file, the folder above it. Of a stack
/// with several disks (LVM, RAID) the weakest counts. Reads the mount table, /sys, and where that
/// is permitted the device-mapper table or the LUKS header; never a key.
VolumeCrypt volume_crypt(const std::string& path, const SystemView& view = {});
/// The same of a block device: "8:1".
VolumeCrypt device_crypt(const std::string& numbers, const SystemView& view = {});
/// The numbers of "/dev/…", by its name in /sys; empty when it is not there.
std::string device_numbers(const std::string& path, const SystemView& view = {});

/// Of "aes-xts-plain64 :64:logon:… 0 8:16 32768"
/// (Documentation/admin-guide/device-mapper/dm-crypt).
Result<CipherSpec> parse_crypt_table(std::string_view parameters);
/// Of the first bytes of a LUKS1 or LUKS2 volume (LUKS2 On-Disk Format Specification, 2.1 and 3);
/// kInvalidArgument for anything else.
Result<CipherSpec> parse_luks_header(ByteView header);

}  // namespace oa::instance
