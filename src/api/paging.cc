#include "paging.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

#include "oa/crypto/hash.h"
#include "oa/crypto/secret.h"

namespace oa::api {
namespace {

constexpr std::size_t kMaxLimit = 500;
constexpr std::int64_t kCursorSeconds = 24 * 3600;
constexpr std::size_t kSealBytes = 16;

// What a cursor belongs to: the path and every other parameter of the query.
std::string binding_of(const Arrived& arrived) {
  json::array asked;
  for (const auto& segment : arrived.request->path) asked.push_back(json::string(segment));
  json::object query;
  for (const auto& [name, value] : arrived.request->query)
    if (name != "cursor" && name != "limit") query[name] = value;
  asked.push_back(std::move(query));
  const auto digest = Sha256::of(as_bytes(canonical_json(asked)));
  return to_hex(ByteView(digest).first(8));
}

// Base64 of RFC 4648, section 5, without padding, so that it stands in a query as it is.
std::string to_url(std::string base64) {
  while (!base64.empty() && base64.back() == '=') base64.pop_back();
  for (char& c : base64) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return base64;
}
std::string from_url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return text;
}

// Of the cursor's text, by the key that the processes of an instance share: only what one of them
// wrote is read.
std::string seal_of(const Arrived& arrived, std::string_view text) {
  const auto mac = hmac_sha256(arrived.secrets->cursors, as_bytes(text));
  return to_url(to_base64(ByteView(mac).first(kSealBytes)));
}

Result<std::string> position_in(const std::string& cursor, const Arrived& arrived, Timestamp now) {
  const auto dot = std::min(cursor.find('.'), cursor.size());
  const auto text = std::string_view(cursor).substr(0, dot);
  const auto seal = std::string_view(cursor).substr(std::min(dot + 1, cursor.size()));
  if (!constant_time_equal(as_bytes(seal), as_bytes(seal_of(arrived, text)))) return foreign_cursor();
  OA_ASSIGN(const auto bytes, from_base64(from_url(std::string(text))));
  OA_ASSIGN(const auto document, parse_json(as_text(bytes), {2000, 2}));
  ObjectReader reader(document, "cursor");
  const auto binding = reader.text("b");
  const auto made_at = reader.integer("t");
  auto position = reader.text("p");
  OA_TRY(reader.finish());
  if (binding != binding_of(arrived)) return foreign_cursor();
  if (made_at > now.unix_seconds() + 60 || made_at < now.unix_seconds() - kCursorSeconds) {
    return make_error(ErrorCode::kCursorExpired, "paging", "the cursor is older than 24 hours")
        .with_hint("begin at the first page, without a cursor");
  }
  return position;
}

}  // namespace

Error foreign_cursor() {
  return make_error(ErrorCode::kCursorMismatch, "paging", "the cursor belongs to another list")
      .with_hint("begin at the first page, without a cursor");
}

Result<PageRequest> page_request(const Arrived& arrived, Timestamp now) {
  PageRequest page;
  if (const auto text = arrived.query("limit")) {
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), page.limit);
    if (error != std::errc() || end != text->data() + text->size() || page.limit < 1 ||
        page.limit > kMaxLimit) {
      return make_error(ErrorCode::kInvalidArgument, "paging", "limit is a number from 1 to 500");
    }
  }
  if (const auto cursor = arrived.query("cursor")) {
    OA_ASSIGN(page.after, position_in(*cursor, arrived, now));
  }
  return page;
}

json::object page_document(const Arrived& arrived, const PageRequest& page, json::array data,
                           const std::optional<std::string>& next, Timestamp now) {
  json::object about{{"limit", page.limit}, {"next_cursor", nullptr}, {"has_more", false}};
  if (next.has_value()) {
    const json::object cursor{
        {"b", binding_of(arrived)}, {"t", now.unix_seconds()}, {"p", *next}};
    const auto text = to_url(to_base64(as_bytes(canonical_json(cursor))));
    about["next_cursor"] = text + "." + seal_of(arrived, text);
    about["has_more"] = true;
  }
  return {{"data", std::move(data)}, {"page", std::move(about)}};
}

Result<std::uint64_t> parse_ordinal(const std::string& position) {
  std::int64_t ordinal = 0;  // as the database counts
  const auto [end, error] =
      std::from_chars(position.data(), position.data() + position.size(), ordinal);
  if (error != std::errc() || end != position.data() + position.size() || ordinal < 0)
    return foreign_cursor();
  return static_cast<std::uint64_t>(ordinal);
}

std::string position_of(Timestamp moment, const Uuid& id) {
  return fmt::format("{}/{}", moment.unix_us, id.str());
}

Result<catalog::Archives::After> parse_position(const std::string& position) {
  catalog::Archives::After after;
  const auto slash = position.find('/');
  if (slash == std::string::npos) return foreign_cursor();
  const auto [end, error] =
      std::from_chars(position.data(), position.data() + slash, after.created_at.unix_us);
  const auto id = Uuid::parse(position.substr(slash + 1));
  if (error != std::errc() || end != position.data() + slash || !id.ok()) return foreign_cursor();
  after.id = *id;
  return after;
}

}  // namespace oa::api
