#include "csv_import.h"

#include <algorithm>

#include "csv_rejection.h"
#include "parquet_layout.h"
#include "sandbox.h"

namespace oa::analytics {
namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
// What the column types are first guessed from. A wrong guess costs a pass over the file, so it is
// generous.
constexpr std::uint64_t kFirstLookBytes = 8 * kPieceBytes;

struct Plan {
  const CsvLayout& layout;
  std::vector<ColumnReading> columns = {};
  ParquetLayout parquet = {};
};

Status scan(const RangedSource& csv, std::uint64_t begin, std::uint64_t end, CsvScanner& scanner,
            Progress& progress) {
  Bytes piece(kPieceBytes);
  for (std::uint64_t at = begin; at < end;) {
    if (progress.cancelled()) {
      return make_error(ErrorCode::kCancelled, "analytics.import", "The import was cancelled");
    }
    const std::span<std::uint8_t> bytes(piece.data(),
                                        std::min<std::uint64_t>(piece.size(), end - at));
    OA_TRY(csv.read_at(at, bytes));
    scanner.feed(bytes);
    at += bytes.size();
    progress.update(at);
  }
  if (end == csv.size()) scanner.finish();
  if (scanner.has_nul()) return nul_rejected();
  return {};
}

CsvScanner new_scanner(const CsvLayout& layout) {
  return CsvScanner(layout.header.delimiter, layout.header.names.size(), layout.rules);
}

Result<Plan> first_look(const RangedSource& csv, const CsvLayout& layout, Progress& progress) {
  Plan plan{.layout = layout};
  const std::uint64_t begin = layout.header.end;
  const std::uint64_t end = std::min(csv.size(), begin + kFirstLookBytes);
  progress.begin("look", end, "bytes");
  CsvScanner scanner = new_scanner(layout);
  OA_TRY(scan(csv, begin, end, scanner, progress));
  plan.columns = scanner.readings();
  const std::uint64_t row_bytes = (end - begin) / std::max<std::uint64_t>(scanner.row_count(), 1);
  plan.parquet = parquet_layout(plan.columns.size(), row_bytes);
  return plan;
}

// The columns as read_csv() is to give them, and the expressions over those that it cannot read.
struct Clauses {
  std::string columns, replacements, nulls;
};

Clauses clauses_of(const Plan& plan) {
  Clauses clauses;
  const auto append = [](std::string& list, const std::string& item) {
    list += (list.empty() ? "" : ",") + item;
  };
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const std::string& name = plan.layout.header.names[i];
    const ColumnReading& reading = plan.columns[i];
    const bool plain = reading.form == 0;
    append(clauses.columns,
           sql_literal(name) + ":" + sql_literal(plain ? reading.type : "VARCHAR"));
    if (plain) continue;
    const std::string quoted = sql_identifier(name);
    append(clauses.replacements, form_expression(reading.form, quoted) + " AS " + quoted);
  }
  append(clauses.nulls, "''");
  for (const std::string& text : plan.layout.rules.null_texts) {
    append(clauses.nulls, sql_literal(text));
  }
  return clauses;
}

// Every option is said, none left to DuckDB's detection: what it finds depends on a sample, and it
// may skip lines.
std::string copy_statement(const Plan& plan) {
  const Clauses clauses = clauses_of(plan);
  const std::string replacing =
      clauses.replacements.empty() ? "" : " REPLACE (" + clauses.replacements + ")";
  return "COPY (SELECT *" + replacing + " FROM read_csv(" + sql_literal(kInputPath) +
         ", auto_detect=false, header=" + (plan.layout.rules.starts_in_header ? "true" : "false") +
         ", skip=0, comment='', quote='\"', escape='\"', nullstr=[" + clauses.nulls +
         "], delim=" + sql_literal({&plan.layout.header.delimiter, 1}) +
         ", strict_mode=true, null_padding=false, compression='none', hive_partitioning=false, "
         "max_line_size=" +
         std::to_string(kMaxLineBytes) + ", columns={" + clauses.columns + "})) TO " +
         sql_literal(kOutputPath) + " " + plan.parquet.options;
}

struct Written {
  std::unique_ptr<ObjectWriter> version;  // not committed yet
  std::uint64_t row_count = 0;
  std::uint64_t parquet_bytes = 0;
};

Result<Written> write_parquet(SealedObjects& objects, const RangedSource& csv,
                              const ObjectKey& target, const Plan& plan, Progress& progress) {
  Written written;
  OA_ASSIGN(written.version, objects.create(target));
  OA_ASSIGN(const auto sandbox, Sandbox::create(&csv, written.version.get(), plan.parquet.threads));
  progress.begin("import", csv.size(), "bytes");
  OA_ASSIGN(const Rows answer, sandbox->run(copy_statement(plan), progress));
  written.row_count = to_count(answer);
  written.parquet_bytes = sandbox->bytes_written();
  return written;
}

Result<ImportResult> commit(Written written, const Plan& plan, std::uint64_t rows_in_file) {
  if (written.row_count != rows_in_file) {
    return make_error(ErrorCode::kInternal, "analytics.import",
                      "The query engine wrote " + std::to_string(written.row_count) + " of " +
                          std::to_string(rows_in_file) + " rows");
  }
  ImportResult result;
  result.rows.row_count = written.row_count;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    result.rows.columns.push_back({plan.layout.header.names[i], std::string(plan.columns[i].type)});
  }
  result.parquet_bytes = written.parquet_bytes;
  OA_ASSIGN(result.version, written.version->commit());
  return result;
}

}  // namespace

Result<ImportResult> import_csv_as(SealedObjects& objects, const RangedSource& csv,
                                   const ObjectKey& target, const CsvLayout& layout,
                                   Progress& progress) {
  OA_ASSIGN(Plan plan, first_look(csv, layout, progress));
  {
    // One pass does when the first look was right about the types; the source watches that it was.
    const ScannedSource scanned(csv, layout.header.end, new_scanner(layout), plan.columns);
    auto written = write_parquet(objects, scanned, target, plan, progress);
    if (!scanned.mismatch()) {
      if (!written.ok()) return std::move(written).error();
      OA_ASSIGN(const std::uint64_t rows_in_file, scanned.row_count());
      return commit(std::move(written).value(), plan, rows_in_file);
    }
  }
  CsvScanner scanner = new_scanner(layout);
  progress.begin("inspect", csv.size(), "bytes");
  OA_TRY(scan(csv, layout.header.end, csv.size(), scanner, progress));
  plan.columns = scanner.readings();
  OA_ASSIGN(Written written, write_parquet(objects, csv, target, plan, progress));
  return commit(std::move(written), plan, scanner.row_count());
}

Status check_csv_size(const RangedSource& csv, std::uint64_t max_bytes) {
  if (csv.size() <= max_bytes) return {};
  return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                    "The file is larger than " + format_size(max_bytes));
}

Result<ImportResult> import_csv(SealedObjects& objects, const RangedSource& csv,
                                const ObjectKey& target, const CsvOptions& options,
                                Progress& progress) {
  OA_TRY(check_csv_size(csv, options.max_bytes));
  CsvLayout layout;
  OA_ASSIGN(layout.header, read_csv_header(csv, options));
  return import_csv_as(objects, csv, target, layout, progress);
}

}  // namespace oa::analytics
