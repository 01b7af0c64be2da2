// CSV files of all encodings and layouts through import_file().
#include <algorithm>

#include "file_testkit.h"
#include "test_encodings.h"

namespace oa::analytics {
namespace {

using namespace std::string_literals;
using Columns = std::vector<Column>;

class FileCsvTest : public FileTest {};

TEST_F(FileCsvTest, HeaderIsGuessed) {
  const Columns named = {{"id", "BIGINT"}, {"name", "VARCHAR"}};
  EXPECT_EQ(columns_of("id,name\n1,x\n2,y\n"), named);
  EXPECT_EQ(select_all(), (Rows{{"1", "x"}, {"2", "y"}}));
  EXPECT_EQ(columns_of("\xEF\xBB\xBFid,name\n1,x\n"), named);

  const Columns unnamed = {{"column1", "BIGINT"}, {"column2", "DATE"}};
  for (const char* text :
       {"1,2024-01-01\n2,2024-01-02\n", "\xEF\xBB\xBF\"1\",2024-01-01\r\n2,2024-01-02\r\n",
        "1;2024-01-01\n2;2024-01-02"}) {
    EXPECT_EQ(columns_of(text), unnamed) << text;
    EXPECT_EQ(select_all(), (Rows{{"1", "2024-01-01"}, {"2", "2024-01-02"}})) << text;
  }
  EXPECT_EQ(columns_of("x,x\n1,2\n"), (Columns{{"column1", "VARCHAR"}, {"column2", "VARCHAR"}}));
  EXPECT_EQ(columns_of(",\n1,2\n"), (Columns{{"column1", "BIGINT"}, {"column2", "BIGINT"}}));
  EXPECT_EQ(select_all(), (Rows{{std::nullopt, std::nullopt}, {"1", "2"}}));
  EXPECT_EQ(columns_of("5\n\n7\n"), (Columns{{"column1", "BIGINT"}}));
  EXPECT_EQ(select_all(), (Rows{{"5"}, {std::nullopt}, {"7"}}));
  EXPECT_EQ(columns_of("country,2020,2021\nPeru,1,2\n").at(1).name, "2020");
}

TEST_F(FileCsvTest, HeaderAsTold) {
  options_.header = Choice::kYes;
  EXPECT_EQ(columns_of("1,2\n3,4\n"), (Columns{{"1", "BIGINT"}, {"2", "BIGINT"}}));
  options_.header = Choice::kNo;
  EXPECT_EQ(columns_of("id,name\n1,x\n"),
            (Columns{{"column1", "VARCHAR"}, {"column2", "VARCHAR"}}));
  EXPECT_EQ(select_all(), (Rows{{"id", "name"}, {"1", "x"}}));
  EXPECT_EQ(columns_of("\"a\nb\",1\nc,2"),
            (Columns{{"column1", "VARCHAR"}, {"column2", "BIGINT"}}));
  EXPECT_EQ(select_all(), (Rows{{"a\nb", "1"}, {"c", "2"}}));
}

TEST_F(FileCsvTest, DelimiterThatIsRegular) {
  for (const char* text : {"a;b\n1,5;2,5\n3,5;4,5\n", "a\tb\n1,5\t2,5\n3,5\t4,5\n",
                           "a|b\n1,5|2,5\n3,5|4,5\n", "a,b\n\"1,5\",\"2,5\"\n\"3,5\",\"4,5\"\n"}) {
    EXPECT_EQ(columns_of(text), (Columns{{"a", "DOUBLE"}, {"b", "DOUBLE"}})) << text;
    EXPECT_EQ(select_all(), (Rows{{"1.5", "2.5"}, {"3.5", "4.5"}})) << text;
  }
  EXPECT_EQ(columns_of("1,5;2,5;3,5\n4,5;5,5;6,5\n").size(), 3u) << "more commas than semicolons";
  EXPECT_EQ(columns_of("a,b\nx;y,1\nz,2\n").size(), 2u);
}

TEST_F(FileCsvTest, DecimalComma) {
  const std::string text =
      "price;grouped;count;unclear;mixed;code\n"
      "12,5;1.234,56;7;1,234;1,5;1.234\n-0,25;-2.000;8;5,678;2.5;5.678\n ;;;;;\n";
  EXPECT_EQ(columns_of(text), (Columns{{"price", "VARCHAR"},
                                       {"grouped", "DOUBLE"},
                                       {"count", "BIGINT"},
                                       {"unclear", "VARCHAR"},
                                       {"mixed", "VARCHAR"},
                                       {"code", "VARCHAR"}}))
      << "a blank is text";
  EXPECT_EQ(columns_of("a;b\n12,5;1.234,56\n-0,25;-2.000\n;\n 1 ; 7,5\n"),
            (Columns{{"a", "DOUBLE"}, {"b", "DOUBLE"}}));
  EXPECT_EQ(select_all(), (Rows{{"12.5", "1234.56"},
                                {"-0.25", "-2000.0"},
                                {std::nullopt, std::nullopt},
                                {"1.0", "7.5"}}));
  options_.decimal_comma = Choice::kYes;
  EXPECT_EQ(columns_of("a;b;c;d\n1.234;1,234;5;1.5\n"),
            (Columns{{"a", "DOUBLE"}, {"b", "DOUBLE"}, {"c", "BIGINT"}, {"d", "VARCHAR"}}));
  EXPECT_EQ(select_all(), (Rows{{"1234.0", "1.234", "5", "1.5"}}));
  options_.decimal_comma = Choice::kNo;
  EXPECT_EQ(columns_of("a;b\n1.234;12,5\n"), (Columns{{"a", "DOUBLE"}, {"b", "VARCHAR"}}));
}

TEST_F(FileCsvTest, Dates) {
  EXPECT_EQ(columns_of("a;b;c;d\n01.02.2024;1/2/2024;3.4.2024;12/31/2024\n"
                       "02.03.2024;25/12/2024;29.2.2024;01/02/2024\n;;;\n"),
            (Columns{{"a", "VARCHAR"}, {"b", "DATE"}, {"c", "DATE"}, {"d", "DATE"}}));
  EXPECT_EQ(select_all(), (Rows{{"01.02.2024", "2024-02-01", "2024-04-03", "2024-12-31"},
                                {"02.03.2024", "2024-12-25", "2024-02-29", "2024-01-02"},
                                {std::nullopt, std::nullopt, std::nullopt, std::nullopt}}));
  options_.date_order = DateOrder::kMdy;
  EXPECT_EQ(columns_of("a,b\n01.02.0001,01/02/9999\n"), (Columns{{"a", "DATE"}, {"b", "DATE"}}));
  EXPECT_EQ(select_all(), (Rows{{"0001-01-02", "9999-01-02"}}));
  options_.date_order = DateOrder::kDmy;
  EXPECT_EQ(columns_of("a,b\n01.02.2024,12/31/2024\n"), (Columns{{"a", "DATE"}, {"b", "VARCHAR"}}));
  EXPECT_EQ(select_all(), (Rows{{"2024-02-01", "12/31/2024"}}));
}

TEST_F(FileCsvTest, EveryDateOfTheCalendarComesBack) {
  std::string text = "n,dot,slash\n";
  for (int month = 1; month <= 12; ++month) {
    for (int day = 1; day <= 28; ++day) {
      const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
      text += "x," + two(day) + "." + two(month) + ".1999," + std::to_string(month) + "/" +
              std::to_string(day) + "/2000\n";
    }
  }
  EXPECT_EQ(columns_of(text), (Columns{{"n", "VARCHAR"}, {"dot", "DATE"}, {"slash", "DATE"}}));
  const Rows rows = select(version_,
                           "count(DISTINCT dot), min(dot), max(dot), "
                           "count(DISTINCT slash), min(slash), max(slash)");
  EXPECT_EQ(rows, (Rows{{"336", "1999-01-01", "1999-12-28", "336", "2000-01-01", "2000-12-28"}}));
}

TEST_F(FileCsvTest, NullTexts) {
  const std::string text = "a,b\n1,NULL\nNA,x\n\"NULL\",\\N\n";
  EXPECT_EQ(columns_of(text), (Columns{{"a", "VARCHAR"}, {"b", "VARCHAR"}}));
  EXPECT_EQ(select_all(), (Rows{{"1", "NULL"}, {"NA", "x"}, {"NULL", "\\N"}}));
  options_.null_texts = {"NULL", "NA", "\\N", "it's"};
  EXPECT_EQ(columns_of(text + "it's,\n"), (Columns{{"a", "BIGINT"}, {"b", "VARCHAR"}}));
  EXPECT_EQ(select_all(), (Rows{{"1", std::nullopt},
                                {std::nullopt, "x"},
                                {std::nullopt, std::nullopt},
                                {std::nullopt, std::nullopt}}));
  EXPECT_EQ(columns_of("a;b\n1,5;NA\nNA;31.12.2024\n"), (Columns{{"a", "DOUBLE"}, {"b", "DATE"}}));
  EXPECT_EQ(select_all(), (Rows{{"1.5", std::nullopt}, {std::nullopt, "2024-12-31"}}));
}

TEST_F(FileCsvTest, LateValueChangesTheReading) {
  std::string text = "a;b\n";
  while (text.size() < (std::size_t{10} << 20)) text += "1.234;01.02.2024\n";
  EXPECT_EQ(columns_of(text + "12,5;x\n"), (Columns{{"a", "DOUBLE"}, {"b", "VARCHAR"}}));
  EXPECT_EQ(select(version_, "min(a), max(a)"), (Rows{{"12.5", "1234.0"}}))
      << "read anew, not as 1.234";
  EXPECT_EQ(columns_of(text + "5.678;31.01.2024\n"), (Columns{{"a", "DOUBLE"}, {"b", "DATE"}}));
}

TEST_F(FileCsvTest, Encodings) {
  const std::string table = "id,städte\n1,Zürich\n2,Malmö\n";
  const Rows expected = {{"1", "Zürich"}, {"2", "Malmö"}};
  const Columns columns = {{"id", "BIGINT"}, {"städte", "VARCHAR"}};
  std::vector<std::string> files = {table, "\xEF\xBB\xBF" + table, *to_latin1(table)};
  for (const TextEncoding encoding : {TextEncoding::kUtf16Le, TextEncoding::kUtf16Be}) {
    files.push_back(to_utf16(table, encoding));
    files.push_back(to_utf16("\uFEFF" + table, encoding));
  }
  for (const std::string& file : files) {
    EXPECT_EQ(columns_of(file), columns);
    EXPECT_EQ(select_all(), expected);
  }
  options_.encoding = TextEncoding::kLatin1;
  EXPECT_EQ(columns_of("id,x\n1,\xC3\xBC\n"), (Columns{{"id", "BIGINT"}, {"x", "VARCHAR"}}));
  EXPECT_EQ(select_all(), (Rows{{"1", "Ã¼"}})) << "as told";
  options_.encoding = TextEncoding::kUtf8;
  EXPECT_EQ(refused_file(*to_latin1(table)).message,
            "Line 1 is not UTF-8 (and 2 more lines are bad)");
}

TEST_F(FileCsvTest, LatinByteFarBehindTheFirstLook) {
  std::string text = "n,city\n";
  while (text.size() < (std::size_t{3} << 20)) text += "1,Quito\n";
  EXPECT_EQ(columns_of(text + "2,Z\xFCrich\n"), (Columns{{"n", "BIGINT"}, {"city", "VARCHAR"}}));
  EXPECT_EQ(select(version_, "city", " WHERE n = 2"), (Rows{{"Zürich"}}));
  const Error error = refused_file(text + "2,Z\xFCrich\n3,Zürich\n");
  EXPECT_EQ(error.code, ErrorCode::kImportRejected);
  EXPECT_EQ(rejected_.total, 1u) << "it is UTF-8 with one bad line";
}

TEST_F(FileCsvTest, AllBadLinesAreReported) {
  const Error error = refused_file("a,b\n1,2\ncanary\n3,4\n5,6,canary\n7,\"canary\n8,9\n");
  EXPECT_EQ(error.code, ErrorCode::kImportRejected);
  EXPECT_EQ(error.message,
            "Line 3 has 1 values where the header names 2 (and 2 more lines are bad)");
  EXPECT_EQ(rejected_.total, 3u);
  EXPECT_EQ(rejected_.rows,
            (std::vector<RejectedRow>{{3, "has 1 values where the header names 2"},
                                      {5, "has 3 values where the header names 2"},
                                      {6, "has a quoted value that is not closed"}}));
  refused_file(to_utf16("a,b\n1,2\n3\n", TextEncoding::kUtf16Le) + "\x00\xD8\x0A\x00"s);
  EXPECT_EQ(rejected_.rows, (std::vector<RejectedRow>{{3, "has 1 values where the header names 2"},
                                                      {4, "is not UTF-16"}}));
  EXPECT_EQ(columns_of("a,b\n1,2\n").size(), 2u);
  EXPECT_EQ(rejected_.total, 0u) << "of the import before";
}

TEST_F(FileCsvTest, EveryRefusalOfTheEngineHasItsLine) {
  for (const std::string& text :
       {"a,b\n1,\"x\"y\n2,3\n"s, "a,b\n1,\0\n"s, "a,b\n1,2,3\n"s, "a,b\n1,\"2\n"s,
        "a,b\n1,\xFF\xC3\xBC\n"s, "a,\"b\n1,2\n"s, "a,b\n1," + std::string(2000001, 'x') + "\n"}) {
    EXPECT_EQ(refused_file(text).code, ErrorCode::kImportRejected);
    EXPECT_GE(rejected_.total, 1u) << text.substr(0, 30);
    EXPECT_FALSE(rejected_.rows.empty());
  }
}

TEST_F(FileCsvTest, WhatIsNoTable) {
  for (const std::string& text :
       {"%PDF-1.7\n%\xE2\xE3\xCF\xD3"s, "\x1F\x8B\x08\0"s, "\x89PNG\r\n\x1A\n"s, "PAR1\x15\x04"s,
        "\x7F"
        "ELF\2\1\1\0"s,
        "7z\xBC\xAF\x27\x1C"s, "\x01\x02\x03\x04\x05\x06\x07\x08"s, ""s, "\n"s}) {
    const Error error = refused_file(text);
    EXPECT_EQ(error.code, ErrorCode::kImportRejected) << text;
    EXPECT_FALSE(error.hint.empty()) << text;
  }
  options_.format = FileFormat::kXlsx;
  EXPECT_EQ(refused_file("a,b\n1,2\n").message, "The file is not an .xlsx workbook");
}

TEST_F(FileCsvTest, Limits) {
  options_.limits.max_columns = 1;
  EXPECT_EQ(refused_file("a,b\n1,2\n").code, ErrorCode::kLimitExceeded);
  options_.limits.max_columns = 2;
  options_.limits.max_bytes = 7;
  EXPECT_EQ(refused_file("a,b\n1,2\n").code, ErrorCode::kLimitExceeded);
  options_.delimiter = '"';
  EXPECT_EQ(refused_file("a,b\n").code, ErrorCode::kInvalidArgument);
}

// The real tables come out of import_file() as they come out of import_csv(), in every encoding
// that can hold them.
class FileTableTest : public FileTest, public testing::WithParamInterface<std::string> {};

TEST_P(FileTableTest, SameRowsInEveryEncoding) {
  const Bytes file = *read_file(GetParam(), 1 << 30);
  const std::string text(as_text(file));
  const auto plain = import(text);
  ASSERT_TRUE(plain.ok());
  const Rows expected = select(plain->version, "*");
  std::vector<std::string> forms = {text, to_utf16("\uFEFF" + text, TextEncoding::kUtf16Le),
                                    to_utf16(text, TextEncoding::kUtf16Be)};
  if (const auto latin = to_latin1(text)) forms.push_back(*latin);
  for (const std::string& form : forms) {
    const auto imported = import_bytes(form);
    ASSERT_TRUE(imported.ok()) << imported.error().message;
    EXPECT_EQ(imported->rows.columns, plain->rows.columns);
    EXPECT_TRUE(select(imported->version, "*") == expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, FileTableTest, testing::ValuesIn(table_files()), table_name);

}  // namespace
}  // namespace oa::analytics
