#include "oa/analytics/file_options.h"

#include <algorithm>
#include <optional>
#include <span>

#include "oa/base/bytes.h"
#include "value_types.h"

namespace oa::analytics {
namespace {

constexpr std::size_t kMaxNullTexts = 16;
constexpr std::size_t kMaxSheetNameBytes = 31 * 4;  // Excel's limit is 31 characters

template <class Enum>
struct Named {
  Enum value;
  std::string_view name;
};

constexpr Named<FileFormat> kFormats[] = {{FileFormat::kAuto, "auto"},
                                          {FileFormat::kCsv, "csv"},
                                          {FileFormat::kXlsx, "xlsx"},
                                          {FileFormat::kXls, "xls"}};
constexpr Named<TextEncoding> kEncodings[] = {{TextEncoding::kAuto, "auto"},
                                              {TextEncoding::kUtf8, "utf-8"},
                                              {TextEncoding::kLatin1, "latin-1"},
                                              {TextEncoding::kUtf16Le, "utf-16le"},
                                              {TextEncoding::kUtf16Be, "utf-16be"}};
constexpr Named<Choice> kChoices[] = {
    {Choice::kAuto, "auto"}, {Choice::kYes, "yes"}, {Choice::kNo, "no"}};
constexpr Named<DateOrder> kDateOrders[] = {
    {DateOrder::kNone, "none"}, {DateOrder::kDmy, "dmy"}, {DateOrder::kMdy, "mdy"}};

template <class Enum, std::size_t n>
std::string_view name_of(Enum value, const Named<Enum> (&names)[n]) {
  return std::ranges::find(names, value, &Named<Enum>::value)->name;
}

template <class Enum, std::size_t n>
Enum value_of(ObjectReader& reader, std::string_view member, const Named<Enum> (&names)[n]) {
  if (reader.find(member) == nullptr) return names[0].value;
  const std::string text = reader.text(member);
  const auto* found = std::ranges::find(names, std::string_view(text), &Named<Enum>::name);
  if (found != std::end(names)) return found->value;
  reader.fail(member, "is none of its values");
  return names[0].value;
}

Error refused(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, "analytics.import", std::move(message));
}

}  // namespace

json::value to_json(const FileOptions& options) {
  json::array nulls;
  for (const std::string& text : options.null_texts) nulls.emplace_back(text);
  json::object object;
  object["format"] = name_of(options.format, kFormats);
  object["encoding"] = name_of(options.encoding, kEncodings);
  object["delimiter"] = options.delimiter == 0 ? std::string() : std::string(1, options.delimiter);
  object["header"] = name_of(options.header, kChoices);
  object["decimal_comma"] = name_of(options.decimal_comma, kChoices);
  object["null_texts"] = std::move(nulls);
  object["date_order"] = name_of(options.date_order, kDateOrders);
  object["sheet"] = options.sheet;
  return object;
}

Result<FileOptions> file_options_from_json(const json::value& value) {
  ObjectReader reader(value, "options");
  FileOptions options;
  options.format = value_of(reader, "format", kFormats);
  options.encoding = value_of(reader, "encoding", kEncodings);
  if (reader.find("delimiter") != nullptr) {
    const std::string text = reader.text("delimiter");
    if (text.size() > 1) reader.fail("delimiter", "is longer than one byte");
    options.delimiter = text.empty() ? '\0' : text[0];
  }
  options.header = value_of(reader, "header", kChoices);
  options.decimal_comma = value_of(reader, "decimal_comma", kChoices);
  if (reader.find("null_texts") != nullptr) {
    for (const json::value& item : reader.array("null_texts")) {
      if (const auto* text = item.if_string()) {
        options.null_texts.emplace_back(text->c_str(), text->size());
      } else {
        reader.fail("null_texts", "holds what is no text");
      }
    }
  }
  options.date_order = value_of(reader, "date_order", kDateOrders);
  if (reader.find("sheet") != nullptr) options.sheet = reader.text("sheet");
  OA_TRY(reader.finish());
  OA_TRY(check(options));
  return options;
}

Status check(const FileOptions& options) {
  const char d = options.delimiter;
  if (d < 0 || d == '"' || d == '\n' || d == '\r') {
    return refused("This character cannot be a delimiter");
  }
  if (options.null_texts.size() > kMaxNullTexts) {
    return refused("There are more than " + std::to_string(kMaxNullTexts) +
                   " texts that mean an empty cell");
  }
  for (const std::string& text : options.null_texts) {
    if (text.empty() || text.size() > kMaxTypedBytes || !is_utf8(text) ||
        text.find_first_of(std::string_view("\0\r\n\"", 4)) != std::string::npos) {
      return refused("A text that means an empty cell is not one to " +
                     std::to_string(kMaxTypedBytes) +
                     " bytes of UTF-8 without quotes and line breaks");
    }
  }
  if (options.sheet.size() > kMaxSheetNameBytes || !is_utf8(options.sheet)) {
    return refused("The sheet's name is longer than a sheet's name can be");
  }
  return {};
}

}  // namespace oa::analytics
