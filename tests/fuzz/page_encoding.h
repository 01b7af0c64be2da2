// Index pages encoded straight from docs/format.md, apart from the library's own builder.
#pragma once

#include "index.h"

namespace oa::fuzz {

/// The numbers of one entry as a page holds them; they need not make sense.
struct RawEntry {
  std::uint64_t frame_step = 0, offset = 0, shared = 0, size = 0;
  std::string suffix;
  Blake2bDigest digest{};
};

Bytes encode_raw_page(const std::vector<archive::FrameRecord>& frames,
                      const std::vector<RawEntry>& entries);
Bytes encode_page(const archive::IndexPage& page);

}  // namespace oa::fuzz
