#include <fmt/format.h>

#include <set>

#include "oa/semantics/model.h"
#include "problems.h"
#include "sql_types.h"

namespace oa::semantics {
namespace {

class KeyList {
 public:
  void add(const std::string& table, const std::vector<std::string>& columns, bool primary,
           Position at) {
    if (columns.empty() || !seen_.emplace(table, columns).second) return;
    checks_.push_back({printable(fmt::format("{}.{}", table, fmt::join(columns, ", "))), table,
                       columns, primary, at});
  }
  std::vector<KeyCheck> take() { return std::move(checks_); }

 private:
  std::set<std::pair<std::string, std::vector<std::string>>> seen_;
  std::vector<KeyCheck> checks_;
};

}  // namespace

Statement KeyCheck::duplicates(std::uint64_t parts, std::uint64_t part) const {
  std::vector<std::string> quoted, conditions;
  for (const std::string& column : columns) {
    quoted.push_back(quote(column));
    if (!counts_absent) conditions.push_back(quote(column) + " IS NOT NULL");
  }
  const std::string list = fmt::format("{}", fmt::join(quoted, ", "));
  if (parts > 1) conditions.push_back(fmt::format("hash({}) % {} = {}", list, parts, part));
  Statement statement;
  statement.sql = fmt::format(
      "SELECT count(*) AS \"duplicates\" FROM (\n  SELECT 1 FROM {}{}{}\n  GROUP BY {} "
      "HAVING count(*) > 1\n)",
      quote(table), conditions.empty() ? "" : " WHERE ", fmt::join(conditions, " AND "), list);
  return statement;
}

std::vector<KeyCheck> key_checks(const SemanticModel& model) {
  KeyList list;
  // First the primary keys: what is asked of them is more.
  for (const ModelTable& table : model.tables)
    list.add(table.name, table.primary_key, true, table.at);
  for (const Join& join : model.joins) {
    if (join.kind != JoinKind::kOneToMany)
      list.add(join.right.table, {join.right.column}, false, join.right.at);
    if (join.kind != JoinKind::kManyToOne)
      list.add(join.left.table, {join.left.column}, false, join.left.at);
  }
  return list.take();
}

}  // namespace oa::semantics
