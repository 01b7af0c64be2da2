#include "oa/workbooks/xlsx_parts.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "oa/base/utf8.h"

namespace oa::workbooks {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxRelationships = 10'000;
constexpr std::size_t kMaxSheets = 1'000;
constexpr std::size_t kMaxStyles = 65'536;
constexpr std::size_t kMaxSheetNameBytes = 255;

Error too_many(std::string_view what) {
  return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                    "The workbook has more " + std::string(what) + " than an import takes");
}

std::string_view last_segment(std::string_view address) {
  return address.substr(address.rfind('/') + 1);
}

// "xl/" + "../a/b.xml" is "a/b.xml".
std::string resolve(std::string_view folder, std::string_view target) {
  if (target.starts_with('/')) return std::string(target.substr(1));
  while (target.starts_with("../")) {
    target.remove_prefix(3);
    if (!folder.empty()) folder.remove_suffix(1);
    folder = folder.substr(0, folder.rfind('/') + 1);
  }
  if (target.starts_with("./")) target.remove_prefix(2);
  return std::string(folder) + std::string(target);
}

unsigned to_number(std::string_view text) {
  unsigned number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// A handler that needs no text.
class Elements : public XmlHandler {
 public:
  Status end(std::string_view) override { return {}; }
  Status text(std::string_view) override { return {}; }
};

class RelationshipsHandler final : public Elements {
 public:
  explicit RelationshipsHandler(std::string_view folder) : folder_(folder) {}
  Status start(std::string_view name, const XmlAttributes& attributes) override {
    if (name != "Relationship" || attributes.get("TargetMode") == "External") return {};
    if (found.size() == kMaxRelationships) return too_many("parts");
    found.push_back({std::string(attributes.get("Id")),
                     std::string(last_segment(attributes.get("Type"))),
                     resolve(folder_, attributes.get("Target"))});
    return {};
  }
  std::vector<Relationship> found;

 private:
  const std::string folder_;
};

class WorkbookHandler final : public Elements {
 public:
  Status start(std::string_view name, const XmlAttributes& attributes) override {
    if (!in_workbook_) {
      in_workbook_ = name == "workbook";
      return in_workbook_ ? Status() : damaged_workbook("its main part is no workbook");
    }
    if (name == "workbookPr") found.system_1904 = attributes.flag("date1904");
    if (name != "sheet") return {};
    if (found.sheets.size() == kMaxSheets) return too_many("sheets");
    const std::string_view sheet = attributes.get("name");
    if (sheet.size() > kMaxSheetNameBytes) return damaged_workbook("a sheet's name is too long");
    // The relationship's attribute has a prefix; the sheet's own number is called sheetId.
    found.sheets.push_back({{std::string(sheet), attributes.get("state").starts_with("hidden") ||
                                                     attributes.get("state") == "veryHidden"},
                            std::string(attributes.get("id"))});
    return {};
  }
  WorkbookPart found;

 private:
  bool in_workbook_ = false;
};

class StylesHandler final : public Elements {
 public:
  Status start(std::string_view name, const XmlAttributes& attributes) override {
    if (name == "cellXfs") in_cells_ = true;
    if (name == "numFmt") {
      if (formats_.size() == kMaxStyles) return too_many("number formats");
      formats_[to_number(attributes.get("numFmtId"))] =
          meaning_of_format(attributes.get("formatCode"));
    }
    if (name != "xf" || !in_cells_) return {};
    if (styles_.size() == kMaxStyles) return too_many("styles");
    styles_.push_back(to_number(attributes.get("numFmtId")));
    return {};
  }
  Status end(std::string_view name) override {
    if (name == "cellXfs") in_cells_ = false;
    return {};
  }
  std::vector<NumberMeaning> meanings() const {
    std::vector<NumberMeaning> meanings;
    for (const unsigned id : styles_) {
      const auto own = formats_.find(id);
      meanings.push_back(own != formats_.end() ? own->second : meaning_of_builtin(id));
    }
    return meanings;
  }

 private:
  std::map<unsigned, NumberMeaning> formats_;
  std::vector<unsigned> styles_;
  bool in_cells_ = false;
};

class SharedTextsHandler final : public XmlHandler {
 public:
  explicit SharedTextsHandler(const SheetLimits& limits) : limits_(limits) {}
  Status start(std::string_view name, const XmlAttributes&) override {
    if (name == "si") text_.clear();
    if (name == "rPh") in_phonetic_ = true;
    in_text_ = name == "t" && !in_phonetic_;
    return {};
  }
  Status text(std::string_view piece) override {
    if (!in_text_) return {};
    text_ += piece;
    if (text_.size() <= limits_.max_cell_bytes) return {};
    return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                      "A cell has more than " + format_size(limits_.max_cell_bytes));
  }
  Status end(std::string_view name) override {
    if (name == "t") in_text_ = false;
    if (name == "rPh") in_phonetic_ = false;
    if (name != "si") return {};
    unescape(text_);
    found.add(text_);
    if (found.memory_bytes() <= limits_.max_shared_text_bytes) return {};
    return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                      "The workbook has more than " + format_size(limits_.max_shared_text_bytes) +
                          " of different texts")
        .with_hint("Save the table as CSV and import that");
  }
  SharedTexts found;

 private:
  const SheetLimits limits_;
  std::string text_;
  bool in_text_ = false;
  bool in_phonetic_ = false;
};

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

}  // namespace

Error damaged_workbook(std::string cause) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", "The workbook is damaged")
      .with_hint("Open it in a spreadsheet program, save it again as .xlsx and import that")
      .with_cause(std::move(cause));
}

Status read_part(const ZipArchive& zip, const ZipEntry& part, XmlHandler& handler) {
  OA_ASSIGN(const auto stream, zip.read(part));
  XmlReader reader(handler);
  Bytes piece(kPieceBytes);
  for (std::size_t count = 1; count > 0;) {
    OA_ASSIGN(count, stream->read(piece));
    OA_TRY(reader.feed(ByteView(piece).first(count), count == 0));
  }
  return {};
}

Result<std::vector<Relationship>> read_relationships(const ZipArchive& zip, std::string_view part) {
  const std::string_view base = last_segment(part);
  const std::string_view folder = part.substr(0, part.size() - base.size());
  const ZipEntry* entry = zip.find(std::string(folder) + "_rels/" + std::string(base) + ".rels");
  if (entry == nullptr) return std::vector<Relationship>();
  RelationshipsHandler handler(folder);
  OA_TRY(read_part(zip, *entry, handler));
  return std::move(handler.found);
}

Result<WorkbookPart> read_workbook(const ZipArchive& zip, const ZipEntry& part) {
  WorkbookHandler handler;
  OA_TRY(read_part(zip, part, handler));
  return std::move(handler.found);
}

Result<std::vector<NumberMeaning>> read_styles(const ZipArchive& zip, const ZipEntry& part) {
  StylesHandler handler;
  OA_TRY(read_part(zip, part, handler));
  return handler.meanings();
}

std::string_view SharedTexts::at(std::size_t index) const {
  OA_ASSERT(index < ends_.size());
  const std::uint64_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(bytes_).substr(begin, ends_[index] - begin);
}

void SharedTexts::add(std::string_view text) {
  bytes_ += text;
  ends_.push_back(bytes_.size());
}

Result<SharedTexts> read_shared_texts(const ZipArchive& zip, const ZipEntry& part,
                                      const SheetLimits& limits) {
  SharedTextsHandler handler(limits);
  OA_TRY(read_part(zip, part, handler));
  return std::move(handler.found);
}

void unescape(std::string& text) {
  constexpr std::size_t kEscapeBytes = 7;  // _xHHHH_
  for (std::size_t at = text.find("_x"); at != std::string::npos; at = text.find("_x", at + 1)) {
    if (at + kEscapeBytes > text.size() || text[at + 6] != '_' || !is_hex({&text[at + 2], 4}))
      continue;
    unsigned unit = 0;
    std::from_chars(&text[at + 2], &text[at + 6], unit, 16);
    if (unit == 0 || (unit >= 0xD800 && unit < 0xE000)) continue;  // no text by itself
    std::string character;
    append_utf8(character, unit);
    text.replace(at, kEscapeBytes, character);
  }
}

}  // namespace oa::workbooks
