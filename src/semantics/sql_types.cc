#include "sql_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "oa/base/clock.h"

namespace oa::semantics {
namespace {

constexpr std::size_t kMaxDigits = 38;  // of a DECIMAL

struct Bound {
  Value value;
  std::string type;
};

// -12.50 → DECIMAL(4,2), which holds exactly what is written.
std::optional<Bound> decimal(std::string_view text) {
  std::size_t digits = 0;
  std::optional<std::size_t> point;
  for (std::size_t i = text.starts_with('-') ? 1 : 0; i < text.size(); ++i) {
    if (text[i] == '.' && !point && digits > 0) {
      point = digits;
    } else if (text[i] >= '0' && text[i] <= '9') {
      ++digits;
    } else {
      return std::nullopt;
    }
  }
  if (digits == 0 || digits > kMaxDigits || point == digits) return std::nullopt;
  return Bound{std::string(text),
               fmt::format("DECIMAL({},{})", digits, digits - point.value_or(digits))};
}

std::optional<Bound> number(const Value& value, TypeClass type) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    if (type == TypeClass::kReal) return Bound{static_cast<double>(*whole), "DOUBLE"};
    return Bound{*whole, "BIGINT"};
  }
  if (const auto* real = std::get_if<double>(&value)) {
    if (!std::isfinite(*real)) return std::nullopt;
    if (type == TypeClass::kReal) return Bound{*real, "DOUBLE"};
    auto exact = decimal(fmt::format("{}", *real));
    return exact ? exact : Bound{*real, "DOUBLE"};
  }
  const auto* text = std::get_if<std::string>(&value);
  auto exact = text == nullptr ? std::nullopt : decimal(*text);
  if (exact && type == TypeClass::kReal) exact->type = "DOUBLE";
  return exact;
}

// "2024-02-29", "2024-02-29T12:30:00[.123456][Z]" or with a blank for the T.
std::optional<Timestamp> moment(std::string_view text, bool& has_time) {
  has_time = text.size() > 10;
  std::string full(text);
  if (!has_time) {
    full += "T00:00:00Z";
  } else if (full[10] == ' ') {
    full[10] = 'T';
  }
  if (has_time && full.find_first_of("Z+-", 11) == std::string::npos) full += 'Z';
  const auto parsed = Timestamp::parse(full);
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

std::optional<Bound> temporal(const Value& value, TypeClass type) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return std::nullopt;
  bool has_time = false;
  const auto at = moment(*text, has_time);
  if (!at) return std::nullopt;
  if (type == TypeClass::kDate)
    return has_time ? std::nullopt : std::optional(Bound{*text, "DATE"});
  std::string plain = at->rfc3339();
  plain.pop_back();  // the Z
  plain[10] = ' ';
  return Bound{std::move(plain), "TIMESTAMP"};
}

std::optional<Bound> bound(const Value& value, TypeClass type) {
  switch (type) {
    case TypeClass::kText:
      if (std::holds_alternative<std::string>(value)) return Bound{value, "VARCHAR"};
      return std::nullopt;
    case TypeClass::kBoolean:
      if (std::holds_alternative<bool>(value)) return Bound{value, "BOOLEAN"};
      return std::nullopt;
    case TypeClass::kInteger:
    case TypeClass::kReal:
    case TypeClass::kDecimal:
      return number(value, type);
    case TypeClass::kDate:
    case TypeClass::kTimestamp:
    case TypeClass::kZonedTimestamp:
      return temporal(value, type);
    case TypeClass::kOther:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

TypeClass class_of(std::string_view type) {
  constexpr std::array<std::string_view, 10> kIntegers{
      "BIGINT",   "INTEGER",   "SMALLINT", "TINYINT", "HUGEINT",
      "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"};
  if (type == "VARCHAR") return TypeClass::kText;
  if (std::ranges::find(kIntegers, type) != kIntegers.end()) return TypeClass::kInteger;
  if (type == "DOUBLE" || type == "FLOAT") return TypeClass::kReal;
  if (type.starts_with("DECIMAL(") && type.ends_with(')')) return TypeClass::kDecimal;
  if (type == "BOOLEAN") return TypeClass::kBoolean;
  if (type == "DATE") return TypeClass::kDate;
  if (type == "TIMESTAMP") return TypeClass::kTimestamp;
  if (type == "TIMESTAMP WITH TIME ZONE") return TypeClass::kZonedTimestamp;
  return TypeClass::kOther;
}

bool is_number(TypeClass type) {
  return type == TypeClass::kInteger || type == TypeClass::kReal || type == TypeClass::kDecimal;
}

bool is_temporal(TypeClass type) {
  return type == TypeClass::kDate || type == TypeClass::kTimestamp ||
         type == TypeClass::kZonedTimestamp;
}

bool comparable(TypeClass left, TypeClass right) {
  if (left == TypeClass::kOther || right == TypeClass::kOther) return false;
  return left == right || (is_number(left) && is_number(right)) ||
         (is_temporal(left) && is_temporal(right));
}

std::string_view described(TypeClass type) {
  switch (type) {
    case TypeClass::kText:
      return "a text";
    case TypeClass::kInteger:
    case TypeClass::kReal:
    case TypeClass::kDecimal:
      return "a number";
    case TypeClass::kBoolean:
      return "true or false";
    case TypeClass::kDate:
      return "a date, e.g. \"2024-02-29\"";
    case TypeClass::kTimestamp:
    case TypeClass::kZonedTimestamp:
      return "a date or a time in UTC, e.g. \"2024-02-29T12:30:00\"";
    case TypeClass::kOther:
      return "nothing: its type cannot be compared";
  }
  return "";
}

const Column* find_column(std::span<const TableSchema> tables, std::string_view table,
                          std::string_view column) {
  for (const TableSchema& each : tables) {
    if (each.name != table) continue;
    const auto found =
        std::ranges::find_if(each.columns, [&](const Column& c) { return c.name == column; });
    return found == each.columns.end() ? nullptr : &*found;
  }
  return nullptr;
}

std::string quote(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += c;
    out += c;
  }
  return out + '"';
}

TypeClass class_as(TypeClass column, const std::optional<DimensionType>& type) {
  return type == DimensionType::kDate && is_temporal(column) ? TypeClass::kDate : column;
}

SqlTerm as_dimension(std::string sql, TypeClass column, const std::optional<DimensionType>& type) {
  SqlTerm term{std::move(sql), column};
  if (class_as(column, type) == column) return term;
  return {fmt::format("CAST({} AS DATE)", in_utc(std::move(term)).sql), TypeClass::kDate};
}

SqlTerm in_utc(SqlTerm term) {
  if (term.type != TypeClass::kZonedTimestamp) return term;
  return {fmt::format("make_timestamp(epoch_us({}))", term.sql), TypeClass::kTimestamp};
}

std::string Parameters::add(Value value, std::string_view type) {
  values_.push_back(std::move(value));
  return fmt::format("CAST(${} AS {})", values_.size(), type);
}

std::optional<std::string> Parameters::add_as(const Value& value, TypeClass type) {
  auto fitting = bound(value, type);
  if (!fitting) return std::nullopt;
  return add(std::move(fitting->value), fitting->type);
}

bool fits(const Value& value, TypeClass type) { return bound(value, type).has_value(); }

}  // namespace oa::semantics
