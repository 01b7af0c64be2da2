// A side in memory, for tests.
#pragma once

#include <map>
#include <string>

#include "oa/diff/sides.h"

namespace oa::diff {

class MemorySide final : public Listing, public Passage {
 public:
  std::map<std::string, std::string> entries;
  Scope made_for;
  Facts own_facts{TenantId(*Uuid::parse("8d0c1b58-1f0e-4f0b-8a53-3d2f6a1f9c11")), {}, {}};
  mutable std::vector<std::string> read_paths;

  Scope scope() const override { return made_for; }
  Facts facts() const override { return own_facts; }
  // In small pieces, so that every boundary is met.
  Result<std::vector<archive::EntryInfo>> list_after(std::string_view after) const override {
    constexpr std::size_t kPiece = 2;
    std::vector<archive::EntryInfo> next;
    for (auto entry = entries.upper_bound(std::string(after));
         entry != entries.end() && next.size() < kPiece; ++entry) {
      next.push_back({entry->first, entry->second.size(), Blake2b::of(as_bytes(entry->second))});
    }
    return next;
  }
  Result<Bytes> read(std::string_view path, std::size_t max_bytes) const override {
    read_paths.emplace_back(path);
    const std::string& text = entries.at(std::string(path));
    if (text.size() > max_bytes) return make_error(ErrorCode::kLimitExceeded, "test", "too large");
    return Bytes(text.begin(), text.end());
  }
  Result<Facts> walk(const std::function<Status(const PassingEntry&)>& visit) override {
    for (const auto& entry : entries) {
      OA_TRY(visit({entry.first, entry.second.size(),
                    [&]() -> Result<Blake2bDigest> { return Blake2b::of(as_bytes(entry.second)); },
                    [&](std::size_t max_bytes) { return read(entry.first, max_bytes); }}));
    }
    return own_facts;
  }
};

}  // namespace oa::diff
