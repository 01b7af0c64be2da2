#include "oa/workbooks/xls_reader.h"

#include <gtest/gtest.h>

#include "biff_records.h"

namespace oa::workbooks {
namespace {

using namespace std::string_literals;

std::string fixture() {
  const Bytes file = *read_file(std::string(OA_WORKBOOKS) + "/orders.xls", 1 << 20);
  return std::string(as_text(file));
}

// Texts and numbers of the first sheet.
Result<std::string> cells_of(const std::string& bytes, const SheetLimits& limits = {}) {
  const MemorySource file(Bytes(bytes.begin(), bytes.end()));
  OA_ASSIGN(const auto workbook, XlsWorkbook::open(file, limits));
  if (workbook->sheets().empty()) return std::string("no sheet");
  OA_ASSIGN(const std::uint64_t cells, workbook->load(0));
  const auto sheet = workbook->read();
  std::string out;
  while (true) {
    OA_ASSIGN(const SheetRow* row, sheet->next());
    if (row == nullptr) break;
    for (const SheetCell& cell : row->cells) {
      out += std::to_string(row->number) + "." + std::to_string(cell.column) + " " +
             std::string(cell.text) + number_text(cell.number) + "\n";
    }
  }
  EXPECT_LE(sheet->position(), cells);
  return out;
}

TEST(XlsReader, CutAnywhereItIsRefusedOrWhole) {
  const std::string file = fixture();
  const std::string whole = *cells_of(file);
  std::size_t refused = 0;
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto cells = cells_of(file.substr(0, size));
    refused += cells.ok() ? 0 : 1;
    if (cells.ok()) {
      EXPECT_EQ(*cells, whole) << size;
    }
  }
  EXPECT_GT(refused, file.size() / 2);
}

TEST(XlsReader, AnyByteChangedDoesNoHarm) {
  const std::string file = fixture();
  std::size_t good = 0;
  for (std::size_t at = 0; at < file.size(); ++at) {
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 0xFF);
    good += cells_of(changed).ok() ? 1 : 0;
  }
  EXPECT_GT(good, 0u) << "a cell's own bytes are any";
}

TEST(XlsReader, Limits) {
  const auto small_cells = cells_of(fixture(), {.max_cell_bytes = 3});
  ASSERT_FALSE(small_cells.ok());
  const auto few_texts = cells_of(fixture(), {.max_shared_text_bytes = 10});
  ASSERT_FALSE(few_texts.ok());
  EXPECT_EQ(few_texts.error().code, ErrorCode::kLimitExceeded);
}

BiffRecord record_of(const std::vector<std::string>& pieces) {
  BiffRecord record;
  for (const std::string& piece : pieces) record.pieces.push_back(as_bytes(piece));
  return record;
}

TEST(BiffReader, TextsThatGoOnInTheNextRecord) {
  const std::vector<std::string> narrow = {"\5\0\0ab"s, "\0c"s, "\1d\0e\0"s, "\2\0\0xy"s};
  const BiffRecord record = record_of(narrow);
  BiffReader reader(record);
  EXPECT_EQ(reader.text(2, 100), "abcde");
  EXPECT_EQ(reader.text(2, 100), "xy");
  EXPECT_FALSE(reader.failed());
  EXPECT_EQ(reader.u16(), 0);
  EXPECT_TRUE(reader.failed());
}

TEST(BiffReader, RunsAndPhoneticTextAreLeftOut) {
  const std::vector<std::string> pieces = {"\2\0\x0D\1\0\3\0\0\0\xE4\0\xF6\0runsphoX"s};
  const BiffRecord record = record_of(pieces);
  BiffReader reader(record);
  EXPECT_EQ(reader.text(2, 100), "äö");
  EXPECT_EQ(reader.number(1), static_cast<std::uint64_t>('X'));
}

TEST(BiffReader, SurrogatesAndLimits) {
  const std::vector<std::string> pieces = {"\3\0\1\x3D\xD8\x00\xDE\x00\xD8"s};
  const BiffRecord record = record_of(pieces);
  BiffReader reader(record);
  EXPECT_EQ(reader.text(2, 100), "😀\uFFFD");
  BiffReader bounded(record);
  bounded.text(2, 3);
  EXPECT_TRUE(bounded.failed());
}

TEST(BiffRecords, CutRecord) {
  const std::string stream = "\x0A\0\5\0abc"s;
  BiffRecords records(as_bytes(stream));
  EXPECT_FALSE(records.next().ok());
}

}  // namespace
}  // namespace oa::workbooks
