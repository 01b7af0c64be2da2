// Rows from sources into one sealed Parquet version, and how several tables share it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oa/analytics/importer.h"
#include "oa/analytics/row_source.h"

namespace oa::analytics {

/// The column that tells the tables of one Parquet file apart (docs/adr/0006): its presence with
/// type UTINYINT, which no import gives a column, means that the file holds several tables. Table
/// number t is the rows where it is t; their columns are named `<table>.<column>` and are NULL in
/// the rows of other tables.
inline constexpr char kTableColumn[] = "__table";
inline constexpr std::size_t kMaxTables = 64;

/// One table to be written; `name` matters only when there are several.
struct NamedRows {
  std::string name;  // [A-Za-z_][A-Za-z0-9_]*, at most 63 bytes, unique without regard to case
  std::unique_ptr<RowSource> rows;
};

/// Writes the tables, one after another, as a new version of `target`. All or nothing, as
/// import_csv(). `total` is what the positions of the sources add up to, 0 when not known; `unit`
/// is theirs. Errors: kLimitExceeded, kInvalidArgument (no table, bad names or types), kCancelled,
/// those of the sources and of SealedObjects.
Result<ImportResult> write_rows(SealedObjects& objects, std::vector<NamedRows> tables,
                                const ObjectKey& target, std::uint64_t total, std::string_view unit,
                                Progress& progress);

/// The tables that rows of these columns hold. Rows of one table are called `single_name`.
std::vector<TableSchema> tables_of(const std::vector<Column>& columns,
                                   const std::string& single_name);

}  // namespace oa::analytics
