// Where the local driver keeps what:
//   <root>/tmp/<random>                                       being written, locked by its writer
//   <root>/<tenant>/<class>/<segment>/…/<last segment>@/<version>
// The mark on an object's folder keeps object "a" apart from the folder of object "a/b"; names
// cannot hold it.
#pragma once

#include <vector>

#include "object_key.h"

namespace oa {

inline constexpr char kObjectMark = '@';

/// An open file or folder.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string class_folder(const std::string& root, TenantId tenant, RetentionClass retention_class);
std::string object_folder(const std::string& root, const ObjectKey& key);
std::string temporary_folder(const std::string& root);

/// Makes the folders of `relative` below `base`, each with mode 0700 and durable. kNotFound when
/// another process removed one of them meanwhile: try again.
Status make_folders(const std::string& base, std::string_view relative);
/// fsync.
Status sync(const Descriptor& opened, const std::string& path);
/// An opened folder; kNotFound when there is none.
Result<Descriptor> open_folder(const std::string& path);
/// Names in a folder without those that begin with a dot, in no order. kNotFound when there is
/// none.
Result<std::vector<std::string>> list_folder(const std::string& path);
/// Version ids in an object's folder, oldest first; empty when there is no such folder.
Result<std::vector<std::string>> list_version_files(const std::string& folder);

/// A new file in the folder for temporary files. Its lock tells sweep_temporaries() that its writer
/// lives.
struct TemporaryFile {
  Descriptor file;
  std::string path;
};
Result<TemporaryFile> make_temporary(const std::string& root);
/// Removes what writers that died left.
Status sweep_temporaries(const std::string& root);

}  // namespace oa
