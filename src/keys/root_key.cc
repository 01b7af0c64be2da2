#include "root_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace oa {
namespace {

constexpr std::array<std::uint8_t, 5> kMagic = {'O', 'A', 'K', 'S', 1};  // 1: version
constexpr std::size_t kRootKeySize = 32;

struct OpenFile {
  explicit OpenFile(int descriptor) : fd(descriptor) {}
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd;
};

Status check_source(const RootKeySource& source) {
  const bool passphrase = source.passphrase && !source.passphrase->empty();
  if (passphrase != source.key_file.empty() || (source.passphrase && !passphrase)) {
    return make_error(ErrorCode::kInvalidArgument, "root_key",
                      "a key store takes either a root key file or a passphrase that is not empty");
  }
  return {};
}

Status check_permissions(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return errno_error(errno, "root_key.open", "cannot examine " + path);
  if (!S_ISREG(info.st_mode) || info.st_size != kRootKeySize) {
    return make_error(ErrorCode::kKeyWrong, "root_key.open",
                      path + " is not a root key of 32 bytes")
        .with_hint("put the root key file of this store back from its safe copy");
  }
  if ((info.st_mode & 077) != 0) {
    return make_error(ErrorCode::kPermissionDenied, "root_key.open",
                      "others than its owner have access to the root key file " + path)
        .with_hint("run chmod 600 on it, and treat the key as known to them");
  }
  return {};
}

Result<SecretBytes> read_key_file(const std::string& path) {
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0 && errno == ENOENT) {
    return make_error(ErrorCode::kKeyStoreMissing, "root_key.open",
                      "the root key file " + path + " is not there")
        .with_hint(
            "bring it back from where you keep its copy; without it nothing can be decrypted");
  }
  if (file.fd < 0) return errno_error(errno, "root_key.open", "cannot open " + path);
  OA_TRY(check_permissions(file.fd, path));
  SecretBytes key(kRootKeySize);
  if (::pread(file.fd, key.mutable_view().data(), kRootKeySize, 0) != kRootKeySize) {
    return errno_error(errno, "root_key.open", "cannot read " + path);
  }
  return key;
}

Status sync_folder_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const OpenFile opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.fd < 0 || ::fsync(opened.fd) != 0) {
    return errno_error(errno, "root_key.create", "cannot make the folder " + folder + " durable");
  }
  return {};
}

// Writes a fresh key to `temporary`, durably.
Status write_new_key(const std::string& temporary) {
  const OpenFile file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const SecretBytes key = SecretBytes::random(kRootKeySize);
  if (file.fd < 0 || ::fchmod(file.fd, 0600) != 0 ||
      ::write(file.fd, key.view().data(), kRootKeySize) != kRootKeySize || ::fsync(file.fd) != 0) {
    return errno_error(errno, "root_key.create", "cannot write the root key file " + temporary);
  }
  return {};
}

}  // namespace

Bytes RootKeyHeader::encode() const {
  Bytes bytes(kMagic.begin(), kMagic.end());
  bytes.push_back(from_passphrase ? 2 : 1);
  append_le(bytes, std::uint16_t{0});
  append_le(bytes, cost.operations);
  append_le(bytes, cost.memory_bytes);
  bytes.insert(bytes.end(), salt.begin(), salt.end());
  OA_ASSERT(bytes.size() == kSize);
  return bytes;
}

Result<RootKeyHeader> RootKeyHeader::decode(ByteView bytes) {
  RootKeyHeader header;
  if (bytes.size() >= kSize) {
    bytes = bytes.first(kSize);
    header.from_passphrase = bytes[kMagic.size()] == 2;
    header.cost.operations = read_le<std::uint64_t>(bytes.subspan(8));
    header.cost.memory_bytes = read_le<std::uint64_t>(bytes.subspan(16));
    std::ranges::copy(bytes.subspan(24), header.salt.begin());
    if (std::ranges::equal(header.encode(), bytes)) return header;
  }
  return make_error(ErrorCode::kSealCorrupt, "key_store.open",
                    "this is not a key store of version 1");
}

Result<RootKeyHeader> new_root_key_header(const RootKeySource& source) {
  OA_TRY(check_source(source));
  RootKeyHeader header;
  if (source.passphrase) {
    header.from_passphrase = true;
    header.cost = Argon2Cost{};
    random_fill(header.salt);
  }
  return header;
}

Result<SecretBytes> load_root_key(const RootKeySource& source, const RootKeyHeader& header) {
  OA_TRY(check_source(source));
  if (header.from_passphrase != source.passphrase.has_value()) {
    return make_error(ErrorCode::kKeyWrong, "key_store.open",
                      header.from_passphrase ? "this key store is opened with a passphrase"
                                             : "this key store is opened with a root key file")
        .with_hint(header.from_passphrase ? "give its passphrase with --passphrase-file"
                                          : "leave --passphrase-file out");
  }
  if (!header.from_passphrase) return read_key_file(source.key_file);
  return derive_from_passphrase(*source.passphrase, header.salt, header.cost, kRootKeySize);
}

Status ensure_root_key_file(const RootKeySource& source) {
  if (source.key_file.empty() || ::access(source.key_file.c_str(), F_OK) == 0) return {};
  const std::string temporary = source.key_file + "." + Uuid::random().str();
  const Status written = write_new_key(temporary);
  // A link never replaces: of two processes, one makes the key and both use it.
  if (written.ok() && ::link(temporary.c_str(), source.key_file.c_str()) != 0 && errno != EEXIST) {
    const int error_number = errno;
    ::unlink(temporary.c_str());
    return errno_error(error_number, "root_key.create", "cannot create " + source.key_file);
  }
  ::unlink(temporary.c_str());
  OA_TRY(written);
  return sync_folder_of(source.key_file);
}

}  // namespace oa
