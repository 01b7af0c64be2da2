#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <limits>
#include <utility>

#include "oa/semantics/query.h"

namespace oa::semantics {
namespace {

constexpr char kOp[] = "query.decode";
constexpr std::size_t kMaxFieldBytes = 128;
constexpr std::uint64_t kMaxRelativeCount = 3660;

constexpr std::array<std::pair<std::string_view, FilterOp>, 12> kOps{
    {{"eq", FilterOp::kEq},
     {"ne", FilterOp::kNe},
     {"in", FilterOp::kIn},
     {"not_in", FilterOp::kNotIn},
     {"gt", FilterOp::kGt},
     {"gte", FilterOp::kGte},
     {"lt", FilterOp::kLt},
     {"lte", FilterOp::kLte},
     {"between", FilterOp::kBetween},
     {"contains", FilterOp::kContains},
     {"is_null", FilterOp::kIsNull},
     {"relative", FilterOp::kRelative}}};

Error invalid(const std::string& path, std::string_view what) {
  return make_error(ErrorCode::kQueryInvalid, kOp, fmt::format("{}: {}", path, what));
}

Status finished(const ObjectReader& reader) {
  auto status = reader.finish();
  if (status.ok()) return status;
  Error error = std::move(status).error();
  error.code = ErrorCode::kQueryInvalid;
  return error;
}

Result<const json::array*> items(const json::value* value, const std::string& path,
                                 std::size_t max_count) {
  static const json::array kNone;
  if (value == nullptr) return &kNone;
  if (!value->is_array()) return invalid(path, "must be an array");
  if (value->get_array().size() > max_count)
    return invalid(path, fmt::format("has more than {} items", max_count));
  return &value->get_array();
}

std::string checked_name(ObjectReader& reader, std::string_view key) {
  std::string name = reader.text(key);
  if (name.empty() || name.size() > kMaxFieldBytes)
    reader.fail(key, fmt::format("is empty or longer than {} bytes", kMaxFieldBytes));
  return name;
}

Result<Value> decode_value(const json::value& value, const std::string& path) {
  switch (value.kind()) {
    case json::kind::null:
      return Value();
    case json::kind::bool_:
      return Value(value.get_bool());
    case json::kind::int64:
      return Value(value.get_int64());
    case json::kind::uint64:
      if (value.get_uint64() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()})
        return Value(static_cast<std::int64_t>(value.get_uint64()));
      return invalid(path, "needs more than 64 bits; write it as a text of digits");
    case json::kind::double_:
      return Value(value.get_double());
    case json::kind::string:
      if (value.get_string().size() > kMaxFilterTextBytes)
        return invalid(path, fmt::format("is longer than {} bytes", kMaxFilterTextBytes));
      return Value(std::string(value.get_string()));
    default:
      return invalid(path, "must be null, a boolean, a number or a text");
  }
}

Result<RelativeDates> decode_relative(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  RelativeDates dates;
  const auto unit = [&](std::string_view key) {
    const auto grain = grain_of(reader.text(key));
    if (!grain) reader.fail(key, "must be day, week, month, quarter or year");
    return grain.value_or(Grain::kDay);
  };
  if (reader.find("last") != nullptr) {
    dates.kind = RelativeDates::Kind::kLast;
    dates.count = reader.unsigned_integer("last");
    if (dates.count < 1 || dates.count > kMaxRelativeCount)
      reader.fail("last", fmt::format("must be 1 to {}", kMaxRelativeCount));
    dates.unit = unit("unit");
  } else if (reader.find("previous") != nullptr) {
    dates.kind = RelativeDates::Kind::kPrevious;
    dates.unit = unit("previous");
  } else {
    dates.unit = unit("this");
  }
  OA_TRY(finished(reader));
  return dates;
}

Status decode_operand(ObjectReader& reader, const std::string& path, Filter& filter) {
  const std::string value_path = path + ".value";
  const json::value* value = reader.find("value");
  if (filter.op == FilterOp::kIsNull) {
    if (value != nullptr && !value->is_bool()) return invalid(value_path, "must be true or false");
    filter.values.emplace_back(value == nullptr || value->get_bool());
    return {};
  }
  if (value == nullptr) return invalid(value_path, "is missing");
  if (filter.op == FilterOp::kRelative) {
    OA_ASSIGN(filter.relative, decode_relative(*value, value_path));
    return {};
  }
  const bool many = filter.op == FilterOp::kIn || filter.op == FilterOp::kNotIn;
  if (!many && filter.op != FilterOp::kBetween) {
    OA_ASSIGN(Value single, decode_value(*value, value_path));
    filter.values.push_back(std::move(single));
    return {};
  }
  OA_ASSIGN(const json::array* list, items(value, value_path, kMaxFilterValues));
  if (many ? list->empty() : list->size() != 2)
    return invalid(value_path, many ? "must have at least one item" : "must have two items");
  for (std::size_t i = 0; i < list->size(); ++i) {
    OA_ASSIGN(Value each, decode_value((*list)[i], fmt::format("{}[{}]", value_path, i)));
    filter.values.push_back(std::move(each));
  }
  return {};
}

Result<Filter> decode_filter(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  Filter filter;
  filter.field = checked_name(reader, "field");
  const std::string op = reader.text("op");
  const auto* found = std::ranges::find(kOps, op, [](const auto& each) { return each.first; });
  if (found == kOps.end()) {
    std::vector<std::string_view> names;
    for (const auto& each : kOps) names.push_back(each.first);
    reader.fail("op", fmt::format("must be one of {}", fmt::join(names, ", ")));
    reader.find("value");
    OA_TRY(finished(reader));
  }
  filter.op = found->second;
  OA_TRY(decode_operand(reader, path, filter));
  OA_TRY(finished(reader));
  return filter;
}

Result<DimensionRef> decode_dimension(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  DimensionRef dimension;
  dimension.id = checked_name(reader, "id");
  if (const auto grain = reader.optional_text("grain")) {
    dimension.grain = grain_of(*grain);
    if (!dimension.grain) reader.fail("grain", "must be day, week, month, quarter or year");
  }
  OA_TRY(finished(reader));
  return dimension;
}

Result<OrderBy> decode_order(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  OrderBy order;
  order.field = checked_name(reader, "field");
  const std::string direction = reader.optional_text("dir").value_or("asc");
  if (direction != "asc" && direction != "desc") reader.fail("dir", "must be asc or desc");
  order.descending = direction == "desc";
  OA_TRY(finished(reader));
  return order;
}

template <class T>
Status decode_all(const json::value* list, const std::string& path, std::size_t max_count,
                  Result<T> (*decode)(const json::value&, const std::string&),
                  std::vector<T>& out) {
  OA_ASSIGN(const json::array* values, items(list, path, max_count));
  for (std::size_t i = 0; i < values->size(); ++i) {
    OA_ASSIGN(T each, decode((*values)[i], fmt::format("{}[{}]", path, i)));
    out.push_back(std::move(each));
  }
  return {};
}

Result<std::string> decode_measure(const json::value& value, const std::string& path) {
  if (!value.is_string() || value.get_string().empty() ||
      value.get_string().size() > kMaxFieldBytes)
    return invalid(path, "must be the id of a measure");
  return std::string(value.get_string());
}

json::value encode_value(const Value& value) {
  return std::visit(
      [](const auto& held) -> json::value {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>)
          return nullptr;
        else
          return json::value(held);
      },
      value);
}

json::value encode_relative(const RelativeDates& dates) {
  const std::string_view unit = to_text(dates.unit);
  switch (dates.kind) {
    case RelativeDates::Kind::kLast:
      return json::object{{"last", dates.count}, {"unit", unit}};
    case RelativeDates::Kind::kPrevious:
      return json::object{{"previous", unit}};
    case RelativeDates::Kind::kThis:
      break;
  }
  return json::object{{"this", unit}};
}

json::value encode_filter(const Filter& filter) {
  const auto* name =
      std::ranges::find(kOps, filter.op, [](const auto& each) { return each.second; });
  json::object out{{"field", filter.field}, {"op", name->first}};
  if (filter.relative) {
    out["value"] = encode_relative(*filter.relative);
  } else if (filter.op == FilterOp::kIn || filter.op == FilterOp::kNotIn ||
             filter.op == FilterOp::kBetween) {
    json::array values;
    for (const Value& each : filter.values) values.push_back(encode_value(each));
    out["value"] = std::move(values);
  } else if (!filter.values.empty()) {
    out["value"] = encode_value(filter.values.front());
  }
  return out;
}

}  // namespace

Result<std::vector<Filter>> decode_filters(const json::value& value, const std::string& path) {
  std::vector<Filter> filters;
  OA_TRY(decode_all(&value, path, kMaxFilters, decode_filter, filters));
  return filters;
}

Result<QueryRequest> decode_query(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  QueryRequest query;
  OA_TRY(decode_all(reader.find("dimensions"), path + ".dimensions", kMaxQueryDimensions,
                    decode_dimension, query.dimensions));
  OA_TRY(decode_all(reader.find("measures"), path + ".measures", kMaxQueryMeasures, decode_measure,
                    query.measures));
  OA_TRY(decode_all(reader.find("filters"), path + ".filters", kMaxFilters, decode_filter,
                    query.filters));
  OA_TRY(decode_all(reader.find("order_by"), path + ".order_by",
                    kMaxQueryDimensions + kMaxQueryMeasures, decode_order, query.order_by));
  query.limit = reader.optional_unsigned("limit").value_or(query.limit);
  if (query.limit < 1 || query.limit > kMaxQueryLimit)
    reader.fail("limit", fmt::format("must be 1 to {}", kMaxQueryLimit));
  OA_TRY(finished(reader));
  return query;
}

json::value encode_query(const QueryRequest& request) {
  json::array dimensions, measures, filters, order_by;
  for (const DimensionRef& each : request.dimensions) {
    json::object dimension{{"id", each.id}};
    if (each.grain) dimension["grain"] = to_text(*each.grain);
    dimensions.push_back(std::move(dimension));
  }
  for (const std::string& each : request.measures) measures.push_back(json::value(each));
  for (const Filter& each : request.filters) filters.push_back(encode_filter(each));
  for (const OrderBy& each : request.order_by)
    order_by.push_back(
        json::object{{"field", each.field}, {"dir", each.descending ? "desc" : "asc"}});
  return json::object{{"dimensions", std::move(dimensions)},
                      {"measures", std::move(measures)},
                      {"filters", std::move(filters)},
                      {"order_by", std::move(order_by)},
                      {"limit", request.limit}};
}

}  // namespace oa::semantics
