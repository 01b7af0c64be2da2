// Whether a folder lies on an encrypted volume.
#pragma once

#include <string>

#include "oa/base/result.h"

namespace oa::instance {

enum class VolumeEncryption { kLuks2, kLuks1, kOtherCrypt, kNone, kUnknown };

/// The encryption under the block device that holds `path`, found through /sys/dev/block
/// (device-mapper UUIDs, walking slaves and loop backing files). kUnknown when there is no block
/// device to look at (overlay, network, tmpfs).
VolumeEncryption volume_encryption(const std::string& path);

/// One sentence for people.
std::string describe(VolumeEncryption encryption);

}  // namespace oa::instance
