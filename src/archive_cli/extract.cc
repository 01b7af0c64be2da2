#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "oa/base/io.h"
#include "read_commands.h"

namespace oa::archive_cli {
namespace {

namespace fs = std::filesystem;

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

Status extract_one(const archive::ArchiveReader& reader, const archive::EntryInfo& entry,
                   const std::string& folder, const Progress& progress) {
  const fs::path target =
      fs::path(folder) / entry.path;  // the reader admits no path that leaves its folder
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error)
    return errno_error(error.value(), "archive.extract",
                       "cannot make the folder of " + target.string());
  OA_ASSIGN(auto file, AtomicFileSink::create(target.string(), false, 0600));
  CancellableSink out(*file, progress);
  OA_TRY(reader.copy(entry.path, out));
  return file->commit();
}

Status require_new_or_empty(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return {};
  if (fs::is_directory(folder, error) && fs::is_empty(folder, error)) return {};
  return make_error(ErrorCode::kAlreadyExists, "archive.extract",
                    folder + " exists and is not an empty folder")
      .with_hint("name a new folder with --output");
}

}  // namespace

Status run_extract(const archive::ArchiveReader& reader, const ReadOptions& options,
                   const console::Output& output, Progress& progress) {
  OA_TRY(require_new_or_empty(options.output));
  std::uint64_t files = 0, bytes = 0;
  progress.begin("extracting", reader.manifest().entry_count, "entries");
  const auto extract = [&](const archive::EntryInfo& entry) -> Status {
    if (progress.cancelled()) return cancelled();
    OA_TRY(extract_one(reader, entry, options.output, progress));
    bytes += entry.size;
    progress.update(++files);
    return {};
  };
  for (const auto& prefix : options.paths.empty() ? std::vector<std::string>{""} : options.paths) {
    const std::uint64_t before = files;
    OA_TRY(reader.for_each(prefix, extract));
    if (files == before && !(prefix.empty() && reader.manifest().entry_count == 0)) {
      return make_error(ErrorCode::kNotFound, "archive.extract", "no entry begins with " + prefix)
          .with_hint("`ls` lists the entries");
    }
  }
  output.document(json::object{{"files", files}, {"bytes", bytes}, {"folder", options.output}});
  output.line(fmt::format("{} entries ({}) extracted to {}, each verified", files,
                          format_size(bytes), options.output));
  return {};
}

}  // namespace oa::archive_cli
