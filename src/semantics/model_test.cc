#include <fmt/format.h>

#include "semantics_testkit.h"

namespace oa::semantics {
namespace {

TEST(ModelTest, HoldsWhatTheTextSays) {
  const SemanticModel model = model_of(kShopModel);
  EXPECT_EQ(model.dataset, "shop");
  EXPECT_EQ(model.source.type, "postgres");
  EXPECT_EQ(model.source.ref, "warehouse");
  ASSERT_EQ(model.tables.size(), 3u);
  EXPECT_EQ(model.tables[0].from, "sales.orders");
  EXPECT_EQ(model.tables[0].primary_key, std::vector<std::string>{"id"});
  EXPECT_TRUE(model.tables[2].primary_key.empty());
  ASSERT_EQ(model.joins.size(), 1u);
  EXPECT_EQ(model.joins[0].left.column, "customer_id");
  EXPECT_EQ(model.dimension("region")->label, "Region");
  EXPECT_EQ(model.dimension("status")->label, "status");
  EXPECT_EQ(model.dimension("amount")->column.column, "net $amount");
  EXPECT_EQ(model.dimension("order_date")->grains.size(), 5u);
  EXPECT_EQ(model.dimension("order_date")->type, DimensionType::kDate);
  EXPECT_EQ(model.measure("order_count")->table, "orders");
  EXPECT_EQ(model.measure("customer_count")->table, "customers");
  EXPECT_EQ(model.measure("aov")->numerator, "revenue");
  EXPECT_EQ(model.measure("aov")->format, "percent");
  EXPECT_FALSE(model.security.has_value());
  EXPECT_EQ(model.dimension("revenue"), nullptr);
}

TEST(ModelTest, NamesOfColumns) {
  const SemanticModel model = model_of(
      "dataset: d\ntables: [{ name: t, primary_key: [a, b] }]\ndimensions:\n"
      "  - { id: a, column: t.a.b }\n"
      "  - { id: b, column: bare }\n"
      "  - { id: c, column: other.dotted }\n"
      "  - { id: d, column: \"t.$ 'x' \\\"y\\\"\" }\n"
      "  - { id: e, column: Zürich größe }\n");
  EXPECT_EQ(model.tables[0].primary_key, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(model.dimension("a")->column.column, "a.b");
  EXPECT_EQ(model.dimension("b")->column.column, "bare");
  EXPECT_EQ(model.dimension("c")->column.column, "other.dotted");
  EXPECT_EQ(model.dimension("d")->column.column, "$ 'x' \"y\"");
  EXPECT_EQ(model.dimension("e")->column.column, "Zürich größe");
  for (const Dimension& dimension : model.dimensions) EXPECT_EQ(dimension.column.table, "t");
}

TEST(ModelTest, NestedMeasures) {
  const SemanticModel model = model_of(
      "dataset: d\ntables: [{ name: t }]\nmeasures:\n"
      "  - id: r\n    type: ratio\n    numerator: { type: sum, column: x }\n"
      "    denominator: { type: ratio, numerator: n, denominator: { type: count } }\n"
      "  - { id: n, type: avg, column: y }\n");
  EXPECT_EQ(model.measure("r")->denominator, "r.denominator");
  EXPECT_TRUE(model.measure("r.numerator")->nested);
  EXPECT_EQ(model.measure("r.denominator")->denominator, "r.denominator.denominator");
  EXPECT_EQ(model.measures.size(), 5u);
}

TEST(ModelTest, SecurityIsAbsentOrAList) {
  EXPECT_EQ(model_of(with_rule("region = 'x'")).security->size(), 1u);
  EXPECT_TRUE(model_of(std::string(kShopModel) + "security: []\n").security->empty());
  EXPECT_NE(refusal_of(std::string(kShopModel) + "security:\n"), "");
  const std::string head =
      std::string(kShopModel) + "security:\n  - name: r\n    predicate: paid = true\n";
  EXPECT_EQ(
      refusal_of(
          head +
          "    applies_to: { role: a, team: [b], user: 7D1F2F0A-3A53-4B0E-9D5C-2F1F7F3F9A10 }\n"),
      "");
  EXPECT_NE(refusal_of(head + "    applies_to: { user: [x@example.com] }\n"), "");
  EXPECT_NE(refusal_of(head + "    applies_to: { role: [] }\n"), "");
  EXPECT_NE(refusal_of(head), "");
}

struct Refused {
  const char* yaml;
  const char* message;
};

class RefusedModelTest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedModelTest, NamesThePlace) {
  const auto model = parse_model(GetParam().yaml);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kModelInvalid);
  EXPECT_NE(model.error().message.find(GetParam().message), std::string::npos)
      << model.error().message;
}

#define HEAD "dataset: d\ntables: [{ name: t, primary_key: id }, { name: u }, { name: v }]\n"
constexpr Refused kRefused[] = {
    {"", "line 1, column 1: a model is a map"},
    {"[]", "line 1, column 1: a model is a map"},
    {"dataset: d\n", "line 1, column 1: a model needs the key \"tables\""},
    {"dataset: d\ntables: []\n", "line 2, column 9: \"tables\" is a list of 1 to 64"},
    {"dataset: [d]\ntables: [{ name: t }]\n", "line 1, column 10: \"dataset\" is a text"},
    {"dataset: d\ntables: [{ name: t }]\nmesures: []\n",
     "line 3, column 1: a model has no key \"mesures\" (did you mean \"measures\"?)"},
    {"dataset: d\ndataset: e\n", "line 2, column 1: the key \"dataset\" is there twice"},
    {"dataset: d\n---\ndataset: e\n", "a model is one document"},
    {"a: &x 1\nb: *x\n", "anchors (&name) are not allowed"},
    {"a: *x\n", "line 1, column 4"},
    {"a: !!str 1\n", "line 1, column 4: tags"},
    {"a: !mine { b: 1 }\n", "tags (!name)"},
    {"? [a]\n: 1\n", "a key must be a plain text"},
    {"a: [1, 2\n", "line 2"},
    {"a: \"\\0\"\n", "line 1, column 4: a text holds a NUL"},
    {"dataset: \xFF\n", "not UTF-8"},
    {"dataset: d\n é\x01\n", "line 2, column 3: the text holds a control character"},
    {"dataset: \"\\Ã\"\n", "line 1"},
    {"dataset: d\ntables:\n  - { name: t }\n  - { name: T }\n",
     "line 4, column 13: the table \"T\" is there twice"},
    {"dataset: d\ntables: [{ name: 1t }]\n", "line 2, column 18: \"1t\" is no name"},
    {"dataset: d\ntables: [{ name: \"a; DROP\" }]\n", "is no name"},
    {"dataset: d\ntables: [{ name: t, from: a.b }]\n", "line 2, column 27: \"from\" names a table"},
    {"dataset: d\nsource: { type: \"x y\" }\ntables: [{ name: t }]\n", "one word"},
    {HEAD "dimensions:\n  - { id: é-x, column: t.a }\n", "line 4, column 11: \"é-x\" is no name"},
    {HEAD "dimensions:\n  - { id: a, column: w.a }\n",
     "line 4, column 22: there is no table \"w\""},
    {HEAD "dimensions:\n  - { id: a, column: a }\n", "line 4, column 22: \"a\" is no column"},
    {HEAD "dimensions:\n  - { id: a, column: t.a, type: int }\n",
     "line 4, column 33: \"int\" is no type of a dimension"},
    {HEAD "dimensions:\n  - { id: a, column: t.a, type: text, grains: [day] }\n",
     "only a date or timestamp has grains"},
    {HEAD "dimensions:\n  - { id: a, column: t.a, grains: [day, hour] }\n",
     "line 4, column 41: \"hour\" is no grain"},
    {HEAD "dimensions:\n  - { id: a, column: t.a, grains: [day, day] }\n", "there twice"},
    {HEAD "dimensions:\n  - { id: a, column: t.a }\nmeasures:\n  - { id: a, type: count }\n",
     "line 6, column 5: the id a is there twice"},
    {HEAD "measures:\n  - { id: a, type: sum }\n",
     "line 4, column 5: a measure needs the key \"column\""},
    {HEAD "measures:\n  - { id: a, type: median, column: t.a }\n",
     "line 4, column 20: \"median\" is no type of a measure"},
    {HEAD "measures:\n  - { id: a, type: count, column: t.a, table: t }\n", "not both"},
    {HEAD "measures:\n  - { id: a, type: count, table: w }\n", "there is no table \"w\""},
    {HEAD "measures:\n  - { id: a, type: ratio, numerator: b, denominator: cc }\n  - { id: c, "
          "type: count }\n",
     "line 4, column 38: there is no measure \"b\" (and 1 more problem)"},
    {HEAD "measures:\n  - { id: a, type: ratio, numerator: [x], denominator: b }\n",
     "\"numerator\" is the id of a measure, or a measure"},
    {HEAD "measures:\n  - { id: a, type: sum, column: t.a, numerator: a }\n",
     "a measure has no key \"numerator\""},
    {HEAD "measures:\n  - { id: a, type: derived, expression: \"b + c\" }\n"
          "  - { id: b, type: ratio, numerator: c, denominator: a }\n  - { id: c, type: count }\n",
     "line 4, column 5: measures that need each other: a → b → a"},
    {HEAD "measures:\n  - { id: a, type: ratio, numerator: a, denominator: a }\n", "a → a"},
    {HEAD "measures:\n  - { id: a, type: derived, expression: \"1 +\" }\n",
     "line 4, column 45: a number, a measure or ( expected, but the text ends here"},
    {HEAD "measures:\n  - { id: a, type: derived, expression: \"1 + sum(x)\" }\n",
     "line 4, column 49: +, -, * or / expected, not \"(\""},
    {HEAD "measures:\n  - { id: a, type: derived, expression: 1 ; DROP }\n",
     "line 4, column 43: this character has no meaning here"},
    {HEAD "joins:\n  - { left: t.a, right: u.b, kind: many_to_many }\n",
     "line 4, column 36: \"many_to_many\" is no kind of join"},
    {HEAD "joins:\n  - { left: t.a, right: t.b, kind: many_to_one }\n", "joins a table to itself"},
    {HEAD "joins:\n  - { left: t.a, right: u.b, kind: many_to_one }\n"
          "  - { left: v.a, right: u.c, kind: many_to_one }\n"
          "  - { left: t.x, right: v.y, kind: one_to_one }\n",
     "line 6, column 5: there are two ways from t to v: t → u → v, and here t.\"x\" = v.\"y\""},
    {HEAD "joins:\n  - { left: t.a, right: u.b, kind: many_to_one }\n"
          "  - { left: t.c, right: u.b, kind: many_to_one }\n",
     "there are two ways from t to u"},
};
INSTANTIATE_TEST_SUITE_P(All, RefusedModelTest, testing::ValuesIn(kRefused));

// yaml-cpp guesses the encoding from where the NULs are.
TEST(ModelTest, IsNeverTakenForAnotherEncoding) {
  for (const std::string& utf16 :
       {std::string("\0d\0a\0:\0 \0d", 10), std::string("d\0a\0:\0 \0d\0", 10),
        std::string("\0\0\0d\0\0\0a", 8)})
    EXPECT_NE(refusal_of(utf16).find("control character"), std::string::npos);
}

TEST(ModelTest, CountsFurtherProblemsAndTellsTheFirstOfTheText) {
  EXPECT_EQ(refusal_of(HEAD "dimensions:\n  - { id: a, column: x.a }\n  - { id: b, colum: t.b }\n"
                            "extra: 1\n"),
            "line 4, column 22: there is no table \"x\" (and 3 more problems)");
}
#undef HEAD

TEST(ModelTest, ColumnsCountCharacters) {
  EXPECT_NE(
      refusal_of("dataset: Zürich größe # é\ntables: [{ name: t }, { name: u }]\ndimensions:\n"
                 "  - { label: \"éé\", id: a, column: w.a }\n")
          .find("line 4, column 35: there is no table"),
      std::string::npos);
  EXPECT_NE(refusal_of("\xEF\xBB\xBF"
                       "datase: d\r\ntables: [{ name: t }]\r\nx: 1\r\n")
                .find("line 1, column 1: a model"),
            std::string::npos);
}

TEST(ModelTest, PredicatesAreReadWithPositions) {
  const auto refused = [](const std::string& predicate) {
    return refusal_of(with_rule(predicate));
  };
  for (const char* good :
       {"region = 'N''x'", "customers.region IN ('a', 'b') AND NOT paid = false",
        "region = {{ user.attributes.region }} or (amount >= -1.5 and order_date < '2024-01-01')",
        "orders.\"net $amount\" <> 3", "region IS NOT NULL",
        "region not in {{ user.attributes.\"a b\" }}", "{{ user.id }} = status", "region = status"})
    EXPECT_EQ(refused(good), "") << good;
  for (const char* bad : {"region",
                          "region =",
                          "region = 'x",
                          "region == 'x'",
                          "'a' = 'a'",
                          "1 = 1",
                          "true",
                          "region = 'x' OR 1",
                          "region = {{ user.email }}",
                          "region = {{ 'x' }}",
                          "regio = 'x'",
                          "nowhere.x = 1",
                          "region = 'x'; DROP TABLE orders",
                          "region = 'x' -- comment",
                          "f(region) = 1",
                          "region LIKE 'x'",
                          "region = (SELECT 1)",
                          "region IN ()",
                          "{{ user.id }} IN (region)",
                          "region IS 'x'",
                          "NOT",
                          "read_csv('/etc/passwd') = 1",
                          "region = 1x",
                          "amount = 1e999",
                          "region = {{ user.attributes }}",
                          "region = {{ user.attributes.a.b }}"})
    EXPECT_NE(refused(bad), "") << bad;
  EXPECT_NE(refused(std::string(40, '(') + "region = 'x'" + std::string(40, ')')).find("nested"),
            std::string::npos);
  const std::string one_line =
      std::string(kShopModel) +
      "security:\n  - { name: r, applies_to: { role: x }, predicate: \"regio = 'x'\" }\n";
  EXPECT_NE(refusal_of(one_line).find(
                "line 26, column 53: there is no dimension \"regio\" (did you mean \"region\"?)"),
            std::string::npos)
      << refusal_of(one_line);
}

TEST(ModelTest, LimitsHold) {
  const auto code = [](const std::string& yaml) {
    const auto model = parse_model(yaml);
    return model.ok() ? ErrorCode::kInternal : model.error().code;
  };
  EXPECT_EQ(code(std::string(kMaxModelBytes + 1, ' ')), ErrorCode::kLimitExceeded);
  EXPECT_EQ(code("a: " + std::string(100, '[') + std::string(100, ']')), ErrorCode::kLimitExceeded);
  std::string many = "a: [";
  for (int i = 0; i < 60'000; ++i) many += "1,";
  EXPECT_EQ(code(many + "]"), ErrorCode::kLimitExceeded);
  std::string chain = "dataset: d\ntables: [{ name: t }]\nmeasures:\n  - { id: m0, type: count }\n";
  std::string doubled = chain;
  for (int i = 1; i < 12; ++i)
    doubled +=
        fmt::format("  - {{ id: m{0}, type: derived, expression: m{1} + m{1} }}\n", i, i - 1);
  EXPECT_NE(refusal_of(doubled).find("more than 500 parts when those that it names"),
            std::string::npos);
  for (int i = 1; i < 40; ++i)
    chain += fmt::format("  - {{ id: m{}, type: derived, expression: -m{} }}\n", i, (i + 1) % 41);
  EXPECT_NE(refusal_of(chain), "");
}

// --- Against rows --------------------------------------------------------------------------------

std::string mismatch(const std::string& yaml,
                     const std::vector<TableSchema>& tables = shop_tables()) {
  const Status status = check_against(model_of(yaml), tables);
  return status.ok() ? "" : status.error().message;
}

TEST(ModelAgainstRowsTest, FitsOrSaysWhereNot) {
  EXPECT_EQ(mismatch(kShopModel), "");
  EXPECT_EQ(mismatch(with_rule("region = 'x' AND order_date >= '2024-02-29' AND amount > '1.25'")),
            "");
  const auto with = [](const std::string& lines) {
    std::string text = kShopModel;
    return text.insert(text.find("measures:\n") + 10, lines);
  };
  const auto expect = [](const std::string& message, std::string_view part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect(mismatch(with("  - { id: x, type: sum, column: customers.Credit }\n")),
         "line 18, column 33: the table \"customers\" has no column \"Credit\" (did you mean "
         "\"credit\"?)");
  expect(mismatch(with("  - { id: x, type: sum, column: orders.status }\n")), "sum needs numbers");
  expect(mismatch(with("  - { id: x, type: avg, column: orders.created_at }\n")),
         "avg needs numbers");
  EXPECT_EQ(mismatch(with("  - { id: x, type: min, column: orders.status }\n")), "");
  expect(mismatch(with("  - { id: x, type: max, column: orders.created_at }\n"
                       "  - { id: y, type: derived, expression: revenue + x }\n")),
         "line 19, column 51: \"x\" is no number to compute with: its column is TIMESTAMP");
  expect(mismatch(with_rule("region = 5")), "a text is needed here");
  expect(mismatch(with_rule("amount IN (1, 'x')")), "a number is needed here");
  expect(mismatch(with_rule("order_date = '2024-02-30'")), "a date");
  expect(mismatch(with_rule("region = amount")), "cannot be compared");
  auto tables = shop_tables();
  tables[1].columns[0].type = "VARCHAR";
  expect(mismatch(kShopModel, tables),
         "line 8, column 5: orders.\"customer_id\" is BIGINT and customers.\"id\" is VARCHAR");
  tables = shop_tables();
  tables[0].columns[3].type = "VARCHAR";
  expect(mismatch(kShopModel, tables),
         "grains need a date or timestamp, the column \"created_at\" is VARCHAR");
  tables = shop_tables();
  tables[0].columns[0].name = "key";
  expect(mismatch(kShopModel, tables),
         "line 4, column 5: the table \"orders\" has no column \"id\"");
  tables = shop_tables();
  tables.pop_back();
  expect(mismatch(kShopModel, tables), "line 6, column 5: the rows have no table \"islands\"");
  tables = shop_tables();
  tables[0].columns[6].type = "STRUCT(a INTEGER)";
  EXPECT_EQ(mismatch(kShopModel, tables), "");  // may be shown, not compared
}

}  // namespace
}  // namespace oa::semantics
