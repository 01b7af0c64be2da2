// Files out of a zip archive, one at a time and never whole in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/io.h"

namespace oa::workbooks {

struct ZipLimits {
  std::uint64_t max_expanded_bytes = std::uint64_t{8} << 30;  // of all entries, as they declare it
  std::uint64_t max_expansion = 200;  // bytes out of one, of an entry larger than 16 MiB
};

struct ZipEntry {
  std::string name;
  std::uint64_t packed_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t header_offset = 0;
  std::uint32_t crc = 0;
  std::uint16_t method = 0;
  bool encrypted = false;
};

/// The bytes of one entry, front to back. Not thread-safe.
class ZipStream {
 public:
  virtual ~ZipStream() = default;
  /// Fills `out` as far as there are bytes and says how many; 0 is the end, at which size and
  /// CRC-32 were right. kImportRejected of damaged data.
  virtual Result<std::size_t> read(std::span<std::uint8_t> out) = 0;
  /// Packed bytes read so far.
  virtual std::uint64_t position() const = 0;
};

/// A zip archive (APPNOTE 6.3.9): stored and deflated entries, data descriptors, zip64; no
/// encryption, no parts on other disks. What an entry's stream gives is at most what it declares.
class ZipArchive {
 public:
  /// Reads the directory, at most 16 MiB and 10000 entries of it. Borrows `file`. Errors:
  /// kImportRejected, kLimitExceeded, those of `file`.
  static Result<ZipArchive> open(const RangedSource& file, const ZipLimits& limits);
  /// By name, exact or else without regard to case; nullptr when there is none.
  const ZipEntry* find(std::string_view name) const;
  Result<std::unique_ptr<ZipStream>> read(const ZipEntry& entry) const;

 private:
  ZipArchive(const RangedSource& file, const ZipLimits& limits) : file_(&file), limits_(limits) {}
  const RangedSource* file_;
  ZipLimits limits_;
  std::vector<ZipEntry> entries_;
};

}  // namespace oa::workbooks
