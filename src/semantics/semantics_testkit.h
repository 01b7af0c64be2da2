// What the tests of this module share: a model of three tables, their schemas, and short ways to
// parse and compile.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "oa/semantics/query.h"

namespace oa::semantics {

inline constexpr char kShopModel[] = R"yaml(dataset: shop
source: { type: postgres, ref: warehouse }
tables:
  - { name: orders,    primary_key: id, from: sales.orders }
  - { name: customers, primary_key: id }
  - { name: islands }
joins:
  - { left: orders.customer_id, right: customers.id, kind: many_to_one }
dimensions:
  - { id: region, column: customers.region, label: Region }
  - { id: status, column: orders.status }
  - { id: order_date, column: orders.created_at, type: date, grains: [day, week, month, quarter, year] }
  - { id: moment, column: orders.synced_at, grains: [month] }
  - { id: amount, column: orders.net $amount, type: number }
  - { id: paid, column: orders.paid }
  - { id: island, column: islands.name }
measures:
  - { id: revenue, type: sum, column: orders.net $amount, format: currency }
  - { id: order_count, type: count }
  - { id: customer_count, type: count, table: customers }
  - { id: credit, type: sum, column: customers.credit }
  - { id: island_count, type: count, table: islands }
  - { id: aov, label: Average order, type: ratio, numerator: revenue, denominator: order_count, format: percent }
  - { id: net, type: derived, expression: "(revenue - 2.5 * order_count) / aov" }
)yaml";

inline std::vector<TableSchema> shop_tables() {
  return {{"orders",
           {{"id", "BIGINT"},
            {"customer_id", "BIGINT"},
            {"status", "VARCHAR"},
            {"created_at", "TIMESTAMP"},
            {"synced_at", "TIMESTAMP WITH TIME ZONE"},
            {"net $amount", "DECIMAL(12,2)"},
            {"paid", "BOOLEAN"}}},
          {"customers",
           {{"id", "BIGINT"}, {"region", "VARCHAR"}, {"credit", "DOUBLE"}, {"since", "DATE"}}},
          {"islands", {{"name", "VARCHAR"}}}};
}

inline std::string with_rule(const std::string& predicate) {
  return std::string(kShopModel) + "security:\n  - name: r\n    applies_to: { role: [sales] }\n" +
         "    predicate: >-\n      " + predicate + "\n";
}

inline std::string refusal_of(std::string_view yaml) {
  const auto model = parse_model(yaml);
  return model.ok() ? "" : model.error().message;
}

inline SemanticModel model_of(std::string_view yaml) {
  const auto model = parse_model(yaml);
  EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
  return model.ok() ? *model : SemanticModel{};
}

inline Viewer sales(std::string_view attributes) {
  Viewer viewer;
  viewer.user = UserId::parse("7d1f2f0a-3a53-4b0e-9d5c-2f1f7f3f9a10").value();
  viewer.roles = {"sales"};
  viewer.attributes = JsonText::parse(attributes).value();
  return viewer;
}

inline Result<CompiledQuery> compiled(std::string_view yaml, std::string_view request,
                                      const Viewer& viewer = {}) {
  OA_ASSIGN(const SemanticModel model, parse_model(yaml));
  OA_ASSIGN(const json::value value, parse_json(request));
  OA_ASSIGN(const QueryRequest query, decode_query(value, "query"));
  return compile_query(model, shop_tables(), query, viewer,
                       {Timestamp::parse("2024-03-31T23:59:59Z").value()});
}

}  // namespace oa::semantics
