#include "local_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace oa {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

struct FolderCloser {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// False when another process holds the lock.
bool try_lock(int fd) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::string class_folder(const std::string& root, TenantId tenant, RetentionClass retention_class) {
  return root + "/" + tenant.str() + "/" + std::string(to_text(retention_class));
}

std::string object_folder(const std::string& root, const ObjectKey& key) {
  return class_folder(root, key.tenant, key.retention_class) + "/" + key.name + kObjectMark;
}

std::string temporary_folder(const std::string& root) { return root + "/tmp"; }

Status sync(const Descriptor& opened, const std::string& path) {
  if (::fsync(opened.get()) == 0) return {};
  return errno_error(errno, "object.sync", "cannot make " + path + " durable");
}

Result<Descriptor> open_folder(const std::string& path) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return errno_error(errno, "object.folder", "cannot open the folder " + path);
  return folder;
}

Status make_folders(const std::string& base, std::string_view relative) {
  std::string parent = base;
  while (!relative.empty()) {
    const auto slash = relative.find('/');
    const std::string path = parent + "/" + std::string(relative.substr(0, slash));
    relative = slash == std::string_view::npos ? std::string_view{} : relative.substr(slash + 1);
    if (::mkdir(path.c_str(), kFolderMode) == 0) {
      // Not left to the umask, and there after a power cut.
      if (::chmod(path.c_str(), kFolderMode) != 0) {
        return errno_error(errno, "object.folder", "cannot set the mode of " + path);
      }
      OA_ASSIGN(const Descriptor opened, open_folder(parent));
      OA_TRY(sync(opened, parent));
    } else if (errno != EEXIST) {
      return errno_error(errno, "object.folder", "cannot create the folder " + path);
    }
    parent = path;
  }
  return {};
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  const std::unique_ptr<DIR, FolderCloser> folder(::opendir(path.c_str()));
  // A stray file holds no objects, as if it were not there.
  if (folder == nullptr && errno == ENOTDIR) errno = ENOENT;
  if (folder == nullptr) return errno_error(errno, "object.list", "cannot open the folder " + path);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  if (errno != 0) return errno_error(errno, "object.list", "cannot read the folder " + path);
  return names;
}

Result<std::vector<std::string>> list_version_files(const std::string& folder) {
  auto names = list_folder(folder);
  if (!names.ok()) {
    if (names.error().code == ErrorCode::kNotFound) return std::vector<std::string>{};
    return names;
  }
  std::erase_if(*names, [](const std::string& name) { return !parse_version(name); });
  std::ranges::sort(*names);
  return names;
}

Result<TemporaryFile> make_temporary(const std::string& root) {
  // A sweep may take the file between its creation and its lock; then it is made again.
  for (int attempt = 0; attempt < 100; ++attempt) {
    TemporaryFile made{Descriptor(), temporary_folder(root) + "/" + Uuid::random().str()};
    made.file =
        Descriptor(::open(made.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
    if (!made.file.valid() || ::fchmod(made.file.get(), kFileMode) != 0) {
      return errno_error(errno, "object.put", "cannot create " + made.path);
    }
    struct stat info {};
    if (try_lock(made.file.get()) && ::fstat(made.file.get(), &info) == 0 && info.st_nlink == 1)
      return made;
    ::unlink(made.path.c_str());
  }
  return make_error(ErrorCode::kIo, "object.put",
                    "temporary files vanish from " + temporary_folder(root));
}

Status sweep_temporaries(const std::string& root) {
  OA_ASSIGN(const auto names, list_folder(temporary_folder(root)));
  for (const std::string& name : names) {
    const std::string path = temporary_folder(root) + "/" + name;
    const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (file.valid() && try_lock(file.get())) ::unlink(path.c_str());
  }
  return {};
}

}  // namespace oa
