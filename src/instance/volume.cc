#include "oa/instance/volume.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace oa::instance {
namespace {

namespace fs = std::filesystem;
constexpr int kMaxDepth = 8;  // device stacks are shallow; a cycle must not hang us

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

VolumeEncryption of_path(const std::string& path, int depth);

VolumeEncryption of_device(const fs::path& device, int depth) {
  if (depth > kMaxDepth) return VolumeEncryption::kUnknown;
  const std::string uuid = first_line(device / "dm/uuid");
  if (uuid.starts_with("CRYPT-LUKS2-")) return VolumeEncryption::kLuks2;
  if (uuid.starts_with("CRYPT-LUKS1-")) return VolumeEncryption::kLuks1;
  if (uuid.starts_with("CRYPT-")) return VolumeEncryption::kOtherCrypt;
  std::error_code error;
  for (const auto& slave : fs::directory_iterator(device / "slaves", error)) {
    const auto under = of_device(slave.path(), depth + 1);
    if (under != VolumeEncryption::kNone) return under;
  }
  const std::string backing = first_line(device / "loop/backing_file");
  if (!backing.empty()) return of_path(backing, depth + 1);
  // A partition has no dm folder of its own; its disk is the parent.
  if (fs::exists(device / "partition", error)) {
    return of_device(fs::canonical(device, error).parent_path(), depth + 1);
  }
  return VolumeEncryption::kNone;
}

// The source device of the mount that holds `path`, for file systems with anonymous device numbers
// (btrfs).
std::string mount_source(unsigned wanted_major, unsigned wanted_minor) {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, numbers, rest;
    fields >> id >> parent >> numbers;
    if (numbers != std::to_string(wanted_major) + ":" + std::to_string(wanted_minor)) continue;
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream tail(line.substr(dash + 3));
    std::string type, source;
    tail >> type >> source;
    if (source.starts_with("/dev/")) return source;
  }
  return {};
}

VolumeEncryption of_path(const std::string& path, int depth) {
  struct stat info {};
  if (depth > kMaxDepth || ::stat(path.c_str(), &info) != 0) return VolumeEncryption::kUnknown;
  dev_t device = info.st_dev;
  if (major(device) == 0) {
    const std::string source = mount_source(major(device), minor(device));
    if (source.empty() || ::stat(source.c_str(), &info) != 0) return VolumeEncryption::kUnknown;
    device = info.st_rdev;
  }
  const fs::path node =
      "/sys/dev/block/" + std::to_string(major(device)) + ":" + std::to_string(minor(device));
  std::error_code error;
  if (!fs::exists(node, error)) return VolumeEncryption::kUnknown;
  return of_device(node, depth + 1);
}

}  // namespace

VolumeEncryption volume_encryption(const std::string& path) { return of_path(path, 0); }

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
