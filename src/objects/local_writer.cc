#include "local_writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "local_files.h"

namespace oa {
namespace {

// A remover takes empty folders away while a writer makes them; each can win only so often in a
// row.
constexpr int kAttempts = 100;
constexpr off_t kWriteBackBytes = off_t{8} << 20;
constexpr std::uint64_t kPieceBytes = 1 << 20;

Error ended(std::string op) {
  return make_error(ErrorCode::kPreconditionFailed, std::move(op), "this writer has ended");
}

class LocalWriter final : public ObjectWriter {
 public:
  LocalWriter(std::string root, ObjectKey key, TemporaryFile temporary)
      : root_(std::move(root)), key_(std::move(key)), temporary_(std::move(temporary)) {}
  ~LocalWriter() override {
    if (!committed_) ::unlink(temporary_.path.c_str());
  }

  Status write(ByteView bytes) override;
  Result<VersionId> commit() override { return commit_version(nullptr); }
  /// As this version, in the place of one that is there.
  Status commit_as(const VersionId& version) {
    const auto made = commit_version(&version);
    return made.ok() ? Status() : made.error();
  }

 private:
  Result<VersionId> commit_version(const VersionId* version);
  Result<Descriptor> open_locked_folder(const std::string& folder);
  Result<VersionId> publish(const VersionId* given);
  void start_writing_back();

  const std::string root_;
  const ObjectKey key_;
  TemporaryFile temporary_;
  off_t written_ = 0;
  off_t handed_on_ = 0;  // of written_, to the disk
  bool open_ = true;
  bool committed_ = false;
};

Status LocalWriter::write(ByteView bytes) {
  if (!open_) return ended("object.write");
  while (!bytes.empty()) {
    const ssize_t n = ::write(temporary_.file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      open_ = false;
      return errno_error(errno, "object.write", "cannot write the object " + key_.name);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    written_ += n;
  }
  start_writing_back();
  return {};
}

// So that commit() need not wait for all of a large object to reach the disk. Only a hint: what
// fails here, fsync tells.
void LocalWriter::start_writing_back() {
  if (written_ - handed_on_ < kWriteBackBytes) return;
  (void)::sync_file_range(temporary_.file.get(), handed_on_, written_ - handed_on_,
                          SYNC_FILE_RANGE_WRITE);
  handed_on_ = written_;
}

Result<VersionId> LocalWriter::commit_version(const VersionId* version) {
  if (!std::exchange(open_, false)) return ended("object.commit");
  OA_TRY(sync(temporary_.file, temporary_.path));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto made = publish(version);
    if (made.ok() || made.error().code != ErrorCode::kNotFound) return made;
  }
  return make_error(ErrorCode::kIo, "object.commit", "cannot place the object " + key_.name)
      .with_cause("its folder or " + temporary_.path + " was removed again and again");
}

// The object's folder, made where it is missing, under its lock: versions of one object are made
// one by one.
Result<Descriptor> LocalWriter::open_locked_folder(const std::string& folder) {
  auto opened = open_folder(folder);
  if (!opened.ok()) {
    OA_TRY(make_folders(root_, std::string_view(folder).substr(root_.size() + 1)));
    opened = open_folder(folder);
    if (!opened.ok()) return opened;
  }
  while (::flock(opened->get(), LOCK_EX) != 0) {
    if (errno != EINTR) return errno_error(errno, "object.commit", "cannot lock " + folder);
  }
  return opened;
}

// kNotFound when a remover took the folder away meanwhile.
Result<VersionId> LocalWriter::publish(const VersionId* given) {
  const std::string folder = object_folder(root_, key_);
  OA_ASSIGN(const Descriptor opened, open_locked_folder(folder));
  OA_ASSIGN(const auto versions, list_version_files(folder));
  // Later than every version there is, also after the clock was set back: the newest must be the
  // last one made.
  Timestamp created_at = Timestamp::now();
  if (!versions.empty()) {
    created_at = std::max(created_at, Timestamp{parse_version(versions.back())->unix_us + 1});
  }
  VersionId version = given != nullptr ? *given : make_version(created_at);
  if (::renameat(AT_FDCWD, temporary_.path.c_str(), opened.get(), version.value.c_str()) != 0) {
    return errno_error(errno, "object.commit", "cannot place the object " + key_.name);
  }
  committed_ = true;
  const Status durable = sync(opened, folder);
  if (!durable.ok()) {
    if (given == nullptr) ::unlinkat(opened.get(), version.value.c_str(), 0);
    return durable.error();
  }
  return version;
}

}  // namespace

Status restore_local_version(const std::string& root, const ObjectKey& key,
                             const VersionId& version, const RangedSource& sealed,
                             const std::atomic<bool>* cancelled) {
  OA_ASSIGN(TemporaryFile temporary, make_temporary(root));
  LocalWriter writer(root, key, std::move(temporary));
  Bytes piece(std::min<std::uint64_t>(kPieceBytes, sealed.size()));
  for (std::uint64_t offset = 0; offset < sealed.size(); offset += piece.size()) {
    if (cancelled != nullptr && *cancelled)
      return make_error(ErrorCode::kCancelled, "object.restore", "cancelled");
    piece.resize(std::min<std::uint64_t>(piece.size(), sealed.size() - offset));
    OA_TRY(sealed.read_at(offset, piece));
    OA_TRY(writer.write(piece));
  }
  return writer.commit_as(version);
}

Result<std::unique_ptr<ObjectWriter>> make_local_writer(const std::string& root,
                                                        const ObjectKey& key) {
  OA_ASSIGN(TemporaryFile temporary, make_temporary(root));
  return std::unique_ptr<ObjectWriter>(new LocalWriter(root, key, std::move(temporary)));
}

}  // namespace oa
