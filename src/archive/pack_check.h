// Compares the plain bytes of a pack frame with what the index says must be there, byte for byte.
#pragma once

#include <memory>
#include <optional>

#include "archive_file.h"

namespace oa::archive {

/// What one pack frame must hold, in order.
struct PackExpectation {
  std::shared_ptr<const IndexPage> page;
  std::size_t frame = 0;
  std::optional<EntryInfo> previous;  // a large entry whose padding and signature begin the frame
  std::size_t first_entry = 0, end_entry = 0;
  std::optional<EntryInfo> next;  // a large entry whose header ends the frame
};

/// kArchiveContentMismatch, kArchiveEntryMissing, kArchiveEntryUnlisted, kArchiveMalformed,
/// kArchiveSignatureInvalid (only with `every_signature`).
Status check_pack(const ArchiveFile& file, const PackExpectation& expected, ByteView plain,
                  bool every_signature);

}  // namespace oa::archive
