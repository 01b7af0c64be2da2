#include "entry_pair.h"

#include <boost/json.hpp>
#include <unordered_map>

namespace oa::diff {
namespace {

constexpr std::size_t kDigestBytesShown = 8;

// nullopt for an entry past the limit.
Result<std::optional<Bytes>> within_limit(Result<Bytes> content) {
  if (content.ok()) return std::optional<Bytes>(std::move(content).value());
  if (content.error().code == ErrorCode::kLimitExceeded) return std::optional<Bytes>();
  return std::move(content).error();
}

std::optional<json::value> object_in(const std::optional<Bytes>& content) {
  if (!content.has_value()) return std::nullopt;
  auto value = parse_json(as_text(*content));
  if (!value.ok() || !value->is_object()) return std::nullopt;
  return std::move(value).value();
}

std::string shown(const Blake2bDigest& digest) {
  return to_hex(ByteView(digest).first(kDigestBytesShown));
}

// How often each line stands in a text.
std::unordered_map<std::string_view, std::uint64_t> lines_of(std::string_view text) {
  std::unordered_map<std::string_view, std::uint64_t> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    ++lines[text.substr(0, end)];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

json::object line_counts(std::string_view own_text, std::string_view other_text) {
  const auto other = lines_of(other_text);
  std::uint64_t all = 0, only_here = 0;
  for (const auto& [line, count] : lines_of(own_text)) {
    const auto found = other.find(line);
    const std::uint64_t there = found == other.end() ? 0 : found->second;
    all += count;
    only_here += count > there ? count - there : 0;
  }
  return {{"bytes", own_text.size()}, {"lines", all}, {"lines_only_here", only_here}};
}

}  // namespace

Result<bool> EntryPair::equal() const {
  if (before_ == nullptr || after_ == nullptr || before_->size != after_->size) return false;
  OA_ASSIGN(const auto digest, after_->digest());
  return digest == before_->digest;
}

Result<EntryPair::Documents> EntryPair::documents(std::size_t max_bytes) const {
  Documents documents;
  const auto ref = archive::parse_entry_path(path());
  const auto read = [&](Result<Bytes> bytes,
                        std::uint32_t minor) -> Result<std::optional<json::value>> {
    OA_ASSIGN(const auto content, within_limit(std::move(bytes)));
    auto value = object_in(content);
    if (!ref.has_value() || !value.has_value()) return value;
    const auto migrated = archive::migrate(ref->kind, minor, *value);
    if (!migrated.ok()) return std::optional<json::value>();
    documents.migrated |= *migrated;
    return value;
  };
  if (before_ != nullptr) {
    OA_ASSIGN(documents.before, read(listing_.read(before_->path, max_bytes), minors_.before));
  }
  if (after_ != nullptr) {
    OA_ASSIGN(documents.after, read(after_->content(max_bytes), minors_.after));
  }
  return documents;
}

FieldChange EntryPair::field(std::string name, FieldChangeKind kind, const json::value& before,
                             const json::value& after) const {
  FieldChange change{std::move(name), kind, std::nullopt, std::nullopt};
  if (before_ != nullptr) change.before = short_json(before);
  if (after_ != nullptr) change.after = short_json(after);
  if (before_ == nullptr) change.kind = FieldChangeKind::kAdded;
  if (after_ == nullptr) change.kind = FieldChangeKind::kRemoved;
  return change;
}

Result<FieldChange> EntryPair::content_field(std::string name) const {
  json::object before, after;
  if (before_ != nullptr) before["bytes"] = before_->size;
  if (after_ != nullptr) after["bytes"] = after_->size;
  if (before_ != nullptr && after_ != nullptr && before_->size == after_->size) {
    OA_ASSIGN(const auto digest, after_->digest());
    before["blake2b"] = shown(before_->digest);
    after["blake2b"] = shown(digest);
  }
  return field(std::move(name), FieldChangeKind::kContent, before, after);
}

Result<FieldChange> EntryPair::text_field(std::string name, std::size_t max_bytes) const {
  if (before_ == nullptr || after_ == nullptr) return content_field(std::move(name));
  OA_ASSIGN(const auto before, within_limit(listing_.read(before_->path, max_bytes)));
  OA_ASSIGN(const auto after, within_limit(after_->content(max_bytes)));
  if (!before.has_value() || !after.has_value()) return content_field(std::move(name));
  const json::value counts_before = line_counts(as_text(*before), as_text(*after));
  const json::value counts_after = line_counts(as_text(*after), as_text(*before));
  if (counts_before == counts_after)
    return content_field(std::move(name));  // only the order differs
  return field(std::move(name), FieldChangeKind::kContent, counts_before, counts_after);
}

}  // namespace oa::diff
