#include "oa/semantics/query.h"

#include <algorithm>
#include <boost/json.hpp>

#include "filter_sql.h"
#include "semantics_testkit.h"

namespace oa::semantics {
namespace {

// --- The JSON form -------------------------------------------------------------------------------

Result<QueryRequest> decoded(std::string_view text) {
  return decode_query(parse_json(text).value(), "visual.query");
}

TEST(QueryJsonTest, HoldsWhatTheTextSays) {
  const auto query = decoded(
      R"({"dimensions":[{"id":"order_date","grain":"month"}],"measures":["revenue"],
          "filters":[{"field":"region","op":"in","value":["North",null,3,1.5,true]},
                     {"field":"d","op":"relative","value":{"last":30,"unit":"day"}},
                     {"field":"d","op":"is_null"}],
          "order_by":[{"field":"order_date","dir":"desc"}],"limit":5})");
  ASSERT_TRUE(query.ok()) << query.error().message;
  EXPECT_EQ(query->dimensions[0].grain, Grain::kMonth);
  EXPECT_EQ(query->filters[0].values.size(), 5u);
  EXPECT_EQ(query->filters[0].values[1], Value());
  EXPECT_EQ(query->filters[1].relative->count, 30u);
  EXPECT_EQ(query->filters[2].values, std::vector<Value>{Value(true)});
  EXPECT_TRUE(query->order_by[0].descending);
  EXPECT_EQ(query->limit, 5u);
  const auto again = decode_query(encode_query(*query), "query");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *query);
  EXPECT_EQ(decoded("{}")->limit, 1000u);
}

TEST(QueryJsonTest, RefusalsNameThePath) {
  const std::pair<const char*, const char*> refused[] = {
      {"[]", "visual.query"},
      {R"({"offset":5})", "offset"},
      {R"({"limit":0})", "visual.query.limit"},
      {R"({"limit":100001})", "visual.query.limit"},
      {R"({"limit":-1})", "visual.query.limit"},
      {R"({"measures":"revenue"})", "visual.query.measures"},
      {R"({"measures":[1]})", "visual.query.measures[0]"},
      {R"({"dimensions":["region"]})", "visual.query.dimensions[0]"},
      {R"({"dimensions":[{"id":"a"},{"id":"b","grain":"hour"}]})",
       "visual.query.dimensions[1].grain"},
      {R"({"dimensions":[{"id":"a","label":"b"}]})", "visual.query.dimensions[0]"},
      {R"({"order_by":[{"field":"a","dir":"up"}]})", "visual.query.order_by[0].dir"},
      {R"({"filters":[{"field":"a","op":"like","value":"x"}]})", "visual.query.filters[0].op"},
      {R"({"filters":[{"field":"a","op":"eq"}]})", "visual.query.filters[0].value"},
      {R"({"filters":[{"field":"a","op":"eq","value":[1]}]})", "visual.query.filters[0].value"},
      {R"({"filters":[{"field":"a","op":"in","value":[]}]})", "visual.query.filters[0].value"},
      {R"({"filters":[{"field":"a","op":"in","value":[{}]}]})", "visual.query.filters[0].value[0]"},
      {R"({"filters":[{"field":"a","op":"between","value":[1]}]})",
       "visual.query.filters[0].value"},
      {R"({"filters":[{"field":"a","op":"is_null","value":1}]})", "visual.query.filters[0].value"},
      {R"({"filters":[{"field":"a","op":"eq","value":18446744073709551615}]})", "64 bits"},
      {R"({"filters":[{"field":"a","op":"relative","value":{"last":0,"unit":"day"}}]})",
       "value.last"},
      {R"({"filters":[{"field":"a","op":"relative","value":{"next":"day"}}]})", "filters[0].value"},
      {R"({"filters":[{"field":"","op":"eq","value":1}]})", "visual.query.filters[0].field"},
  };
  for (const auto& [text, path] : refused) {
    const auto query = decoded(text);
    ASSERT_FALSE(query.ok()) << text;
    EXPECT_EQ(query.error().code, ErrorCode::kQueryInvalid) << text;
    EXPECT_NE(query.error().message.find(path), std::string::npos) << query.error().message;
  }
  const json::array many(kMaxFilters + 1);
  EXPECT_FALSE(decode_filters(many, "filters").ok());
  const json::array long_text{json::object{
      {"field", "a"}, {"op", "eq"}, {"value", std::string(kMaxFilterTextBytes + 1, 'x')}}};
  EXPECT_FALSE(decode_filters(long_text, "filters").ok());
}

// --- Relative dates ------------------------------------------------------------------------------

TEST(RelativeDatesTest, AreWholeUnits) {
  struct Case {
    RelativeDates::Kind kind;
    std::uint64_t count;
    Grain unit;
    const char* now;
    const char* first;
    const char* end;
  };
  using enum RelativeDates::Kind;
  const Case cases[] = {
      {kLast, 1, Grain::kDay, "2024-03-01T00:00:00Z", "2024-03-01", "2024-03-02"},
      {kLast, 2, Grain::kDay, "2024-03-01T00:00:00Z", "2024-02-29", "2024-03-02"},
      {kPrevious, 1, Grain::kDay, "2024-01-01T23:59:59.999999Z", "2023-12-31", "2024-01-01"},
      {kThis, 1, Grain::kWeek, "2024-03-31T12:00:00Z", "2024-03-25", "2024-04-01"},  // a Sunday
      {kThis, 1, Grain::kWeek, "2024-04-01T00:00:00Z", "2024-04-01", "2024-04-08"},  // a Monday
      {kPrevious, 1, Grain::kMonth, "2024-03-31T12:00:00Z", "2024-02-01", "2024-03-01"},
      {kLast, 13, Grain::kMonth, "2024-03-31T12:00:00Z", "2023-03-01", "2024-04-01"},
      {kPrevious, 1, Grain::kQuarter, "2024-01-15T00:00:00Z", "2023-10-01", "2024-01-01"},
      {kThis, 1, Grain::kQuarter, "2024-12-31T00:00:00Z", "2024-10-01", "2025-01-01"},
      {kLast, 3, Grain::kYear, "2024-12-31T00:00:00Z", "2022-01-01", "2025-01-01"},
      {kLast, 3660, Grain::kYear, "2024-12-31T00:00:00Z", "0001-01-01", "2025-01-01"},
      {kThis, 1, Grain::kDay, "1969-12-31T23:00:00Z", "1969-12-31", "1970-01-01"},
  };
  for (const Case& each : cases) {
    const DayRange range =
        days_of({each.kind, each.count, each.unit}, Timestamp::parse(each.now).value());
    EXPECT_EQ(range.first, each.first) << each.now;
    EXPECT_EQ(range.end, each.end) << each.now;
  }
}

// --- SQL -----------------------------------------------------------------------------------------

std::string sql_of(std::string_view request, std::string_view yaml = kShopModel,
                   const Viewer& viewer = {}) {
  const auto query = compiled(yaml, request, viewer);
  return query.ok() ? query->statement.sql : "refused: " + query.error().message;
}

TEST(CompileTest, FormOfTheStatement) {
  const auto query = compiled(
      kShopModel,
      R"({"dimensions":[{"id":"region"},{"id":"order_date","grain":"month"}],"measures":["revenue","aov"],
          "filters":[{"field":"region","op":"eq","value":"x' OR 1=1 --"}],
          "order_by":[{"field":"revenue","dir":"desc"}],"limit":10})");
  ASSERT_TRUE(query.ok()) << query.error().message;
  EXPECT_EQ(query->statement.sql, R"(WITH "of orders" AS (
  SELECT "t1"."region" AS "d0",
    CAST(date_trunc('month', CAST("t0"."created_at" AS DATE)) AS DATE) AS "d1",
    sum("t0"."net $amount") AS "a0",
    count(*) AS "a1"
  FROM "orders" AS "t0"
  LEFT JOIN "customers" AS "t1" ON "t0"."customer_id" = "t1"."id"
  WHERE "t1"."region" IN (CAST($1 AS VARCHAR))
  GROUP BY 1, 2
)
SELECT "of orders"."d0" AS "region",
  "of orders"."d1" AS "order_date",
  "of orders"."a0" AS "revenue",
  (CAST("of orders"."a0" AS DOUBLE) / NULLIF(CAST("of orders"."a1" AS DOUBLE), 0)) AS "aov"
FROM "of orders"
ORDER BY 3 DESC NULLS LAST, 1 ASC NULLS LAST, 2 ASC NULLS LAST
LIMIT 11)");
  EXPECT_EQ(query->sql_preview, query->statement.sql);
  EXPECT_EQ(query->statement.parameters, std::vector<Value>{Value("x' OR 1=1 --")});
  ASSERT_EQ(query->columns.size(), 4u);
  EXPECT_EQ(query->columns[0].label, "Region");
  EXPECT_EQ(query->columns[1].grain, Grain::kMonth);
  EXPECT_TRUE(query->columns[3].is_measure);
  EXPECT_EQ(query->columns[3].label, "Average order");
  EXPECT_EQ(query->columns[3].format, "percent");
}

TEST(CompileTest, OneDimensionAtSeveralGrains) {
  const auto query = compiled(
      kShopModel,
      R"({"dimensions":[{"id":"order_date","grain":"year"},{"id":"order_date","grain":"month"}],
          "order_by":[{"field":"order_date.month","dir":"desc"}]})");
  ASSERT_TRUE(query.ok()) << query.error().message;
  EXPECT_EQ(query->columns[0].id, "order_date.year");
  EXPECT_EQ(query->columns[1].id, "order_date.month");
  EXPECT_EQ(query->columns[1].field, "order_date");
  EXPECT_NE(query->statement.sql.find("ORDER BY 2 DESC NULLS LAST, 1 ASC"), std::string::npos);
}

TEST(CompileTest, RefusalsNameTheField) {
  const std::pair<const char*, const char*> refused[] = {
      {"{}", "asks for nothing"},
      {R"({"measures":["revenu"]})",
       "measures[0]: the model has no \"revenu\" (did you mean \"revenue\"?)"},
      {R"({"dimensions":[{"id":"revenue"}]})", "dimensions[0]"},
      {R"({"measures":["region"]})", "measures[0]"},
      {R"({"dimensions":[{"id":"region","grain":"day"}]})", "has no grain day"},
      {R"({"dimensions":[{"id":"moment","grain":"day"}]})", "has no grain day"},
      {R"({"dimensions":[{"id":"region"},{"id":"region"}]})",
       "dimensions[1]: \"region\" is there twice"},
      {R"({"measures":["revenue","revenue"]})", "measures[1]"},
      {R"({"measures":["revenue"],"order_by":[{"field":"region"}]})", "order_by[0]"},
      {R"({"measures":["revenue"],"filters":[{"field":"x","op":"eq","value":1}]})",
       "filters[0]: the model has no"},
      {R"({"measures":["revenue"],"filters":[{"field":"region","op":"eq","value":1}]})",
       "needs a text"},
      {R"({"measures":["revenue"],"filters":[{"field":"amount","op":"gt","value":"1;2"}]})",
       "needs a number"},
      {R"({"measures":["revenue"],"filters":[{"field":"amount","op":"gt","value":null}]})",
       "needs a number"},
      {R"({"measures":["revenue"],"filters":[{"field":"amount","op":"contains","value":"1"}]})",
       "for texts"},
      {R"({"measures":["revenue"],"filters":[{"field":"paid","op":"eq","value":"true"}]})",
       "true or false"},
      {R"({"measures":["revenue"],"filters":[{"field":"order_date","op":"lt","value":"2024-02-30"}]})",
       "a date"},
      {R"({"measures":["revenue"],"filters":[{"field":"order_date","op":"lt","value":"2024-02-29T10:00:00"}]})",
       "a date"},
      {R"({"measures":["revenue"],"filters":[{"field":"region","op":"relative","value":{"this":"day"}}]})",
       "for dates"},
      {R"({"measures":["revenue"],"filters":[{"field":"revenue","op":"relative","value":{"this":"day"}}]})",
       "for dates"},
      {R"({"measures":["revenue"],"dimensions":[{"id":"island"}]})",
       "no join leads from the table \"orders\" to the table \"islands\""},
      {R"({"dimensions":[{"id":"island"},{"id":"region"}]})", "no join leads"},
      {R"({"measures":["island_count","revenue"],"filters":[{"field":"status","op":"eq","value":"x"}]})",
       "no join leads"},
  };
  for (const auto& [request, part] : refused) {
    const auto query = compiled(kShopModel, request);
    ASSERT_FALSE(query.ok()) << request << query->statement.sql;
    EXPECT_EQ(query.error().code, ErrorCode::kQueryInvalid) << request;
    EXPECT_NE(query.error().message.find(part), std::string::npos) << query.error().message;
  }
}

TEST(CompileTest, ManyNeedsAPrimaryKey) {
  std::string yaml = kShopModel;
  const std::string_view request = R"({"dimensions":[{"id":"status"}],"measures":["credit"]})";
  EXPECT_NE(sql_of(request).find(
                "SELECT DISTINCT \"t0\".\"status\" AS \"d0\",\n    \"t1\".\"id\" AS \"k0\",\n"
                "    \"t1\".\"credit\" AS \"c0\""),
            std::string::npos)
      << sql_of(request);
  yaml.replace(yaml.find("customers, primary_key: id"), 26, "customers");
  const auto query = compiled(yaml, request);
  ASSERT_FALSE(query.ok());
  EXPECT_NE(query.error().message.find("\"customers\""), std::string::npos);
  EXPECT_NE(query.error().hint.find("primary_key"), std::string::npos);
}

TEST(CompileTest, AVanishedColumnIsNamed) {
  auto tables = shop_tables();
  tables[1].columns[1].name = "area";
  const SemanticModel model = model_of(kShopModel);
  const auto query = decode_query(parse_json(R"({"dimensions":[{"id":"region"}]})").value(), "q");
  const auto joined = decode_query(
      parse_json(R"({"dimensions":[{"id":"region"}],"measures":["revenue"]})").value(), "q");
  const auto islands = decode_query(parse_json(R"({"measures":["island_count"]})").value(), "q");
  const auto refused = compile_query(model, tables, *query, {}, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("\"region\" of the table \"customers\""),
            std::string::npos);
  tables[1].columns[0].type = "VARCHAR";
  tables[1].columns[1].name = "region";
  EXPECT_FALSE(compile_query(model, tables, *joined, {}, {}).ok());
  tables[1].columns[0].name = "key";
  EXPECT_FALSE(compile_query(model, tables, *joined, {}, {}).ok());
  tables.pop_back();
  EXPECT_FALSE(compile_query(model, tables, *islands, {}, {}).ok());
  const auto untouched = decode_query(parse_json(R"({"measures":["revenue"]})").value(), "q");
  EXPECT_TRUE(compile_query(model, tables, *untouched, {}, {}).ok());
}

TEST(CompileTest, RequestsMadeByHandAreCheckedToo) {
  const SemanticModel model = model_of(kShopModel);
  QueryRequest request;
  request.measures = {"revenue"};
  request.filters = {{"region", FilterOp::kEq, {}, {}}};
  EXPECT_FALSE(compile_query(model, shop_tables(), request, {}, {}).ok());
  request.filters = {{"order_date", FilterOp::kRelative, {}, {}}};
  EXPECT_FALSE(compile_query(model, shop_tables(), request, {}, {}).ok());
  request.filters.assign(30, {"region", FilterOp::kIn, std::vector<Value>(1000, Value("x")), {}});
  EXPECT_FALSE(compile_query(model, shop_tables(), request, {}, {}).ok());
  request.filters.resize(15);
  EXPECT_TRUE(compile_query(model, shop_tables(), request, {}, {}).ok());
  request.filters.clear();
  request.limit = 0;
  EXPECT_FALSE(compile_query(model, shop_tables(), request, {}, {}).ok());
}

TEST(CompileTest, NamesAreQuoted) {
  std::string yaml = kShopModel;
  yaml.replace(yaml.find("orders.status"), 13, "\"orders.a\\\"; DROP TABLE orders; --\"");
  auto tables = shop_tables();
  tables[0].columns[2].name = "a\"; DROP TABLE orders; --";
  const SemanticModel model = model_of(yaml);
  ASSERT_TRUE(check_against(model, tables).ok());
  const auto query = decode_query(parse_json(R"({"dimensions":[{"id":"status"}]})").value(), "q");
  const auto sql = compile_query(model, tables, *query, {}, {});
  ASSERT_TRUE(sql.ok());
  EXPECT_NE(sql->statement.sql.find("\"t0\".\"a\"\"; DROP TABLE orders; --\" AS \"d0\""),
            std::string::npos);
}

// --- Row-level security --------------------------------------------------------------------------

constexpr std::string_view kTurnover = R"({"measures":["revenue"]})";

TEST(SecurityTest, RulesAreFiltersOfEveryMeasure) {
  const auto query = compiled(with_rule("region = {{ user.attributes.region }}"), kTurnover,
                              sales(R"({"region":"No'rth"})"));
  ASSERT_TRUE(query.ok());
  EXPECT_NE(query->statement.sql.find("WHERE (\"t1\".\"region\" = CAST($1 AS VARCHAR))\n"
                                      "    AND \"t1\".\"id\" IS NOT NULL\n"),
            std::string::npos)
      << query->statement.sql;
  EXPECT_EQ(query->statement.parameters, std::vector<Value>{Value("No'rth")});
}

bool denied(std::string_view predicate, std::string_view attributes) {
  const auto query = compiled(with_rule(std::string(predicate)), kTurnover, sales(attributes));
  EXPECT_TRUE(query.ok()) << (query.ok() ? "" : query.error().message);
  return query.ok() && query->statement.sql.find("WHERE FALSE") != std::string::npos;
}

TEST(SecurityTest, WhatIsMissingLetsNothingThrough) {
  for (const char* predicate :
       {"region = {{ user.attributes.r }}", "NOT region = {{ user.attributes.r }}",
        "region != {{ user.attributes.r }}", "region NOT IN {{ user.attributes.r }}",
        "paid = true OR NOT (region = {{ user.attributes.r }})"}) {
    for (const char* attributes :
         {"{}", R"({"r":null})", R"({"r":[]})", R"({"r":{}})", R"({"r":["a",null]})",
          R"({"r":["a",["b"]]})", R"({"r":5})", R"({"r":["a",5]})", R"({"R":"a"})"})
      EXPECT_TRUE(denied(predicate, attributes)) << predicate << attributes;
    EXPECT_FALSE(denied(predicate, R"({"r":"a"})")) << predicate;
    EXPECT_FALSE(denied(predicate, R"({"r":["a","b"]})")) << predicate;
  }
  EXPECT_TRUE(denied("region < {{ user.attributes.r }}", R"({"r":["a","b"]})"));
  EXPECT_TRUE(denied("amount = {{ user.attributes.r }}", R"({"r":"many"})"));
  EXPECT_FALSE(denied("amount = {{ user.attributes.r }}", R"({"r":"12.50"})"));
  EXPECT_TRUE(denied("region = {{ user.attributes.r }}", "[]"));
}

TEST(SecurityTest, TooManyValuesLetNothingThrough) {
  const auto values = [](std::size_t count) {
    return canonical_json(json::object{{"r", json::array(count, json::value("a"))}});
  };
  std::string ten = "region = {{ user.attributes.r }}";
  for (int i = 1; i < 10; ++i) ten += " OR region = {{ user.attributes.r }}";
  EXPECT_FALSE(denied(ten, values(1000)));
  EXPECT_TRUE(denied(ten, values(1001)));
  EXPECT_TRUE(denied(ten + " OR status = 'x'", values(1000)));
}

TEST(SecurityTest, ArraysMeanAnyOf) {
  const auto sql = [](const char* predicate) {
    return sql_of(kTurnover, with_rule(predicate), sales(R"({"r":["a","b"]})"));
  };
  EXPECT_NE(sql("region = {{ user.attributes.r }}")
                .find("(\"t1\".\"region\" IN (CAST($1 AS VARCHAR), CAST($2"),
            std::string::npos);
  EXPECT_NE(sql("{{ user.attributes.r }} = region")
                .find("(\"t1\".\"region\" IN (CAST($1 AS VARCHAR), CAST($2"),
            std::string::npos);
  EXPECT_NE(sql("region <> {{ user.attributes.r }}").find("(\"t1\".\"region\" NOT IN (CAST($1"),
            std::string::npos);
  EXPECT_NE(sql("region IN ('x', {{ user.attributes.r }})")
                .find("IN (CAST($1 AS VARCHAR), CAST($2 AS VARCHAR), CAST($3"),
            std::string::npos);
}

TEST(SecurityTest, WhomNoRuleMatchesSeesNothing) {
  const std::string yaml = with_rule("region IS NOT NULL");
  EXPECT_NE(sql_of(kTurnover, yaml).find("WHERE FALSE"), std::string::npos);
  EXPECT_EQ(sql_of(kTurnover, yaml, sales("{}")).find("FALSE"), std::string::npos);
  EXPECT_NE(sql_of(kTurnover, std::string(kShopModel) + "security: []\n", sales("{}"))
                .find("WHERE FALSE"),
            std::string::npos);
  EXPECT_EQ(sql_of(kTurnover).find("FALSE"), std::string::npos);
  Viewer team;
  team.teams = {"sales"};  // a role of that name is another thing
  EXPECT_NE(sql_of(kTurnover, yaml, team).find("WHERE FALSE"), std::string::npos);
}

TEST(SecurityTest, ATableThatTheRuleCannotReachIsDenied) {
  const std::string yaml = with_rule("region = 'x'");
  EXPECT_NE(sql_of(R"({"measures":["island_count"]})", yaml, sales("{}")).find("WHERE FALSE"),
            std::string::npos);
  const std::string both = sql_of(R"({"measures":["island_count","revenue"]})", yaml, sales("{}"));
  EXPECT_NE(both.find("FROM \"islands\" AS \"t2\"\n  WHERE FALSE"), std::string::npos) << both;
  EXPECT_NE(both.find("\"t1\".\"id\" IS NOT NULL"), std::string::npos) << both;
}

TEST(SecurityTest, AQueryThatShowsNothingAtAllSaysSo) {
  const auto says = [](std::string_view query, const std::string& yaml, const Viewer& viewer) {
    const auto model = model_of(yaml);
    const auto tables = shop_tables();
    return compile_query(model, tables, *decode_query(parse_json(query).value(), "q"), viewer, {})
        ->denied;
  };
  const std::string yaml = with_rule("region = 'x'");
  EXPECT_FALSE(says(kTurnover, std::string(kShopModel), {}));
  EXPECT_TRUE(says(kTurnover, yaml, {}));
  EXPECT_FALSE(says(kTurnover, yaml, sales("{}")));
  EXPECT_TRUE(says(R"({"measures":["island_count"]})", yaml, sales("{}")));
  EXPECT_FALSE(says(R"({"measures":["island_count","revenue"]})", yaml, sales("{}")))
      << "one of its tables shows something";
}

TEST(SecurityTest, AColumnThatIsGoneDenies) {
  auto tables = shop_tables();
  tables[1].columns.erase(tables[1].columns.begin() + 1);
  const auto query = decode_query(parse_json(kTurnover).value(), "q");
  const auto sql =
      compile_query(model_of(with_rule("NOT region = 'x'")), tables, *query, sales("{}"), {});
  ASSERT_TRUE(sql.ok());
  EXPECT_NE(sql->statement.sql.find("WHERE FALSE"), std::string::npos);
}

// --- Cursors -------------------------------------------------------------------------------------

TEST(CursorTest, BelongsToOneQueryViewerAndVersion) {
  const Timestamp now = Timestamp::parse("2024-03-31T12:00:00Z").value();
  QueryRequest request = decoded(R"({"measures":["revenue"],"limit":10})").value();
  const Viewer viewer = sales(R"({"region":"x"})");
  const std::string cursor = make_cursor(request, "v1", viewer, 40, now);
  const auto code = [&](const std::string& text, const QueryRequest& asked, const char* version,
                        const Viewer& by, std::int64_t after_us) {
    const auto offset = read_cursor(text, asked, version, by, {now.unix_us + after_us});
    EXPECT_EQ(offset.ok() ? *offset : 40u, 40u);
    return offset.ok() ? ErrorCode::kInternal : offset.error().code;
  };
  constexpr std::int64_t kDay_us = std::int64_t{86'400} * 1'000'000;
  EXPECT_EQ(code(cursor, request, "v1", viewer, 0), ErrorCode::kInternal);
  EXPECT_EQ(code(cursor, request, "v1", viewer, kDay_us), ErrorCode::kInternal);
  EXPECT_EQ(code(cursor, request, "v1", viewer, kDay_us + 1), ErrorCode::kCursorExpired);
  EXPECT_EQ(code(cursor, request, "v1", viewer, -1), ErrorCode::kCursorMismatch);
  EXPECT_EQ(code(cursor, request, "v2", viewer, 0), ErrorCode::kCursorMismatch);
  EXPECT_EQ(code(cursor, request, "v1", sales(R"({"region":"y"})"), 0), ErrorCode::kCursorMismatch);
  request.offset = 40;
  EXPECT_EQ(code(cursor, request, "v1", viewer, 0), ErrorCode::kInternal);
  request.limit = 11;
  EXPECT_EQ(code(cursor, request, "v1", viewer, 0), ErrorCode::kCursorMismatch);
  request.limit = 10;
  for (const std::string& bad : {std::string(), std::string("x"), cursor + "00",
                                 std::string(98, 'z'), std::string(cursor).replace(4, 2, "ff")})
    EXPECT_EQ(code(bad, request, "v1", viewer, 0), ErrorCode::kCursorMismatch) << bad;
}

}  // namespace
}  // namespace oa::semantics
