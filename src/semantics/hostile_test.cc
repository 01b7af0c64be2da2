// Whatever comes in, an answer or an error comes out, soon.
#include <chrono>
#include <random>

#include "semantics_testkit.h"
#include "sql_shape.h"

namespace oa::semantics {
namespace {

constexpr std::string_view kPieces[] = {"'",
                                        "\"",
                                        "\\",
                                        "{{",
                                        "}}",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "(",
                                        ")",
                                        ":",
                                        "- ",
                                        ",",
                                        "\n",
                                        "\t",
                                        "#",
                                        "&a",
                                        "*a",
                                        "!x",
                                        "|",
                                        ">",
                                        "?",
                                        "%",
                                        "@",
                                        "`",
                                        "\0",
                                        "é",
                                        "😀",
                                        "NOT ",
                                        " IN ",
                                        " OR ",
                                        " AND ",
                                        " IS NULL",
                                        "'; DROP TABLE orders; --",
                                        "/*",
                                        "read_csv('/etc/passwd')",
                                        "~",
                                        "null",
                                        "<<: ",
                                        "---\n",
                                        "...\n",
                                        "\xFF",
                                        "\xEF\xBB\xBF",
                                        "1e999",
                                        "user.attributes.region",
                                        "region",
                                        "orders.",
                                        "  "};

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  std::string mutated(std::string text) {
    for (std::uint64_t n = 1 + below(6); n > 0; --n) {
      const std::size_t at = below(text.size() + 1);
      switch (below(4)) {
        case 0:
          text.insert(at, kPieces[below(std::size(kPieces))]);
          break;
        case 1:
          text.erase(at, 1 + below(12));
          break;
        case 2:
          if (at < text.size()) text[at] = static_cast<char>(below(256));
          break;
        default:
          text.insert(at, text.substr(below(text.size() + 1), below(40)));
      }
    }
    return text;
  }
  std::string noise() {
    std::string text;
    for (std::uint64_t n = below(60); n > 0; --n) text += kPieces[below(std::size(kPieces))];
    return text;
  }

 private:
  std::mt19937_64 engine_;
};

// Parses; asks everything of what parses.
bool survives(const std::string& yaml) {
  const auto model = parse_model(yaml);
  if (!model.ok()) {
    EXPECT_FALSE(model.error().message.empty());
    return false;
  }
  (void)check_against(*model, shop_tables());
  QueryRequest request;
  for (const Dimension& each : model->dimensions) request.dimensions.push_back({each.id, {}});
  for (const Measure& each : model->measures) {
    if (!each.nested) request.measures.push_back(each.id);
  }
  const auto query =
      compile_query(*model, shop_tables(), request, sales(R"({"region":["a","b"]})"), {});
  EXPECT_EQ(query.ok() ? foreign_text(query->statement) : std::string(), "") << yaml;
  return query.ok();
}

TEST(HostileTest, ForeignTextIsSeen) {
  EXPECT_EQ(foreign_text({"SELECT sum(\"a\"\"b'\") FROM \"t\" LIMIT $1", {Value(true)}}), "");
  for (const char* sql : {"SELECT 'x'", "DROP", "SELECT 1; SELECT 2", "SELECT \"a", "SELECT $2",
                          "SELECT 1 --", "SELECT read_csv(\"a\")", "SELECT 1 /* */"})
    EXPECT_NE(foreign_text({sql, {Value(true)}}), "") << sql;
}

TEST(HostileTest, MutatedModels) {
  const std::string model =
      with_rule("region = {{ user.attributes.region }} AND NOT (amount > 5 OR status IS NULL)");
  Mutator mutator(1);
  int parsed = 0;
  for (int i = 0; i < 6000; ++i) parsed += survives(mutator.mutated(model)) ? 1 : 0;
  EXPECT_LT(parsed, 6000);
  for (int i = 0; i < 4000; ++i) survives(mutator.noise());
}

TEST(HostileTest, MutatedPredicatesAndExpressions) {
  Mutator mutator(2);
  for (int i = 0; i < 6000; ++i) {
    std::string predicate =
        mutator.mutated("region = 'x' AND (amount >= -1.5 OR NOT status IN ('a', {{ user.id }}))");
    std::erase(predicate, '\n');
    const auto model = parse_model(with_rule(predicate));
    if (!model.ok()) continue;
    QueryRequest request;
    request.measures = {"revenue"};
    const auto query = compile_query(*model, shop_tables(), request, sales("{}"), {});
    ASSERT_TRUE(query.ok()) << predicate;
    EXPECT_EQ(foreign_text(query->statement), "") << predicate << "\n" << query->statement.sql;
  }
}

TEST(HostileTest, MutatedRequests) {
  const std::string request =
      R"({"dimensions":[{"id":"order_date","grain":"month"}],"measures":["revenue","aov"],"filters":[
          {"field":"region","op":"in","value":["a",null]},{"field":"order_date","op":"relative","value":{"last":3,"unit":"week"}},
          {"field":"revenue","op":"between","value":[1,2.5]}],"order_by":[{"field":"aov","dir":"desc"}],"limit":7})";
  ASSERT_TRUE(compiled(kShopModel, request).ok());
  const SemanticModel model = model_of(kShopModel);
  Mutator mutator(3);
  for (int i = 0; i < 10'000; ++i) {
    const auto value = parse_json(mutator.mutated(request));
    if (!value.ok()) continue;
    const auto query = decode_query(*value, "query");
    if (!query.ok()) continue;
    const auto compiled_one = compile_query(model, shop_tables(), *query, {}, {});
    EXPECT_EQ(compiled_one.ok() ? foreign_text(compiled_one->statement) : std::string(), "");
  }
}

// Documents that have been slow or deadly to YAML readers.
TEST(HostileTest, LargeDocumentsEndSoon) {
  const auto start = std::chrono::steady_clock::now();
  for (const std::string piece :
       {"[",    "{",     "- ",   "? ",   ": ",    "&a ",     "*a ",  "!a ",      "'",    "\"",
        "|\n",  "a: ",   "a: {", "[[],", "a:\n ", "\n",      "#",    "- - ",     "{a: ", "a\n",
        "%a\n", "---\n", "\t",   ",",    "[a, ",  "\"a\": ", "? - ", "\xC3\xA9", "\\",   "a b "}) {
    std::string text;
    while (text.size() + piece.size() <= kMaxModelBytes) text += piece;
    EXPECT_FALSE(parse_model(text).ok()) << piece;
  }
  std::string nested = "a: ";
  for (int i = 0; i < 1000; ++i)
    nested += "\n" + std::string(static_cast<std::size_t>(i) + 1, ' ') + "a:";
  EXPECT_FALSE(parse_model(nested).ok());
  std::string line = "[";
  while (line.size() < kMaxModelBytes - 30) line += "\"éééééééééééééééééééé\",";
  EXPECT_FALSE(parse_model(line + "]").ok());
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_LT(seconds, 60) << "far more than any machine needs";
}

}  // namespace
}  // namespace oa::semantics
