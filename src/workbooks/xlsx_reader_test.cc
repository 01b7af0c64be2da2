#include "oa/workbooks/xlsx_reader.h"

#include <gtest/gtest.h>

#include "test_zip.h"

namespace oa::workbooks {
namespace {

using Kind = SheetCell::Kind;

// The cells of the first sheet as "row.column kind text", one a line; the error's message.
Result<std::string> cells_of(const std::string& zip, const SheetLimits& limits = {}) {
  const MemorySource file(Bytes(zip.begin(), zip.end()));
  OA_ASSIGN(const auto workbook, XlsxWorkbook::open(file, {}, limits));
  if (workbook->sheets().empty()) return std::string("no sheet");
  OA_ASSIGN(const auto sheet, workbook->read(0));
  std::string out;
  while (true) {
    OA_ASSIGN(const SheetRow* row, sheet->next());
    if (row == nullptr) break;
    for (const SheetCell& cell : row->cells) {
      out += std::to_string(row->number) + "." + std::to_string(cell.column) + " ";
      if (cell.kind == Kind::kText) out += "'" + std::string(cell.text) + "'";
      if (cell.kind == Kind::kNumber) out += number_text(cell.number);
      if (cell.kind == Kind::kBoolean) out += cell.number != 0 ? "true" : "false";
      if (cell.kind == Kind::kError) out += "error";
      if (cell.kind == Kind::kDate) out += date_text(cell.ticks);
      if (cell.kind == Kind::kMoment) out += moment_text(cell.ticks);
      if (cell.kind == Kind::kClock) out += clock_text(cell.ticks);
      out += "\n";
    }
  }
  EXPECT_LE(sheet->position(), workbook->packed_bytes(0));
  return out;
}

std::string shown(const TestWorkbook& workbook) {
  const auto cells = cells_of(workbook.zip());
  return cells.ok() ? *cells : cells.error().message + ": " + cells.error().cause;
}

TEST(XlsxReader, CellsOfAllTypes) {
  const TestWorkbook workbook{
      .rows =
          R"(<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="inlineStr"><is><t>in</t></is></c>)"
          R"(<c r="C1" t="str"><f>"a"&amp;"b"</f><v>a&lt;b</v></c><c r="D1"><v>-1.5E2</v></c></row>)"
          R"(<row r="3"><c r="B3" t="b"><v>1</v></c><c r="C3" t="e"><v>#N/A</v></c>)"
          R"(<c r="AA3" s="1"><v>45351</v></c><c r="AB3" s="2"><f>NOW()</f><v>45351.5</v></c>)"
          R"(<c r="AC3" s="0" t="n"><v>7</v></c><c r="AD3" t="d"><v>2024-02-29T12:30:00</v></c>)"
          R"(<c r="AE3" s="3"><v>0.5</v></c><c r="AF3" s="99"><v>1</v></c></row>)",
      .shared = "<si><t>zero</t></si><si><t>one</t></si>",
      .formats = R"(<numFmt numFmtId="164" formatCode="yyyy\-mm\-dd hh:mm"/>)",
      .styles = {0, 14, 164, 46}};
  EXPECT_EQ(shown(workbook),
            "1.0 'one'\n1.1 'in'\n1.2 'a<b'\n1.3 -150\n3.1 true\n3.2 error\n3.26 2024-02-29\n"
            "3.27 2024-02-29 12:00:00\n3.28 7\n3.29 2024-02-29 12:30:00\n3.30 12:00:00\n3.31 1\n");
  TestWorkbook old = workbook;
  old.workbook_properties = "<workbookPr date1904=\"true\"/>";
  EXPECT_NE(shown(old).find("3.26 2028-03-01"), std::string::npos) << "1462 days later";
}

TEST(XlsxReader, TextsInAllForms) {
  const TestWorkbook workbook{
      .rows =
          R"(<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>3</v></c>)"
          R"(<c t="inlineStr"><is><r><t>ri</t></r><r><t xml:space="preserve">ch </t></r></is></c>)"
          R"(<c t="s"><v>4</v></c><c t="str"><v></v></c><c><v/></c><c/></row>)",
      .shared =
          "<si><r><rPr><b/></rPr><t>bo</t></r><r><t>ld</t></r></si>"
          "<si><t>東京</t><rPh sb=\"0\" eb=\"2\"><t>とうきょう</t></rPh></si>"
          "<si><t>line_x000D_\nbreak _x005F_ _x00e9_ _xZZZZ_ _x0000_</t></si>"
          "<si><t/></si><si><t> blank </t><phoneticPr fontId=\"1\"/></si>"};
  EXPECT_EQ(shown(workbook),
            "1.0 'bold'\n1.1 '東京'\n1.2 'line\r\nbreak _ é _xZZZZ_ _x0000_'\n1.4 'rich '\n"
            "1.5 ' blank '\n");
}

TEST(XlsxReader, PrefixedNamesAndUtf16) {
  const std::string rows = R"(<x:row r="2"><x:c r="B2"><x:v>5</x:v></x:c></x:row>)";
  auto files = TestWorkbook{}.files();
  files.back().content = "<?xml version=\"1.0\"?><x:worksheet xmlns:x=\"urn:x\"><x:sheetData>" +
                         rows + "</x:sheetData></x:worksheet>";
  EXPECT_EQ(*cells_of(TestZip::of(files)), "2.1 5\n");
  std::string wide = "\xFF\xFE";
  for (const char c : files.back().content) wide += {c, '\0'};
  files.back().content = wide;
  EXPECT_EQ(*cells_of(TestZip::of(files)), "2.1 5\n");
}

TEST(XlsxReader, DamagedSheetsAreRefused) {
  for (const char* rows :
       {R"(<row r="2"/><row r="2"/>)", R"(<row r="0"/>)", R"(<row r="1048577"/>)",
        R"(<row r="x"/>)", R"(<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>)",
        R"(<row r="1"><c r="A2"><v>1</v></c></row>)", R"(<row r="1"><c r="1"><v>1</v></c></row>)",
        R"(<row r="1"><c r="XFE1"><v>1</v></c></row>)", R"(<row><c t="s"><v>9</v></c></row>)",
        R"(<row><c t="s"><v>-1</v></c></row>)", R"(<row><c><v>seven</v></c></row>)",
        R"(<row><c t="b"><v>2</v></c></row>)", R"(<row><c t="d"><v>soon</v></c></row>)", "<row>",
        "</row>", "\x01", "&unknown;"}) {
    EXPECT_TRUE(shown({.rows = rows}).starts_with("The workbook is damaged")) << rows;
  }
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "<x>";
  EXPECT_TRUE(shown({.rows = deep}).starts_with("The workbook is damaged"));
}

TEST(XlsxReader, DocumentTypesAreRefused) {
  const TestWorkbook bomb{
      .rows = "<row><c t=\"str\"><v>&b;</v></c></row>",
      .sheet_prolog = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"};
  EXPECT_EQ(shown(bomb), "The workbook is damaged: it declares a document type");
  EXPECT_EQ(shown({.sheet_prolog = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">"}),
            "The workbook is damaged: it declares a document type");
}

TEST(XlsxReader, Limits) {
  const std::string text(5000, 'x');
  const TestWorkbook shared{.rows = "<row><c t=\"s\"><v>0</v></c></row>",
                            .shared = "<si><t>" + text + "</t></si>"};
  const TestWorkbook own{.rows = "<row><c t=\"str\"><v>" + text + "</v></c></row>"};
  for (const TestWorkbook& workbook : {shared, own}) {
    EXPECT_TRUE(cells_of(workbook.zip(), {.max_cell_bytes = 5000}).ok());
    const auto cells = cells_of(workbook.zip(), {.max_cell_bytes = 4999});
    ASSERT_FALSE(cells.ok());
    EXPECT_EQ(cells.error().code, ErrorCode::kLimitExceeded);
  }
  const auto cells = cells_of(shared.zip(), {.max_shared_text_bytes = 5000});
  ASSERT_FALSE(cells.ok());
  EXPECT_EQ(cells.error().code, ErrorCode::kLimitExceeded);
  std::string tag(std::size_t{5} << 20, 'x');
  std::uint32_t state = 1;
  for (char& c : tag)
    c = static_cast<char>('a' + ((state = state * 1664525 + 1013904223) >> 24) % 26);
  EXPECT_EQ(shown({.rows = "<row " + tag + "=\"1\"/>"}),
            "The workbook is damaged: a tag is too long");
  std::string wide;
  for (int i = 0; i < 70; ++i)
    wide += "<c t=\"str\"><v>" + tag.substr(0, std::size_t{1} << 20) + "</v></c>";
  EXPECT_TRUE(shown({.rows = "<row>" + wide + "</row>"}).starts_with("Row 1 has more than"));
}

TEST(XlsxReader, OtherZips) {
  const auto message = [](const std::vector<TestFile>& files) {
    const auto cells = cells_of(TestZip::of(files));
    EXPECT_FALSE(cells.ok());
    EXPECT_FALSE(cells.error().hint.empty());
    return cells.error().message;
  };
  EXPECT_EQ(message({{"a.txt", "x"}}), "The file is a zip archive, not an .xlsx workbook");
  EXPECT_EQ(message({{"mimetype", "x"}, {"content.xml", "x"}}),
            "The file is an OpenDocument or e-book file, not an .xlsx workbook");
  auto files = TestWorkbook{}.files();
  files[1].content =
      R"(<Relationships><Relationship Id="a" Type="x/officeDocument" Target="word/document.xml"/></Relationships>)";
  files[2].name = "word/document.xml";
  EXPECT_EQ(message(files), "The file is a document or presentation, not an .xlsx workbook");
  files[1].content =
      R"(<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.bin"/></Relationships>)";
  files[2].name = "xl/workbook.bin";
  EXPECT_EQ(message(files), "The file is an .xlsb workbook, not an .xlsx workbook");
  for (std::size_t missing = 1; missing < 7; ++missing) {
    files = TestWorkbook{}.files();
    files.erase(files.begin() + static_cast<std::ptrdiff_t>(missing));
    EXPECT_EQ(message(files), "The workbook is damaged") << missing;
  }
}

TEST(XlsxReader, SheetsInOrderWithHiddenOnesAndWithoutCharts) {
  auto files = TestWorkbook{}.files();
  files[2].content =
      R"(<workbook><sheets><sheet name="H" state="hidden" r:id="a"/><sheet name="C" r:id="x"/>)"
      R"(<sheet name="V" state="veryHidden" r:id="a"/><sheet name="S &amp; T" r:id="a"/></sheets></workbook>)";
  files[3].content.insert(files[3].content.find("</"),
                          R"(<Relationship Id="x" Type="t/chartsheet" Target="c.xml"/>)");
  const std::string zip = TestZip::of(files);
  const MemorySource file(Bytes(zip.begin(), zip.end()));
  const auto workbook = *XlsxWorkbook::open(file, {}, {});
  ASSERT_EQ(workbook->sheets().size(), 3u);
  EXPECT_TRUE(workbook->sheets()[0].hidden);
  EXPECT_TRUE(workbook->sheets()[1].hidden);
  EXPECT_EQ(workbook->sheets()[2].name, "S & T");
  EXPECT_FALSE(workbook->sheets()[2].hidden);
}

TEST(XlsxReader, ManyRowsStreamed) {
  std::string rows;
  for (int i = 1; i <= 50000; ++i) {
    const std::string n = std::to_string(i);
    rows += "<row r=\"" + n + "\"><c r=\"A" + n + "\"><v>" + n + "</v></c><c r=\"C" + n +
            "\" t=\"str\"><v>t" + n + "</v></c></row>";
  }
  const auto cells = cells_of(TestWorkbook{.rows = rows}.zip());
  ASSERT_TRUE(cells.ok());
  EXPECT_TRUE(cells->ends_with("50000.0 50000\n50000.2 't50000'\n"));
}

TEST(XlsxReader, CutAnywhereItIsRefused) {
  const std::string zip = TestWorkbook{.rows = "<row><c><v>1</v></c><c t=\"s\"><v>0</v></c></row>",
                                       .shared = "<si><t>x</t></si>"}
                              .zip();
  ASSERT_TRUE(cells_of(zip).ok());
  for (std::size_t size = 0; size < zip.size(); ++size)
    EXPECT_FALSE(cells_of(zip.substr(0, size)).ok()) << size;
}

TEST(XlsxReader, AnyByteChangedGivesTheCellsOrAnError) {
  const std::string zip = TestWorkbook{.rows = "<row><c><v>1</v></c><c t=\"s\"><v>0</v></c></row>",
                                       .shared = "<si><t>x</t></si>"}
                              .zip();
  for (std::size_t at = 0; at < zip.size(); ++at) {
    for (const int flip : {1, 0x80, 0xFF}) {
      std::string changed = zip;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      const auto cells = cells_of(changed);
      if (cells.ok()) {
        EXPECT_EQ(*cells, "1.0 1\n1.1 'x'\n") << at;
      }
    }
  }
}

}  // namespace
}  // namespace oa::workbooks
