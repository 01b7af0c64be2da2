#include "demo_tables.h"

#include <fmt/format.h>

#include <iterator>
#include <random>

namespace oa::demo {
namespace {

constexpr std::array kRegions{"North", "South", "East", "West"};
constexpr std::array kProducts{"Desk lamp",  "Office chair", "Notebook, A4",
                               "Whiteboard", "Cable set",    "Monitor arm"};
constexpr std::array kCities{"Zürich", "São Paulo", "Lyon",  "Kraków",
                             "Oslo",   "Pune",      "Osaka", "Austin"};
constexpr std::array kCarriers{"Road", "Rail", "Air", "Sea"};

// The generator is fixed by the standard, so every machine makes the same table.
class Source {
 public:
  explicit Source(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  template <class Array>
  const char* pick(const Array& values) {
    return values[below(values.size())];
  }

 private:
  std::mt19937_64 engine_;
};

std::string date(std::uint64_t day) {
  // 2025-01-01 plus `day`, months of 28 days are enough for a demo.
  return fmt::format("{}-{:02}-{:02}", 2025 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

Table orders(std::uint64_t rows, std::string_view canary) {
  Table table{"orders",
              0,
              "# Orders of all regions. Amounts are net, in EUR.\n"
              "dataset: orders\n"
              "source: { type: csv }\n"
              "tables:\n"
              "  - { name: orders, primary_key: order_id }\n"
              "dimensions:\n"
              "  - { id: region, column: orders.region, label: Region }\n"
              "  - { id: product, column: orders.product, label: Product }\n"
              "  - { id: order_date, column: orders.created_on, type: date, grains: [day, week, "
              "month, quarter, year] }\n"
              "measures:\n"
              "  - { id: revenue, type: sum, column: orders.net_amount }\n"
              "  - { id: order_count, type: count }\n"
              "  - { id: aov, type: ratio, numerator: revenue, denominator: order_count }  # "
              "average order value\n",
              "order_id,customer_code,region,product,quantity,net_amount,created_on,note\n",
              "region",
              {"North", "West"},
              "order_date",
              {"revenue", "order_count", "aov"}};
  Source source(1);
  auto out = std::back_inserter(table.csv);
  for (std::uint64_t i = 0; i < rows; ++i) {
    const std::uint64_t quantity = 1 + source.below(20);
    const std::uint64_t cents = quantity * (500 + source.below(20000));
    fmt::format_to(out, "{},{:06},{},{},{},{}.{:02},{},{}\n", i + 1, source.below(5000),
                   source.pick(kRegions), quoted(source.pick(kProducts)), quantity, cents / 100,
                   cents % 100, date(source.below(600)), i == rows / 2 ? canary : "");
  }
  return table;
}

Table customers(std::string_view canary) {
  Table table{"customers",
              0,
              "# One row per customer. customer_code keeps its leading zeros. The demo has no\n"
              "# warehouse: a refresh cannot reach it, and the rows stay as they are.\n"
              "dataset: customers\n"
              "source: { type: postgres, ref: warehouse }\n"
              "tables:\n"
              "  - { name: customers, primary_key: customer_code }\n"
              "dimensions:\n"
              "  - { id: city, column: customers.city, label: City }\n"
              "  - { id: region, column: customers.region, label: Region }\n"
              "measures:\n"
              "  - { id: customer_count, type: count }\n"
              "  - { id: credit_limit, type: sum, column: customers.credit_limit }\n"
              "security:\n"
              "  - name: region_scoped\n"
              "    applies_to: { role: [viewer] }\n"
              "    predicate: \"region = {{ user.attributes.region }}\"\n"
              "  - name: all_rows\n"
              "    applies_to: { role: [editor, admin] }\n"
              "    predicate: \"region IS NOT NULL\"\n",
              "customer_code,\"company name\",city,region,credit_limit\n",
              "city",
              {"Lyon", "Oslo"},
              "",
              {"customer_count", "credit_limit"}};
  Source source(2);
  auto out = std::back_inserter(table.csv);
  for (int i = 0; i < 5000; ++i) {
    fmt::format_to(out, "{:06},{},{},{},{}\n", i,
                   i == 42 && !canary.empty() ? quoted(canary) : fmt::format("Customer {}", i),
                   source.pick(kCities), source.pick(kRegions), source.below(100) * 1000);
  }
  return table;
}

Table products(std::string_view canary) {
  Table table{"products",
              0,
              "# The catalogue.\n"
              "dataset: products\n"
              "source: { type: csv }\n"
              "tables:\n"
              "  - { name: products, primary_key: sku }\n"
              "dimensions:\n"
              "  - { id: product, column: products.product }\n"
              "measures:\n"
              "  - { id: sku_count, type: count }\n"
              "  - { id: list_price, type: avg, column: products.list_price }\n",
              "sku,product,list_price,$margin,discontinued\n",
              "product",
              {"Desk lamp"},
              "",
              {"sku_count", "list_price"}};
  Source source(3);
  auto out = std::back_inserter(table.csv);
  for (int i = 0; i < 300; ++i) {
    fmt::format_to(out, "{:04},{},{}.99,{},{}\n", i,
                   quoted(i == 7 && !canary.empty() ? canary : source.pick(kProducts)),
                   5 + source.below(400),
                   source.below(4) == 0 ? "" : std::to_string(source.below(50)),
                   source.below(10) == 0 ? "true" : "false");
  }
  return table;
}

Table shipments(std::string_view canary) {
  Table table{
      "shipments",
      1,
      "# Shipments leave the warehouse on ship_date.\n"
      "dataset: shipments\n"
      "source: { type: csv }\n"
      "tables:\n"
      "  - { name: shipments, primary_key: shipment_id }\n"
      "dimensions:\n"
      "  - { id: carrier, column: shipments.carrier, label: Carrier }\n"
      "  - { id: ship_date, column: shipments.ship_date, type: date, grains: [day, month] }\n"
      "measures:\n"
      "  - { id: shipment_count, type: count }\n"
      "  - { id: weight, type: sum, column: shipments.weight_kg }\n",
      "shipment_id,carrier,city,weight_kg,ship_date\n",
      "carrier",
      {"Rail", "Sea"},
      "ship_date",
      {"shipment_count", "weight"}};
  Source source(4);
  auto out = std::back_inserter(table.csv);
  for (int i = 0; i < 8000; ++i) {
    fmt::format_to(out, "S{:07},{},{},{}.{},{}\n", i, source.pick(kCarriers),
                   i == 11 && !canary.empty() ? quoted(canary) : source.pick(kCities),
                   source.below(900), source.below(10), date(source.below(600)));
  }
  return table;
}

Table tickets(std::string_view canary) {
  Table table{
      "support_tickets",
      1,
      "# Support tickets; resolution_hours is empty while a ticket is open.\n"
      "dataset: support_tickets\n"
      "source: { type: csv }\n"
      "tables:\n"
      "  - { name: tickets, primary_key: ticket_id }\n"
      "dimensions:\n"
      "  - { id: severity, column: tickets.severity }\n"
      "  - { id: opened, column: tickets.opened_on, type: date, grains: [day, week, month] }\n"
      "measures:\n"
      "  - { id: ticket_count, type: count }\n"
      "  - { id: resolution, type: avg, column: tickets.resolution_hours }\n",
      "ticket_id,severity,opened_on,resolution_hours,summary\n",
      "severity",
      {"high", "urgent"},
      "opened",
      {"ticket_count", "resolution"}};
  constexpr std::array kSeverities{"low", "normal", "high", "urgent"};
  Source source(5);
  auto out = std::back_inserter(table.csv);
  for (int i = 0; i < 4000; ++i) {
    fmt::format_to(
        out, "{},{},{},{},{}\n", i + 1, source.pick(kSeverities), date(source.below(600)),
        source.below(5) == 0 ? "" : std::to_string(source.below(200)),
        quoted(i == 99 && !canary.empty() ? std::string(canary)
                                          : fmt::format("Ticket \"{}\",\nsecond line", i)));
  }
  return table;
}

}  // namespace

std::vector<Table> demo_tables(std::uint64_t order_rows, std::string_view canary_cell) {
  return {orders(order_rows, canary_cell), customers(canary_cell), products(canary_cell),
          shipments(canary_cell), tickets(canary_cell)};
}

}  // namespace oa::demo
