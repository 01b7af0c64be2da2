#include "parquet_layout.h"

#include <algorithm>

namespace oa::analytics {
namespace {

constexpr std::uint64_t kRowGroupBytes = std::uint64_t{32} << 20;
constexpr std::uint64_t kMinRowGroupRows = 512;
constexpr std::uint64_t kMaxRowGroupRows = 122880;
constexpr std::uint64_t kDictionaryBytes = std::uint64_t{64} << 20;  // of all columns together
constexpr std::uint64_t kMaxDictionaryBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kMinDictionaryBytes = 4096;
constexpr std::size_t kManyColumns = 200;

std::string copy_options(std::size_t columns, const std::string& row_group) {
  const bool many = columns > kManyColumns;
  const std::uint64_t dictionary_bytes =
      many ? kMinDictionaryBytes
           : std::min(kDictionaryBytes / std::max<std::size_t>(columns, 1), kMaxDictionaryBytes);
  return "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, USE_TMP_FILE false, "
         "STRING_DICTIONARY_PAGE_SIZE_LIMIT " +
         std::to_string(dictionary_bytes) + (many ? ", DICTIONARY_SIZE_LIMIT 1" : "") + ", " +
         row_group + ")";
}

}  // namespace

ParquetLayout parquet_layout(std::size_t columns, std::uint64_t row_bytes) {
  const std::uint64_t rows = std::clamp(kRowGroupBytes / std::max<std::uint64_t>(row_bytes, 1),
                                        kMinRowGroupRows, kMaxRowGroupRows);
  return {columns > kManyColumns ? 1u : 2u,
          copy_options(columns, "ROW_GROUP_SIZE " + std::to_string(rows))};
}

ParquetLayout stream_layout(std::size_t columns) {
  return {1, copy_options(columns, "ROW_GROUP_SIZE " + std::to_string(kMaxRowGroupRows) +
                                       ", ROW_GROUP_SIZE_BYTES " + std::to_string(kRowGroupBytes))};
}

}  // namespace oa::analytics
