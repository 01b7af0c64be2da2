#include "oa/base/io.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace oa {
namespace {

constexpr std::size_t kCopyPiece = std::size_t{1} << 20;
// Pieces of a large file go to the device from our own memory. 4 MiB keep the device busy, and
// every file system's alignment divides a page.
constexpr std::size_t kDirectPiece = std::size_t{4} << 20;
constexpr std::size_t kDirectAlignment = 4096;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_fully(int fd, ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "file.write", "cannot write " + path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Status check_range(std::uint64_t size, std::uint64_t offset, std::size_t length) {
  if (offset <= size && length <= size - offset) return {};
  return make_error(ErrorCode::kInvalidArgument, "read_at", "the range lies outside of the source");
}

}  // namespace

Status MemorySource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  OA_TRY(check_range(bytes_.size(), offset, out.size()));
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return {};
}

Result<std::unique_ptr<FileSource>> FileSource::open(const std::string& path) {
  // A FIFO would otherwise wait for a writer before it could be refused.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno_error(errno, "file.open", "cannot open " + path);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return make_error(ErrorCode::kInvalidArgument, "file.open", path + " is not a regular file");
  }
  return std::unique_ptr<FileSource>(
      new FileSource(fd, static_cast<std::uint64_t>(info.st_size), path));
}

FileSource::~FileSource() { ::close(fd_); }

Status FileSource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  OA_TRY(check_range(size_, offset, out.size()));
  while (!out.empty()) {
    const ssize_t n = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "file.read", "cannot read " + path_);
    if (n == 0)
      return make_error(ErrorCode::kIo, "file.read", path_ + " became shorter while it was read");
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

namespace {

Error exists_already(const std::string& path) {
  return make_error(ErrorCode::kAlreadyExists, "file.create", path + " exists already")
      .with_hint("choose another name or remove the file first");
}

// A name of its own: nobody else's file is touched, whatever it is called.
int open_new_partial(std::string& partial) {
  partial += ".XXXXXX";
  return ::mkostemp(partial.data(), O_CLOEXEC);
}

// The one name that a successor of this file may have; what a crash left there is written over.
// Locked, so that two successors are not written into one another: EWOULDBLOCK.
int open_successor(const std::string& partial, unsigned mode) {
  while (true) {
    const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
    struct stat opened {
    }, named{};
    if (fd < 0) return fd;
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd, &opened) == 0) {
      const bool still_there =
          ::stat(partial.c_str(), &named) == 0 && named.st_ino == opened.st_ino;
      if (still_there && ::ftruncate(fd, 0) == 0) return fd;
      if (!still_there) errno = EAGAIN;  // the other one has just been renamed: try anew
    }
    const int error_number = errno;
    const bool again = error_number == EAGAIN && opened.st_ino != 0;
    ::close(fd);
    errno = error_number;
    if (!again) return -1;
  }
}

// Renames without replacing. Not every file system can; a link does not replace either.
bool place_new(const std::string& partial, const std::string& path) {
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0)
    return true;
  if (errno != EINVAL) return false;
  if (::link(partial.c_str(), path.c_str()) != 0) return false;
  ::unlink(partial.c_str());
  return true;
}

}  // namespace

Result<std::unique_ptr<AtomicFileSink>> AtomicFileSink::create(const std::string& path,
                                                               bool replace, unsigned mode) {
  struct stat existing {};
  const bool exists = ::stat(path.c_str(), &existing) == 0;
  if (exists && !replace) return exists_already(path);
  if (exists && !S_ISREG(existing.st_mode)) {
    return make_error(ErrorCode::kInvalidArgument, "file.create", path + " is not a regular file")
        .with_hint("name a file");
  }
  std::string partial = path + ".partial";
  const int fd = replace ? open_successor(partial, mode) : open_new_partial(partial);
  if (fd < 0 && errno == EWOULDBLOCK) {
    return make_error(ErrorCode::kBusy, "file.create",
                      path + " is being written by another process")
        .with_hint("wait until it has ended");
  }
  if (fd < 0) return errno_error(errno, "file.create", "cannot create " + partial);
  if (::fchmod(fd, mode) != 0) {
    const int error_number = errno;
    ::close(fd);
    ::unlink(partial.c_str());
    return errno_error(error_number, "file.create", "cannot set the mode of " + partial);
  }
  return std::unique_ptr<AtomicFileSink>(new AtomicFileSink(fd, path, std::move(partial), replace));
}

AtomicFileSink::~AtomicFileSink() {
  std::free(piece_);
  if (fd_ < 0) return;
  ::unlink(partial_.c_str());  // while a successor's lock is still held
  ::close(fd_);
}

Status AtomicFileSink::write(ByteView bytes) {
  if (piece_ == nullptr) {
    piece_ = static_cast<std::uint8_t*>(std::aligned_alloc(kDirectAlignment, kDirectPiece));
    OA_ASSERT(piece_ != nullptr);
  }
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), kDirectPiece - filled_);
    std::memcpy(piece_ + filled_, bytes.data(), taken);
    filled_ += taken;
    bytes = bytes.subspan(taken);
    if (filled_ == kDirectPiece) OA_TRY(write_piece());
  }
  return {};
}

// Past the page cache where the file system can: a copy less, and nothing else is pushed out of it.
// Measured on 2.1 GB: 0.7 instead of 2.2 seconds of system time, and the fsync has nothing to wait
// for.
Status AtomicFileSink::write_piece() {
  if (direct_ == Direct::kUntried) {
    const int flags = ::fcntl(fd_, F_GETFL);
    direct_ = ::fcntl(fd_, F_SETFL, flags | O_DIRECT) == 0 ? Direct::kOn : Direct::kOff;
  }
  std::size_t written = 0;
  if (direct_ == Direct::kOn) {
    const ssize_t n = ::write(fd_, piece_, kDirectPiece);
    if (n > 0) written = static_cast<std::size_t>(n);
    // Not supported after all, or cut short: the rest tells what is wrong, if anything is.
    if (written < kDirectPiece) OA_TRY(stop_direct());
  }
  OA_TRY(write_fully(fd_, ByteView(piece_ + written, kDirectPiece - written), path_));
  filled_ = 0;
  return {};
}

Status AtomicFileSink::stop_direct() {
  direct_ = Direct::kOff;
  const int flags = ::fcntl(fd_, F_GETFL);
  if (::fcntl(fd_, F_SETFL, flags & ~O_DIRECT) == 0) return {};
  return errno_error(errno, "file.write", "cannot write " + path_);
}

Status AtomicFileSink::commit() {
  OA_ASSERT(fd_ >= 0);
  if (direct_ == Direct::kOn) OA_TRY(stop_direct());
  OA_TRY(write_fully(fd_, ByteView(piece_, filled_), path_));
  if (::fsync(fd_) != 0)
    return errno_error(errno, "file.commit", "cannot make " + path_ + " durable");
  const bool placed =
      replace_ ? ::rename(partial_.c_str(), path_.c_str()) == 0 : place_new(partial_, path_);
  if (!placed && errno == EEXIST) return exists_already(path_);
  if (!placed) {
    return errno_error(errno, "file.commit", "cannot rename to " + path_);
  }
  ::close(fd_);
  fd_ = -1;
  const int folder = ::open(parent_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return errno_error(errno, "file.commit", "cannot open the folder of " + path_);
  const bool durable = ::fsync(folder) == 0;
  const int error_number = errno;
  ::close(folder);
  if (!durable)
    return errno_error(error_number, "file.commit",
                       "cannot make the folder of " + path_ + " durable");
  return {};
}

Result<Bytes> read_all(const RangedSource& source, std::uint64_t limit) {
  if (source.size() > limit) {
    return make_error(ErrorCode::kLimitExceeded, "read_all",
                      "larger than the limit of " + format_size(limit));
  }
  Bytes bytes(source.size());
  OA_TRY(source.read_at(0, bytes));
  return bytes;
}

Result<Bytes> read_file(const std::string& path, std::uint64_t limit) {
  OA_ASSIGN(const auto source, FileSource::open(path));
  return read_all(*source, limit);
}

Status copy_all(const RangedSource& source, ByteSink& sink) {
  Bytes piece(std::min<std::uint64_t>(kCopyPiece, source.size()));
  for (std::uint64_t at = 0; at < source.size();) {
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), source.size() - at));
    const std::span<std::uint8_t> part(piece.data(), length);
    OA_TRY(source.read_at(at, part));
    OA_TRY(sink.write(part));
    at += length;
  }
  return {};
}

}  // namespace oa
