#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <filesystem>
#include <mutex>
#include <unordered_set>

#include "oa/base/io.h"
#include "read_commands.h"

namespace oa::archive_cli {
namespace {

namespace fs = std::filesystem;
using archive::EntryContent;
using archive::EntryInfo;

// Entries up to this are verified in memory and written at once.
constexpr std::uint64_t kWriteWhole = std::uint64_t{1} << 20;

Error cancelled() {
  return make_error(ErrorCode::kCancelled, "archive.extract",
                    "cancelled; what was extracted so far is whole");
}

// Lets a large entry be left in its middle; the file it was for is then dropped.
class CancellableSink final : public ByteSink {
 public:
  CancellableSink(ByteSink& out, const Progress& progress) : out_(out), progress_(progress) {}
  Status write(ByteView bytes) override {
    return progress_.cancelled() ? Status(cancelled()) : out_.write(bytes);
  }

 private:
  ByteSink& out_;
  const Progress& progress_;
};

// Makes a file of verified bytes; none is left when that fails.
Status write_new_file(const std::string& path, ByteView bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error(errno, "archive.extract", "cannot create " + path);
  Status written;
  while (written.ok() && !bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      written = errno_error(errno, "archive.extract", "cannot write " + path);
    }
  }
  if (::close(fd) != 0 && written.ok())
    written = errno_error(errno, "archive.extract", "cannot write " + path);
  if (!written.ok()) ::unlink(path.c_str());
  return written;
}

// Files below a folder that was new or empty. Used by several threads at once.
class FolderWriter {
 public:
  FolderWriter(std::string folder, const Progress& progress)
      : folder_(std::move(folder)), progress_(progress) {}

  Status put(const EntryInfo& entry, const EntryContent& content) {
    if (progress_.cancelled()) return cancelled();
    // The reader admits no path that leaves its folder.
    const std::string path = folder_ + "/" + entry.path;
    OA_TRY(make_folder(path.substr(0, path.rfind('/'))));
    OA_TRY(entry.size <= kWriteWhole ? put_small(path, content) : put_large(path, content));
    ++files_;
    bytes_ += entry.size;
    return {};
  }

  std::uint64_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Status make_folder(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (made_.contains(path)) return {};
    std::error_code error;
    fs::create_directories(path, error);
    if (error)
      return errno_error(error.value(), "archive.extract", "cannot make the folder " + path);
    made_.insert(path);
    return {};
  }

  static Status put_small(const std::string& path, const EntryContent& content) {
    MemorySink verified;
    OA_TRY(content(verified));
    return write_new_file(path, verified.bytes());
  }

  Status put_large(const std::string& path, const EntryContent& content) const {
    OA_ASSIGN(auto file, AtomicFileSink::create(path, false, 0600));
    CancellableSink out(*file, progress_);
    OA_TRY(content(out));
    return file->commit();
  }

  const std::string folder_;
  const Progress& progress_;
  std::atomic<std::uint64_t> files_ = 0, bytes_ = 0;
  std::mutex mutex_;  // guards what follows
  std::unordered_set<std::string> made_;
};

Status require_new_or_empty(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return {};
  if (fs::is_directory(folder, error) && fs::is_empty(folder, error)) return {};
  return make_error(ErrorCode::kAlreadyExists, "archive.extract",
                    folder + " exists and is not an empty folder")
      .with_hint("name a new folder with --output");
}

// Before anything is written: a prefix that matches nothing is a mistake.
Status require_matches(const archive::ArchiveReader& reader,
                       const std::vector<std::string>& prefixes) {
  for (const auto& prefix : prefixes) {
    bool found = false;
    const Status walked = reader.for_each(prefix, [&](const EntryInfo&) -> Status {
      found = true;
      return cancelled();  // ends the walk
    });
    if (found) continue;
    OA_TRY(walked);
    return make_error(ErrorCode::kNotFound, "archive.extract", "no entry begins with " + prefix)
        .with_hint("`ls` lists the entries");
  }
  return {};
}

}  // namespace

Status run_extract(const archive::ArchiveReader& reader, const ReadOptions& options,
                   const console::Output& output, Progress& progress) {
  OA_TRY(require_new_or_empty(options.output));
  OA_TRY(require_matches(reader, options.paths));
  FolderWriter writer(options.output, progress);
  const Status extracted = reader.for_each_content(
      options.paths, 0, progress, [&](const EntryInfo& entry, const EntryContent& content) {
        return writer.put(entry, content);
      });
  if (!extracted.ok() && extracted.error().code == ErrorCode::kCancelled) return cancelled();
  OA_TRY(extracted);
  output.document(json::object{
      {"files", writer.files()}, {"bytes", writer.bytes()}, {"folder", options.output}});
  output.line(fmt::format("{} entries ({}) extracted to {}, each verified", writer.files(),
                          format_size(writer.bytes()), options.output));
  return {};
}

}  // namespace oa::archive_cli
