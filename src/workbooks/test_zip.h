// Zip archives and workbooks made by hand, for tests.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oa::workbooks {

struct TestZipForm {
  bool stored = false;
  bool zip64 = false;            // sizes and offsets in zip64 fields
  bool data_descriptor = false;  // sizes behind the data
  bool encrypted = false;
  std::int64_t size_lie = 0;  // added to every declared size
  std::uint32_t crc_lie = 0;
};

struct TestFile {
  std::string name, content;
};

class TestZip {
 public:
  static std::string of(const std::vector<TestFile>& files, TestZipForm form = {}) {
    TestZip zip(form);
    for (const TestFile& file : files) zip.add(file);
    return zip.finish(files.size());
  }

 private:
  explicit TestZip(TestZipForm form) : form_(form) {}

  static void put(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
  }

  static std::string deflated(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
  }

  void add(const TestFile& file) {
    const std::string packed = form_.stored ? file.content : deflated(file.content);
    const std::uint64_t size = file.content.size() + static_cast<std::uint64_t>(form_.size_lie);
    const std::uint32_t crc =
        static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(file.content.data()),
                                         static_cast<uInt>(file.content.size()))) ^
        form_.crc_lie;
    const std::uint64_t offset = out_.size();
    const int flags = (form_.data_descriptor ? 8 : 0) | (form_.encrypted ? 1 : 0);
    const auto common = [&](std::string& to, bool local) {
      put(to, 45, 2);
      put(to, static_cast<std::uint64_t>(flags), 2);
      put(to, form_.stored ? 0 : 8, 2);
      put(to, 0, 4);
      const bool later = local && form_.data_descriptor;
      put(to, later ? 0 : crc, 4);
      put(to, later ? 0 : form_.zip64 ? 0xFFFFFFFF : packed.size(), 4);
      put(to, later ? 0 : form_.zip64 ? 0xFFFFFFFF : size, 4);
      put(to, file.name.size(), 2);
    };
    put(out_, 0x04034b50, 4);
    common(out_, true);
    std::string extra;
    if (form_.zip64) {
      put(extra, 1, 2);
      put(extra, 24, 2);
      put(extra, size, 8);
      put(extra, packed.size(), 8);
      put(extra, offset, 8);
    }
    put(out_, extra.size(), 2);
    out_ += file.name + extra + packed;
    if (form_.data_descriptor) {
      put(out_, 0x08074b50, 4);
      put(out_, crc, 4);
      put(out_, packed.size(), form_.zip64 ? 8 : 4);
      put(out_, size, form_.zip64 ? 8 : 4);
    }
    put(directory_, 0x02014b50, 4);
    put(directory_, 45, 2);
    common(directory_, false);
    put(directory_, extra.size(), 2);
    put(directory_, 0, 2 + 2 + 2 + 4);
    put(directory_, form_.zip64 ? 0xFFFFFFFF : offset, 4);
    directory_ += file.name + extra;
  }

  std::string finish(std::size_t entries) {
    const std::uint64_t offset = out_.size();
    out_ += directory_;
    if (form_.zip64) {
      const std::uint64_t end64 = out_.size();
      put(out_, 0x06064b50, 4);
      put(out_, 44, 8);
      put(out_, 45, 2);
      put(out_, 45, 2);
      put(out_, 0, 8);
      put(out_, entries, 8);
      put(out_, entries, 8);
      put(out_, directory_.size(), 8);
      put(out_, offset, 8);
      put(out_, 0x07064b50, 4);
      put(out_, 0, 4);
      put(out_, end64, 8);
      put(out_, 1, 4);
    }
    put(out_, 0x06054b50, 4);
    put(out_, 0, 4);
    put(out_, form_.zip64 ? 0xFFFF : entries, 2);
    put(out_, form_.zip64 ? 0xFFFF : entries, 2);
    put(out_, form_.zip64 ? 0xFFFFFFFF : directory_.size(), 4);
    put(out_, form_.zip64 ? 0xFFFFFFFF : offset, 4);
    put(out_, 0, 2);
    return out_;
  }

  const TestZipForm form_;
  std::string out_, directory_;
};

/// A workbook of one sheet. What is between the outermost tags of its parts is given.
struct TestWorkbook {
  std::string rows = {};                 // of sheetData
  std::string shared = {};               // si elements
  std::string formats = {};              // numFmt elements
  std::vector<int> styles = {};          // numFmtId of each cell style
  std::string workbook_properties = {};  // e.g. <workbookPr date1904="1"/>
  std::string sheet_prolog = {};         // before the sheet's root

  std::vector<TestFile> files() const {
    const std::string type = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
    const auto relationship = [&](const std::string& id, const std::string& kind,
                                  const std::string& target) {
      return "<Relationship Id=\"" + id + "\" Type=\"" + type + kind + "\" Target=\"" + target +
             "\"/>";
    };
    std::string cell_styles;
    for (const int id : styles) cell_styles += "<xf numFmtId=\"" + std::to_string(id) + "\"/>";
    return {
        {"[Content_Types].xml", "<Types/>"},
        {"_rels/.rels", "<Relationships>" +
                            relationship("rId1", "officeDocument", "xl/workbook.xml") +
                            "</Relationships>"},
        {"xl/workbook.xml", "<workbook>" + workbook_properties +
                                "<sheets><sheet name=\"One\" sheetId=\"7\" r:id=\"a\"/></sheets>"
                                "</workbook>"},
        {"xl/_rels/workbook.xml.rels",
         "<Relationships>" + relationship("a", "worksheet", "worksheets/sheet1.xml") +
             relationship("b", "sharedStrings", "/xl/sharedStrings.xml") +
             relationship("c", "styles", "../xl/styles.xml") + "</Relationships>"},
        {"xl/sharedStrings.xml", "<sst>" + shared + "</sst>"},
        {"xl/styles.xml", "<styleSheet><numFmts>" + formats +
                              "</numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
                              "<cellXfs>" +
                              cell_styles + "</cellXfs></styleSheet>"},
        {"xl/worksheets/sheet1.xml",
         sheet_prolog + "<worksheet><sheetData>" + rows + "</sheetData><mergeCells/></worksheet>"}};
  }
  std::string zip(TestZipForm form = {}) const { return TestZip::of(files(), form); }
};

}  // namespace oa::workbooks
