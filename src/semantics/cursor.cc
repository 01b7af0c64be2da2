#include <boost/json.hpp>
#include <chrono>

#include "oa/base/bytes.h"
#include "oa/crypto/hash.h"
#include "oa/semantics/query.h"

namespace oa::semantics {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kCursorBytes = 1 + 8 + 8 + 32;
constexpr std::int64_t kLifetime_us = std::int64_t{24} * 3600 * 1'000'000;

json::array sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  json::array out;
  for (const std::string& name : names) out.push_back(json::value(name));
  return out;
}

// Format, offset and time of issue.
Bytes head(std::uint64_t offset, std::int64_t issued_us) {
  Bytes bytes{kFormat};
  append_le(bytes, offset);
  append_le(bytes, static_cast<std::uint64_t>(issued_us));
  return bytes;
}

Sha256Digest digest(ByteView head, const QueryRequest& request, std::string_view rows_version,
                    const Viewer& viewer) {
  const std::string bound = canonical_json(json::array{
      encode_query(request), json::value(rows_version), json::value(viewer.user.str()),
      sorted(viewer.roles), sorted(viewer.teams), json::value(viewer.attributes.str())});
  Sha256 hash;
  hash.update(head);
  hash.update(as_bytes(bound));
  return hash.finish();
}

}  // namespace

std::string make_cursor(const QueryRequest& request, std::string_view rows_version,
                        const Viewer& viewer, std::uint64_t offset, Timestamp now) {
  Bytes bytes = head(offset, now.unix_us);
  const Sha256Digest seal = digest(bytes, request, rows_version, viewer);
  bytes.insert(bytes.end(), seal.begin(), seal.end());
  return to_hex(bytes);
}

Result<std::uint64_t> read_cursor(std::string_view cursor, const QueryRequest& request,
                                  std::string_view rows_version, const Viewer& viewer,
                                  Timestamp now) {
  const auto mismatch = [] {
    return make_error(ErrorCode::kCursorMismatch, "query.cursor",
                      "the cursor belongs to another query, viewer or version of the rows")
        .with_hint("ask for the first page again");
  };
  if (cursor.size() != 2 * kCursorBytes) return mismatch();
  const auto bytes = from_hex(cursor);
  if (!bytes.ok()) return mismatch();
  const ByteView view(*bytes);
  const auto offset = read_le<std::uint64_t>(view.subspan(1));
  const auto issued_us = static_cast<std::int64_t>(read_le<std::uint64_t>(view.subspan(9)));
  const Sha256Digest seal = digest(head(offset, issued_us), request, rows_version, viewer);
  if (!std::equal(seal.begin(), seal.end(), view.begin() + 17) || view[0] != kFormat ||
      offset > kMaxQueryOffset || issued_us > now.unix_us)
    return mismatch();
  if (issued_us < now.unix_us - kLifetime_us)
    return make_error(ErrorCode::kCursorExpired, "query.cursor",
                      "the cursor is older than 24 hours")
        .with_hint("ask for the first page again");
  return offset;
}

}  // namespace oa::semantics
