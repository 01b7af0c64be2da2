#include "filter_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "problems.h"

namespace oa::semantics {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;

// The first day of the unit `offset` units after the one that `today` is in.
sys_days start_of(sys_days today, Grain unit, int offset) {
  const year_month_day date(today);
  const auto first = date.year() / date.month() / 1;
  const unsigned month = static_cast<unsigned>(date.month());
  switch (unit) {
    case Grain::kDay:
      return today + days(offset);
    case Grain::kWeek: {
      const unsigned weekday = std::chrono::weekday(today).iso_encoding();  // Monday is 1
      return today - days(weekday - 1) + days(7 * offset);
    }
    case Grain::kMonth:
      return sys_days(first + months(offset));
    case Grain::kQuarter:
      return sys_days(first - months((month - 1) % 3) + months(3 * offset));
    case Grain::kYear:
      return sys_days(first - months(month - 1) + months(12 * offset));
  }
  return today;
}

std::string iso(sys_days day) {
  const year_month_day date(std::max(day, sys_days(std::chrono::year(1) / 1 / 1)));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

class FilterWriter {
 public:
  FilterWriter(const Filter& filter, const SqlTerm& term, Parameters& parameters,
               const std::string& path)
      : filter_(filter), term_(term), parameters_(parameters), path_(path) {}

  Result<std::string> run(Timestamp now) {
    switch (filter_.op) {
      case FilterOp::kEq:
      case FilterOp::kIn:
        return one_of(false);
      case FilterOp::kNe:
      case FilterOp::kNotIn:
        return one_of(true);
      case FilterOp::kGt:
        return compared(">");
      case FilterOp::kGte:
        return compared(">=");
      case FilterOp::kLt:
        return compared("<");
      case FilterOp::kLte:
        return compared("<=");
      case FilterOp::kBetween: {
        OA_ASSIGN(const std::string low, value(0));
        OA_ASSIGN(const std::string high, value(1));
        return fmt::format("{} BETWEEN {} AND {}", term_.sql, low, high);
      }
      case FilterOp::kContains:
        return contains();
      case FilterOp::kIsNull:
        return fmt::format("{} IS {}NULL", term_.sql,
                           filter_.values.front() == Value(true) ? "" : "NOT ");
      case FilterOp::kRelative:
        return relative(now);
    }
    return invalid("is of no known operation");
  }

 private:
  Error invalid(std::string_view what) const {
    return make_error(
        ErrorCode::kQueryInvalid, "query.compile",
        fmt::format("{}: the filter on {} {}", path_, quoted_name(filter_.field), what));
  }
  Result<std::string> value(std::size_t index) {
    auto sql = parameters_.add_as(filter_.values[index], term_.type);
    if (sql) return std::move(*sql);
    return invalid(fmt::format("needs {}", described(term_.type)));
  }
  Result<std::string> compared(std::string_view comparison) {
    OA_ASSIGN(const std::string right, value(0));
    return fmt::format("{} {} {}", term_.sql, comparison, right);
  }
  // Rows without a value are neither in nor out by SQL's reckoning; here they are a value of their
  // own, so that `in` and `not_in` of the same values share the rows out between them.
  Result<std::string> one_of(bool inverted) {
    std::string list;
    bool with_null = false;
    for (std::size_t i = 0; i < filter_.values.size(); ++i) {
      if (filter_.values[i] == Value()) {
        with_null = true;
        continue;
      }
      OA_ASSIGN(const std::string sql, value(i));
      list += (list.empty() ? "" : ", ") + sql;
    }
    const std::string_view is_null = with_null != inverted ? "IS NULL" : "IS NOT NULL";
    if (list.empty()) return fmt::format("{} {}", term_.sql, is_null);
    const std::string in = fmt::format("{} {}IN ({})", term_.sql, inverted ? "NOT " : "", list);
    if (is_null == "IS NOT NULL") return in;
    return fmt::format("({} OR {} IS NULL)", in, term_.sql);
  }
  Result<std::string> contains() {
    if (term_.type != TypeClass::kText) return invalid("\"contains\" is for texts");
    OA_ASSIGN(const std::string part, value(0));
    return fmt::format("contains(lower({}), lower({}))", term_.sql, part);
  }
  Result<std::string> relative(Timestamp now) {
    if (!is_temporal(term_.type)) return invalid("\"relative\" is for dates");
    const DayRange range = days_of(*filter_.relative, now);
    const std::string first = parameters_.add(range.first, "DATE");
    const std::string end = parameters_.add(range.end, "DATE");
    return fmt::format("({0} >= {1} AND {0} < {2})", term_.sql, first, end);
  }

  const Filter& filter_;
  const SqlTerm& term_;
  Parameters& parameters_;
  const std::string& path_;
};

// What decode_filters() guarantees and a request made by hand may not.
bool well_formed(const Filter& filter) {
  const std::size_t count = filter.values.size();
  switch (filter.op) {
    case FilterOp::kIn:
    case FilterOp::kNotIn:
      return count >= 1 && count <= kMaxFilterValues;
    case FilterOp::kBetween:
      return count == 2;
    case FilterOp::kRelative:
      return count == 0 && filter.relative && filter.relative->count >= 1 &&
             filter.relative->count <= 3660;
    case FilterOp::kIsNull:
      return count == 1 && std::holds_alternative<bool>(filter.values.front());
    default:
      return count == 1;
  }
}

}  // namespace

DayRange days_of(const RelativeDates& dates, Timestamp now) {
  const sys_days today{days(now.unix_seconds() / 86'400 - (now.unix_seconds() % 86'400 < 0))};
  switch (dates.kind) {
    case RelativeDates::Kind::kLast:
      return {iso(start_of(today, dates.unit, 1 - static_cast<int>(dates.count))),
              iso(start_of(today, dates.unit, 1))};
    case RelativeDates::Kind::kPrevious:
      return {iso(start_of(today, dates.unit, -1)), iso(start_of(today, dates.unit, 0))};
    case RelativeDates::Kind::kThis:
      break;
  }
  return {iso(start_of(today, dates.unit, 0)), iso(start_of(today, dates.unit, 1))};
}

Result<std::string> filter_sql(const Filter& filter, SqlTerm term, Timestamp now,
                               Parameters& parameters, const std::string& path) {
  if (!well_formed(filter))
    return make_error(ErrorCode::kQueryInvalid, "query.compile",
                      fmt::format("{}: the filter has the wrong number of values", path));
  const SqlTerm plain = filter.op == FilterOp::kIsNull ? std::move(term) : in_utc(std::move(term));
  return FilterWriter(filter, plain, parameters, path).run(now);
}

}  // namespace oa::semantics
