#include "oa/instance/volume.h"

#include "oa/instance/block_crypt.h"

namespace oa::instance {

VolumeEncryption volume_encryption(const std::string& path) { return volume_crypt(path).kind; }

std::string describe(VolumeEncryption encryption) {
  switch (encryption) {
    case VolumeEncryption::kLuks2:
      return "on a LUKS2 volume";
    case VolumeEncryption::kLuks1:
      return "on a LUKS1 volume; LUKS2 is what the documentation promises";
    case VolumeEncryption::kOtherCrypt:
      return "on a dm-crypt volume that is not LUKS2";
    case VolumeEncryption::kNone:
      return "on a volume that is NOT encrypted; put it on LUKS2 before real data goes in";
    case VolumeEncryption::kUnknown:
      return "on a volume whose encryption cannot be seen from here";
  }
  return {};
}

}  // namespace oa::instance
