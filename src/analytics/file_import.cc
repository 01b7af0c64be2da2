#include "oa/analytics/file_import.h"

#include "csv_bad_lines.h"
#include "csv_dialect.h"
#include "even_lines.h"
#include "file_format.h"
#include "transcoded_source.h"
#include "workbook_import.h"

namespace oa::analytics {
namespace {

// What the encoding is first guessed from.
constexpr std::uint64_t kEncodingLookBytes = std::uint64_t{1} << 20;

std::string encoding_name(TextEncoding encoding) {
  switch (encoding) {
    case TextEncoding::kUtf16Le:
    case TextEncoding::kUtf16Be:
      return "UTF-16";
    case TextEncoding::kLatin1:
      return "Windows-1252";
    default:
      return "UTF-8";
  }
}

/// The import of CSV in UTF-8, whose line breaks are made alike only when they may be why it is
/// refused; a file that is still refused is searched for all of its bad lines.
Result<ImportResult> import_text(SealedObjects& objects, const RangedSource& text,
                                 const ObjectKey& target, const FileOptions& options,
                                 TextEncoding encoding, RejectedRows& rejected,
                                 Progress& progress) {
  BadLineRules rules{.encoding = encoding_name(encoding)};
  const auto refused = [](const Result<ImportResult>& result) {
    return !result.ok() && result.error().code == ErrorCode::kImportRejected;
  };
  const auto imported = [&]() -> Result<ImportResult> {
    OA_ASSIGN(CsvLayout layout, read_csv_layout(text, options));
    rules.delimiter = layout.header.delimiter;
    rules.columns = layout.header.names.size();
    rules.has_header = layout.rules.starts_in_header;
    std::optional<Result<ImportResult>> as_it_is;
    if (!layout.misleading_break) {
      as_it_is = import_csv_as(objects, text, target, layout, progress);
      if (!refused(*as_it_is)) return *std::move(as_it_is);
    }
    OA_ASSIGN(const auto even,
              EvenLines::create(text, rules.delimiter, layout.first_break, progress));
    if (even == nullptr && as_it_is) return *std::move(as_it_is);
    if (even == nullptr) return import_csv_as(objects, text, target, layout, progress);
    OA_ASSIGN(layout, read_csv_layout(*even, options));
    return import_csv_as(objects, *even, target, layout, progress);
  }();
  if (!refused(imported)) return imported;
  OA_ASSIGN(auto first, find_bad_lines(text, rules, rejected, progress));
  if (!first) return imported;
  if (rejected.total > 1) {
    first->message += " (and " + std::to_string(rejected.total - 1) + " more lines are bad)";
  }
  return *std::move(first);
}

Result<ImportResult> import_encoded(SealedObjects& objects, const RangedSource& file,
                                    const ObjectKey& target, const FileOptions& options,
                                    TextEncoding encoding, RejectedRows& rejected,
                                    Progress& progress) {
  if (encoding == TextEncoding::kUtf8) {
    return import_text(objects, file, target, options, encoding, rejected, progress);
  }
  OA_ASSIGN(const auto text, TranscodedSource::create(file, encoding, progress));
  return import_text(objects, *text, target, options, encoding, rejected, progress);
}

Result<ImportResult> import_csv_file(SealedObjects& objects, const RangedSource& file,
                                     const ObjectKey& target, const FileOptions& options,
                                     RejectedRows& rejected, Progress& progress) {
  OA_TRY(check_csv_size(file, options.limits.max_bytes));
  const bool guess = options.encoding == TextEncoding::kAuto;
  TextEncoding encoding = options.encoding;
  if (guess) {
    OA_ASSIGN(encoding, detect_encoding(file, kEncodingLookBytes));
  }
  auto imported = import_encoded(objects, file, target, options, encoding, rejected, progress);
  const bool refused = !imported.ok() && imported.error().code == ErrorCode::kImportRejected;
  if (!refused || !guess || encoding != TextEncoding::kUtf8) return imported;
  // The first byte above 127 may stand far behind.
  OA_ASSIGN(encoding, detect_encoding(file, file.size()));
  if (encoding == TextEncoding::kUtf8) return imported;
  rejected = {};
  return import_encoded(objects, file, target, options, encoding, rejected, progress);
}

}  // namespace

Result<ImportResult> import_file(SealedObjects& objects, const RangedSource& file,
                                 const ObjectKey& target, const FileOptions& options,
                                 RejectedRows& rejected, Progress& progress) {
  rejected = {};
  OA_TRY(check(options));
  OA_ASSIGN(const FileFormat format, detect_format(file, options.format));
  if (format == FileFormat::kCsv) {
    return import_csv_file(objects, file, target, options, rejected, progress);
  }
  return import_workbook(objects, file, format, target, options, progress);
}

Result<std::vector<std::string>> sheet_names(const RangedSource& file, const FileOptions& options) {
  OA_TRY(check(options));
  OA_ASSIGN(const FileFormat format, detect_format(file, options.format));
  if (format == FileFormat::kCsv) return std::vector<std::string>();
  return workbook_sheet_names(file, format, options);
}

}  // namespace oa::analytics
