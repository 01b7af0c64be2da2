#include "table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace oa::sources {
namespace {

constexpr std::size_t kMaxNameBytes = 255;
constexpr int kMaxDigits = 38;  // of our decimals

// Columns of one relation, in order; of a domain the type it is made of.
constexpr char kColumns[] =
    "SELECT n.nspname::pg_catalog.text, a.attname::pg_catalog.text, "
    "(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid "
    "END)::pg_catalog.int8::pg_catalog.text, "
    "(CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END)::pg_catalog.text "
    "FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "WHERE c.relname::pg_catalog.text = $1::pg_catalog.text AND c.relkind IN ('r', 'p', 'v', 'm', "
    "'f') "
    "AND CASE WHEN $2::pg_catalog.text = '' THEN pg_catalog.pg_table_is_visible(c.oid) "
    "ELSE n.nspname::pg_catalog.text = $2::pg_catalog.text END "
    "ORDER BY a.attnum";

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

Error strange() {
  return make_error(ErrorCode::kImportRejected, "source.describe",
                    "the source describes its tables in a way that cannot be")
      .with_hint("check that the secret names a Postgres server, not something else");
}

template <class Integer>
Result<Integer> integer_of(const std::optional<std::string>& text) {
  Integer value = 0;
  if (!text.has_value()) return strange();
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size()) return strange();
  return value;
}

bool is_name(const std::optional<std::string>& name) {
  return name.has_value() && !name->empty() && name->size() <= kMaxNameBytes && is_utf8(*name);
}

void set_numeric(WireColumn& column, std::int32_t modifier) {
  column.wire = Wire::kNumeric;
  if (modifier >= 4) {
    int precision = (modifier - 4) >> 16 & 0xFFFF;
    int scale = (modifier - 4) & 0x7FF;
    scale = (scale ^ 0x400) - 0x400;               // eleven bits with a sign
    if (scale < 0) precision -= scale, scale = 0;  // numeric(2,-3) goes up to 99000
    column.precision = std::clamp(std::max(precision, scale), 1, kMaxDigits);
    column.scale = std::min(scale, column.precision);
  }
  column.column.type = fmt::format("DECIMAL({},{})", column.precision, column.scale);
}

}  // namespace

WireColumn wire_column(std::string name, std::uint32_t type, std::int32_t modifier) {
  WireColumn column;
  column.column.name = std::move(name);
  const auto is = [&](Wire wire, const char* sql) {
    column.wire = wire;
    column.column.type = sql;
  };
  switch (type) {
    case 16:
      is(Wire::kBool, "BOOLEAN");
      break;
    case 21:
      is(Wire::kInt2, "BIGINT");
      break;
    case 23:
      is(Wire::kInt4, "BIGINT");
      break;
    case 20:
      is(Wire::kInt8, "BIGINT");
      break;
    case 700:
      is(Wire::kFloat4, "DOUBLE");
      break;
    case 701:
      is(Wire::kFloat8, "DOUBLE");
      break;
    case 1700:
      set_numeric(column, modifier);
      break;
    case 1082:
      is(Wire::kDate, "DATE");
      break;
    case 1114:
      is(Wire::kTimestamp, "TIMESTAMP");
      break;
    case 1184:
      is(Wire::kTimestamp, "TIMESTAMP WITH TIME ZONE");
      break;
    default:
      is(Wire::kText, "VARCHAR");
      break;
  }
  return column;
}

Result<TablePlan> plan_table(Session& session, std::string_view table, const SourcePolicy& policy) {
  const std::size_t dot = table.find('.');
  const std::string schema(dot == std::string_view::npos ? "" : table.substr(0, dot));
  const std::string name(dot == std::string_view::npos ? table : table.substr(dot + 1));
  if (!is_name(name) || schema.size() > kMaxNameBytes ||
      table.find('\0') != std::string_view::npos || !is_utf8(table)) {
    return make_error(ErrorCode::kInvalidArgument, "source.describe",
                      "a table is named as table or as schema.table");
  }
  OA_ASSIGN(const auto rows, session.query(kColumns, {name, schema}, policy.max_columns));
  if (rows.empty()) {
    return make_error(ErrorCode::kSourceRefused, "source.describe",
                      "the source has no table " + std::string(table))
        .with_hint("check the name and its case, and put the schema in front of it");
  }
  TablePlan plan;
  plan.name = table;
  std::string selected, from;
  for (const auto& row : rows) {
    if (row.size() != 4 || !is_name(row[0]) || !is_name(row[1])) return strange();
    OA_ASSIGN(const auto type, integer_of<std::uint32_t>(row[2]));
    OA_ASSIGN(const auto modifier, integer_of<std::int32_t>(row[3]));
    plan.columns.push_back(wire_column(*row[1], type, modifier));
    selected += (selected.empty() ? "" : ", ") + quoted(*row[1]);
    if (plan.columns.back().wire == Wire::kText) selected += "::pg_catalog.text";
    from = quoted(*row[0]) + "." + quoted(name);
  }
  plan.copy = "COPY (SELECT " + selected + " FROM " + from + ") TO STDOUT (FORMAT binary)";
  return plan;
}

}  // namespace oa::sources
