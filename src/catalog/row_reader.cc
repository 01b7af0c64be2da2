#include "row_reader.h"

#include <algorithm>
#include <bit>

namespace oa::catalog {
namespace {

constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;

std::int64_t read_be64(ByteView bytes) {
  OA_ASSERT(bytes.size() == 8);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return static_cast<std::int64_t>(value);
}

}  // namespace

bool RowReader::skip_null() {
  if (PQgetisnull(result_, row_, column_) == 0) return false;
  ++column_;
  return true;
}

ByteView RowReader::field(SqlType type) {
  OA_ASSERT(column_ < PQnfields(result_) && PQftype(result_, column_) == type_oid(type));
  OA_ASSERT(PQgetisnull(result_, row_, column_) == 0);
  const int column = column_++;
  return {reinterpret_cast<const std::uint8_t*>(PQgetvalue(result_, row_, column)),
          static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

Uuid RowReader::uuid() {
  const ByteView bytes = field(SqlType::kUuid);
  Uuid::Raw raw{};
  OA_ASSERT(bytes.size() == raw.size());
  std::copy(bytes.begin(), bytes.end(), raw.begin());
  return Uuid(raw);
}

std::optional<Uuid> RowReader::optional_uuid() {
  if (skip_null()) return std::nullopt;
  return uuid();
}

std::string RowReader::text() { return std::string(as_text(field(SqlType::kText))); }

std::optional<std::string> RowReader::optional_text() {
  if (skip_null()) return std::nullopt;
  return text();
}

std::int64_t RowReader::bigint() { return read_be64(field(SqlType::kBigint)); }

std::optional<double> RowReader::optional_real() {
  if (skip_null()) return std::nullopt;
  return std::bit_cast<double>(read_be64(field(SqlType::kDouble)));
}

bool RowReader::boolean() { return field(SqlType::kBoolean)[0] != 0; }

Timestamp RowReader::timestamp() {
  return Timestamp{read_be64(field(SqlType::kTimestamp)) + kPostgresEpochUs};
}

std::optional<Timestamp> RowReader::optional_timestamp() {
  if (skip_null()) return std::nullopt;
  return timestamp();
}

Bytes RowReader::bytes() {
  const ByteView bytes = field(SqlType::kBytes);
  return {bytes.begin(), bytes.end()};
}

Error RowReader::unreadable(const Error& reason) {
  return make_error(ErrorCode::kDatabase, "database.read", "a stored record cannot be read")
      .with_cause(reason.message);
}

Result<json::value> RowReader::json_value() {
  auto parsed = parse_json(as_text(field(SqlType::kJson)));
  if (parsed.ok()) return parsed;
  return unreadable(parsed.error());
}

Result<JsonText> RowReader::json() {
  OA_ASSIGN(const json::value value, json_value());
  return JsonText::of(value);
}

Result<std::optional<JsonText>> RowReader::optional_json() {
  if (skip_null()) return std::optional<JsonText>();
  OA_ASSIGN(JsonText text, json());
  return std::optional(std::move(text));
}

}  // namespace oa::catalog
