#include "retail_tables.h"

#include <fmt/format.h>

#include <array>
#include <random>

#include "oa/base/assert.h"
#include "oa/base/clock.h"

namespace oa::golden_answers {
namespace {

using Cell = std::optional<std::string>;

constexpr std::array kRegions{"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};
constexpr std::array kSegments{"AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"};
constexpr std::array kStatuses{"F", "O", "P"};
constexpr std::array kPriorities{"1-URGENT", "2-HIGH", "3-MEDIUM", "4-LOW"};
constexpr std::array kBrands{"Brand#11",   "Brand#23",     "Brand#34",
                             "100% Größe", "Lamp's \"X\"", "brand_11"};
constexpr std::array kSeverities{"low", "normal", "high"};
constexpr std::array kTiers{"gold", "silver", "bronze"};

constexpr std::uint64_t kCustomers = 1500;
constexpr std::uint64_t kOrders = 12000;
constexpr std::uint64_t kParts = 300;

// The generator is fixed by the standard.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class Array>
  std::string pick(const Array& values) {
    return values[below(values.size())];
  }
  std::string cents(std::uint64_t below_cents, bool negative = false) {
    const std::uint64_t n = below(below_cents);
    return fmt::format("{}{}.{:02}", negative && n > 0 && one_in(5) ? "-" : "", n / 100, n % 100);
  }
  // 2023-01-01 to 2025-12-28.
  std::string day() {
    const std::uint64_t month = below(36);
    return fmt::format("{}-{:02}-{:02}", 2023 + month / 12, month % 12 + 1, below(28) + 1);
  }
  std::string time() {
    return fmt::format("{} {:02}:{:02}:{:02}", day(), below(24), below(60), below(60));
  }

 private:
  std::mt19937_64 engine_;
};

MadeTable regions() {
  MadeTable table{"region", {{"r_key", "BIGINT"}, {"r_name", "VARCHAR"}}, {}};
  for (std::size_t i = 0; i < kRegions.size(); ++i)
    table.rows.push_back({std::to_string(i), kRegions[i]});
  return table;
}

MadeTable nations() {
  MadeTable table{"nation", {{"n_key", "BIGINT"}, {"n_name", "VARCHAR"}, {"r_key", "BIGINT"}}, {}};
  for (int i = 0; i < 25; ++i)
    table.rows.push_back({std::to_string(i), fmt::format("NATION {:02}", i),
                          i == 24 ? Cell() : Cell(std::to_string(i % 4))});
  return table;
}

MadeTable customers() {
  MadeTable table{"customer",
                  {{"c_key", "BIGINT"},
                   {"c_name", "VARCHAR"},
                   {"n_key", "BIGINT"},
                   {"segment", "VARCHAR"},
                   {"balance", "DECIMAL(12,2)"},
                   {"vip", "BOOLEAN"}},
                  {}};
  Dice dice(11);
  for (std::uint64_t i = 1; i <= kCustomers; ++i) {
    const std::string nation = std::to_string(dice.below(26));  // 25 is nowhere
    table.rows.push_back({std::to_string(i), fmt::format("Customer#{:05}", i),
                          dice.one_in(40) ? Cell() : Cell(nation),
                          dice.one_in(20) ? Cell() : Cell(dice.pick(kSegments)),
                          dice.cents(1'000'000, true),
                          dice.one_in(10) ? Cell() : Cell(dice.one_in(3) ? "true" : "false")});
  }
  return table;
}

MadeTable profiles() {
  MadeTable table{"profile", {{"c_key", "BIGINT"}, {"tier", "VARCHAR"}}, {}};
  Dice dice(12);
  for (std::uint64_t i = 1; i <= kCustomers; i += 2)
    table.rows.push_back({std::to_string(i), dice.pick(kTiers)});
  return table;
}

MadeTable parts() {
  MadeTable table{
      "part",
      {{"p_key", "VARCHAR"}, {"brand", "VARCHAR"}, {"size", "BIGINT"}, {"unit weight $", "DOUBLE"}},
      {}};
  Dice dice(13);
  for (std::uint64_t i = 0; i < kParts; ++i)
    table.rows.push_back(
        {fmt::format("{:05}", i), dice.pick(kBrands), std::to_string(dice.below(50)),
         dice.one_in(15) ? Cell() : Cell(fmt::format("{}", 0.1 * (1.0 + dice.below(977))))});
  return table;
}

MadeTable orders() {
  MadeTable table{"orders",
                  {{"o_key", "BIGINT"},
                   {"c_key", "BIGINT"},
                   {"placed_at", "TIMESTAMP"},
                   {"status", "VARCHAR"},
                   {"priority", "VARCHAR"},
                   {"total $", "DECIMAL(12,2)"}},
                  {}};
  Dice dice(14);
  for (std::uint64_t i = 1; i <= kOrders; ++i) {
    // Every third customer never orders; the last hundred are not customers.
    std::uint64_t customer = dice.below(kCustomers + 100) + 1;
    if (customer % 3 == 0) --customer;
    table.rows.push_back({std::to_string(i),
                          dice.one_in(60) ? Cell() : Cell(std::to_string(customer)),
                          dice.one_in(80) ? Cell() : Cell(dice.time()),
                          dice.one_in(25) ? Cell() : Cell(dice.pick(kStatuses)),
                          dice.pick(kPriorities), dice.cents(5'000'000)});
  }
  return table;
}

MadeTable lineitems() {
  MadeTable table{"lineitem",
                  {{"o_key", "BIGINT"},
                   {"line_no", "BIGINT"},
                   {"p_key", "VARCHAR"},
                   {"quantity", "BIGINT"},
                   {"price", "DECIMAL(12,2)"},
                   {"discount", "DOUBLE"},
                   {"shipped", "DATE"},
                   {"returned", "BOOLEAN"}},
                  {}};
  Dice dice(15);
  for (std::uint64_t order = 1; order <= kOrders; ++order) {
    const std::uint64_t lines = dice.below(5);  // some orders have none
    for (std::uint64_t line = 1; line <= lines; ++line)
      table.rows.push_back(
          {std::to_string(order), std::to_string(line),
           fmt::format("{:05}", dice.below(kParts + 5)), std::to_string(dice.below(50) + 1),
           dice.cents(100'000), fmt::format("{}", 0.01 * static_cast<double>(dice.below(11))),
           dice.one_in(30) ? Cell() : Cell(dice.day()), dice.one_in(8) ? "true" : "false"});
  }
  return table;
}

MadeTable tickets() {
  MadeTable table{"ticket",
                  {{"t_key", "BIGINT"},
                   {"c_key", "BIGINT"},
                   {"opened_at", "TIMESTAMP WITH TIME ZONE"},
                   {"severity", "VARCHAR"},
                   {"hours", "DOUBLE"}},
                  {}};
  Dice dice(16);
  for (std::uint64_t i = 1; i <= 3000; ++i)
    table.rows.push_back(
        {std::to_string(i), std::to_string(dice.below(kCustomers) + 1), dice.time() + "Z",
         dice.one_in(9) ? Cell() : Cell(dice.pick(kSeverities)),
         dice.one_in(6) ? Cell() : Cell(fmt::format("{}", 0.25 * dice.below(400)))});
  return table;
}

std::int64_t microseconds(std::string text) {
  if (text.size() == 10) text += " 00:00:00";
  text[10] = 'T';
  if (text.back() != 'Z') text += 'Z';
  return Timestamp::parse(text).value().unix_us;
}

void append(analytics::RowBatch& batch, const std::string& type, const std::string& text) {
  if (type == "VARCHAR") {
    batch.text(text);
  } else if (type == "BIGINT") {
    batch.integer(std::stoll(text));
  } else if (type == "DOUBLE") {
    batch.real(std::stod(text));
  } else if (type == "BOOLEAN") {
    batch.boolean(text == "true");
  } else if (type == "DATE") {
    batch.integer(microseconds(text) / 86'400'000'000);
  } else if (type.starts_with("TIMESTAMP")) {
    batch.integer(microseconds(text));
  } else {
    OA_ASSERT(type.starts_with("DECIMAL"));
    std::string digits = text;
    digits.erase(digits.find('.'), 1);
    batch.decimal(std::stoll(digits));
  }
}

class MadeRows final : public analytics::RowSource {
 public:
  explicit MadeRows(const MadeTable& table) : table_(table) {}
  const std::vector<Column>& columns() const override { return table_.columns; }
  Status next(analytics::RowBatch& batch) override {
    for (; done_ < table_.rows.size() && !batch.full(); ++done_) {
      const auto& row = table_.rows[done_];
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i]) {
          append(batch, table_.columns[i].type, *row[i]);
        } else {
          batch.null();
        }
      }
      batch.end_row();
    }
    return {};
  }
  std::uint64_t position() const override { return done_; }

 private:
  const MadeTable& table_;
  std::uint64_t done_ = 0;
};

}  // namespace

std::vector<MadeTable> retail_tables() {
  return {regions(), nations(), customers(), profiles(), parts(), orders(), lineitems(), tickets()};
}

std::unique_ptr<analytics::RowSource> rows_of(const MadeTable& table) {
  return std::make_unique<MadeRows>(table);
}

}  // namespace oa::golden_answers
