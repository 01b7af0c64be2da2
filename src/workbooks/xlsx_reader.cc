#include "oa/workbooks/xlsx_reader.h"

#include <algorithm>

#include "xlsx_sheet.h"

namespace oa::workbooks {
namespace {

constexpr char kContentTypes[] = "[Content_Types].xml";

Error not_a_workbook(std::string message) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", std::move(message))
      .with_hint("Save the table as .xlsx or CSV and import that");
}

Error other_zip(const ZipArchive& zip) {
  if (zip.find("mimetype") != nullptr)
    return not_a_workbook("The file is an OpenDocument or e-book file, not an .xlsx workbook");
  return not_a_workbook("The file is a zip archive, not an .xlsx workbook");
}

// The workbook's main part.
Result<const ZipEntry*> find_main_part(const ZipArchive& zip) {
  if (zip.find(kContentTypes) == nullptr) return other_zip(zip);
  OA_ASSIGN(const auto relationships, read_relationships(zip, ""));
  const auto main = std::ranges::find(relationships, "officeDocument", &Relationship::type);
  const ZipEntry* part = main == relationships.end() ? nullptr : zip.find(main->part);
  if (part == nullptr) return damaged_workbook("no main part");
  if (part->name.ends_with(".bin"))
    return not_a_workbook("The file is an .xlsb workbook, not an .xlsx workbook");
  if (part->name.starts_with("word/") || part->name.starts_with("ppt/"))
    return not_a_workbook("The file is a document or presentation, not an .xlsx workbook");
  return part;
}

}  // namespace

Result<std::unique_ptr<XlsxWorkbook>> XlsxWorkbook::open(const RangedSource& file,
                                                         const ZipLimits& zip_limits,
                                                         const SheetLimits& limits) {
  OA_ASSIGN(ZipArchive zip, ZipArchive::open(file, zip_limits));
  std::unique_ptr<XlsxWorkbook> workbook(new XlsxWorkbook(std::move(zip), limits));
  OA_TRY(workbook->load());
  return workbook;
}

Status XlsxWorkbook::load() {
  OA_ASSIGN(const ZipEntry* main, find_main_part(zip_));
  OA_ASSIGN(const WorkbookPart workbook, read_workbook(zip_, *main));
  OA_ASSIGN(const auto relationships, read_relationships(zip_, main->name));
  system_1904_ = workbook.system_1904;
  for (const WorkbookPart::Sheet& sheet : workbook.sheets) {
    const auto found = std::ranges::find(relationships, sheet.relationship, &Relationship::id);
    if (found == relationships.end()) return damaged_workbook("a sheet has no part");
    if (found->type != "worksheet") continue;  // a chart or a dialogue has no cells
    const ZipEntry* part = zip_.find(found->part);
    if (part == nullptr) return damaged_workbook("a sheet's part is missing");
    sheets_.push_back(sheet.name);
    parts_.push_back(*part);
  }
  for (const Relationship& other : relationships) {
    const bool styles = other.type == "styles", texts = other.type == "sharedStrings";
    if (!styles && !texts) continue;
    const ZipEntry* part = zip_.find(other.part);
    if (part == nullptr) return damaged_workbook("a part is missing");
    if (styles) {
      OA_ASSIGN(styles_, read_styles(zip_, *part));
    } else {
      OA_ASSIGN(texts_, read_shared_texts(zip_, *part, limits_));
    }
  }
  return {};
}

Result<std::unique_ptr<SheetReader>> XlsxWorkbook::read(std::size_t sheet) {
  OA_ASSERT(sheet < parts_.size());
  OA_ASSIGN(auto part, zip_.read(parts_[sheet]));
  return read_xlsx_sheet(std::move(part), {styles_, texts_, system_1904_, limits_});
}

}  // namespace oa::workbooks
