#include "sheet_table.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "column_names.h"
#include "oa/workbooks/number_format.h"

namespace oa::analytics {
namespace {

using workbooks::SheetCell;
using workbooks::SheetReader;
using workbooks::SheetRow;

using Kind = SheetCell::Kind;

constexpr double kMaxWhole = 1e15;  // exact in a DOUBLE, and printed without an exponent
constexpr std::uint64_t kMicrosPerDay = 86'400'000'000;
constexpr std::uint64_t kRowsPerLook = 1024;

// What the values of a column are, one bit each.
enum Seen : std::uint8_t {
  kSawWhole = 1,
  kSawReal = 2,
  kSawBoolean = 4,
  kSawDate = 8,
  kSawMoment = 16,
  kSawOther = 32,
  kSawError = 64
};

std::uint8_t seen_in(const SheetCell& cell) {
  switch (cell.kind) {
    case Kind::kNumber:
      return std::abs(cell.number) < kMaxWhole && cell.number == std::floor(cell.number) ? kSawWhole
                                                                                         : kSawReal;
    case Kind::kBoolean:
      return kSawBoolean;
    case Kind::kDate:
      return kSawDate;
    case Kind::kMoment:
      return kSawMoment;
    case Kind::kError:
      return kSawError;
    case Kind::kText:
    case Kind::kClock:
      break;
  }
  return kSawOther;
}

std::string type_of(std::uint8_t seen) {
  switch (seen & ~kSawError) {
    case kSawWhole:
      return "BIGINT";
    case kSawReal:
    case kSawReal | kSawWhole:
      return "DOUBLE";
    case kSawBoolean:
      return "BOOLEAN";
    case kSawDate:
      return "DATE";
    case kSawMoment:
    case kSawMoment | kSawDate:
      return "TIMESTAMP";
    default:
      return "VARCHAR";
  }
}

std::string text_of(const SheetCell& cell) {
  switch (cell.kind) {
    case Kind::kNumber:
      return workbooks::number_text(cell.number);
    case Kind::kBoolean:
      return cell.number != 0 ? "true" : "false";
    case Kind::kDate:
      return workbooks::date_text(cell.ticks);
    case Kind::kMoment:
      return workbooks::moment_text(cell.ticks);
    case Kind::kClock:
      return workbooks::clock_text(cell.ticks);
    case Kind::kText:
    case Kind::kError:
      break;
  }
  return std::string(cell.text);
}

bool is_null(const SheetCell& cell, const std::vector<std::string>& null_texts) {
  return cell.kind == Kind::kError ||
         (cell.kind == Kind::kText && std::ranges::find(null_texts, cell.text) != null_texts.end());
}

Error cancelled() {
  return make_error(ErrorCode::kCancelled, "analytics.import", "The import was cancelled");
}

Error changed() {
  return make_error(ErrorCode::kIo, "analytics.import", "The file changed while it was read");
}

// What the table's source goes by.
struct Plan {
  OpenSheet open;
  std::vector<std::string> null_texts;
  bool has_header = false;
  std::vector<Column> columns = {};
  std::vector<std::uint32_t> sheet_columns = {};  // where they are in the sheet, ascending
};

class TableRows final : public RowSource {
 public:
  explicit TableRows(Plan plan) : plan_(std::move(plan)) {
    for (const Column& column : plan_.columns) types_.push_back(column.type);
  }
  const std::vector<Column>& columns() const override { return plan_.columns; }
  std::uint64_t position() const override { return reader_ ? reader_->position() : 0; }

  Status next(RowBatch& batch) override {
    if (!reader_) {
      OA_ASSIGN(reader_, plan_.open());
      if (plan_.has_header) OA_TRY(reader_->next());
    }
    while (!batch.full()) {
      OA_ASSIGN(const SheetRow* row, reader_->next());
      if (row == nullptr) return {};
      OA_TRY(add(*row, batch));
    }
    return {};
  }

 private:
  Status add(const SheetRow& row, RowBatch& batch) {
    auto cell = row.cells.begin();
    for (std::size_t i = 0; i < types_.size(); ++i) {
      while (cell != row.cells.end() && cell->column < plan_.sheet_columns[i]) ++cell;
      const bool empty = cell == row.cells.end() || cell->column != plan_.sheet_columns[i] ||
                         is_null(*cell, plan_.null_texts);
      if (empty) {
        batch.null();
      } else if (!add(*cell, types_[i], batch)) {
        return changed();
      }
    }
    batch.end_row();
    return {};
  }

  static bool add(const SheetCell& cell, const std::string& type, RowBatch& batch) {
    const bool number = cell.kind == Kind::kNumber;
    if (type == "VARCHAR") {
      if (cell.kind == Kind::kText) {
        batch.text(cell.text);
      } else {
        batch.text(text_of(cell));
      }
    } else if (type == "BIGINT" && number && std::abs(cell.number) < kMaxWhole) {
      batch.integer(static_cast<std::int64_t>(cell.number));
    } else if (type == "DOUBLE" && number) {
      batch.real(cell.number);
    } else if (type == "BOOLEAN" && cell.kind == Kind::kBoolean) {
      batch.boolean(cell.number != 0);
    } else if (type == "DATE" && cell.kind == Kind::kDate) {
      batch.integer(cell.ticks);
    } else if (type == "TIMESTAMP" && cell.kind == Kind::kDate) {
      batch.integer(cell.ticks * static_cast<std::int64_t>(kMicrosPerDay));
    } else if (type == "TIMESTAMP" && cell.kind == Kind::kMoment) {
      batch.integer(cell.ticks);
    } else {
      return false;
    }
    return true;
  }

  const Plan plan_;
  std::vector<std::string> types_;
  std::unique_ptr<SheetReader> reader_;
};

// What the first pass learns.
struct Survey {
  std::vector<std::string> names;  // by the sheet's columns, of the header
  std::vector<std::uint8_t> seen;  // by the sheet's columns
  bool has_header = false;
};

bool names_columns(const SheetRow& row, const FileOptions& options) {
  if (options.header != Choice::kAuto) return options.header == Choice::kYes;
  std::vector<std::string> texts;
  for (const SheetCell& cell : row.cells) {
    if (cell.kind == Kind::kText) texts.emplace_back(cell.text);
  }
  return could_be_names(texts, options.null_texts);
}

void take_names(const SheetRow& row, Survey& survey) {
  for (const SheetCell& cell : row.cells) {
    survey.names.resize(cell.column + std::size_t{1});
    survey.names.back() = cell.kind == Kind::kError ? std::string() : text_of(cell);
  }
}

void take_values(const SheetRow& row, const FileOptions& options, Survey& survey) {
  for (const SheetCell& cell : row.cells) {
    if (cell.column >= survey.seen.size()) survey.seen.resize(cell.column + std::size_t{1});
    survey.seen[cell.column] |=
        is_null(cell, options.null_texts) ? std::uint8_t{kSawError} : seen_in(cell);
  }
}

Result<Survey> survey_rows(SheetReader& reader, const FileOptions& options, Progress& progress) {
  Survey survey;
  bool first = true;
  for (std::uint64_t rows = 0;; ++rows) {
    if (rows % kRowsPerLook == 0) {
      if (progress.cancelled()) return cancelled();
      progress.update(reader.position());
    }
    OA_ASSIGN(const SheetRow* row, reader.next());
    if (row == nullptr) return survey;
    if (std::exchange(first, false) && names_columns(*row, options)) {
      survey.has_header = true;
      take_names(*row, survey);
    } else {
      take_values(*row, options, survey);
    }
  }
}

}  // namespace

Result<std::unique_ptr<RowSource>> read_sheet_table(OpenSheet open, const FileOptions& options,
                                                    std::uint64_t total, std::string_view unit,
                                                    Progress& progress) {
  progress.begin("inspect", total, unit);
  OA_ASSIGN(const auto reader, open());
  OA_ASSIGN(Survey survey, survey_rows(*reader, options, progress));
  const std::size_t width = std::max(survey.names.size(), survey.seen.size());
  survey.names.resize(width);
  survey.seen.resize(width);
  Plan plan{
      .open = std::move(open), .null_texts = options.null_texts, .has_header = survey.has_header};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < width; ++i) {
    if (survey.names[i].empty() && survey.seen[i] == 0) continue;
    plan.sheet_columns.push_back(static_cast<std::uint32_t>(i));
    names.push_back(survey.names[i]);
    plan.columns.push_back({{}, type_of(survey.seen[i])});
  }
  if (names.empty()) {
    return make_error(ErrorCode::kImportRejected, "analytics.import", "The sheet is empty")
        .with_hint("Name a sheet that holds a table");
  }
  if (names.size() > options.limits.max_columns) {
    return make_error(
        ErrorCode::kLimitExceeded, "analytics.import",
        "The sheet has more than " + std::to_string(options.limits.max_columns) + " columns");
  }
  names = column_names(names);
  for (std::size_t i = 0; i < names.size(); ++i) plan.columns[i].name = names[i];
  return std::unique_ptr<RowSource>(std::make_unique<TableRows>(std::move(plan)));
}

}  // namespace oa::analytics
