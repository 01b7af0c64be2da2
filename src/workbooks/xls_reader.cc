#include "oa/workbooks/xls_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "biff_records.h"
#include "ole2_reader.h"

namespace oa::workbooks {
namespace {

using RawCell = XlsWorkbook::RawCell;
using Kind = SheetCell::Kind;

// Record types.
constexpr std::uint16_t kFormula = 0x06, kEof = 0x0A, kDateMode = 0x22, kFilePass = 0x2F;
constexpr std::uint16_t kBoundSheet = 0x85, kMulRk = 0xBD, kRichLabel = 0xD6, kXf = 0xE0;
constexpr std::uint16_t kSst = 0xFC, kLabelSst = 0xFD, kNumber = 0x203, kLabel = 0x204;
constexpr std::uint16_t kBoolErr = 0x205, kString = 0x207, kRk = 0x27E, kFormat = 0x41E;
constexpr std::uint16_t kBof = 0x809;
constexpr std::uint16_t kBiff8 = 0x600;
constexpr std::uint8_t kWorksheet = 0;
constexpr std::size_t kMaxSheets = 1000;
constexpr std::size_t kMaxNameBytes = 255;

Error refused(std::string message, std::string hint) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", std::move(message))
      .with_hint(std::move(hint));
}

Error encrypted() {
  return refused("The workbook is encrypted", "Save it without a password and import that");
}

Error too_old() {
  return refused("The file is not an .xls workbook of Excel 97 or later",
                 "Open it in a spreadsheet program, save it as .xlsx and import that");
}

// [MS-XLS] 2.5.217: the upper half of a double, or a whole number, perhaps of hundredths.
double number_of_rk(std::uint32_t rk) {
  const double number = (rk & 2) != 0 ? static_cast<double>(static_cast<std::int32_t>(rk) >> 2)
                                      : std::bit_cast<double>(std::uint64_t{rk & 0xFFFFFFFC} << 32);
  return (rk & 1) != 0 ? number / 100 : number;
}

Status add_text(std::string_view text, const SheetLimits& limits, SharedTexts& texts) {
  texts.add(text);
  if (texts.memory_bytes() <= limits.max_shared_text_bytes) return {};
  return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                    "The workbook has more than " + format_size(limits.max_shared_text_bytes) +
                        " of different texts")
      .with_hint("Save the table as CSV and import that");
}

// Collects the cells of one sheet.
class SheetCollector {
 public:
  SheetCollector(const SheetLimits& limits, SharedTexts& texts) : limits_(limits), texts_(texts) {}

  Status take(const BiffRecord& record);
  std::vector<RawCell> finish() &&;

 private:
  Status take_cell(const BiffRecord& record);
  Status take_formula(BiffReader& reader, RawCell cell);
  Status take_text(RawCell cell, const std::string& text);
  void add(RawCell cell) { cells_.push_back(cell); }

  const SheetLimits& limits_;
  SharedTexts& texts_;
  std::vector<RawCell> cells_;
  bool awaits_string_ = false;  // the formula before has its text in the record behind
  RawCell formula_;
};

Status SheetCollector::take_text(RawCell cell, const std::string& text) {
  cell.kind = Kind::kText;
  cell.text = texts_.size();
  OA_TRY(add_text(text, limits_, texts_));
  add(cell);
  return {};
}

Status SheetCollector::take(const BiffRecord& record) {
  switch (record.type) {
    case kString:
      if (std::exchange(awaits_string_, false)) {
        BiffReader reader(record);
        const std::string text = reader.text(2, limits_.max_cell_bytes);
        if (reader.failed()) return damaged_biff("a formula's text");
        return take_text(formula_, text);
      }
      return {};
    case kFormula:
    case kMulRk:
    case kRichLabel:
    case kLabelSst:
    case kNumber:
    case kLabel:
    case kBoolErr:
    case kRk:
      return take_cell(record);
    default:
      return {};
  }
}

Status SheetCollector::take_cell(const BiffRecord& record) {
  BiffReader reader(record);
  RawCell cell;
  cell.row = reader.u16();
  cell.column = reader.u16();
  if (record.type == kMulRk) {
    const std::size_t size = record.data().size();
    for (std::size_t at = 4; at + 8 <= size; at += 6, ++cell.column) {
      cell.style = reader.u16();
      cell.number = number_of_rk(reader.u32());
      add(cell);
    }
    return {};
  }
  cell.style = reader.u16();
  switch (record.type) {
    case kNumber:
      cell.number = reader.real();
      break;
    case kRk:
      cell.number = number_of_rk(reader.u32());
      break;
    case kLabelSst:
      cell.kind = Kind::kText;
      cell.text = reader.u32();
      break;
    case kBoolErr: {
      const auto value = reader.number(1);
      cell.kind = reader.number(1) != 0 ? Kind::kError : Kind::kBoolean;
      cell.number = value != 0 ? 1 : 0;
      break;
    }
    case kFormula:
      return take_formula(reader, cell);
    default: {  // a label
      const std::string text = reader.text(2, limits_.max_cell_bytes);
      if (reader.failed()) return damaged_biff("a label");
      return take_text(cell, text);
    }
  }
  if (reader.failed()) return damaged_biff("a cell is cut");
  add(cell);
  return {};
}

Status SheetCollector::take_formula(BiffReader& reader, RawCell cell) {
  const std::uint64_t result = reader.number(8);
  if (reader.failed()) return damaged_biff("a formula is cut");
  const auto value = result >> 16 & 0xFF;
  awaits_string_ = false;
  if (result >> 48 != 0xFFFF) {
    cell.number = std::bit_cast<double>(result);
    add(cell);
    return {};
  }
  switch (result & 0xFF) {
    case 0:
      awaits_string_ = true;
      formula_ = cell;
      return {};
    case 1:
      cell.kind = Kind::kBoolean;
      cell.number = value != 0 ? 1 : 0;
      break;
    case 2:
      cell.kind = Kind::kError;
      break;
    default:
      return {};  // an empty text
  }
  add(cell);
  return {};
}

// Cells may stand in any order; of two at one place the later counts.
std::vector<RawCell> SheetCollector::finish() && {
  const auto place = [](const RawCell& cell) {
    return std::uint32_t{cell.row} << 16 | cell.column;
  };
  if (!std::ranges::is_sorted(cells_, {}, place)) std::ranges::stable_sort(cells_, {}, place);
  const auto same = [&](const RawCell& a, const RawCell& b) { return place(a) == place(b); };
  const auto kept = std::unique(cells_.rbegin(), cells_.rend(), same);
  cells_.erase(cells_.begin(), kept.base());
  return std::move(cells_);
}

class XlsSheet final : public SheetReader {
 public:
  XlsSheet(const std::vector<RawCell>& cells, const std::vector<NumberMeaning>& styles,
           const SharedTexts& texts, bool system_1904)
      : cells_(cells), styles_(styles), texts_(texts), system_1904_(system_1904) {}

  Result<const SheetRow*> next() override {
    row_.cells.clear();
    while (at_ < cells_.size() && row_.cells.empty()) {
      const std::uint16_t number = cells_[at_].row;
      row_.number = number + std::uint64_t{1};
      for (; at_ < cells_.size() && cells_[at_].row == number; ++at_) OA_TRY(add(cells_[at_]));
    }
    return row_.cells.empty() ? nullptr : &row_;
  }
  std::uint64_t position() const override { return at_; }

 private:
  Status add(const RawCell& raw) {
    if (raw.column >= kMaxSheetColumns) return damaged_biff("too many columns");
    SheetCell cell{.kind = raw.kind};
    if (raw.kind == Kind::kText) {
      if (raw.text >= texts_.size()) return damaged_biff("a cell names no text");
      cell.text = texts_.at(raw.text);
      if (cell.text.empty()) return {};
    } else if (raw.kind == Kind::kNumber) {
      if (!std::isfinite(raw.number)) return damaged_biff("a cell is no number");
      cell = cell_of_number(
          raw.number, raw.style < styles_.size() ? styles_[raw.style] : NumberMeaning::kNumber,
          system_1904_);
    } else {
      cell.number = raw.number;
    }
    cell.column = raw.column;
    row_.cells.push_back(cell);
    return {};
  }

  const std::vector<RawCell>& cells_;
  const std::vector<NumberMeaning>& styles_;
  const SharedTexts& texts_;
  const bool system_1904_;
  SheetRow row_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::unique_ptr<XlsWorkbook>> XlsWorkbook::open(const RangedSource& file,
                                                       const SheetLimits& limits) {
  OA_ASSIGN(const Ole2File ole2, Ole2File::open(file));
  if (ole2.has("EncryptedPackage")) return encrypted();
  if (!ole2.has("Workbook")) return too_old();
  std::unique_ptr<XlsWorkbook> workbook(new XlsWorkbook(limits));
  OA_ASSIGN(workbook->stream_, ole2.read("Workbook"));
  OA_TRY(workbook->load_globals());
  return workbook;
}

Status XlsWorkbook::load_globals() {
  BiffRecords records(stream_);
  std::map<unsigned, NumberMeaning> formats;
  std::vector<unsigned> styles;
  for (bool first = true;; first = false) {
    OA_ASSIGN(const auto record, records.next());
    if (!record || (first && record->type != kBof)) return damaged_biff("no globals");
    if (record->type == kEof) break;
    BiffReader reader(*record);
    if (record->type == kBof && reader.u16() != kBiff8) return too_old();
    if (record->type == kFilePass) return encrypted();
    if (record->type == kDateMode) system_1904_ = reader.u16() != 0;
    if (record->type == kFormat) {
      const unsigned id = reader.u16();
      formats[id] = meaning_of_format(reader.text(2, limits_.max_cell_bytes));
    }
    if (record->type == kXf) {
      reader.skip(2);
      styles.push_back(reader.u16());
    }
    if (record->type == kBoundSheet) {
      const std::uint32_t offset = reader.u32();
      const bool hidden = (reader.number(1) & 3) != 0;
      if (reader.number(1) != kWorksheet) continue;
      if (sheets_.size() == kMaxSheets) return damaged_biff("too many sheets");
      sheets_.push_back({reader.text(1, kMaxNameBytes), hidden});
      offsets_.push_back(offset);
    }
    if (record->type == kSst) {
      reader.skip(4);
      const std::uint32_t count = reader.u32();
      for (std::uint32_t i = 0; i < count && !reader.failed(); ++i)
        OA_TRY(add_text(reader.text(2, limits_.max_cell_bytes), limits_, texts_));
    }
    if (reader.failed()) return damaged_biff("a record of the globals");
  }
  for (const unsigned id : styles) {
    const auto own = formats.find(id);
    styles_.push_back(own != formats.end() ? own->second : meaning_of_builtin(id));
  }
  return {};
}

Result<std::uint64_t> XlsWorkbook::load(std::size_t sheet) {
  OA_ASSERT(sheet < sheets_.size());
  BiffRecords records(stream_, offsets_[sheet]);
  SheetCollector collector(limits_, texts_);
  int depth = 0;  // charts in a sheet have a substream of their own
  do {
    OA_ASSIGN(const auto record, records.next());
    if (!record || (depth == 0 && record->type != kBof)) return damaged_biff("no sheet");
    if (record->type == kBof) ++depth;
    if (record->type == kEof) --depth;
    if (depth == 1) OA_TRY(collector.take(*record));
  } while (depth > 0);
  cells_ = std::move(collector).finish();
  return cells_.size();
}

std::unique_ptr<SheetReader> XlsWorkbook::read() const {
  return std::make_unique<XlsSheet>(cells_, styles_, texts_, system_1904_);
}

}  // namespace oa::workbooks
