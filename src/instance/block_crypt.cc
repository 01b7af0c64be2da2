#include "oa/instance/block_crypt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "oa/base/io.h"
#include "oa/crypto/secret.h"

namespace oa::instance {
namespace {

namespace fs = std::filesystem;
constexpr int kMaxDepth = 8;  // device stacks are shallow; a cycle must not hang us
constexpr std::size_t kHeaderRead = 64 << 10;  // of LUKS: what is looked for is near the beginning
constexpr std::size_t kTableBytes = 16 << 10;
constexpr const char* kOp = "volume";

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The table may hold the volume's key: it stays in memory that is wiped, the kernel's copy too.
Result<CipherSpec> kernel_table(const std::string& name) {
  const int control = ::open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
  if (control < 0) return errno_error(errno, kOp, "/dev/mapper/control");
  SecretBytes buffer(kTableBytes);
  auto* request = reinterpret_cast<dm_ioctl*>(buffer.mutable_view().data());
  request->version[0] = DM_VERSION_MAJOR;
  request->data_size = kTableBytes;
  request->data_start = sizeof(dm_ioctl);
  request->flags = DM_STATUS_TABLE_FLAG | DM_SECURE_DATA_FLAG;
  std::strncpy(request->name, name.c_str(), sizeof request->name - 1);
  const int asked = ::ioctl(control, DM_TABLE_STATUS, request);
  const int trouble = errno;
  ::close(control);
  if (asked != 0) return errno_error(trouble, kOp, "the table of " + name);
  const auto not_told =
      make_error(ErrorCode::kIo, kOp, "the table of " + name + " is not of dm-crypt");
  constexpr std::size_t kFirst = sizeof(dm_ioctl) + sizeof(dm_target_spec);
  if (request->target_count != 1 || request->data_start != sizeof(dm_ioctl)) return not_told;
  const auto* target =
      reinterpret_cast<const dm_target_spec*>(buffer.view().data() + sizeof(dm_ioctl));
  if (std::string_view(target->target_type) != "crypt") return not_told;
  const std::string_view text = as_text(buffer.view().subspan(kFirst));
  return parse_crypt_table(text.substr(0, text.find('\0')));
}

Result<CipherSpec> header_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Bytes bytes(kHeaderRead);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return parse_luks_header(bytes);
}

int strength(VolumeEncryption kind) {
  switch (kind) {
    case VolumeEncryption::kNone:
      return 0;
    case VolumeEncryption::kUnknown:
      return 1;
    case VolumeEncryption::kOtherCrypt:
      return 2;
    case VolumeEncryption::kLuks1:
      return 3;
    case VolumeEncryption::kLuks2:
      return 4;
  }
  return 0;
}
bool weaker(const VolumeCrypt& a, const VolumeCrypt& b) {
  if (a.kind != b.kind) return strength(a.kind) < strength(b.kind);
  return !is_luks2_aes256(a) && is_luks2_aes256(b);
}

struct Mount {
  std::string numbers, type, source;
};

// "\040" is a blank there.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool octal =
        text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3';
    if (!octal) {
      plain += text[i];
      continue;
    }
    plain +=
        static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return plain;
}

class Walk {
 public:
  explicit Walk(const SystemView& view) : view_(view) {}

  VolumeCrypt of_path(const fs::path& path, int depth) const {
    if (depth > kMaxDepth) return {};
    std::string numbers = real_device(path);
    if (numbers.empty()) {
      const Mount mount = mount_of(path);
      if (mount.type == "tmpfs" || mount.type == "ramfs" || mount.type == "rootfs")
        return {VolumeEncryption::kUnknown, true, mount.type, {}};
      // Anonymous, as of btrfs: the device is the source.
      numbers =
          mount.numbers.starts_with("0:") ? device_numbers(mount.source, view_) : mount.numbers;
    }
    if (numbers.empty()) return {};
    return of_device(at("/sys/dev/block/" + numbers), depth + 1);
  }

  VolumeCrypt of_device(const fs::path& node, int depth) const {
    std::error_code error;
    const fs::path device = fs::canonical(node, error);
    if (error || depth > kMaxDepth) return {};
    const std::string uuid = first_line(device / "dm/uuid");
    if (uuid.starts_with("CRYPT-")) return of_crypt(device, uuid);
    std::optional<VolumeCrypt> weakest;
    for (const auto& slave : fs::directory_iterator(device / "slaves", error)) {
      auto under = of_device(slave.path(), depth + 1);
      if (!weakest.has_value() || weaker(under, *weakest)) weakest = std::move(under);
    }
    if (weakest.has_value()) return *weakest;
    const std::string backing = first_line(device / "loop/backing_file");
    if (!backing.empty()) return of_path(backing, depth + 1);
    // A partition has no dm folder of its own; its disk is the parent.
    if (fs::exists(device / "partition", error)) return of_device(device.parent_path(), depth + 1);
    return {VolumeEncryption::kNone, false, device.filename().string(), {}};
  }

  // Of this machine the file itself tells, whatever lies over its mount; empty when that is
  // anonymous.
  std::string real_device(fs::path path) const {
    if (!view_.root.empty()) return {};
    struct stat info {};
    while (::stat(path.c_str(), &info) != 0) {
      if (!path.has_relative_path()) return {};
      path = path.parent_path();
    }
    if (major(info.st_dev) == 0) return {};
    return fmt::format("{}:{}", major(info.st_dev), minor(info.st_dev));
  }

  Mount mount_of(const fs::path& path) const {
    Mount found;
    std::size_t longest = 0;
    std::ifstream mounts(at("/proc/self/mountinfo"));
    for (std::string line; std::getline(mounts, line);) {
      std::istringstream fields(line);
      std::string id, parent, numbers, inner, point;
      fields >> id >> parent >> numbers >> inner >> point;
      point = unescaped(point);
      const auto dash = line.find(" - ");
      if (dash == line.npos || !holds(point, path.string()) || point.size() < longest) continue;
      longest = point.size();  // the last of those that are alike lies on top
      std::istringstream tail(line.substr(dash + 3));
      found.numbers = numbers;
      tail >> found.type >> found.source;
      found.source = unescaped(found.source);
    }
    return found;
  }

 private:
  std::string at(const std::string& path) const { return view_.root + path; }
  static bool holds(const std::string& point, const std::string& path) {
    if (point == "/") return true;
    return path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/');
  }

  VolumeCrypt of_crypt(const fs::path& device, const std::string& uuid) const {
    VolumeCrypt found{VolumeEncryption::kOtherCrypt, false, device.filename().string(), {}};
    if (uuid.starts_with("CRYPT-LUKS2-")) found.kind = VolumeEncryption::kLuks2;
    if (uuid.starts_with("CRYPT-LUKS1-")) found.kind = VolumeEncryption::kLuks1;
    const std::string name = first_line(device / "dm/name");
    const auto told = view_.table ? view_.table(name)
                      : view_.root.empty()
                          ? kernel_table(name)
                          : Result<CipherSpec>(make_error(ErrorCode::kNotFound, kOp, name));
    if (told.ok()) {
      found.spec = *told;
      return found;
    }
    std::error_code error;
    for (const auto& slave : fs::directory_iterator(device / "slaves", error)) {
      const auto header = header_of(at("/dev/" + slave.path().filename().string()));
      if (header.ok()) found.spec = *header;
    }
    return found;
  }

  const SystemView& view_;
};

}  // namespace

bool is_luks2_aes256(const VolumeCrypt& volume) {
  return volume.kind == VolumeEncryption::kLuks2 && is_aes256(volume.spec);
}

std::string describe(const VolumeCrypt& volume) {
  if (volume.in_memory) return "in memory (tmpfs)";
  std::string text = describe(volume.kind);
  if (volume.device.empty()) return text;
  if (volume.spec.cipher.empty()) return fmt::format("{} ({})", text, volume.device);
  return fmt::format("{} ({}, {}, {} bits)", text, volume.device, volume.spec.cipher,
                     volume.spec.key_bits);
}

VolumeCrypt volume_crypt(const std::string& path, const SystemView& view) {
  std::error_code error;
  fs::path real = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? VolumeCrypt{} : Walk(view).of_path(real, 0);
}

VolumeCrypt device_crypt(const std::string& numbers, const SystemView& view) {
  return Walk(view).of_device(view.root + "/sys/dev/block/" + numbers, 0);
}

std::string device_numbers(const std::string& path, const SystemView& view) {
  if (!path.starts_with("/dev/")) return {};
  std::error_code error;
  const std::string name = fs::path(path).filename();
  const fs::path all = view.root + "/sys/class/block";
  const std::string numbers = first_line(all / name / "dev");
  if (!numbers.empty()) return numbers;
  // "/dev/mapper/NAME"
  for (const auto& device : fs::directory_iterator(all, error))
    if (first_line(device.path() / "dm/name") == name) return first_line(device.path() / "dev");
  return {};
}

}  // namespace oa::instance
