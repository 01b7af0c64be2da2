#include "oa/catalog/statements.h"

#include "row_reader.h"

namespace oa::catalog {
namespace {

Parameter texts(const std::vector<std::string>& values) {
  Parameter out{array_oid(SqlType::kText), false, {}};
  append_be32(out.bytes, values.empty() ? 0 : 1);  // dimensions
  append_be32(out.bytes, 0);                       // no null in it
  append_be32(out.bytes, type_oid(SqlType::kText));
  if (values.empty()) return out;
  append_be32(out.bytes, static_cast<std::uint32_t>(values.size()));
  append_be32(out.bytes, 1);  // first index
  for (const auto& value : values) {
    append_be32(out.bytes, static_cast<std::uint32_t>(value.size()));
    out.bytes += value;
  }
  return out;
}

struct ToParameter {
  Parameter operator()(const std::vector<std::string>& values) const { return texts(values); }
  template <class T>
  Parameter operator()(const T& value) const {
    return Parameter::of(value);
  }
};

std::vector<Parameter> parameters(const std::vector<SqlValue>& values) {
  std::vector<Parameter> out;
  out.reserve(values.size());
  for (const auto& value : values) out.push_back(std::visit(ToParameter(), value));
  return out;
}

SqlRow read(const Rows& rows, int index) {
  RowReader row(rows, index);
  SqlRow columns;
  for (int i = 0; i < PQnfields(rows.get()); ++i) columns.push_back(row.optional_text());
  return columns;
}

}  // namespace

Result<std::uint64_t> Statements::execute(const std::string& sql,
                                          const std::vector<SqlValue>& values) {
  OA_ASSIGN(const Rows rows, connection_.query(sql.c_str(), parameters(values)));
  return rows.affected();
}

Result<std::vector<SqlRow>> Statements::rows(const std::string& sql,
                                             const std::vector<SqlValue>& values) {
  OA_ASSIGN(const Rows rows, connection_.query(sql.c_str(), parameters(values)));
  std::vector<SqlRow> all;
  for (int i = 0; i < rows.count(); ++i) all.push_back(read(rows, i));
  return all;
}

Status Statements::for_each(const std::string& sql, const std::vector<SqlValue>& values,
                            const std::function<Status(const SqlRow&)>& visit) {
  return connection_.for_each_row(sql.c_str(), parameters(values),
                                  [&](const Rows& rows) { return visit(read(rows, 0)); });
}

Result<std::int64_t> Statements::number(const std::string& sql,
                                        const std::vector<SqlValue>& values) {
  OA_ASSIGN(const Rows rows, connection_.query(sql.c_str(), parameters(values)));
  OA_ASSERT(rows.count() == 1);
  return RowReader(rows, 0).bigint();
}

}  // namespace oa::catalog
