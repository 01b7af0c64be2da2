#include <array>

#include "question.h"

namespace oa::golden_answers {
namespace {

const std::string kRetail = R"yaml(
dataset: retail
source: { type: postgres, ref: warehouse }
tables:
  - { name: lineitem, primary_key: [o_key, line_no] }
  - { name: orders,   primary_key: o_key }
  - { name: customer, primary_key: c_key }
  - { name: profile,  primary_key: c_key }
  - { name: nation,   primary_key: n_key }
  - { name: region,   primary_key: r_key }
  - { name: part,     primary_key: p_key }
  - { name: ticket,   primary_key: t_key }
joins:
  - { left: lineitem.o_key, right: orders.o_key,   kind: many_to_one }
  - { left: lineitem.p_key, right: part.p_key,     kind: many_to_one }
  - { left: customer.c_key, right: orders.c_key,   kind: one_to_many }
  - { left: customer.n_key, right: nation.n_key,   kind: many_to_one }
  - { left: nation.r_key,   right: region.r_key,   kind: many_to_one }
  - { left: profile.c_key,  right: customer.c_key, kind: one_to_one }
  - { left: ticket.c_key,   right: customer.c_key, kind: many_to_one }
dimensions:
  - { id: region,    column: region.r_name }
  - { id: nation,    column: nation.n_name }
  - { id: segment,   column: customer.segment }
  - { id: customer,  column: customer.c_key }
  - { id: vip,       column: customer.vip, type: boolean }
  - { id: balance_of, column: customer.balance, type: number }
  - { id: tier,      column: profile.tier }
  - { id: status,    column: orders.status }
  - { id: priority,  column: orders.priority }
  - { id: order_no,  column: orders.o_key }
  - { id: order_total, column: orders.total $ }
  - { id: placed,    column: orders.placed_at, type: date, grains: [day, week, month, quarter, year] }
  - { id: placed_at, column: orders.placed_at, type: timestamp, grains: [month] }
  - { id: shipped,   column: lineitem.shipped, type: date, grains: [day, week, month, quarter, year] }
  - { id: returned,  column: lineitem.returned }
  - { id: discount,  column: lineitem.discount }
  - { id: brand,     column: part.brand }
  - { id: size,      column: part.size }
  - { id: severity,  column: ticket.severity }
  - { id: opened,    column: ticket.opened_at, grains: [day, week, month, year] }
measures:
  - { id: line_count, type: count }
  - { id: quantity,   type: sum, column: lineitem.quantity }
  - { id: revenue,    type: sum, column: lineitem.price }
  - { id: avg_discount, type: avg, column: lineitem.discount }
  - { id: first_shipped, type: min, column: lineitem.shipped }
  - { id: last_shipped,  type: max, column: lineitem.shipped }
  - { id: parts_sold, type: count_distinct, column: lineitem.p_key }
  - { id: shipped_lines, type: count, column: lineitem.shipped }
  - { id: order_count, type: count, table: orders }
  - { id: turnover,   type: sum, column: orders.total $ }
  - { id: avg_order,  type: avg, column: orders.total $ }
  - { id: buyers,     type: count_distinct, column: orders.c_key }
  - { id: last_order, type: max, column: orders.placed_at }
  - { id: customer_count, type: count, table: customer }
  - { id: credit,     type: sum, column: customer.balance }
  - { id: heaviest,   type: max, column: part.unit weight $ }
  - { id: weight,     type: sum, column: part.unit weight $ }
  - { id: ticket_count, type: count, table: ticket }
  - { id: hours,      type: sum, column: ticket.hours }
  - { id: avg_hours,  type: avg, column: ticket.hours }
  - { id: first_ticket, type: min, column: ticket.opened_at }
  - { id: aov,        type: ratio, numerator: turnover, denominator: order_count, format: percent }
  - { id: lines_per_order, type: ratio, numerator: line_count, denominator: order_count }
  - id: tickets_per_buyer
    type: ratio
    numerator: { type: count, table: ticket }
    denominator: { type: count_distinct, column: orders.c_key }
  - id: aov_per_discount
    type: ratio
    numerator: { type: ratio, numerator: turnover, denominator: { type: count, table: orders } }
    denominator: avg_discount
  - { id: net,        type: derived, expression: "revenue * (1 - avg_discount) - 2.5 * line_count" }
  - { id: mixed,      type: derived, expression: "-(turnover / 100) + hours / ticket_count" }
  - { id: nested,     type: derived, expression: "aov / lines_per_order * 2" }
)yaml";

const std::string kByRegion = kRetail + R"yaml(
security:
  - { name: by_region, applies_to: { role: [sales] }, predicate: "region = {{ user.attributes.region }}" }
  - { name: open_only, applies_to: { team: [support] }, predicate: "orders.status IN ('O', 'P')" }
  - { name: no_vip,    applies_to: { role: [junior] }, predicate: "NOT (vip = true)" }
)yaml";

const std::string kByUser = kRetail + R"yaml(
security:
  - { name: cheap, applies_to: { user: [7D1F2F0A-3A53-4B0E-9D5C-2F1F7F3F9A10], role: [nobody] },
      predicate: "balance_of < 9000 AND (segment IS NOT NULL OR tier IN ('gold', 'silver'))" }
)yaml";

const std::string kNobody = kRetail + "security: []\n";

const std::string kByTicket = kRetail + R"yaml(
security:
  - { name: severe, applies_to: { role: [sales] }, predicate: "severity = {{ user.attributes.severity }}" }
)yaml";

constexpr char kSales[] =
    R"({"roles": ["sales"], "teams": [], "attributes": {"region": ["ASIA", "EUROPE"], "severity": "high"}})";

// The tables as a person would join them.
#define LINES                                                                              \
  "lineitem l LEFT JOIN orders o USING (o_key) LEFT JOIN customer c ON c.c_key = o.c_key " \
  "LEFT JOIN nation n USING (n_key) LEFT JOIN region r USING (r_key) "                     \
  "LEFT JOIN part p USING (p_key) "
#define ORDERS                                                                           \
  "orders o LEFT JOIN customer c ON c.c_key = o.c_key LEFT JOIN nation n USING (n_key) " \
  "LEFT JOIN region r USING (r_key) "

const Question kQuestions[] = {
    // --- Aggregates and joins towards "one" ---
    {"Totals", kRetail, R"({"measures":["line_count","quantity","revenue","avg_discount"]})",
     "SELECT count(*), sum(quantity), sum(price), avg(discount) FROM lineitem"},
    {"MinMaxDistinct", kRetail,
     R"({"measures":["first_shipped","last_shipped","parts_sold","shipped_lines"]})",
     "SELECT min(shipped), max(shipped), count(DISTINCT p_key), count(shipped) FROM lineitem"},
    {"ByStatusWithNullGroup", kRetail,
     R"({"dimensions":[{"id":"status"}],"measures":["order_count","turnover"]})",
     R"(SELECT status, count(*), sum("total $") FROM orders GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"ByRegionOverFourJoins", kRetail,
     R"({"dimensions":[{"id":"region"}],"measures":["revenue","quantity"]})",
     "SELECT r_name, sum(price), sum(quantity) FROM " LINES "GROUP BY 1 ORDER BY 1 NULLS LAST"},
    {"OrphansStayInTotals", kRetail,
     R"({"dimensions":[{"id":"customer"}],"measures":["turnover"],
         "order_by":[{"field":"turnover","dir":"desc"}],"limit":40})",
     R"(SELECT c.c_key, sum("total $") FROM orders o LEFT JOIN customer c USING (c_key)
        GROUP BY 1 ORDER BY 2 DESC NULLS LAST, 1 NULLS LAST LIMIT 40)"},
    {"TwoBranches", kRetail,
     R"({"dimensions":[{"id":"brand"},{"id":"segment"}],"measures":["revenue","line_count"]})",
     "SELECT brand, segment, sum(price), count(*) FROM " LINES
     "GROUP BY 1, 2 ORDER BY 1 NULLS LAST, 2 NULLS LAST"},
    {"BooleanDimension", kRetail,
     R"({"dimensions":[{"id":"vip"}],"measures":["order_count","buyers"]})",
     "SELECT vip, count(*), count(DISTINCT o.c_key) FROM " ORDERS
     "GROUP BY 1 ORDER BY 1 NULLS LAST"},
    {"OneToOneForward", kRetail,
     R"({"dimensions":[{"id":"tier"}],"measures":["credit","customer_count"]})",
     R"(SELECT tier, sum(balance), count(*) FROM customer LEFT JOIN profile USING (c_key)
        GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"TierOfOrders", kRetail,
     R"({"dimensions":[{"id":"tier"}],"measures":["turnover","avg_order"]})",
     R"(SELECT tier, sum("total $"), avg("total $") FROM orders LEFT JOIN customer USING (c_key)
        LEFT JOIN profile USING (c_key) GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"NumbersAsDimension", kRetail,
     R"({"dimensions":[{"id":"size"}],"measures":["quantity"],"order_by":[{"field":"size","dir":"desc"}]})",
     "SELECT size, sum(quantity) FROM " LINES "GROUP BY 1 ORDER BY 1 DESC NULLS LAST"},
    {"MaxOfTimestamp", kRetail, R"({"dimensions":[{"id":"priority"}],"measures":["last_order"]})",
     "SELECT priority, max(placed_at) FROM orders GROUP BY 1 ORDER BY 1 NULLS LAST"},
    {"MinOfZonedTimestamp", kRetail,
     R"({"dimensions":[{"id":"severity"}],"measures":["first_ticket"]})",
     "SELECT severity, min(opened_at) FROM ticket GROUP BY 1 ORDER BY 1 NULLS LAST"},

    // --- Across "many": no row counts twice ---
    {"CreditByStatus", kRetail,
     R"({"dimensions":[{"id":"status"}],"measures":["credit","customer_count"]})",
     R"(SELECT status, sum(balance), count(*) FROM
        (SELECT c_key, balance, NULL AS status FROM customer c
          WHERE NOT EXISTS (SELECT FROM orders o WHERE o.c_key = c.c_key)
             OR EXISTS (SELECT FROM orders o WHERE o.c_key = c.c_key AND o.status IS NULL)
         UNION ALL SELECT c_key, balance, s FROM customer c, unnest(ARRAY['F','O','P']) s
          WHERE EXISTS (SELECT FROM orders o WHERE o.c_key = c.c_key AND o.status = s)) x
        GROUP BY 1 ORDER BY status COLLATE "C" NULLS LAST)"},
    {"CreditByBrand", kRetail, R"({"dimensions":[{"id":"brand"}],"measures":["credit"]})",
     R"(SELECT brand, sum(balance) FROM (SELECT DISTINCT brand, c.c_key, balance FROM customer c
        LEFT JOIN orders o USING (c_key) LEFT JOIN lineitem USING (o_key) LEFT JOIN part USING (p_key)) x
        GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"FilterAcrossMany", kRetail,
     R"({"measures":["credit","customer_count"],"filters":[{"field":"priority","op":"eq","value":"1-URGENT"}]})",
     R"(SELECT sum(balance), count(*) FROM customer c
        WHERE EXISTS (SELECT FROM orders o WHERE o.c_key = c.c_key AND priority = '1-URGENT'))"},
    {"TwoFiltersMeetInOneOrder", kRetail,
     R"({"dimensions":[{"id":"segment"}],"measures":["customer_count"],
         "filters":[{"field":"priority","op":"eq","value":"4-LOW"},{"field":"status","op":"eq","value":"P"}]})",
     R"(SELECT segment, count(*) FROM customer c WHERE EXISTS (SELECT FROM orders o
        WHERE o.c_key = c.c_key AND priority = '4-LOW' AND status = 'P')
        GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"OrdersByBrand", kRetail,
     R"({"dimensions":[{"id":"brand"}],"measures":["turnover","order_count"]})",
     R"(SELECT brand, sum("total $"), count(*) FROM (SELECT DISTINCT o_key, brand, "total $" FROM orders
        LEFT JOIN lineitem USING (o_key) LEFT JOIN part USING (p_key)) x GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"OrdersWithReturns", kRetail,
     R"({"measures":["turnover"],"filters":[{"field":"returned","op":"eq","value":true}]})",
     R"(SELECT sum("total $") FROM orders WHERE o_key IN (SELECT o_key FROM lineitem WHERE returned))"},
    {"PartsByRegion", kRetail,
     R"({"dimensions":[{"id":"region"}],"measures":["weight","heaviest"]})",
     R"(SELECT r_name, sum(w), max(w) FROM (SELECT DISTINCT p.p_key, p."unit weight $" AS w, r_name
        FROM part p LEFT JOIN lineitem USING (p_key) LEFT JOIN orders o USING (o_key)
        LEFT JOIN customer c ON c.c_key = o.c_key LEFT JOIN nation USING (n_key)
        LEFT JOIN region USING (r_key)) x GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"TicketsByOrderStatus", kRetail,
     R"({"dimensions":[{"id":"status"}],"measures":["ticket_count","hours"]})",
     R"(SELECT status, count(*), sum(hours) FROM (SELECT DISTINCT t_key, hours, status FROM ticket
        LEFT JOIN orders o USING (c_key)) x GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"CustomersOfNations", kRetail,
     R"({"dimensions":[{"id":"region"},{"id":"tier"}],"measures":["customer_count"]})",
     R"(SELECT r_name, tier, count(*) FROM customer c LEFT JOIN profile USING (c_key)
        LEFT JOIN nation USING (n_key) LEFT JOIN region USING (r_key)
        GROUP BY 1, 2 ORDER BY 1 NULLS LAST, 2 NULLS LAST)"},

    // --- Measures of several tables ---
    {"TwoFactsTotals", kRetail, R"({"measures":["order_count","ticket_count","credit"]})",
     R"(SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM ticket),
        (SELECT sum(balance) FROM customer))"},
    {"TwoFactsBySegment", kRetail,
     R"({"dimensions":[{"id":"segment"}],"measures":["turnover","ticket_count","credit"]})",
     R"(SELECT segment, (SELECT sum("total $") FROM orders LEFT JOIN customer c USING (c_key)
          WHERE c.segment IS NOT DISTINCT FROM s.segment),
        (SELECT count(*) FROM ticket LEFT JOIN customer c USING (c_key)
          WHERE c.segment IS NOT DISTINCT FROM s.segment),
        (SELECT sum(balance) FROM customer c WHERE c.segment IS NOT DISTINCT FROM s.segment)
        FROM (SELECT DISTINCT segment FROM customer) s ORDER BY 1 NULLS LAST)"},
    {"FactsThatMissEachOther", kRetail,
     R"({"dimensions":[{"id":"customer"}],"measures":["order_count","ticket_count","hours","turnover"],
         "limit":5000})",
     R"(SELECT k, (SELECT count(*) FROM orders LEFT JOIN customer c USING (c_key) WHERE c.c_key IS NOT DISTINCT FROM k),
        (SELECT count(*) FROM ticket WHERE c_key = k), (SELECT sum(hours) FROM ticket WHERE c_key = k),
        (SELECT sum("total $") FROM orders LEFT JOIN customer c USING (c_key) WHERE c.c_key IS NOT DISTINCT FROM k)
        FROM (SELECT c_key AS k FROM ticket UNION
              SELECT c.c_key FROM orders LEFT JOIN customer c USING (c_key)) x ORDER BY 1 NULLS LAST)"},
    {"ThreeFactsTwoDimensions", kRetail,
     R"({"dimensions":[{"id":"region"},{"id":"vip"}],"measures":["revenue","turnover","ticket_count"]})",
     "SELECT coalesce(a.r, b.r, d.r), coalesce(a.v, b.v, d.v), a.m, b.m, coalesce(d.m, 0) FROM "
     "(SELECT r_name r, vip v, sum(price) m FROM " LINES "GROUP BY 1, 2) a FULL JOIN "
     "(SELECT r_name r, vip v, sum(\"total $\") m FROM " ORDERS "GROUP BY 1, 2) b "
     "ON (coalesce(a.r, '-'), coalesce(a.v::text, '-')) = (coalesce(b.r, '-'), coalesce(b.v::text, "
     "'-')) "
     "FULL JOIN (SELECT r_name r, vip v, count(*) m FROM ticket LEFT JOIN customer USING (c_key) "
     "LEFT JOIN nation USING (n_key) LEFT JOIN region USING (r_key) GROUP BY 1, 2) d "
     "ON (coalesce(a.r, b.r, '-'), coalesce(a.v::text, b.v::text, '-')) = "
     "(coalesce(d.r, '-'), coalesce(d.v::text, '-')) ORDER BY 1 NULLS LAST, 2 NULLS LAST"},
    {"FilterBindsEveryFact", kRetail,
     R"({"measures":["order_count","ticket_count"],"filters":[{"field":"segment","op":"eq","value":"BUILDING"}]})",
     R"(SELECT (SELECT count(*) FROM orders JOIN customer c USING (c_key) WHERE segment = 'BUILDING'),
        (SELECT count(*) FROM ticket JOIN customer c USING (c_key) WHERE segment = 'BUILDING'))"},

    // --- Ratios and derived measures ---
    {"Ratio", kRetail, R"({"dimensions":[{"id":"priority"}],"measures":["aov"]})",
     R"(SELECT priority, sum("total $")::float8 / count(*) FROM orders GROUP BY 1 ORDER BY 1)"},
    {"RatioOfTwoTables", kRetail,
     R"({"dimensions":[{"id":"nation"}],"measures":["lines_per_order"]})",
     "SELECT b.n, coalesce(a.m, 0)::float8 / b.m FROM "
     "(SELECT n_name n, count(*) m FROM " ORDERS "GROUP BY 1) b LEFT JOIN "
     "(SELECT n_name n, count(*) m FROM " LINES "GROUP BY 1) a ON a.n IS NOT DISTINCT FROM b.n "
     "ORDER BY 1 NULLS LAST"},
    {"RatioOfNested", kRetail, R"({"dimensions":[{"id":"tier"}],"measures":["tickets_per_buyer"]})",
     R"(SELECT t.tier, (SELECT count(*) FROM ticket LEFT JOIN customer USING (c_key) LEFT JOIN profile p USING (c_key)
          WHERE p.tier IS NOT DISTINCT FROM t.tier)::float8 /
        (SELECT count(DISTINCT o.c_key) FROM orders o LEFT JOIN customer c USING (c_key)
          LEFT JOIN profile p ON p.c_key = c.c_key WHERE p.tier IS NOT DISTINCT FROM t.tier)
        FROM (SELECT DISTINCT tier FROM customer LEFT JOIN profile USING (c_key)) t ORDER BY 1 NULLS LAST)"},
    {"RatioOfRatio", kRetail, R"({"measures":["aov_per_discount"]})",
     R"(SELECT ((SELECT avg("total $") FROM orders) / (SELECT avg(discount) FROM lineitem))::float8)"},
    {"RatioByZero", kRetail,
     R"({"dimensions":[{"id":"customer"}],"measures":["tickets_per_buyer"],
         "filters":[{"field":"customer","op":"lte","value":30}]})",
     R"(SELECT k, (SELECT count(*) FROM ticket WHERE c_key = k)::float8 /
          nullif((SELECT count(DISTINCT c_key) FROM orders WHERE c_key = k), 0)
        FROM generate_series(1, 30) k WHERE EXISTS (SELECT FROM ticket WHERE c_key = k)
          OR EXISTS (SELECT FROM orders WHERE c_key = k) ORDER BY 1)"},
    {"Derived", kRetail, R"({"dimensions":[{"id":"returned"}],"measures":["net","revenue"]})",
     R"(SELECT returned, sum(price)::float8 * (1 - avg(discount)) - 2.5 * count(*), sum(price)
        FROM lineitem GROUP BY 1 ORDER BY 1)"},
    {"DerivedOfTwoTables", kRetail, R"({"measures":["mixed"]})",
     R"(SELECT -(sum("total $")::float8 / 100) + (SELECT sum(hours) / count(*) FROM ticket) FROM orders)"},
    {"DerivedOfRatios", kRetail, R"({"measures":["nested"]})",
     R"(SELECT (sum("total $") / count(*))::float8 / ((SELECT count(*) FROM lineitem)::float8 / count(*)) * 2
        FROM orders)"},

    // --- Grains ---
    {"ByDay", kRetail,
     R"({"dimensions":[{"id":"placed","grain":"day"}],"measures":["order_count"],"limit":2000})",
     "SELECT placed_at::date, count(*) FROM orders GROUP BY 1 ORDER BY 1 NULLS LAST"},
    {"ByWeek", kRetail,
     R"({"dimensions":[{"id":"placed","grain":"week"}],"measures":["order_count"]})",
     "SELECT date_trunc('week', placed_at)::date, count(*) FROM orders GROUP BY 1 ORDER BY 1 NULLS "
     "LAST"},
    {"ByMonth", kRetail,
     R"({"dimensions":[{"id":"shipped","grain":"month"}],"measures":["revenue"],
         "order_by":[{"field":"shipped","dir":"desc"}]})",
     "SELECT date_trunc('month', shipped)::date, sum(price) FROM lineitem GROUP BY 1 ORDER BY 1 "
     "DESC NULLS LAST"},
    {"ByQuarter", kRetail,
     R"({"dimensions":[{"id":"shipped","grain":"quarter"}],"measures":["revenue","aov"]})",
     R"(SELECT a.q, a.m, b.m FROM
        (SELECT date_trunc('quarter', shipped)::date q, sum(price) m FROM lineitem GROUP BY 1) a LEFT JOIN
        (SELECT q, sum(t)::float8 / count(*) m FROM (SELECT DISTINCT o_key, "total $" t,
           date_trunc('quarter', shipped)::date q FROM orders LEFT JOIN lineitem USING (o_key)) x GROUP BY 1) b
        ON a.q IS NOT DISTINCT FROM b.q ORDER BY 1 NULLS LAST)"},
    {"ByYearAndQuarter", kRetail,
     R"({"dimensions":[{"id":"placed","grain":"year"},{"id":"placed","grain":"quarter"}],
         "measures":["turnover"],"order_by":[{"field":"placed.quarter","dir":"desc"}]})",
     R"(SELECT date_trunc('year', placed_at)::date, date_trunc('quarter', placed_at)::date, sum("total $")
        FROM orders GROUP BY 1, 2 ORDER BY 2 DESC NULLS LAST, 1 NULLS LAST)"},
    {"ZonedByMonth", kRetail,
     R"({"dimensions":[{"id":"opened","grain":"month"},{"id":"severity"}],"measures":["avg_hours"]})",
     R"(SELECT date_trunc('month', opened_at AT TIME ZONE 'UTC')::date, severity, avg(hours)
        FROM ticket GROUP BY 1, 2 ORDER BY 1, 2 NULLS LAST)"},
    {"DatesOfTimestamps", kRetail,
     R"({"dimensions":[{"id":"placed"}],"measures":["buyers"],"limit":100,
         "filters":[{"field":"placed","op":"gte","value":"2024-05-01"}]})",
     R"(SELECT placed_at::date, count(DISTINCT c_key) FROM orders WHERE placed_at >= '2024-05-01'
        GROUP BY 1 ORDER BY 1 LIMIT 100)"},
    {"TimestampsThemselves", kRetail,
     R"({"dimensions":[{"id":"placed_at"},{"id":"order_no"}],"limit":50,
         "filters":[{"field":"placed_at","op":"gt","value":"2025-11-30T12:00:00"}]})",
     "SELECT placed_at, o_key FROM orders WHERE placed_at > '2025-11-30 12:00:00' ORDER BY 1, 2 "
     "LIMIT 50"},
    {"ZonedThemselves", kRetail,
     R"({"dimensions":[{"id":"opened"}],"measures":["ticket_count"],"limit":20,
         "filters":[{"field":"opened","op":"lt","value":"2023-02-01T00:00:00Z"}]})",
     "SELECT opened_at, count(*) FROM ticket WHERE opened_at < '2023-02-01 00:00:00Z' GROUP BY 1 "
     "ORDER BY 1 LIMIT 20"},

    // --- Filters ---
    {"Eq", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"status","op":"eq","value":"F"}]})",
     "SELECT count(*) FROM orders WHERE status = 'F'"},
    {"EqNull", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"status","op":"eq","value":null}]})",
     "SELECT count(*) FROM orders WHERE status IS NULL"},
    {"NeKeepsNull", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"status","op":"ne","value":"F"}]})",
     "SELECT count(*) FROM orders WHERE status IS DISTINCT FROM 'F'"},
    {"NeNull", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"status","op":"ne","value":null}]})",
     "SELECT count(*) FROM orders WHERE status IS NOT NULL"},
    {"In", kRetail,
     R"({"dimensions":[{"id":"brand"}],"measures":["quantity"],
         "filters":[{"field":"brand","op":"in","value":["100% Größe","Lamp's \"X\"","'; DROP TABLE part; --"]}]})",
     "SELECT brand, sum(quantity) FROM " LINES
     R"(WHERE brand IN ('100% Größe', 'Lamp''s "X"') GROUP BY 1 ORDER BY 1)"},
    {"InWithNull", kRetail,
     R"({"dimensions":[{"id":"segment"}],"measures":["customer_count"],
         "filters":[{"field":"segment","op":"in","value":["BUILDING",null]}]})",
     R"(SELECT segment, count(*) FROM customer WHERE segment = 'BUILDING' OR segment IS NULL
        GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"NotIn", kRetail,
     R"({"dimensions":[{"id":"segment"}],"measures":["customer_count"],
         "filters":[{"field":"segment","op":"not_in","value":["BUILDING","MACHINERY"]}]})",
     R"(SELECT segment, count(*) FROM customer WHERE segment NOT IN ('BUILDING', 'MACHINERY') OR segment IS NULL
        GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"NotInWithNull", kRetail,
     R"({"dimensions":[{"id":"segment"}],"measures":["customer_count"],
         "filters":[{"field":"segment","op":"not_in","value":["BUILDING",null]}]})",
     "SELECT segment, count(*) FROM customer WHERE segment <> 'BUILDING' GROUP BY 1 ORDER BY 1"},
    {"GtOfDecimal", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"order_total","op":"gt","value":1234.56}]})",
     R"(SELECT count(*) FROM orders WHERE "total $" > 1234.56)"},
    {"EqOfDecimalIsExact", kRetail,
     R"({"measures":["customer_count"],"filters":[{"field":"balance_of","op":"lte","value":"0.000"}]})",
     "SELECT count(*) FROM customer WHERE balance <= 0"},
    {"GteOfIntegerAndFraction", kRetail,
     R"({"measures":["quantity"],"filters":[{"field":"size","op":"gte","value":24.5}]})",
     "SELECT sum(quantity) FROM lineitem JOIN part USING (p_key) WHERE size >= 24.5"},
    {"LtOfDouble", kRetail,
     R"({"measures":["line_count"],"filters":[{"field":"discount","op":"lt","value":0.05}]})",
     "SELECT count(*) FROM lineitem WHERE discount < 0.05"},
    {"Lte", kRetail,
     R"({"measures":["line_count"],"filters":[{"field":"shipped","op":"lte","value":"2024-02-28"}]})",
     "SELECT count(*) FROM lineitem WHERE shipped <= '2024-02-28'"},
    {"BetweenDates", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"placed","op":"between","value":["2024-01-01","2024-01-28"]}]})",
     "SELECT count(*) FROM orders WHERE placed_at >= '2024-01-01' AND placed_at < '2024-01-29'"},
    {"BetweenNumbers", kRetail,
     R"({"measures":["line_count"],"filters":[{"field":"size","op":"between","value":[10,20]}]})",
     "SELECT count(*) FROM lineitem JOIN part USING (p_key) WHERE size BETWEEN 10 AND 20"},
    {"ContainsIgnoresCase", kRetail,
     R"({"dimensions":[{"id":"brand"}],"measures":["line_count"],"filters":[{"field":"brand","op":"contains","value":"bRAND#1"}]})",
     "SELECT brand, count(*) FROM " LINES "WHERE brand = 'Brand#11' GROUP BY 1"},
    {"ContainsUmlaut", kRetail,
     R"({"dimensions":[{"id":"brand"}],"measures":["line_count"],"filters":[{"field":"brand","op":"contains","value":"GRÖ"}]})",
     "SELECT brand, count(*) FROM " LINES "WHERE brand LIKE '%Grö%' GROUP BY 1"},
    {"ContainsHasNoWildcards", kRetail,
     R"({"dimensions":[{"id":"brand"}],"measures":["line_count"],"filters":[{"field":"brand","op":"contains","value":"brand_"}]})",
     "SELECT brand, count(*) FROM " LINES "WHERE brand = 'brand_11' GROUP BY 1"},
    {"ContainsPercent", kRetail,
     R"({"measures":["line_count"],"filters":[{"field":"brand","op":"contains","value":"%"}]})",
     "SELECT count(*) FROM " LINES "WHERE position('%' in brand) > 0"},
    {"IsNull", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"placed","op":"is_null","value":true}]})",
     "SELECT count(*) FROM orders WHERE placed_at IS NULL"},
    {"IsNotNull", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"region","op":"is_null","value":false}]})",
     "SELECT count(*) FROM " ORDERS "WHERE r_name IS NOT NULL"},
    {"BooleanFilter", kRetail,
     R"({"measures":["credit"],"filters":[{"field":"vip","op":"ne","value":true}]})",
     "SELECT sum(balance) FROM customer WHERE vip IS NOT TRUE"},
    {"ManyFilters", kRetail,
     R"({"dimensions":[{"id":"nation"}],"measures":["revenue"],"filters":[
         {"field":"region","op":"in","value":["ASIA","AMERICA"]},{"field":"size","op":"gt","value":10},
         {"field":"placed","op":"gte","value":"2024-01-01"},{"field":"returned","op":"eq","value":false}]})",
     "SELECT n_name, sum(price) FROM " LINES "WHERE r_name IN ('ASIA', 'AMERICA') AND size > 10 "
     "AND placed_at >= '2024-01-01' AND NOT returned "
     "GROUP BY 1 ORDER BY 1"},

    // --- Dates relative to 2025-06-15, a Sunday ---
    {"Last30Days", kRetail,
     R"({"measures":["order_count","turnover"],"filters":[{"field":"placed","op":"relative","value":{"last":30,"unit":"day"}}]})",
     R"(SELECT count(*), sum("total $") FROM orders WHERE placed_at >= '2025-05-17' AND placed_at < '2025-06-16')"},
    {"LastTwoWeeks", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"placed","op":"relative","value":{"last":2,"unit":"week"}}]})",
     "SELECT count(*) FROM orders WHERE placed_at >= '2025-06-02' AND placed_at < '2025-06-16'"},
    {"ThisMonth", kRetail,
     R"({"measures":["ticket_count"],"filters":[{"field":"opened","op":"relative","value":{"this":"month"}}]})",
     "SELECT count(*) FROM ticket WHERE opened_at >= '2025-06-01Z' AND opened_at < '2025-07-01Z'"},
    {"PreviousQuarter", kRetail,
     R"({"measures":["revenue"],"filters":[{"field":"shipped","op":"relative","value":{"previous":"quarter"}}]})",
     "SELECT sum(price) FROM lineitem WHERE shipped BETWEEN '2025-01-01' AND '2025-03-31'"},
    {"PreviousYear", kRetail,
     R"({"measures":["order_count"],"filters":[{"field":"placed_at","op":"relative","value":{"previous":"year"}}]})",
     "SELECT count(*) FROM orders WHERE extract(year FROM placed_at) = 2024"},
    {"LastThreeMonthsByMonth", kRetail,
     R"({"dimensions":[{"id":"placed","grain":"month"}],"measures":["turnover"],
         "filters":[{"field":"placed","op":"relative","value":{"last":3,"unit":"month"}}]})",
     R"(SELECT date_trunc('month', placed_at)::date, sum("total $") FROM orders
        WHERE placed_at >= '2025-04-01' AND placed_at < '2025-07-01' GROUP BY 1 ORDER BY 1)"},

    // --- After aggregation, order and pages ---
    {"HavingOfMoments", kRetail,
     R"({"dimensions":[{"id":"customer"}],"measures":["first_ticket","last_order"],"limit":3000,"filters":[
         {"field":"first_ticket","op":"lt","value":"2023-06-01"},{"field":"last_order","op":"relative","value":{"previous":"month"}}]})",
     R"(SELECT c_key, f, l FROM (SELECT c_key, min(opened_at) f FROM ticket GROUP BY 1) t
        JOIN (SELECT c_key, max(placed_at) l FROM orders GROUP BY 1) o USING (c_key)
        WHERE f < '2023-06-01Z' AND l >= '2025-05-01' AND l < '2025-06-01' ORDER BY 1)"},
    {"Having", kRetail,
     R"({"dimensions":[{"id":"customer"}],"measures":["turnover"],"limit":2000,
         "filters":[{"field":"turnover","op":"gt","value":400000}]})",
     R"(SELECT c.c_key, sum("total $") FROM orders LEFT JOIN customer c USING (c_key) GROUP BY 1
        HAVING sum("total $") > 400000 ORDER BY 1 NULLS LAST)"},
    {"HavingOfAnotherMeasure", kRetail,
     R"({"dimensions":[{"id":"nation"}],"measures":["turnover"],
         "filters":[{"field":"aov","op":"between","value":[24000,25500]},{"field":"ticket_count","op":"gte","value":50}]})",
     "SELECT a.n, a.t FROM (SELECT n_name n, sum(\"total $\") t, avg(\"total $\") v FROM " ORDERS
     "GROUP BY 1) a JOIN (SELECT n_name n, count(*) k FROM ticket LEFT JOIN customer USING (c_key) "
     "LEFT JOIN nation USING (n_key) GROUP BY 1) b ON a.n IS NOT DISTINCT FROM b.n "
     "WHERE v BETWEEN 24000 AND 25500 AND k >= 50 ORDER BY 1 NULLS LAST"},
    {"OrderByMeasureThenDimension", kRetail,
     R"({"dimensions":[{"id":"size"},{"id":"brand"}],"measures":["parts_sold"],"limit":60,
         "order_by":[{"field":"parts_sold","dir":"desc"},{"field":"brand","dir":"desc"}]})",
     "SELECT size, brand, count(DISTINCT l.p_key) FROM " LINES
     "GROUP BY 1, 2 ORDER BY 3 DESC, 2 DESC NULLS LAST, 1 NULLS LAST LIMIT 60"},
    {"TiesAreBroken", kRetail,
     R"({"dimensions":[{"id":"order_no"}],"measures":["line_count"],"limit":25,
         "order_by":[{"field":"line_count","dir":"asc"}]})",
     "SELECT o_key, count(*) FROM lineitem GROUP BY 1 ORDER BY 2, 1 LIMIT 25"},
    {"CombinationsOnly", kRetail, R"({"dimensions":[{"id":"status"},{"id":"priority"}]})",
     "SELECT DISTINCT status, priority FROM orders ORDER BY 1 NULLS LAST, 2"},
    {"CombinationsOverJoins", kRetail,
     R"({"dimensions":[{"id":"region"},{"id":"status"}],"order_by":[{"field":"status","dir":"desc"}]})",
     "SELECT DISTINCT r_name, status FROM " ORDERS "ORDER BY 2 DESC NULLS LAST, 1 NULLS LAST"},
    {"CombinationsOfUnrelated", kRetail, R"({"dimensions":[{"id":"tier"},{"id":"severity"}]})",
     R"(SELECT DISTINCT tier, severity FROM ticket LEFT JOIN customer USING (c_key) LEFT JOIN profile USING (c_key)
        ORDER BY 1 NULLS LAST, 2 NULLS LAST)"},
    {"CombinationsFilteredAcrossMany", kRetail,
     R"({"dimensions":[{"id":"segment"}],"filters":[{"field":"order_total","op":"gt","value":49990}]})",
     R"(SELECT DISTINCT segment FROM customer WHERE c_key IN (SELECT c_key FROM orders WHERE "total $" > 49990)
        ORDER BY 1 NULLS LAST)"},

    // --- Row-level security ---
    {"NoRuleNoRows", kByRegion, R"({"dimensions":[{"id":"status"}],"measures":["order_count"]})",
     "SELECT status, count(*) FROM orders WHERE false GROUP BY 1",
     R"({"roles": ["viewer"], "teams": [], "attributes": {}})", true},
    {"EmptySecurityIsNobody", kNobody, R"({"measures":["order_count","turnover"]})",
     "SELECT 0, NULL"},
    {"RuleOnAJoinedTable", kByRegion, R"({"dimensions":[{"id":"status"}],"measures":["turnover"]})",
     "SELECT status, sum(\"total $\") FROM " ORDERS
     "WHERE r_name IN ('ASIA', 'EUROPE') GROUP BY 1 ORDER BY 1 NULLS LAST",
     kSales},
    {"RuleOfOneValue", kByRegion,
     R"({"dimensions":[{"id":"region"}],"measures":["revenue","customer_count","ticket_count"]})",
     "SELECT 'ASIA', (SELECT sum(price) FROM " LINES "WHERE r_name = 'ASIA'), "
     "(SELECT count(*) FROM customer JOIN nation USING (n_key) JOIN region USING (r_key) WHERE "
     "r_name = 'ASIA'), "
     "(SELECT count(*) FROM ticket JOIN customer USING (c_key) JOIN nation USING (n_key) "
     "JOIN region USING (r_key) WHERE r_name = 'ASIA')",
     R"({"roles": ["x", "sales"], "teams": [], "attributes": {"region": "ASIA"}})"},
    {"RuleAcrossManyOfParts", kByRegion, R"({"measures":["weight"]})",
     "SELECT sum(\"unit weight $\") FROM part WHERE p_key IN (SELECT l.p_key FROM " LINES
     "WHERE r_name IN ('ASIA', 'EUROPE'))",
     kSales},
    {"RuleWithoutTheAttribute", kByRegion, R"({"measures":["order_count"]})", "SELECT 0",
     R"({"roles": ["sales"], "teams": [], "attributes": {"other": 1}})"},
    {"RuleOfTeam", kByRegion, R"({"dimensions":[{"id":"status"}],"measures":["line_count"]})",
     "SELECT status, count(*) FROM lineitem JOIN orders USING (o_key) WHERE status IN ('O', 'P') "
     "GROUP BY 1 ORDER BY 1",
     R"({"roles": [], "teams": ["support"], "attributes": {}})"},
    {"RuleOfTeamOnParents", kByRegion, R"({"measures":["credit","customer_count"]})",
     "SELECT sum(balance), count(*) FROM customer c WHERE EXISTS "
     "(SELECT FROM orders o WHERE o.c_key = c.c_key AND status <> 'F')",
     R"({"roles": [], "teams": ["support"], "attributes": {}})"},
    {"RulesAreAnded", kByRegion, R"({"dimensions":[{"id":"priority"}],"measures":["turnover"],
         "filters":[{"field":"segment","op":"ne","value":"BUILDING"}]})",
     "SELECT priority, sum(\"total $\") FROM " ORDERS
     "WHERE r_name IN ('ASIA', 'EUROPE') AND status IN ('O', 'P') AND vip = false "
     "AND (segment <> 'BUILDING' OR segment IS NULL) GROUP BY 1 ORDER BY 1",
     R"({"roles": ["sales", "junior"], "teams": ["support"], "attributes": {"region": ["EUROPE", "ASIA"]}})"},
    {"RuleOfUser", kByUser, R"({"dimensions":[{"id":"tier"}],"measures":["credit","order_count"]})",
     R"(SELECT t.tier, (SELECT sum(balance) FROM customer LEFT JOIN profile p USING (c_key)
          WHERE p.tier = t.tier AND balance < 9000 AND (segment IS NOT NULL OR tier IN ('gold', 'silver'))),
        (SELECT count(*) FROM orders JOIN customer USING (c_key) LEFT JOIN profile p USING (c_key)
          WHERE p.tier = t.tier AND balance < 9000 AND (segment IS NOT NULL OR tier IN ('gold', 'silver')))
        FROM (VALUES ('bronze'), ('gold'), ('silver')) t(tier) ORDER BY 1)"},
    {"RuleOnASibling", kByTicket,
     R"({"dimensions":[{"id":"priority"}],"measures":["order_count","turnover"]})",
     R"(SELECT priority, count(*), sum("total $") FROM orders o WHERE EXISTS
        (SELECT FROM ticket t JOIN customer USING (c_key) WHERE t.c_key = o.c_key AND severity = 'high')
        GROUP BY 1 ORDER BY 1)",
     kSales},
    {"RuleHidesDimensionValues", kByTicket,
     R"({"dimensions":[{"id":"severity"}],"measures":["customer_count","hours"]})",
     R"(SELECT 'high', count(DISTINCT c.c_key), (SELECT sum(hours) FROM ticket WHERE severity = 'high')
        FROM customer c JOIN ticket t ON t.c_key = c.c_key WHERE severity = 'high')",
     kSales},
    {"RuleOnCombinations", kByRegion, R"({"dimensions":[{"id":"nation"}]})",
     "SELECT n_name FROM nation JOIN region USING (r_key) WHERE r_name IN ('ASIA', 'EUROPE') ORDER "
     "BY 1",
     kSales},
};

#undef LINES
#undef ORDERS

}  // namespace

std::span<const Question> retail_questions() { return kQuestions; }

}  // namespace oa::golden_answers
