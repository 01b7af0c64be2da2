// A folder's regular files into an archive writer, in the byte order of their paths.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "oa/archive/writer.h"
#include "oa/base/progress.h"

namespace oa::archive_cli {

class FolderWalk {
 public:
  /// Both are borrowed.
  FolderWalk(archive::ArchiveWriter& writer, Progress& progress)
      : writer_(writer), progress_(progress) {}

  /// Refuses the folder when this file is in it: a key or its passphrase.
  Status keep_out(const std::string& file);
  /// Errors as run_pack()'s.
  Status add_all(const std::string& folder);

  std::uint64_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }
  /// Folders with nothing in them: an archive cannot hold them.
  std::uint64_t empty_folders() const { return empty_folders_; }

 private:
  Status add_folder(int fd, const std::string& prefix);
  Status add_subfolder(int parent, const std::string& name, const std::string& prefix);
  Status add_file(int parent, const std::string& name, std::string path);
  Status add_small(int fd, std::uint64_t size, std::string path);
  Status add_large(int fd, std::uint64_t size, std::string path);
  Status check_cancelled() const;

  archive::ArchiveWriter& writer_;
  Progress& progress_;
  std::uint64_t files_ = 0, bytes_ = 0, empty_folders_ = 0;
  Bytes buffer_;
  std::set<std::pair<dev_t, ino_t>> kept_out_;
};

}  // namespace oa::archive_cli
