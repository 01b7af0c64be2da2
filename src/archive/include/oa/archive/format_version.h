// The versions of the format (docs/format.md, "Versions"), and what reading an older one means: the
// one place that knows how entries of each differ from today's.
#pragma once

#include <string>
#include <vector>

#include "oa/archive/entry_paths.h"
#include "oa/base/bytes.h"
#include "oa/base/json.h"

namespace oa::archive {

inline constexpr std::uint32_t kFormatMajor = 1;
inline constexpr std::uint32_t kFormatMinor = 1;  // that is written

/// What reading the documents of version 1.`minor` as today's makes of them, a sentence each, for
/// people; none for kFormatMinor. kArchiveVersionUnsupported for a newer one: ask before decoding
/// anything. Such an archive can still be verified, listed, extracted and compared.
Result<std::vector<std::string>> migrations_from(std::uint32_t minor);

/// Gives the document of an entry of version 1.`minor` today's form; true when that is another. One
/// of today's or of a newer version stays as it is. kArchiveMalformed when it has what its version
/// does not know.
Result<bool> migrate(EntryKind kind, std::uint32_t minor, json::value& document);
/// The same for an entry's content, of any kind.
Result<Bytes> migrated(EntryKind kind, std::uint32_t minor, Bytes content);

}  // namespace oa::archive
