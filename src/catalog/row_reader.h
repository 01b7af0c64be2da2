#pragma once

#include "connection.h"

namespace oa::catalog {

/// Reads the columns of one row from left to right. The types are those of our own statements, so a
/// mismatch is a defect and aborts. Borrowed: `rows` must outlive it.
class RowReader {
 public:
  RowReader(const Rows& rows, int row) : result_(rows.get()), row_(row) {}

  void skip(int columns) { column_ += columns; }
  Uuid uuid();
  template <class IdType>
  IdType id() {
    return IdType(uuid());
  }
  std::optional<Uuid> optional_uuid();
  std::string text();
  std::optional<std::string> optional_text();
  std::int64_t bigint();
  std::optional<double> optional_real();
  bool boolean();
  Timestamp timestamp();
  std::optional<Timestamp> optional_timestamp();
  Bytes bytes();
  // kDatabase when the column holds what we would not have written.
  Result<JsonText> json();
  Result<std::optional<JsonText>> optional_json();
  Result<json::value> json_value();
  template <class Enum>
  Result<Enum> enumerator() {
    auto parsed = parse_text<Enum>(text());
    if (parsed.ok()) return parsed;
    return unreadable(parsed.error());
  }

 private:
  static Error unreadable(const Error& reason);
  bool skip_null();
  ByteView field(SqlType type);

  PGresult* result_;
  int row_;
  int column_ = 0;
};

/// Of rows with an id and a name.
template <class IdType>
Result<std::vector<std::pair<IdType, std::string>>> read_names(const Rows& rows) {
  std::vector<std::pair<IdType, std::string>> names;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    const auto id = row.id<IdType>();
    names.emplace_back(id, row.text());
  }
  return names;
}

}  // namespace oa::catalog
