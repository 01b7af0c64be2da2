#include "workbook_import.h"

#include <algorithm>

#include "oa/analytics/row_writer.h"
#include "oa/workbooks/xls_reader.h"
#include "oa/workbooks/xlsx_reader.h"
#include "sheet_table.h"

namespace oa::analytics {
namespace {

using workbooks::SheetLimits;
using workbooks::SheetName;
using workbooks::SheetReader;
using workbooks::XlsWorkbook;
using workbooks::XlsxWorkbook;

SheetLimits sheet_limits(const FileLimits& limits) {
  return {limits.max_cell_bytes, limits.max_shared_text_bytes};
}

Status check_size(const RangedSource& file, std::uint64_t max_bytes) {
  if (file.size() <= max_bytes) return {};
  return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                    "The workbook is larger than " + format_size(max_bytes))
      .with_hint("Save the table as CSV and import that");
}

Result<std::unique_ptr<XlsxWorkbook>> open_xlsx(const RangedSource& file,
                                                const FileLimits& limits) {
  OA_TRY(check_size(file, limits.max_xlsx_bytes));
  return XlsxWorkbook::open(file, {limits.max_expanded_bytes, limits.max_expansion},
                            sheet_limits(limits));
}

Result<std::unique_ptr<XlsWorkbook>> open_xls(const RangedSource& file, const FileLimits& limits) {
  OA_TRY(check_size(file, limits.max_xls_bytes));
  return XlsWorkbook::open(file, sheet_limits(limits));
}

// The sheet of this name, or the first that is not hidden.
Result<std::size_t> find_sheet(const std::vector<SheetName>& sheets, const std::string& name) {
  auto found = name.empty() ? std::ranges::find(sheets, false, &SheetName::hidden)
                            : std::ranges::find(sheets, name, &SheetName::name);
  if (name.empty() && found == sheets.end()) found = sheets.begin();
  if (found != sheets.end()) return static_cast<std::size_t>(found - sheets.begin());
  return make_error(ErrorCode::kNotFound, "analytics.import",
                    name.empty() ? "The workbook has no sheet" : "The workbook has no such sheet")
      .with_hint("The workbook has " + std::to_string(sheets.size()) + " sheets; name one of them");
}

Result<ImportResult> write_sheet(SealedObjects& objects, const ObjectKey& target, OpenSheet open,
                                 const FileOptions& options, std::uint64_t total,
                                 std::string_view unit, Progress& progress) {
  OA_ASSIGN(auto table, read_sheet_table(std::move(open), options, total, unit, progress));
  std::vector<NamedRows> rows;
  rows.push_back({"rows", std::move(table)});
  return write_rows(objects, std::move(rows), target, total, unit, progress);
}

std::vector<std::string> ordered_names(std::vector<SheetName> sheets) {
  std::ranges::stable_partition(sheets, [](const SheetName& sheet) { return !sheet.hidden; });
  std::vector<std::string> names;
  for (const SheetName& sheet : sheets) names.push_back(sheet.name);
  return names;
}

}  // namespace

Result<ImportResult> import_workbook(SealedObjects& objects, const RangedSource& file,
                                     FileFormat format, const ObjectKey& target,
                                     const FileOptions& options, Progress& progress) {
  if (format == FileFormat::kXlsx) {
    OA_ASSIGN(const auto workbook, open_xlsx(file, options.limits));
    OA_ASSIGN(const std::size_t sheet, find_sheet(workbook->sheets(), options.sheet));
    const OpenSheet open = [&] { return workbook->read(sheet); };
    return write_sheet(objects, target, open, options, workbook->packed_bytes(sheet), "bytes",
                       progress);
  }
  OA_ASSIGN(const auto workbook, open_xls(file, options.limits));
  OA_ASSIGN(const std::size_t sheet, find_sheet(workbook->sheets(), options.sheet));
  OA_ASSIGN(const std::uint64_t cells, workbook->load(sheet));
  const OpenSheet open = [&]() -> Result<std::unique_ptr<SheetReader>> { return workbook->read(); };
  return write_sheet(objects, target, open, options, cells, "cells", progress);
}

Result<std::vector<std::string>> workbook_sheet_names(const RangedSource& file, FileFormat format,
                                                      const FileOptions& options) {
  if (format == FileFormat::kXlsx) {
    OA_ASSIGN(const auto workbook, open_xlsx(file, options.limits));
    return ordered_names(workbook->sheets());
  }
  OA_ASSIGN(const auto workbook, open_xls(file, options.limits));
  return ordered_names(workbook->sheets());
}

}  // namespace oa::analytics
