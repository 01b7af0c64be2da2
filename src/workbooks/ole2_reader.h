// Streams out of an OLE2 file, the container of .xls workbooks ([MS-CFB]).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oa/base/io.h"

namespace oa::workbooks {

/// The directory of an OLE2 file, and its streams as a whole. Not thread-safe.
class Ole2File {
 public:
  /// Borrows `file`. kImportRejected of a damaged file; what a file can make it hold is less than
  /// twice the file's size.
  static Result<Ole2File> open(const RangedSource& file);
  /// Whether there is a stream of this name (ASCII), without regard to case.
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The bytes of the stream, which must be there.
  Result<Bytes> read(std::string_view name) const;

 private:
  struct Entry {
    std::string name;  // characters beyond ASCII as '?'
    std::uint32_t first_sector = 0;
    std::uint64_t bytes = 0;
  };
  explicit Ole2File(const RangedSource& file) : file_(&file) {}
  Status load();
  Status load_table(ByteView header);
  Status load_directory(std::uint32_t first_sector);
  const Entry* find(std::string_view name) const;
  Result<Bytes> read_sector(std::uint32_t sector) const;
  Result<Bytes> read_chain(std::uint32_t first_sector, std::uint64_t most_bytes) const;
  Result<Bytes> read_small(const Entry& entry) const;

  const RangedSource* file_;
  std::size_t sector_bytes_ = 512;
  std::vector<std::uint32_t> next_;  // by sector: the one behind it
  std::vector<Entry> entries_;
  Entry small_streams_;  // that holds the streams below 4096 bytes
  std::uint32_t first_small_table_ = 0;
};

}  // namespace oa::workbooks
