#include "page_encoding.h"

#include <algorithm>

namespace oa::fuzz {
namespace {

void append_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace

Bytes encode_raw_page(const std::vector<archive::FrameRecord>& frames,
                      const std::vector<RawEntry>& entries) {
  Bytes out;
  append_le(out, static_cast<std::uint32_t>(frames.size()));
  append_le(out, static_cast<std::uint32_t>(entries.size()));
  for (const auto& frame : frames) {
    append_le(out, frame.stored_size);
    append_le(out, frame.plain_size);
    out.insert(out.end(), frame.digest.begin(), frame.digest.end());
  }
  for (const auto& entry : entries) {
    append_varint(out, entry.frame_step);
    append_varint(out, entry.offset);
    append_varint(out, entry.shared);
    append_varint(out, entry.suffix.size());
    append_varint(out, entry.size);
    out.insert(out.end(), entry.suffix.begin(), entry.suffix.end());
    out.insert(out.end(), entry.digest.begin(), entry.digest.end());
  }
  return out;
}

Bytes encode_page(const archive::IndexPage& page) {
  std::vector<RawEntry> entries;
  std::uint32_t frame = 0;
  std::string path;
  for (const auto& entry : page.entries) {
    const auto [differs, _] = std::ranges::mismatch(path, entry.info.path);
    const auto shared = static_cast<std::size_t>(differs - path.begin());
    entries.push_back({entry.frame - frame, entry.offset, shared, entry.info.size,
                       entry.info.path.substr(shared), entry.info.digest});
    frame = entry.frame;
    path = entry.info.path;
  }
  return encode_raw_page(page.frames, entries);
}

}  // namespace oa::fuzz
