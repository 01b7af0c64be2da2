#include "folder_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "oa/archive/paths.h"

namespace oa::archive_cli {
namespace {

constexpr auto kOp = "pack";
constexpr std::uint64_t kReadWhole = std::uint64_t{1} << 20;  // files up to this in one read
constexpr std::size_t kPiece = std::size_t{256} << 10;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

struct ListingCloser {
  void operator()(DIR* listing) const { ::closedir(listing); }
};

Error changed(const std::string& path) {
  return make_error(ErrorCode::kPreconditionFailed, kOp,
                    path + " changed its size while it was read")
      .with_hint("pack a folder that nobody writes to, e.g. a snapshot or a copy");
}

Error not_a_file(const std::string& path, const char* what) {
  return make_error(ErrorCode::kUnsupported, kOp, path + " is " + what)
      .with_hint(
          "an archive holds regular files only: take it out, or replace it by what it names");
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

// The type without another system call where the folder tells it.
Result<mode_t> type_of(int folder, const dirent& item, const std::string& path) {
  if (item.d_type != DT_UNKNOWN) return static_cast<mode_t>(DTTOIF(item.d_type));
  struct stat info {};
  if (::fstatat(folder, item.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    return errno_error(errno, kOp, "cannot look at " + path);
  return static_cast<mode_t>(info.st_mode & S_IFMT);
}

Status check_path(const std::string& path) {
  if (path == "signatures" || path == "manifest.json") {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      path + " at the top of the folder has the name of a part of every archive")
        .with_hint("rename it, or pack a folder further up or down");
  }
  if (archive::is_valid_path(path)) return {};
  return make_error(ErrorCode::kInvalidArgument, kOp, "an archive cannot hold the name " + path)
      .with_hint("paths have at most 1024 bytes of UTF-8 without control characters and \\");
}

// Names in the order of the paths below them: a folder sorts as if it ended in its slash.
Result<std::vector<std::string>> list_sorted(int fd, const std::string& prefix) {
  const std::unique_ptr<DIR, ListingCloser> listing(::fdopendir(::dup(fd)));
  const auto failed = [&] {
    return errno_error(errno, kOp, "cannot list " + (prefix.empty() ? "the folder" : prefix));
  };
  if (listing == nullptr) return failed();
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* item = ::readdir(listing.get());
    if (item == nullptr && errno != 0) return failed();
    if (item == nullptr) break;
    std::string name = item->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = prefix + name;
    OA_ASSIGN(const mode_t type, type_of(fd, *item, path));
    if (!S_ISREG(type) && !S_ISDIR(type)) return not_a_file(path, kind_of(type));
    OA_TRY(check_path(path));
    if (S_ISDIR(type)) name.push_back('/');
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

// Reads until `out` is full or the file ends; nullopt on an error, which is in errno.
std::optional<std::size_t> read_up_to(int fd, std::span<std::uint8_t> out, std::size_t enough) {
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t n = ::read(fd, out.data() + size, out.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    size += static_cast<std::size_t>(n);
    if (n == 0 || size == enough) break;
  }
  return size;
}

}  // namespace

Status FolderWalk::keep_out(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return errno_error(errno, kOp, "cannot look at " + file);
  kept_out_.emplace(info.st_dev, info.st_ino);
  return {};
}

Status FolderWalk::check_cancelled() const {
  if (!progress_.cancelled()) return {};
  return make_error(ErrorCode::kCancelled, kOp, "cancelled; no archive was made");
}

Status FolderWalk::add_all(const std::string& folder) {
  const Descriptor top(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (top.get() < 0) return errno_error(errno, kOp, "cannot open the folder " + folder);
  return add_folder(top.get(), "");
}

Status FolderWalk::add_folder(int fd, const std::string& prefix) {
  OA_ASSIGN(const auto names, list_sorted(fd, prefix));
  if (names.empty() && !prefix.empty()) ++empty_folders_;
  for (const auto& name : names) {
    OA_TRY(check_cancelled());
    OA_TRY(name.back() == '/' ? add_subfolder(fd, name, prefix + name)
                              : add_file(fd, name, prefix + name));
  }
  return {};
}

Status FolderWalk::add_subfolder(int parent, const std::string& name, const std::string& prefix) {
  const Descriptor folder(::openat(parent, name.substr(0, name.size() - 1).c_str(),
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder.get() < 0) return errno_error(errno, kOp, "cannot open the folder " + prefix);
  return add_folder(folder.get(), prefix);
}

// O_NONBLOCK: what was a file in the listing may have become a pipe.
Status FolderWalk::add_file(int parent, const std::string& name, std::string path) {
  const Descriptor file(
      ::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0)
    return errno_error(errno, kOp, "cannot open " + path);
  if (!S_ISREG(info.st_mode)) return not_a_file(path, "no regular file any more");
  if (kept_out_.contains({info.st_dev, info.st_ino})) {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      path + " is the signer's secret key or its passphrase")
        .with_hint("whoever has the archive could read it: keep it outside of the folder");
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  OA_TRY(size <= kReadWhole ? add_small(file.get(), size, std::move(path))
                            : add_large(file.get(), size, std::move(path)));
  ++files_;
  progress_.update(bytes_);
  return {};
}

// One byte more is asked for than the file should have, so that one read tells that it has grown.
Status FolderWalk::add_small(int fd, std::uint64_t size, std::string path) {
  Bytes content(size + 1);
  const auto got = read_up_to(fd, content, size);
  if (!got) return errno_error(errno, kOp, "cannot read " + path);
  if (*got != size) return changed(path);
  content.resize(size);
  bytes_ += size;
  return writer_.add(std::move(path), std::move(content));
}

Status FolderWalk::add_large(int fd, std::uint64_t size, std::string path) {
  buffer_.resize(kPiece);
  const std::string shown = path;
  return writer_.add_stream(std::move(path), size, [&](ByteSink& out) -> Status {
    for (std::uint64_t left = size;;) {
      OA_TRY(check_cancelled());
      const auto got = read_up_to(fd, buffer_, buffer_.size());
      if (!got) return errno_error(errno, kOp, "cannot read " + shown);
      if (*got > left || (*got == 0 && left > 0)) return changed(shown);
      if (*got == 0) return {};
      left -= *got;
      bytes_ += *got;
      progress_.update(bytes_);
      OA_TRY(out.write({buffer_.data(), *got}));
    }
  });
}

}  // namespace oa::archive_cli
