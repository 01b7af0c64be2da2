// Imports whole tables and compares every cell with an independent reading of the file.
#include <algorithm>

#include "file_testkit.h"

namespace oa::analytics {
namespace {

using Record = std::vector<std::string>;

// RFC 4180, the plain way: blank lines skipped, all in memory.
std::vector<Record> parse_csv(std::string_view text, char delimiter) {
  std::vector<Record> records;
  Record record;
  std::string value;
  bool quoted = false;
  const auto end_record = [&] {
    record.push_back(std::exchange(value, ""));
    if (record.size() > 1 || !record[0].empty()) records.push_back(record);
    record.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      value += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == delimiter) {
      record.push_back(std::exchange(value, ""));
    } else if (!quoted && c == '\n') {
      end_record();
    } else if (quoted || c != '\r') {
      value += c;
    }
  }
  if (!value.empty() || !record.empty()) end_record();
  return records;
}

class TableTest : public ImportTest, public testing::WithParamInterface<std::string> {};

bool same_value(const std::string& type, const std::string& text, const Cell& cell) {
  if (text.empty()) return !cell.has_value();
  if (!cell.has_value()) return false;
  if (type == "DOUBLE")
    return std::strtod(text.c_str(), nullptr) == std::strtod(cell->c_str(), nullptr);
  if (type == "TIMESTAMP WITH TIME ZONE")
    return cell->size() >= 19;  // the instant is checked in OfTheFixtures
  if (type == "TIMESTAMP") return *cell == text || *cell == text + " 00:00:00";
  return text == *cell;
}

TEST_P(TableTest, EveryCellComesBack) {
  const Bytes file = *read_file(GetParam(), 1 << 30);
  const std::string text(as_text(file));
  const char delimiter = text.substr(0, text.find('\n')).find(';') == std::string::npos ? ',' : ';';
  const auto records = parse_csv(text, delimiter);

  const auto imported = import(text);
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(imported->rows.row_count, records.size() - 1);
  EXPECT_EQ(*objects_->plaintext_size(target_, imported->version), imported->parquet_bytes);
  const auto described = describe_rows(*objects_, target_, imported->version);
  ASSERT_TRUE(described.ok()) << described.error().message;
  EXPECT_EQ(described->row_count, imported->rows.row_count);
  EXPECT_EQ(described->columns, imported->rows.columns);

  const Rows rows = select(imported->version, "*");
  ASSERT_EQ(rows.size(), records.size() - 1);
  std::size_t different = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ASSERT_EQ(rows[row].size(), records[row + 1].size());
    for (std::size_t column = 0; column < rows[row].size(); ++column) {
      const Column& described_column = described->columns[column];
      EXPECT_EQ(described_column.name, records[0][column]);
      different +=
          same_value(described_column.type, records[row + 1][column], rows[row][column]) ? 0 : 1;
    }
  }
  EXPECT_EQ(different, 0u);
}

INSTANTIATE_TEST_SUITE_P(Files, TableTest, testing::ValuesIn(table_files()), table_name);

class TypesTest : public ImportTest {
 protected:
  std::vector<std::string> types_of_columns(std::string_view text) {
    const auto imported = import(text);
    EXPECT_TRUE(imported.ok()) << imported.error().message;
    std::vector<std::string> types;
    if (!imported.ok()) return types;
    version_ = imported->version;
    const auto described = describe_rows(*objects_, target_, version_);
    EXPECT_TRUE(described.ok() && described->columns == imported->rows.columns);
    for (const Column& column : imported->rows.columns) types.push_back(column.type);
    return types;
  }
  VersionId version_;
};

using Types = std::vector<std::string>;

TEST_F(TypesTest, OfTheFixtures) {
  const auto types = [&](const std::string& name) {
    const Bytes file = *read_file(std::string(OA_FIXTURES) + "/" + name, 1 << 20);
    return types_of_columns(as_text(file));
  };
  EXPECT_EQ(types("codes.csv"), (Types{"VARCHAR", "DOUBLE", "DOUBLE", "VARCHAR", "VARCHAR"}));
  EXPECT_EQ(types("costs.csv"),
            (Types{"VARCHAR", "DATE", "DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR"}));
  EXPECT_EQ(types("cities.csv"),
            (Types{"VARCHAR", "BIGINT", "DATE", "TIMESTAMP WITH TIME ZONE", "VARCHAR"}));
  EXPECT_EQ(select(version_, "epoch(\"geändert\")::BIGINT").at(1).at(0), "1709287200")
      << "the offset counts";
}

TEST_F(TypesTest, LateValueChangesTheTypeOfItsColumnAndNoOther) {
  // Far behind what the first look takes in.
  std::string text = "code,n,note\n";
  while (text.size() < (std::size_t{10} << 20)) text += "12345,7,abcdefghijklmnopqrstuvwxyz\n";
  const std::string early = text;
  const auto expect = [&](const std::string& line, const Types& types, const std::string& last) {
    EXPECT_EQ(types_of_columns(early + line), types) << line;
    const auto rows = std::ranges::count(early, '\n');
    EXPECT_EQ(select(version_, "code", " OFFSET " + std::to_string(rows - 1)), (Rows{{last}}));
  };
  expect("99999,8,z\n", {"BIGINT", "BIGINT", "VARCHAR"}, "99999");
  expect("00501,8,z\n", {"VARCHAR", "BIGINT", "VARCHAR"}, "00501");
  expect("1.5,8,z\n", {"DOUBLE", "BIGINT", "VARCHAR"}, "1.5");
  expect("12345678901234567890,8,z\n", {"VARCHAR", "BIGINT", "VARCHAR"}, "12345678901234567890");
}

TEST_F(TypesTest, LateFirstValueOfAColumnCounts) {
  std::string text = "n,closed\n";
  while (text.size() < (std::size_t{9} << 20)) text += "1000000000,\n";
  EXPECT_EQ(types_of_columns(text + "1,2024-01-01\n"), (Types{"BIGINT", "DATE"}));
}

TEST_F(TypesTest, RowsKeepTheirOrder) {
  std::string text = "n,pad\n";
  for (int i = 0; i < 400000; ++i) text += std::to_string(i) + ",abcdefghijklmnopqrstuvwxyz\n";
  EXPECT_EQ(types_of_columns(text), (Types{"BIGINT", "VARCHAR"}));
  const Rows rows = select(version_, "n");
  ASSERT_EQ(rows.size(), 400000u);
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i][0], std::to_string(i));
}

TEST_F(TypesTest, FormsOfText) {
  for (const char* text :
       {"a,b\n1,x\n2,y\n", "a,b\r\n1,x\r\n2,y\r\n", "a,b\r1,x\r2,y\r", "a,b\n1,x\n2,y",
        "\xEF\xBB\xBF"
        "a,b\n1,x\n2,y\n",
        "\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"y\"\n", "a,b\n\n1,x\n\n\n2,y\n\n", "a;b\n1;x\n2;y\n",
        "a\tb\n1\tx\n2\ty\n", "a|b\n1|x\n2|y\n", "\xEF\xBB\xBF\"a\";b\r\n1; \"x\"\r\n 2 ;y"}) {
    EXPECT_EQ(types_of_columns(text), (Types{"BIGINT", "VARCHAR"})) << text;
    EXPECT_EQ(select(version_, "a, b"), (Rows{{"1", "x"}, {"2", "y"}})) << text;
  }
}

TEST_F(TypesTest, ChosenDelimiter) {
  CsvOptions options;
  for (const char delimiter : {' ', ':', '.', '0', '\x01'}) {
    options.delimiter = delimiter;
    const std::string d(1, delimiter);
    const auto imported = import("a" + d + "b,c\n1" + d + "x\n2" + d + "\n", options);
    ASSERT_TRUE(imported.ok()) << delimiter << imported.error().message;
    EXPECT_EQ(imported->rows.columns, (std::vector<Column>{{"a", "BIGINT"}, {"b,c", "VARCHAR"}}));
    EXPECT_EQ(select(imported->version, "*"), (Rows{{"1", "x"}, {"2", std::nullopt}}));
  }
}

TEST_F(TypesTest, SingleColumn) {
  EXPECT_EQ(types_of_columns("a\n1\n\n3\n"), Types{"BIGINT"});
  EXPECT_EQ(select(version_, "a"), (Rows{{"1"}, {std::nullopt}, {"3"}}));
}

TEST_F(TypesTest, HeaderAloneIsATableWithoutRows) {
  for (const char* text : {"id,name", "id,name\n", "id,name\r\n"}) {
    EXPECT_EQ(types_of_columns(text), (Types{"VARCHAR", "VARCHAR"}));
    EXPECT_TRUE(select(version_, "*").empty());
  }
}

TEST_F(TypesTest, EngineReadsEveryFormThatATypeTakes) {
  const std::vector<std::vector<std::string>> columns = {
      {"0", "-42", "999999999999999999", "-999999999999999999", " 7", "8 "},
      {"-0", ".5", "-.5", "1e3", "2.5E-7", "nan", "NaN", "inf", "-INF", "999999999999999", "1e290",
       " 1.5 ", "1e-290"},
      {"true", "FALSE", "True"},
      {"0001-01-01", "9999-12-31", "2024-02-29", "1900-02-28", "2000-02-29"},
      {"2024-02-29", "2024-02-29 12:30", "2024-02-29T12:30:15", "2024-02-29 12:30:15.1",
       "2024-02-29 12:30:15.123456", "0001-01-01 00:00", "9999-12-31 23:59:59.999999"},
      {"2024-02-29T12:30:15Z", "2024-02-29 12:30:15+02", "2024-02-29 12:30:00-05:30",
       "2024-02-29T12:30:15.5+14:00", "0001-01-01 00:00:00Z", "2024-02-29 12:30:15.123456-14:59"}};
  const Types expected = {"BIGINT", "DOUBLE",    "BOOLEAN",
                          "DATE",   "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string text = "v,pad\n";
    for (const std::string& value : columns[i]) {
      text += value + ",x\n\"" + value + "\",x\n";
    }
    ASSERT_EQ(types_of_columns(text), (Types{expected[i], "VARCHAR"})) << text;
    EXPECT_EQ(select(version_, "count(*) - count(v)").at(0).at(0), "0");
  }
}

TEST_F(TypesTest, RandomTablesComeBack) {
  // Cells that a reader may trip over, between all kinds of line ends.
  const std::string pool[] = {"",
                              "1",
                              "007",
                              "1.5",
                              "true",
                              "2024-01-01",
                              "2024-01-01 10:00:00",
                              "x",
                              "a,b",
                              "a\nb",
                              "a\r\nb",
                              "say \"ok\"",
                              "\"",
                              "\"\"",
                              "Zürich",
                              "#",
                              "'",
                              "NULL",
                              ";",
                              "\t",
                              "-",
                              "\\",
                              "12345678901234567890",
                              "+1"};
  std::uint32_t state = 20240229;
  const auto random = [&](std::size_t below) {
    return ((state = state * 1664525 + 1013904223) >> 8) % below;
  };
  for (int round = 0; round < 60; ++round) {
    const std::size_t width = 2 + random(4);
    const std::string line_end = round % 3 == 0 ? "\r\n" : "\n";
    const std::size_t variety = 1 + random(std::size(pool));
    std::string text;
    for (std::size_t column = 0; column < width; ++column)
      text += (column == 0 ? "c" : ",c") + std::to_string(column);
    std::vector<Record> records;
    for (std::size_t row = random(40); row > 0; --row) {
      Record record;
      for (std::size_t column = 0; column < width; ++column) {
        const std::string& value = pool[(column * 5 + random(variety)) % std::size(pool)];
        std::string quoted = "\"";
        for (const char c : value) quoted += c == '"' ? "\"\"" : std::string(1, c);
        const bool plain = value.find_first_of("\",\r\n") == std::string::npos && random(3) != 0;
        text += (column == 0 ? line_end : ",") + (plain ? value : quoted + "\"");
        record.push_back(value);
      }
      records.push_back(record);
    }
    const Types types = types_of_columns(text + (random(2) == 0 ? line_end : ""));
    const Rows rows = select(version_, "*");
    ASSERT_EQ(rows.size(), records.size()) << text;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (std::size_t column = 0; column < width; ++column) {
        ASSERT_TRUE(same_value(types[column], records[row][column], rows[row][column])) << text;
      }
    }
  }
}

TEST_F(TypesTest, TextThatLooksLikeSyntaxIsText) {
  EXPECT_EQ(types_of_columns("id,t\n#1,'); DROP TABLE x; --\n2,\"a\nb\"\n3,{\"a\":1}\nNULL,\\N\n"),
            (Types{"VARCHAR", "VARCHAR"}));
  EXPECT_EQ(
      select(version_, "id, t"),
      (Rows{{"#1", "'); DROP TABLE x; --"}, {"2", "a\nb"}, {"3", "{\"a\":1}"}, {"NULL", "\\N"}}));
}

}  // namespace
}  // namespace oa::analytics
