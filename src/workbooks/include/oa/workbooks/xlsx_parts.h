// The parts of an .xlsx workbook beside its sheets (ECMA-376, Office Open XML).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oa/workbooks/number_format.h"
#include "oa/workbooks/sheet.h"
#include "oa/workbooks/xml_reader.h"
#include "oa/workbooks/zip_reader.h"

namespace oa::workbooks {

/// kImportRejected: "The workbook is damaged". `cause` is for the log.
Error damaged_workbook(std::string cause);

/// Feeds the whole of a part to `handler`.
Status read_part(const ZipArchive& zip, const ZipEntry& part, XmlHandler& handler);

struct Relationship {
  std::string id;
  std::string type;  // the last segment of its address, e.g. worksheet
  std::string part;  // the name in the zip
};

/// The relationships of `part` ("" for those of the workbook file itself); none when it has none.
Result<std::vector<Relationship>> read_relationships(const ZipArchive& zip, std::string_view part);

struct WorkbookPart {
  struct Sheet {
    SheetName name;
    std::string relationship;
  };
  std::vector<Sheet> sheets;  // in the workbook's order
  bool system_1904 = false;
};

Result<WorkbookPart> read_workbook(const ZipArchive& zip, const ZipEntry& part);

/// What numbers mean, by the index that cells name.
Result<std::vector<NumberMeaning>> read_styles(const ZipArchive& zip, const ZipEntry& part);

/// The texts that cells name by their index.
class SharedTexts {
 public:
  std::size_t size() const { return ends_.size(); }
  std::string_view at(std::size_t index) const;
  void add(std::string_view text);
  std::uint64_t memory_bytes() const { return bytes_.size() + ends_.size() * sizeof(ends_[0]); }

 private:
  std::string bytes_;
  std::vector<std::uint64_t> ends_;
};

/// kLimitExceeded past the limits.
Result<SharedTexts> read_shared_texts(const ZipArchive& zip, const ZipEntry& part,
                                      const SheetLimits& limits);

/// Replaces _xHHHH_ in `text`, which stands for a UTF-16 unit that XML cannot hold.
void unescape(std::string& text);

}  // namespace oa::workbooks
