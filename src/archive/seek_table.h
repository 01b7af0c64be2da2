// The Zstandard seekable format's seek table (zstd contrib/seekable_format, version 0.1.0), without
// checksums.
#pragma once

#include <vector>

#include "oa/base/bytes.h"

namespace oa::archive {

inline constexpr std::size_t kSeekEntrySize = 8;
inline constexpr std::size_t kSeekFooterSize = 9;

/// Collects one row per frame, in file order.
class SeekTable {
 public:
  /// A skippable frame has no plain bytes.
  void add(std::size_t stored_size, std::size_t plain_size);
  std::uint32_t frame_count() const {
    return static_cast<std::uint32_t>(rows_.size() / kSeekEntrySize);
  }
  /// The skippable frame that ends the file.
  Bytes encode() const;

 private:
  Bytes rows_;
};

/// What the last bytes of a file say about the table.
struct SeekFooter {
  std::uint32_t frame_count = 0;
  std::uint64_t table_size = 0;       // the whole skippable frame
  std::uint32_t last_frame_size = 0;  // stored size of the frame before the table, the manifest's
  std::uint32_t root_frame_size = 0;  // and of the one before that
};
/// `tail` is the end of the file. kArchiveTruncated when no table ends there, kArchiveMalformed
/// when it is not ours.
Result<SeekFooter> read_seek_footer(ByteView tail);

}  // namespace oa::archive
