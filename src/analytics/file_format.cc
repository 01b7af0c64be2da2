#include "file_format.h"

#include <algorithm>

#include "transcoded_source.h"

namespace oa::analytics {
namespace {

constexpr std::size_t kLookBytes = 4096;
// A text has hardly any control characters besides tab and line breaks.
constexpr std::size_t kBytesPerControl = 20;
constexpr std::size_t kFewControls = 4;

struct Magic {
  std::string_view bytes;
  std::string_view name;
};

using namespace std::string_view_literals;
constexpr Magic kOthers[] = {{"%PDF-"sv, "a PDF document"},
                             {"{\\rtf"sv, "a rich text document"},
                             {"\x1F\x8B"sv, "packed by gzip"},
                             {"BZh"sv, "packed by bzip2"},
                             {"\x28\xB5\x2F\xFD"sv, "packed by zstd"},
                             {"\xFD"
                              "7zXZ\0"sv,
                              "packed by xz"},
                             {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive"},
                             {"Rar!\x1A\x07"sv, "a RAR archive"},
                             {"\x89PNG"sv, "a picture"},
                             {"\xFF\xD8\xFF"sv, "a picture"},
                             {"GIF8"sv, "a picture"},
                             {"\x7F"
                              "ELF"sv,
                              "a program"},
                             {"PAR1"sv, "a Parquet file"},
                             {"SQLite format 3\0"sv, "an SQLite database"}};
constexpr std::string_view kZip = "PK\x03\x04"sv;
constexpr std::string_view kEmptyZip = "PK\x05\x06"sv;
constexpr std::string_view kOle2 = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv;

Error refused(std::string message, std::string hint) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", std::move(message))
      .with_hint(std::move(hint));
}

// Too many control characters.
bool is_binary(std::string_view look) {
  if (utf16_of(as_bytes(look)) != TextEncoding::kAuto) return false;
  const auto controls = static_cast<std::size_t>(std::ranges::count_if(look, [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte < 32 && byte != '\t' && byte != '\n' && byte != '\r';
  }));
  return controls > kFewControls && controls * kBytesPerControl > look.size();
}

Result<FileFormat> format_of(std::string_view look) {
  if (look.starts_with(kZip) || look.starts_with(kEmptyZip)) return FileFormat::kXlsx;
  if (look.starts_with(kOle2)) return FileFormat::kXls;
  const std::string hint = "Save the table as CSV or .xlsx and import that";
  for (const Magic& other : kOthers) {
    if (look.starts_with(other.bytes)) {
      return refused("The file is " + std::string(other.name) + ", not a table", hint);
    }
  }
  if (is_binary(look)) return refused("The file is not text", hint);
  return FileFormat::kCsv;
}

std::string_view name_of(FileFormat format) {
  return format == FileFormat::kXlsx  ? "an .xlsx workbook"
         : format == FileFormat::kXls ? "an .xls workbook"
                                      : "CSV";
}

}  // namespace

Result<FileFormat> detect_format(const RangedSource& file, FileFormat chosen) {
  std::string look(std::min<std::uint64_t>(file.size(), kLookBytes), '\0');
  OA_TRY(file.read_at(0, {reinterpret_cast<std::uint8_t*>(look.data()), look.size()}));
  OA_ASSIGN(const FileFormat format, format_of(look));
  if (chosen == FileFormat::kAuto || chosen == format) return format;
  return refused("The file is not " + std::string(name_of(chosen)),
                 "Leave the format to be found by the file's content");
}

}  // namespace oa::analytics
