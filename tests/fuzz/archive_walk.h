// Reads an archive by every call that ArchiveReader has and checks what it may rely on.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "oa/archive/reader.h"

namespace oa::fuzz {

struct Walk {
  bool verified = false;                  // with every signature
  std::map<std::string, Bytes> contents;  // of the entries that copy() released as a whole
};

/// nullopt when it does not open. Aborts when what one call says contradicts another, when more is
/// released than the index covers, or when an archive verifies that is not byte for byte what its
/// entries make of it.
std::optional<Walk> walk_archive(const Bytes& file);

}  // namespace oa::fuzz
