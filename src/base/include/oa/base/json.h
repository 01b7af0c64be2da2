// JSON at the edges: bounded parsing, canonical writing, typed reading of fields.
// boost::json::value is a vocabulary type here (docs/adr/0002-json-vocabulary.md); the core decodes
// it once and passes typed values on.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/ids.h"
#include "oa/base/result.h"

namespace oa {

namespace json = boost::json;

struct JsonLimits {
  std::size_t max_bytes = std::size_t{64} << 20;
  std::size_t max_depth = 32;
};

/// Parses one JSON document (RFC 8259) with nothing behind it; kInvalidArgument with the position
/// on bad input, kLimitExceeded past the limits. Duplicate member names are refused.
Result<json::value> parse_json(std::string_view text, const JsonLimits& limits = {});

/// The canonical form (RFC 8785 in all that our documents use): members sorted by UTF-8 bytes, no
/// white space, integers as digits, doubles in their shortest round-trip form, minimal escapes.
/// Equal values, equal bytes.
std::string canonical_json(const json::value& value);

/// JSON text in canonical form that is carried but not interpreted (user attributes, visual
/// options). Invariant: str() is canonical and valid.
class JsonText {
 public:
  JsonText() : text_("{}") {}
  static JsonText of(const json::value& value) { return JsonText(canonical_json(value)); }
  static Result<JsonText> parse(std::string_view text, const JsonLimits& limits = {});
  const std::string& str() const { return text_; }
  json::value value() const;
  auto operator<=>(const JsonText&) const = default;

 private:
  explicit JsonText(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Reads the members of one object by name and type. The first mismatch is remembered with its
/// path, later reads return defaults; finish() reports it, or the first member nobody asked for.
/// Borrowed: `value` must outlive it.
class ObjectReader {
 public:
  ObjectReader(const json::value& value, std::string path);

  std::string text(std::string_view name);
  std::optional<std::string> optional_text(std::string_view name);
  std::int64_t integer(std::string_view name);
  std::uint64_t unsigned_integer(std::string_view name);
  std::optional<std::uint64_t> optional_unsigned(std::string_view name);
  bool boolean(std::string_view name);
  Timestamp timestamp(std::string_view name);
  std::optional<Timestamp> optional_timestamp(std::string_view name);
  JsonText raw(std::string_view name);
  /// The member's value, or null JSON when absent (then an error is recorded).
  const json::value& member(std::string_view name);
  /// nullptr when absent.
  const json::value* find(std::string_view name);
  const json::array& array(std::string_view name);
  const json::object& object(std::string_view name);
  template <class IdType>
  IdType id(std::string_view name) {
    auto parsed = IdType::parse(text(name));
    if (!parsed.ok()) {
      fail(name, "is not a UUID");
      return IdType{};
    }
    return *parsed;
  }
  template <class IdType>
  std::optional<IdType> optional_id(std::string_view name) {
    if (find(name) == nullptr || find(name)->is_null()) return std::nullopt;
    return id<IdType>(name);
  }

  void fail(std::string_view name, std::string_view what);
  /// The first failure (kInvalidArgument, naming the path), or success. With `allow_unknown` false
  /// an unknown member is a failure.
  Status finish(bool allow_unknown = false) const;
  const std::string& path() const { return path_; }

 private:
  const json::object* object_ = nullptr;
  std::string path_;
  std::string failure_;
  std::vector<std::string> seen_;
};

}  // namespace oa
