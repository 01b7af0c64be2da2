#include "bulk_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr std::size_t kBatchRows = 5000;
constexpr std::size_t kBatchBytes = std::size_t{2}
                                    << 20;  // within work_mem, so that unnest stays in memory
constexpr std::size_t kDeleteIds = 10000;

bool tells_replaced(Write mode, const std::vector<std::string>& key) {
  return mode == Write::kReplace && key == std::vector<std::string>{"id"};
}

std::string insert_statement(const char* table, const std::vector<WriteColumn>& columns, Write mode,
                             const std::vector<std::string>& key) {
  std::string names, arrays, updates;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string name = columns[i].name;
    if (i > 0) names += ", ", arrays += ", ";
    names += name;
    arrays += fmt::format("${}", i + 1);
    if (std::find(key.begin(), key.end(), name) != key.end()) continue;
    updates += fmt::format("{}{} = excluded.{}", updates.empty() ? "" : ", ", name, name);
  }
  std::string sql =
      fmt::format("INSERT INTO {} ({}) SELECT * FROM unnest({})", table, names, arrays);
  if (mode == Write::kReplace) {
    sql +=
        fmt::format(" ON CONFLICT (tenant_id, {}) DO UPDATE SET {}", fmt::join(key, ", "), updates);
    // A row that was there has been locked first, and the new version says by whom.
    if (tells_replaced(mode, key)) sql += " RETURNING id, xmax <> 0";
  }
  return sql;
}

}  // namespace

BulkWriter::BulkWriter(Connection& connection, const char* table, std::vector<WriteColumn> columns,
                       Write mode, std::vector<std::string> key)
    : connection_(connection),
      sql_(insert_statement(table, columns, mode, key)),
      tells_replaced_(tells_replaced(mode, key)) {
  for (const auto& column : columns) arrays_.push_back({column.type, false, {}});
}

void BulkWriter::append(const Parameter& parameter) {
  OA_ASSERT(next_column_ < arrays_.size());
  Array& array = arrays_[next_column_++];
  OA_ASSERT(parameter.type == type_oid(array.type));
  if (parameter.null) {
    array.has_null = true;
    append_be32(array.elements, ~std::uint32_t{0});
    return;
  }
  append_be32(array.elements, static_cast<std::uint32_t>(parameter.bytes.size()));
  array.elements += parameter.bytes;
  size_bytes_ += parameter.bytes.size();
}

Status BulkWriter::end_row() {
  OA_ASSERT(next_column_ == arrays_.size());
  next_column_ = 0;
  ++rows_;
  if (rows_ >= kBatchRows || size_bytes_ >= kBatchBytes) return flush();
  return {};
}

Status BulkWriter::finish() {
  if (rows_ > 0) OA_TRY(flush());
  return await();
}

Status BulkWriter::await() {
  if (!under_way_) return {};
  under_way_ = false;
  OA_ASSIGN(const Rows rows, connection_.receive());
  for (int i = 0; tells_replaced_ && i < rows.count(); ++i) {
    RowReader row(rows, i);
    const Uuid id = row.uuid();
    if (row.boolean()) replaced_.push_back(id);
  }
  return {};
}

// After an error elsewhere the batch under way is of no interest, but the connection must be free
// again.
BulkWriter::~BulkWriter() { (void)await(); }

Status BulkWriter::flush() {
  OA_TRY(await());
  std::vector<Parameter> parameters;
  for (auto& array : arrays_) {
    Parameter parameter{array_oid(array.type), false, {}};
    parameter.bytes.reserve(20 + array.elements.size());
    append_be32(parameter.bytes, 1);  // dimensions
    append_be32(parameter.bytes, array.has_null ? 1 : 0);
    append_be32(parameter.bytes, type_oid(array.type));
    append_be32(parameter.bytes, static_cast<std::uint32_t>(rows_));
    append_be32(parameter.bytes, 1);  // first index
    parameter.bytes += array.elements;
    parameters.push_back(std::move(parameter));
    array.elements.clear();
    array.has_null = false;
  }
  rows_ = 0;
  size_bytes_ = 0;
  OA_TRY(connection_.send(sql_.c_str(), parameters));
  under_way_ = true;
  return {};
}

Status delete_where(Connection& connection, const char* table, const char* column,
                    const std::vector<Uuid>& ids) {
  const std::string sql = fmt::format("DELETE FROM {} WHERE {} = ANY($1)", table, column);
  for (std::size_t at = 0; at < ids.size(); at += kDeleteIds) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kDeleteIds, ids.size() - at));
    OA_TRY(connection.execute(sql.c_str(), {Parameter::uuids({begin, end})}));
  }
  return {};
}

}  // namespace oa::catalog
