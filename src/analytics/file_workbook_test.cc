// Workbooks through import_file(): those that LibreOffice has saved (testdata/make_workbooks.sh)
// and odd ones made by hand.
#include "file_testkit.h"
#include "test_zip.h"

namespace oa::analytics {
namespace {

using workbooks::TestWorkbook;

using Columns = std::vector<Column>;
const Cell kNull = std::nullopt;

class WorkbookTest : public FileTest {
 protected:
  static std::string fixture(const std::string& name) {
    const Bytes file = *read_file(std::string(OA_WORKBOOKS) + "/" + name, 1 << 20);
    return std::string(as_text(file));
  }
};

TEST_F(WorkbookTest, BothFormatsOfLibreOffice) {
  const Columns expected = {{"id", "BIGINT"},     {"zip code", "VARCHAR"},  {"city", "VARCHAR"},
                            {"ordered", "DATE"},  {"shipped", "TIMESTAMP"}, {"paid", "BOOLEAN"},
                            {"net", "DOUBLE"},    {"gross", "DOUBLE"},      {"label", "VARCHAR"},
                            {"mixed", "VARCHAR"}, {"duration", "VARCHAR"},  {"failing", "BIGINT"}};
  const Rows rows = {{"1", "00501", "Zürich", "2024-02-29", "2024-03-01 12:30:15", "true", "1234.5",
                      "2469.0", "00501 Zürich", "7", "01:02:03", kNull},
                     {"2", "10115", "東京 <&> \"ok\"", "1900-01-01", kNull, "false", "-0.25",
                      "-0.5", "10115!", "seven", "23:59:59", "3"},
                     {"3", kNull, "line one\nline two", "2000-03-01", "1999-12-31 23:59:59", "true",
                      "0.1", "0.2", "0", "2024-02-29", kNull, "4"}};
  for (const char* name : {"orders.xlsx", "orders.xls"}) {
    EXPECT_EQ(columns_of(fixture(name)), expected) << name;
    EXPECT_EQ(select_all(), rows) << name;
    EXPECT_EQ(rejected_.total, 0u);
  }
}

TEST_F(WorkbookTest, LatinCsvOfLibreOffice) {
  const auto columns = columns_of(fixture("orders_latin1.txt"));
  ASSERT_EQ(columns.size(), 12u);
  EXPECT_EQ(columns[3], (Column{"ordered", "DATE"}));
  EXPECT_EQ(columns[4], (Column{"shipped", "TIMESTAMP"}));
  EXPECT_EQ(columns[5], (Column{"paid", "BOOLEAN"}));
  EXPECT_EQ(select(version_, "\"zip code\", city, ordered", " WHERE id = 1"),
            (Rows{{"00501", "Zürich", "2024-02-29"}}));
}

TEST_F(WorkbookTest, SheetsByName) {
  for (const char* name : {"orders.xlsx", "orders.xls"}) {
    const std::string file = fixture(name);
    options_.sheet.clear();
    const MemorySource source = csv_of(file);
    const auto names = sheet_names(source, options_);
    ASSERT_TRUE(names.ok());
    EXPECT_EQ(*names, (std::vector<std::string>{"Orders", "Städte", "Notes"}));
    options_.sheet = "Städte";
    EXPECT_EQ(columns_of(file),
              (Columns{{"Stadt", "VARCHAR"}, {"column2", "BIGINT"}, {"Einwohner", "DOUBLE"}}))
        << "merged, and behind empty rows and columns";
    EXPECT_EQ(select_all(), (Rows{{"Malmö", "2", "351749.0"}, {"Århus", kNull, "285273.5"}}));
    options_.sheet = "Notes";
    EXPECT_EQ(columns_of(file), (Columns{{"remark", "VARCHAR"}})) << "hidden, but asked for";
    options_.sheet = "canary";
    EXPECT_EQ(refused_file(file).code, ErrorCode::kNotFound);
  }
  EXPECT_TRUE(sheet_names(csv_of("a,b\n1,2\n"), {})->empty());
}

TEST_F(WorkbookTest, TypesAreDecidedByAllValues) {
  std::string rows = R"(<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c><c t="str"><v>c</v></c>)"
                     R"(<c t="str"><v>d</v></c><c t="str"><v>e</v></c></row>)";
  for (int i = 0; i < 5000; ++i)
    rows +=
        R"(<row><c><v>7</v></c><c s="1"><v>45351</v></c><c t="b"><v>1</v></c><c><v>1</v></c></row>)";
  rows +=
      R"(<row><c><v>0.5</v></c><c s="1"><v>45351.25</v></c><c><v>1</v></c><c><v>1e15</v></c></row>)";
  EXPECT_EQ(columns_of(TestWorkbook{.rows = rows, .styles = {0, 14}}.zip()),
            (Columns{{"a", "DOUBLE"},
                     {"b", "TIMESTAMP"},
                     {"c", "VARCHAR"},
                     {"d", "DOUBLE"},
                     {"e", "VARCHAR"}}));
  const Rows all = select_all();
  ASSERT_EQ(all.size(), 5001u);
  EXPECT_EQ(all.front(), (std::vector<Cell>{"7.0", "2024-02-29 00:00:00", "true", "1.0", kNull}));
  EXPECT_EQ(all.back(),
            (std::vector<Cell>{"0.5", "2024-02-29 06:00:00", "1", "1000000000000000.0", kNull}));
}

TEST_F(WorkbookTest, HeaderAndNulls) {
  const std::string cells = R"(<row><c><v>1</v></c><c t="str"><v>NA</v></c></row>)"
                            R"(<row><c><v>2</v></c><c><v>3</v></c></row>)";
  const TestWorkbook bare{.rows = cells};
  options_.null_texts = {"NA"};
  EXPECT_EQ(columns_of(bare.zip()), (Columns{{"column1", "BIGINT"}, {"column2", "BIGINT"}}));
  EXPECT_EQ(select_all(), (Rows{{"1", kNull}, {"2", "3"}}));
  options_.header = Choice::kYes;
  EXPECT_EQ(columns_of(bare.zip()), (Columns{{"1", "BIGINT"}, {"NA", "BIGINT"}}));
  EXPECT_EQ(select_all(), (Rows{{"2", "3"}}));
  options_.header = Choice::kNo;
  options_.null_texts.clear();
  EXPECT_EQ(columns_of(bare.zip()), (Columns{{"column1", "BIGINT"}, {"column2", "VARCHAR"}}));
}

TEST_F(WorkbookTest, HeaderAloneIsATableWithoutRows) {
  EXPECT_EQ(columns_of(TestWorkbook{.rows = R"(<row><c t="str"><v>a</v></c></row>)"}.zip()),
            (Columns{{"a", "VARCHAR"}}));
  EXPECT_TRUE(select_all().empty());
  EXPECT_EQ(refused_file(TestWorkbook{}.zip()).message, "The sheet is empty");
}

TEST_F(WorkbookTest, Refusals) {
  options_.limits.max_columns = 1;
  const TestWorkbook two{.rows = "<row><c><v>1</v></c><c><v>2</v></c></row>"};
  EXPECT_EQ(refused_file(two.zip()).code, ErrorCode::kLimitExceeded);
  options_ = {};
  options_.limits.max_xlsx_bytes = 10;
  EXPECT_EQ(refused_file(two.zip()).code, ErrorCode::kLimitExceeded);
  options_ = {};
  options_.limits.max_xls_bytes = 10;
  EXPECT_EQ(refused_file(fixture("orders.xls")).code, ErrorCode::kLimitExceeded);
  options_ = {};
  options_.format = FileFormat::kCsv;
  EXPECT_EQ(refused_file(two.zip()).message, "The file is not CSV");
  options_ = {};
  const std::string bad_text = R"(<row><c t="s"><v>0</v></c></row>)";
  EXPECT_EQ(refused_file(TestWorkbook{.rows = bad_text}.zip()).code, ErrorCode::kImportRejected);
}

TEST_F(WorkbookTest, EncryptedWorkbooks) {
  // Another stream's name made that of a workbook encrypted as a whole.
  const auto wide = [](std::string_view text) {
    std::string out;
    for (const char c : text) out += {c, '\0'};
    return out;
  };
  std::string package = fixture("orders.xls");
  const std::string workbook = wide("Workbook");
  const std::size_t entry = package.find(workbook);
  ASSERT_NE(entry, std::string::npos);
  package.replace(entry, 32, wide("EncryptedPackage"));
  package[entry + 64] = 34;  // bytes of the name
  EXPECT_EQ(refused_file(package).message, "The workbook is encrypted");
  // The record WRITEACCESS made FILEPASS, which stands there in a workbook with a password.
  std::string obfuscated = fixture("orders.xls");
  const std::size_t record = obfuscated.find(std::string("\x5C\0\x70\0", 4));
  ASSERT_NE(record, std::string::npos);
  obfuscated[record] = '\x2F';
  EXPECT_EQ(refused_file(obfuscated).message, "The workbook is encrypted");
}

TEST_F(WorkbookTest, NoPlaintextReachesTheDisk) {
  const std::string canary = "canary-77ab1e-plaintext";
  std::string rows;
  for (int i = 0; i < 20000; ++i)
    rows += "<row><c t=\"str\"><v>" + canary + std::to_string(i % 97) + "</v></c></row>";
  ASSERT_TRUE(import_bytes(TestWorkbook{.rows = rows}.zip()).ok());
  ASSERT_TRUE(import_bytes(fixture("orders.xls")).ok());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    const Bytes bytes = *read_file(entry.path(), std::uint64_t{1} << 30);
    EXPECT_EQ(as_text(bytes).find(canary), std::string_view::npos) << entry.path();
    EXPECT_EQ(as_text(bytes).find("PAR1"), std::string_view::npos) << entry.path();
  }
}

TEST_F(WorkbookTest, CancelledInEitherPassLeavesNothing) {
  class CancelIn final : public Progress {
   public:
    explicit CancelIn(std::string step) : step_(std::move(step)) {}
    void begin(std::string_view step, std::uint64_t, std::string_view) override { now_ = step; }
    void update(std::uint64_t) override { cancelled_ = cancelled_ || now_ == step_; }
    bool cancelled() const override { return cancelled_; }
    std::string step_, now_;
    bool cancelled_ = false;
  };
  std::string rows;
  for (int i = 0; i < 200000; ++i)
    rows += "<row><c><v>" + std::to_string(i * 7919) + "</v></c></row>";
  const std::string file = TestWorkbook{.rows = rows}.zip();
  for (const char* step : {"inspect", "import"}) {
    CancelIn progress(step);
    const auto imported =
        import_file(*objects_, csv_of(file), target_, options_, rejected_, progress);
    ASSERT_FALSE(imported.ok()) << step;
    EXPECT_EQ(imported.error().code, ErrorCode::kCancelled) << step;
    expect_nothing_stored();
  }
}

}  // namespace
}  // namespace oa::analytics
