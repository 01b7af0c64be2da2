#include "question.h"

namespace oa::golden_answers {
namespace {

constexpr char kAirports[] = R"(
dataset: airports
source: { type: csv }
tables:
  - { name: airports, primary_key: iata }
dimensions:
  - { id: state, column: state, label: State }
  - { id: country, column: airports.country }
  - { id: city, column: city }
  - { id: code, column: iata }
measures:
  - { id: airports, type: count }
  - { id: cities, type: count_distinct, column: city }
  - { id: north, type: max, column: latitude }
  - { id: mean_longitude, type: avg, column: longitude }
  - { id: per_city, type: ratio, numerator: airports, denominator: cities }
security:
  - { name: state, applies_to: { role: [state] }, predicate: "state = {{ user.attributes.state }}" }
  - { name: all, applies_to: { role: [all] }, predicate: "code IS NOT NULL" }
)";

constexpr char kStrikes[] = R"(
dataset: birdstrikes
source: { type: csv }
tables:
  - { name: birdstrikes }
dimensions:
  - { id: airport,  column: birdstrikes.Airport Name }
  - { id: airline,  column: Aircraft Airline Operator }
  - { id: origin,   column: Origin State }
  - { id: phase,    column: Phase of flight }
  - { id: animal,   column: Wildlife Species }
  - { id: animal_size, column: Wildlife Size }
  - { id: flight,   column: Flight Date, type: date, grains: [day, month, quarter, year] }
  - { id: speed,    column: Speed IAS in knots, type: number }
measures:
  - { id: strikes, type: count }
  - { id: cost,    type: sum, column: Cost Total $, label: "Cost, $" }
  - { id: repair,  type: sum, column: birdstrikes.Cost Repair }
  - { id: fastest, type: max, column: Speed IAS in knots }
  - { id: speeds,  type: count, column: Speed IAS in knots }
  - { id: repair_share, type: ratio, numerator: repair, denominator: cost }
  - { id: cost_per_strike, type: derived, expression: "cost / strikes" }
)";

constexpr char kWeather[] = R"(
dataset: weather
source: { type: csv }
tables: [{ name: weather, primary_key: date }]
dimensions:
  - { id: date, column: date, type: date, grains: [week, month, quarter, year] }
  - { id: kind, column: weather.weather }
measures:
  - { id: days, type: count }
  - { id: rain, type: sum, column: precipitation }
  - { id: warmest, type: max, column: temp_max }
  - { id: coldest, type: min, column: temp_min }
  - { id: wind, type: avg, column: wind }
  - { id: spread, type: derived, expression: "warmest - coldest" }
)";

constexpr char kStocks[] = R"(
dataset: stocks
source: { type: csv }
tables: [{ name: stocks, primary_key: date }]
dimensions:
  - { id: date, column: date, type: date, grains: [day, month, year] }
measures:
  - { id: volume, type: sum, column: volume }
  - { id: close, type: avg, column: close }
  - { id: high, type: max, column: high }
  - { id: turnover_share, type: ratio, numerator: volume, denominator: { type: sum, column: close } }
)";

constexpr char kZips[] = R"(
dataset: zipcodes
source: { type: csv }
tables: [{ name: zipcodes, primary_key: zip_code }]
dimensions:
  - { id: zip, column: zip_code }
  - { id: city, column: city }
  - { id: county, column: county }
  - { id: state, column: state }
measures:
  - { id: zips, type: count }
  - { id: counties, type: count_distinct, column: county }
  - { id: first_zip, type: min, column: zip_code }
)";

constexpr char kState[] = R"({"roles": ["state"], "teams": [], "attributes": {"state": "TX"}})";
constexpr char kAll[] = R"({"roles": ["all"], "teams": [], "attributes": {}})";

const Question kQuestions[] = {
    {"AirportsByState", kAirports,
     R"({"dimensions":[{"id":"state"}],"measures":["airports","cities"]})",
     "SELECT state, count(*), count(DISTINCT city) FROM airports GROUP BY 1 ORDER BY 1 NULLS LAST",
     kAll},
    {"AirportsOfOneState", kAirports,
     R"({"dimensions":[{"id":"state"}],"measures":["airports","north"]})",
     "SELECT state, count(*), max(latitude) FROM airports WHERE state = 'TX' GROUP BY 1", kState},
    {"AirportsOfNobody", kAirports, R"({"measures":["airports"]})", "SELECT 0"},
    {"AirportsPerCity", kAirports,
     R"({"dimensions":[{"id":"state"}],"measures":["per_city","mean_longitude"],"limit":10,
         "order_by":[{"field":"per_city","dir":"desc"}]})",
     "SELECT state, count(*)::float8 / count(DISTINCT city), avg(longitude) FROM airports GROUP BY "
     "1 "
     "ORDER BY 2 DESC NULLS LAST, 1 NULLS LAST LIMIT 10",
     kAll},
    {"AirportsNamed", kAirports,
     R"({"dimensions":[{"id":"code"},{"id":"city"}],"filters":[{"field":"city","op":"contains","value":"san "}]})",
     "SELECT iata, city FROM airports WHERE city ILIKE '%san %' ORDER BY 1, 2", kAll},
    {"AirportsAbroad", kAirports,
     R"({"dimensions":[{"id":"country"}],"measures":["airports"],"filters":[{"field":"country","op":"ne","value":"USA"}]})",
     "SELECT country, count(*) FROM airports WHERE country IS DISTINCT FROM 'USA' GROUP BY 1 ORDER "
     "BY 1",
     kAll},
    {"StrikesByPhase", kStrikes,
     R"({"dimensions":[{"id":"phase"}],"measures":["strikes","cost","repair_share"]})",
     R"(SELECT "Phase of flight", count(*), sum("Cost Total $"),
        sum("Cost Repair")::float8 / nullif(sum("Cost Total $"), 0) FROM birdstrikes GROUP BY 1 ORDER BY 1 NULLS LAST)"},
    {"CostliestAnimals", kStrikes,
     R"({"dimensions":[{"id":"animal"},{"id":"animal_size"}],"measures":["cost"],"limit":15,
         "order_by":[{"field":"cost","dir":"desc"}]})",
     R"(SELECT "Wildlife Species", "Wildlife Size", sum("Cost Total $") FROM birdstrikes GROUP BY 1, 2
        ORDER BY 3 DESC NULLS LAST, 1 NULLS LAST, 2 NULLS LAST LIMIT 15)"},
    {"StrikesByYear", kStrikes,
     R"({"dimensions":[{"id":"flight","grain":"year"}],"measures":["strikes","fastest","speeds","cost_per_strike"]})",
     R"(SELECT date_trunc('year', "Flight Date")::date, count(*), max("Speed IAS in knots"), count("Speed IAS in knots"),
        sum("Cost Total $")::float8 / count(*) FROM birdstrikes GROUP BY 1 ORDER BY 1)"},
    {"StrikesOfUnknownSpeed", kStrikes,
     R"({"dimensions":[{"id":"airline"}],"measures":["strikes"],"limit":5,"filters":[{"field":"speed","op":"is_null"}],
         "order_by":[{"field":"strikes","dir":"desc"}]})",
     R"(SELECT "Aircraft Airline Operator", count(*) FROM birdstrikes WHERE "Speed IAS in knots" IS NULL
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5)"},
    {"BusyAirports", kStrikes,
     R"({"dimensions":[{"id":"airport"}],"measures":["strikes"],"filters":[{"field":"strikes","op":"gte","value":100},
         {"field":"origin","op":"not_in","value":["Texas","Colorado"]}],"order_by":[{"field":"strikes","dir":"desc"}]})",
     R"(SELECT "Airport Name", count(*) FROM birdstrikes WHERE "Origin State" NOT IN ('Texas', 'Colorado')
        OR "Origin State" IS NULL GROUP BY 1 HAVING count(*) >= 100 ORDER BY 2 DESC, 1)"},
    {"WeatherByMonth", kWeather,
     R"({"dimensions":[{"id":"date","grain":"month"}],"measures":["rain","warmest","coldest","spread"]})",
     "SELECT date_trunc('month', date)::date, sum(precipitation), max(temp_max), min(temp_min), "
     "max(temp_max) - min(temp_min) FROM weather GROUP BY 1 ORDER BY 1"},
    {"WeatherByWeek", kWeather,
     R"({"dimensions":[{"id":"date","grain":"week"}],"measures":["days","wind"]})",
     "SELECT date_trunc('week', date)::date, count(*), avg(wind) FROM weather GROUP BY 1 ORDER BY "
     "1"},
    {"RainySummers", kWeather,
     R"({"dimensions":[{"id":"kind"},{"id":"date","grain":"quarter"}],"measures":["days"],"filters":[
         {"field":"kind","op":"in","value":["rain","drizzle"]},
         {"field":"date","op":"between","value":["2013-04-01","2014-09-30"]}]})",
     "SELECT weather, date_trunc('quarter', date)::date, count(*) FROM weather WHERE weather IN "
     "('rain', 'drizzle') "
     "AND date BETWEEN '2013-04-01' AND '2014-09-30' GROUP BY 1, 2 ORDER BY 1, 2"},
    {"VolumePastThirtyTwoBits", kStocks,
     R"({"dimensions":[{"id":"date","grain":"year"}],"measures":["volume","close","high","turnover_share"]})",
     "SELECT date_trunc('year', date)::date, sum(volume), avg(close), max(high), "
     "sum(volume)::float8 / sum(close) "
     "FROM stocks GROUP BY 1 ORDER BY 1"},
    {"DaysOfACrash", kStocks,
     R"({"dimensions":[{"id":"date"}],"measures":["close"],"filters":[{"field":"date","op":"gte","value":"2008-10-01"},
         {"field":"date","op":"lt","value":"2008-11-01"},{"field":"close","op":"lt","value":900.5}]})",
     "SELECT date, close FROM stocks WHERE date >= '2008-10-01' AND date < '2008-11-01' AND close "
     "< 900.5 ORDER BY 1"},
    {"LeadingZeros", kZips,
     R"({"dimensions":[{"id":"zip"},{"id":"city"}],"filters":[{"field":"zip","op":"lt","value":"00700"}]})",
     "SELECT zip_code, city FROM zipcodes WHERE zip_code < '00700' ORDER BY 1, 2"},
    {"ZipsByState", kZips,
     R"({"dimensions":[{"id":"state"}],"measures":["zips","counties","first_zip"],
         "order_by":[{"field":"zips","dir":"desc"}],"limit":12})",
     "SELECT state, count(*), count(DISTINCT county), min(zip_code) FROM zipcodes GROUP BY 1 ORDER "
     "BY 2 DESC, 1 LIMIT 12"},
    {"ZipsOfOneCounty", kZips,
     R"({"dimensions":[{"id":"city"}],"measures":["zips"],"filters":[{"field":"county","op":"eq","value":"Suffolk"},
         {"field":"state","op":"eq","value":"NY"}]})",
     "SELECT city, count(*) FROM zipcodes WHERE county = 'Suffolk' AND state = 'NY' GROUP BY 1 "
     "ORDER BY 1"},
};

}  // namespace

std::span<const Question> real_questions() { return kQuestions; }

}  // namespace oa::golden_answers
