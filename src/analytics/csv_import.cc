#include <algorithm>

#include "csv_header.h"
#include "csv_rejection.h"
#include "csv_scanner.h"
#include "sandbox.h"

namespace oa::analytics {
namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
// What the column types are first guessed from. A wrong guess costs a pass over the file, so it is
// generous.
constexpr std::uint64_t kFirstLookBytes = 8 * kPieceBytes;
// What follows keeps an import within the sandbox's memory. A row group is held by each thread
// until it is whole: bounded by bytes for wide rows, and at most DuckDB's own choice of rows for
// narrow ones. Each thread also sets aside a dictionary per column, 1 MiB of it by default. Past
// kManyColumns both threads and dictionaries are too much.
constexpr std::uint64_t kRowGroupBytes = 32 * kPieceBytes;
constexpr std::uint64_t kMinRowGroupRows = 512;
constexpr std::uint64_t kMaxRowGroupRows = 122880;
constexpr std::uint64_t kDictionaryBytes = 64 * kPieceBytes;
constexpr std::uint64_t kMinDictionaryBytes = 4096;
constexpr std::size_t kManyColumns = 200;

struct Plan {
  CsvHeader header;
  std::vector<std::string_view> types;
  std::uint64_t row_group_rows = kMaxRowGroupRows;
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
  return {};
}

CsvScanner new_scanner(const CsvHeader& header) {
  return CsvScanner(header.delimiter, header.names.size());
}

Result<Plan> first_look(const RangedSource& csv, const CsvOptions& options, Progress& progress) {
  Plan plan;
  OA_ASSIGN(plan.header, read_csv_header(csv, options));
  const std::uint64_t end = std::min(csv.size(), plan.header.end + kFirstLookBytes);
  progress.begin("look", end, "bytes");
  CsvScanner scanner = new_scanner(plan.header);
  OA_TRY(scan(csv, plan.header.end, end, scanner, progress));
  plan.types = scanner.types();
  const std::uint64_t row_bytes =
      (end - plan.header.end) / std::max<std::uint64_t>(scanner.row_count(), 1);
  plan.row_group_rows = std::clamp(kRowGroupBytes / std::max<std::uint64_t>(row_bytes, 1),
                                   kMinRowGroupRows, kMaxRowGroupRows);
  return plan;
}

bool has_many_columns(const Plan& plan) { return plan.types.size() > kManyColumns; }

// Every option is said, none left to DuckDB's detection: what it finds depends on a sample, and it
// may skip lines.
std::string copy_statement(const Plan& plan) {
  std::string columns;
  for (std::size_t i = 0; i < plan.types.size(); ++i) {
    if (i > 0) columns += ',';
    columns += sql_literal(plan.header.names[i]);
    columns += ':';
    columns += sql_literal(plan.types[i]);
  }
  const std::uint64_t dictionary_bytes =
      has_many_columns(plan) ? kMinDictionaryBytes
                             : std::min(kDictionaryBytes / plan.types.size(), kPieceBytes);
  return "COPY (SELECT * FROM read_csv(" + sql_literal(kInputPath) +
         ", auto_detect=false, header=true, skip=0, comment='', quote='\"', escape='\"', delim=" +
         sql_literal({&plan.header.delimiter, 1}) +
         ", strict_mode=true, null_padding=false, compression='none', hive_partitioning=false, "
         "max_line_size=" +
         std::to_string(kMaxLineBytes) + ", columns={" + columns + "})) TO " +
         sql_literal(kOutputPath) +
         " (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, "
         "STRING_DICTIONARY_PAGE_SIZE_LIMIT " +
         std::to_string(dictionary_bytes) +
         (has_many_columns(plan) ? ", DICTIONARY_SIZE_LIMIT 1" : "") + ", ROW_GROUP_SIZE " +
         std::to_string(plan.row_group_rows) + ")";
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
  OA_ASSIGN(const auto sandbox, Sandbox::create(&csv, written.version.get(),
                                                has_many_columns(plan) ? 1 : kSandboxThreads));
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
  for (std::size_t i = 0; i < plan.types.size(); ++i) {
    result.rows.columns.push_back({plan.header.names[i], std::string(plan.types[i])});
  }
  result.parquet_bytes = written.parquet_bytes;
  OA_ASSIGN(result.version, written.version->commit());
  return result;
}

}  // namespace

Result<ImportResult> import_csv(SealedObjects& objects, const RangedSource& csv,
                                const ObjectKey& target, const CsvOptions& options,
                                Progress& progress) {
  if (csv.size() > options.max_bytes) {
    return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                      "The file is larger than " + format_size(options.max_bytes));
  }
  OA_ASSIGN(Plan plan, first_look(csv, options, progress));
  {
    // One pass does when the first look was right about the types; the source watches that it was.
    const ScannedSource scanned(csv, plan.header.end, new_scanner(plan.header), plan.types);
    auto written = write_parquet(objects, scanned, target, plan, progress);
    if (written.ok()) {
      OA_ASSIGN(const std::uint64_t rows_in_file, scanned.row_count());
      return commit(std::move(written).value(), plan, rows_in_file);
    }
    if (!scanned.mismatch()) return std::move(written).error();
  }
  CsvScanner scanner = new_scanner(plan.header);
  progress.begin("inspect", csv.size(), "bytes");
  OA_TRY(scan(csv, plan.header.end, csv.size(), scanner, progress));
  plan.types = scanner.types();
  OA_ASSIGN(Written written, write_parquet(objects, csv, target, plan, progress));
  return commit(std::move(written), plan, scanner.row_count());
}

}  // namespace oa::analytics
