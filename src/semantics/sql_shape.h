// For tests: what a statement may be made of, whatever the model, the request and the rules hold.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "oa/base/statement.h"

namespace oa::semantics {

/// Empty when outside of quoted names the statement has nothing but words, symbols and numbers that
/// the compiler writes, and parameters that there are; else the text that does not belong.
inline std::string foreign_text(const Statement& statement) {
  constexpr std::string_view kWords[] = {
      "WITH",     "AS",    "SELECT",    "DISTINCT", "FROM",       "LEFT",
      "FULL",     "OUTER", "CROSS",     "JOIN",     "ON",         "WHERE",
      "AND",      "OR",    "NOT",       "IN",       "IS",         "NULL",
      "BETWEEN",  "GROUP", "BY",        "ORDER",    "ASC",        "DESC",
      "NULLS",    "LAST",  "LIMIT",     "OFFSET",   "CAST",       "COALESCE",
      "NULLIF",   "FALSE", "VARCHAR",   "BIGINT",   "DOUBLE",     "DECIMAL",
      "BOOLEAN",  "DATE",  "TIMESTAMP", "sum",      "count",      "avg",
      "min",      "max",   "contains",  "lower",    "date_trunc", "make_timestamp",
      "epoch_us", "'day'", "'week'",    "'month'",  "'quarter'",  "'year'"};
  const std::string& sql = statement.sql;
  for (std::size_t i = 0; i < sql.size();) {
    if (sql[i] == '"') {
      const std::size_t end = sql.find('"', i + 1);
      if (end == std::string::npos) return sql.substr(i);
      i = end + 1;  // a doubled quote opens the rest of the same name
      continue;
    }
    std::size_t end = sql.find_first_of(" \n(),.\"<>=+-*/", i);
    end = std::min(end, sql.size());
    const std::string_view word = std::string_view(sql).substr(i, end - i);
    const bool number = word.find_first_not_of("0123456789") == std::string_view::npos;
    const bool parameter =
        word.starts_with('$') && word.size() > 1 &&
        word.find_first_not_of("0123456789", 1) == std::string_view::npos &&
        std::strtoull(word.data() + 1, nullptr, 10) <= statement.parameters.size();
    if (!word.empty() && !number && !parameter &&
        std::ranges::find(kWords, word) == std::end(kWords))
      return std::string(word);
    if (sql.compare(end, 2, "--") == 0 || sql.compare(end, 2, "/*") == 0) return sql.substr(end);
    i = std::max(end, i + 1);
  }
  return {};
}

}  // namespace oa::semantics
