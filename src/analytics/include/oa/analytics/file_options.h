// How a file that somebody brought is to be read. Kept with the file, so that a refresh from it
// imports alike.
#pragma once

#include <string>
#include <vector>

#include "oa/base/json.h"

namespace oa::analytics {

/// kAuto: by content. A zip with [Content_Types].xml is .xlsx, an OLE2 file is .xls, text is CSV.
enum class FileFormat : std::uint8_t { kAuto, kCsv, kXlsx, kXls };

/// Of a CSV file. kLatin1 is Windows-1252, as in browsers: a superset of ISO 8859-1's text. kAuto:
/// a byte order mark; else UTF-16 when every other byte is often NUL, beside line breaks above all;
/// else UTF-8, or Latin-1 when the file has bytes above 127 and none of them are UTF-8.
enum class TextEncoding : std::uint8_t { kAuto, kUtf8, kLatin1, kUtf16Le, kUtf16Be };

enum class Choice : std::uint8_t { kAuto, kYes, kNo };

/// Of dates like 03/04/2024 and 03.04.2024.
enum class DateOrder : std::uint8_t { kNone, kDmy, kMdy };

/// Bounds of what an import takes; not kept with the file. Past them: kLimitExceeded.
struct FileLimits {
  std::uint64_t max_bytes = std::uint64_t{64} << 30;      // of a CSV file
  std::uint64_t max_xlsx_bytes = std::uint64_t{1} << 30;  // of an .xlsx file
  std::uint64_t max_xls_bytes = std::uint64_t{64} << 20;  // of an .xls file; it is read in memory
  std::uint64_t max_expanded_bytes = std::uint64_t{8} << 30;  // of all parts of an .xlsx file read
  std::uint64_t max_expansion = 200;  // bytes out of one byte, of a part larger than 16 MiB
  std::uint64_t max_shared_text_bytes = std::uint64_t{256} << 20;  // in memory, of a workbook
  std::size_t max_columns = 2000;
  std::size_t max_cell_bytes = std::size_t{1} << 20;  // of a sheet; a CSV line has 2000000 at most
};

struct FileOptions {
  FileFormat format = FileFormat::kAuto;
  TextEncoding encoding = TextEncoding::kAuto;
  char delimiter = 0;  // 0: guessed, one of , ; tab |
  /// Whether the first line names the columns. kAuto: it does when one of its values could be a
  /// name: is neither empty, nor a number, date or boolean, nor there twice. Without names the
  /// columns are column1, column2 …
  Choice header = Choice::kAuto;
  /// Whether numbers of a CSV file are written 1.234,56. kAuto: in a column all of whose values are
  /// and one of which, like 12,5, cannot be 12,500 with a thousands separator. kYes: in all
  /// columns, so that 1.234 is 1234. A column with 1,234 alone, or with 1.234 alone beside a column
  /// of decimal commas, stays text.
  Choice decimal_comma = Choice::kAuto;
  /// Texts that mean an empty cell, besides the empty text: at most 16, each at most 48 bytes.
  std::vector<std::string> null_texts;
  /// How dd.mm.yyyy, dd/mm/yyyy, mm.dd.yyyy and mm/dd/yyyy of a CSV file become dates. kNone: when
  /// only one order fits all values of the column, some day being above 12; else they stay text.
  DateOrder date_order = DateOrder::kNone;
  /// The sheet's name, of a workbook; empty: the first that is not hidden.
  std::string sheet;
  FileLimits limits;
};

/// Every member but the limits.
json::value to_json(const FileOptions& options);
/// Strict: kInvalidArgument naming the member that is unknown, of another type or not valid.
/// Members that are not there have their defaults. The limits are the defaults.
Result<FileOptions> file_options_from_json(const json::value& value);
/// kInvalidArgument when the options are not valid (delimiter, null texts, sheet's name).
Status check(const FileOptions& options);

}  // namespace oa::analytics
