#include "xlsx_sheet.h"

#include <charconv>
#include <deque>

namespace oa::workbooks {
namespace {

// Few rows are ahead of what was asked for.
constexpr std::size_t kPieceBytes = std::size_t{32} << 10;
constexpr std::uint64_t kMaxRowTextBytes = std::uint64_t{64} << 20;

// "BC12" is column 54, row 12; a part that is missing stays as it is.
bool parse_reference(std::string_view text, std::uint32_t& column, std::uint64_t& row) {
  std::size_t at = 0;
  std::uint32_t letters = 0;
  for (; at < text.size() && at < 4 && text[at] >= 'A' && text[at] <= 'Z'; ++at)
    letters = letters * 26 + static_cast<std::uint32_t>(text[at] - 'A') + 1;
  const auto parsed = std::from_chars(text.data() + at, text.data() + text.size(), row);
  if (letters == 0 || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return false;
  column = letters - 1;
  return true;
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const std::size_t first = text.find_first_not_of(" \t\r\n+");
  if (first == std::string_view::npos) return false;
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

// Collects rows out of the events of a sheet part.
class SheetHandler final : public XmlHandler {
 public:
  explicit SheetHandler(const SheetContext& context) : context_(context) {}

  Status start(std::string_view name, const XmlAttributes& attributes) override;
  Status end(std::string_view name) override;
  Status text(std::string_view piece) override;

  /// The next whole row; nullptr when there is none yet.
  const SheetRow* take() {
    if (taken_) ready_.pop_front();
    taken_ = !ready_.empty();
    return taken_ ? &ready_.front() : nullptr;
  }

 private:
  enum class Type : std::uint8_t { kNumber, kShared, kText, kInline, kBoolean, kError, kDate };
  Status start_row(const XmlAttributes& attributes);
  Status start_cell(const XmlAttributes& attributes);
  Status end_cell();
  Status add_number(SheetCell& cell);
  Status add_text(SheetCell& cell, std::string_view text);

  const SheetContext context_;
  std::deque<SheetRow> ready_;
  bool taken_ = false;  // the first of them was given out
  bool in_data_ = false, in_row_ = false, in_cell_ = false, in_phonetic_ = false;
  bool collecting_ = false;  // text is the cell's
  SheetRow row_;
  std::uint64_t row_number_ = 0;
  std::uint64_t row_text_bytes_ = 0;
  std::uint32_t column_ = 0;  // of the cell
  std::uint32_t next_column_ = 0;
  Type type_ = Type::kNumber;
  NumberMeaning meaning_ = NumberMeaning::kNumber;
  std::string value_;
};

Status SheetHandler::start(std::string_view name, const XmlAttributes& attributes) {
  if (!in_data_) {
    in_data_ = name == "sheetData";
    return {};
  }
  if (in_cell_) {
    if (name == "rPh") in_phonetic_ = true;
    collecting_ = type_ == Type::kInline ? name == "t" && !in_phonetic_ : name == "v";
    return {};
  }
  if (name == "c" && in_row_) return start_cell(attributes);
  if (name == "row" && !in_row_) return start_row(attributes);
  return {};
}

Status SheetHandler::start_row(const XmlAttributes& attributes) {
  in_row_ = true;
  std::uint64_t number = row_number_ + 1;
  if (const auto told = attributes.find("r"); told && !parse_number(*told, number))
    return damaged_workbook("a row has no number");
  if (number <= row_number_ || number > kMaxSheetRows)
    return damaged_workbook("rows are out of order or too many");
  row_number_ = number;
  row_ = {};
  row_.number = number;
  row_text_bytes_ = 0;
  next_column_ = 0;
  return {};
}

Status SheetHandler::start_cell(const XmlAttributes& attributes) {
  in_cell_ = true;
  value_.clear();
  column_ = next_column_;
  if (const auto reference = attributes.find("r")) {
    std::uint64_t row = 0;
    if (!parse_reference(*reference, column_, row) || row != row_number_)
      return damaged_workbook("a cell is not where it says");
  }
  if (column_ < next_column_ || column_ >= kMaxSheetColumns)
    return damaged_workbook("cells are out of order or too many");
  next_column_ = column_ + 1;
  const std::string_view type = attributes.get("t");
  type_ = type.empty() || type == "n" ? Type::kNumber
          : type == "s"               ? Type::kShared
          : type == "str"             ? Type::kText
          : type == "inlineStr"       ? Type::kInline
          : type == "b"               ? Type::kBoolean
          : type == "d"               ? Type::kDate
                                      : Type::kError;
  std::size_t style = 0;
  meaning_ = NumberMeaning::kNumber;
  if (const auto told = attributes.find("s"); told && parse_number(*told, style)) {
    if (style < context_.styles.size()) meaning_ = context_.styles[style];
  }
  return {};
}

Status SheetHandler::text(std::string_view piece) {
  if (!collecting_) return {};
  value_ += piece;
  if (value_.size() <= context_.limits.max_cell_bytes) return {};
  return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                    "A cell in row " + std::to_string(row_number_) + " has more than " +
                        format_size(context_.limits.max_cell_bytes));
}

Status SheetHandler::end(std::string_view name) {
  collecting_ = false;
  if (name == "rPh") in_phonetic_ = false;
  if (name == "c" && in_cell_) {
    in_cell_ = false;
    return end_cell();
  }
  if (name == "row" && in_row_ && !in_cell_) {
    in_row_ = false;
    if (!row_.cells.empty()) ready_.push_back(std::move(row_));
  }
  if (name == "sheetData") in_data_ = false;
  return {};
}

Status SheetHandler::add_text(SheetCell& cell, std::string_view text) {
  if (text.empty()) return {};
  cell.kind = SheetCell::Kind::kText;
  cell.text = text;
  row_.cells.push_back(cell);
  return {};
}

Status SheetHandler::add_number(SheetCell& cell) {
  double number = 0;
  if (!parse_number(value_, number)) return damaged_workbook("a cell is no number");
  const std::uint32_t column = cell.column;
  cell = cell_of_number(number, meaning_, context_.system_1904);
  cell.column = column;
  row_.cells.push_back(cell);
  return {};
}

Status SheetHandler::end_cell() {
  SheetCell cell{.column = column_};
  if (value_.empty() && type_ != Type::kError) return {};
  switch (type_) {
    case Type::kNumber:
      return add_number(cell);
    case Type::kShared: {
      std::size_t index = 0;
      if (!parse_number(value_, index) || index >= context_.texts.size())
        return damaged_workbook("a cell names no shared text");
      return add_text(cell, context_.texts.at(index));
    }
    case Type::kText:
    case Type::kInline:
      unescape(value_);
      row_text_bytes_ += value_.size();
      if (row_text_bytes_ > kMaxRowTextBytes) {
        return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                          "Row " + std::to_string(row_number_) + " has more than " +
                              format_size(kMaxRowTextBytes));
      }
      return add_text(cell, row_.own.emplace_back(std::exchange(value_, {})));
    case Type::kBoolean:
      if (value_ != "0" && value_ != "1" && value_ != "true" && value_ != "false")
        return damaged_workbook("a cell is no boolean");
      cell.kind = SheetCell::Kind::kBoolean;
      cell.number = value_ == "1" || value_ == "true" ? 1 : 0;
      break;
    case Type::kDate:
      if (!parse_iso_moment(value_, cell)) return damaged_workbook("a cell is no date");
      break;
    case Type::kError:
      cell.kind = SheetCell::Kind::kError;
      break;
  }
  row_.cells.push_back(cell);
  return {};
}

class XlsxSheet final : public SheetReader {
 public:
  XlsxSheet(std::unique_ptr<ZipStream> part, const SheetContext& context)
      : part_(std::move(part)), handler_(context), xml_(handler_), piece_(kPieceBytes) {}

  Result<const SheetRow*> next() override {
    const SheetRow* row = handler_.take();
    while (row == nullptr && !ended_) {
      OA_ASSIGN(const std::size_t count, part_->read(piece_));
      ended_ = count == 0;
      OA_TRY(xml_.feed(ByteView(piece_).first(count), ended_));
      row = handler_.take();
    }
    return row;
  }
  std::uint64_t position() const override { return part_->position(); }

 private:
  const std::unique_ptr<ZipStream> part_;
  SheetHandler handler_;
  XmlReader xml_;
  Bytes piece_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<SheetReader> read_xlsx_sheet(std::unique_ptr<ZipStream> part,
                                             const SheetContext& context) {
  return std::make_unique<XlsxSheet>(std::move(part), context);
}

}  // namespace oa::workbooks
