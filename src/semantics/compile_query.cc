#include <fmt/format.h>

#include <algorithm>

#include "filter_sql.h"
#include "join_graph.h"
#include "measure_set.h"
#include "oa/semantics/query.h"
#include "problems.h"
#include "security_sql.h"
#include "sql_types.h"

namespace oa::semantics {
namespace {

constexpr std::size_t kMaxParameters = 20'000;

struct Output {
  const Dimension* dimension = nullptr;
  std::optional<Grain> grain;
  TypeClass type = TypeClass::kOther;  // of the column
};

struct DimensionFilter {
  const Dimension* dimension = nullptr;
  const Filter* filter = nullptr;
  TypeClass type = TypeClass::kOther;
  std::string path;
};

class Compiler {
 public:
  Compiler(const SemanticModel& model, std::span<const TableSchema> tables,
           const QueryRequest& request, const Viewer& viewer, const CompileOptions& options)
      : model_(model),
        tables_(tables),
        request_(request),
        now_(options.now),
        rules_(rules_for(model, tables, viewer)),
        measures_(model, tables) {}

  Result<CompiledQuery> run() {
    OA_TRY(check_sizes());
    OA_TRY(resolve_dimensions());
    OA_TRY(resolve_measures());
    OA_TRY(resolve_filters());
    roots_ = measures_.tables();
    if (roots_.empty()) roots_.push_back(root_of_dimensions());
    std::string sql;
    for (std::size_t root = 0; root < roots_.size(); ++root) {
      OA_ASSIGN(const std::string part, aggregation(root));
      sql +=
          fmt::format("{} {} AS (\n{})", root == 0 ? "WITH" : ",", part_name(roots_[root]), part);
      OA_TRY(check_values());
    }
    OA_ASSIGN(const std::string select, outer_select());
    CompiledQuery out;
    out.statement.sql = sql + "\n" + select;
    OA_TRY(check_values());
    out.statement.parameters = parameters_.take();
    out.columns = std::move(columns_);
    out.sql_preview = out.statement.sql;
    out.denied = denied_roots_ == roots_.size();
    return out;
  }

 private:
  Status check_sizes() const {
    if (request_.dimensions.empty() && request_.measures.empty())
      return query_error("the query asks for nothing: name a dimension or a measure");
    if (request_.dimensions.size() > kMaxQueryDimensions ||
        request_.measures.size() > kMaxQueryMeasures || request_.filters.size() > kMaxQueryFilters)
      return query_error("the query has too many dimensions, measures or filters");
    if (request_.limit < 1 || request_.limit > kMaxQueryLimit || request_.offset > kMaxQueryOffset)
      return query_error(fmt::format("the limit is 1 to {}", kMaxQueryLimit));
    return {};
  }

  Status check_values() const {
    if (parameters_.size() <= kMaxParameters) return {};
    return query_error(fmt::format(
        "the query and the rules for its viewer have more than {} values", kMaxParameters));
  }

  // --- Names -----------------------------------------------------------------------------------

  Error unknown(std::string_view what, const std::string& id) const {
    std::vector<std::string_view> ids;
    for (const Dimension& each : model_.dimensions) ids.push_back(each.id);
    for (const Measure& each : model_.measures) {
      if (!each.nested) ids.push_back(each.id);
    }
    return query_error(
        fmt::format("{}: the model has no {}{}", what, quoted_name(id), suggestion(id, ids)));
  }

  Status resolve_dimensions() {
    for (std::size_t i = 0; i < request_.dimensions.size(); ++i) {
      const DimensionRef& ref = request_.dimensions[i];
      const std::string path = fmt::format("dimensions[{}]", i);
      const Dimension* dimension = model_.dimension(ref.id);
      if (dimension == nullptr) return unknown(path, ref.id);
      if (ref.grain && std::ranges::find(dimension->grains, *ref.grain) == dimension->grains.end())
        return query_error(
                   fmt::format("{}: \"{}\" has no grain {}", path, ref.id, to_text(*ref.grain)))
            .with_hint("add the grain to the dimension in the model");
      OA_ASSIGN(const TypeClass type, column_type(tables_, dimension->column, ref.id));
      if (ref.grain && !is_temporal(type))
        return query_error(fmt::format("{}: \"{}\" is no date, it has no grain", path, ref.id));
      const auto same = [&](const DimensionRef& other) { return other.id == ref.id; };
      const bool several = std::ranges::count_if(request_.dimensions, same) > 1;
      OutputColumn column{ref.id, ref.id, dimension->label, false, "", ref.grain};
      if (several && ref.grain) column.id += fmt::format(".{}", to_text(*ref.grain));
      OA_TRY(add_column(std::move(column), path));
      outputs_.push_back({dimension, ref.grain, type});
    }
    return {};
  }

  Status add_column(OutputColumn column, const std::string& path) {
    if (std::ranges::any_of(columns_, [&](const auto& each) { return each.id == column.id; }))
      return query_error(fmt::format("{}: \"{}\" is there twice", path, column.id));
    columns_.push_back(std::move(column));
    return {};
  }

  Status resolve_measures() {
    for (std::size_t i = 0; i < request_.measures.size(); ++i) {
      const std::string path = fmt::format("measures[{}]", i);
      const Measure* measure = model_.measure(request_.measures[i]);
      if (measure == nullptr || measure->nested) return unknown(path, request_.measures[i]);
      OA_TRY(
          add_column({measure->id, measure->id, measure->label, true, measure->format, {}}, path));
      OA_TRY(measures_.add(*measure));
    }
    return {};
  }

  Status resolve_filters() {
    for (std::size_t i = 0; i < request_.filters.size(); ++i) {
      const Filter& filter = request_.filters[i];
      const std::string path = fmt::format("filters[{}]", i);
      if (const Dimension* dimension = model_.dimension(filter.field); dimension != nullptr) {
        OA_ASSIGN(const TypeClass type, column_type(tables_, dimension->column, dimension->id));
        filters_.push_back({dimension, &filter, type, path});
        continue;
      }
      const Measure* measure = model_.measure(filter.field);
      if (measure == nullptr || measure->nested) return unknown(path, filter.field);
      OA_TRY(measures_.add(*measure));
      measure_filters_.emplace_back(measure, &filter, path);
    }
    return {};
  }

  // --- Rows of one table -----------------------------------------------------------------------

  // Whose combinations a query without measures lists: the first table that reaches all others
  // towards "one".
  std::string root_of_dimensions() const {
    std::set<std::string> needed;
    for (const Output& output : outputs_) needed.insert(output.dimension->column.table);
    for (const Output& output : outputs_) {
      const JoinTree tree = join_tree(model_, output.dimension->column.table, needed);
      if (!tree.fans_out && tree.unreachable.empty()) return tree.root;
    }
    for (const ModelTable& table : model_.tables) {
      const JoinTree tree = join_tree(model_, table.name, needed);
      if (!tree.fans_out && tree.unreachable.empty()) return table.name;
    }
    return outputs_.front().dimension->column.table;
  }

  std::string alias(std::string_view table) const {
    const auto found =
        std::ranges::find_if(model_.tables, [&](const auto& each) { return each.name == table; });
    return fmt::format("\"t{}\"", found - model_.tables.begin());
  }
  std::string column_sql(std::string_view table, std::string_view column) const {
    return fmt::format("{}.{}", alias(table), quote(column));
  }
  std::string column_sql(const ColumnRef& ref) const { return column_sql(ref.table, ref.column); }

  std::string output_sql(const Output& output) const {
    SqlTerm term =
        as_dimension(column_sql(output.dimension->column), output.type, output.dimension->type);
    if (!output.grain) return term.sql;
    return fmt::format("CAST(date_trunc('{}', {}) AS DATE)", to_text(*output.grain),
                       in_utc(std::move(term)).sql);
  }

  Result<JoinTree> tables_for(std::size_t root, bool& deny) const {
    std::set<std::string> asked;
    for (const Output& output : outputs_) asked.insert(output.dimension->column.table);
    for (const DimensionFilter& each : filters_) asked.insert(each.dimension->column.table);
    const JoinTree visible = join_tree(model_, roots_[root], asked);
    if (!visible.unreachable.empty())
      return query_error(fmt::format("no join leads from the table \"{}\" to the table \"{}\"",
                                     roots_[root], visible.unreachable.front()))
          .with_hint("add a join to the model, or ask for the two apart");
    for (const BoundRule& rule : rules_.rules) asked.insert(rule.tables.begin(), rule.tables.end());
    JoinTree tree = join_tree(model_, roots_[root], asked);
    deny = rules_.deny || !tree.unreachable.empty();
    if (deny) tree = visible;
    OA_TRY(check_keys(tree));
    return tree;
  }

  // The rows may have lost what check_against() has seen.
  Status check_keys(const JoinTree& tree) const {
    const auto known = [&](const TableSchema& table) { return table.name == tree.root; };
    if (std::ranges::none_of(tables_, known))
      return query_error(fmt::format("the rows have no table \"{}\"", tree.root));
    for (const JoinStep& step : tree.steps) {
      OA_ASSIGN(const TypeClass from,
                column_type(tables_, {step.from_table, step.from_column, {}}, "a join"));
      OA_ASSIGN(const TypeClass to,
                column_type(tables_, {step.to_table, step.to_column, {}}, "a join"));
      if (!comparable(from, to))
        return query_error(fmt::format("{}.{} and {}.{} are of types that cannot be compared",
                                       step.from_table, quoted_name(step.from_column),
                                       step.to_table, quoted_name(step.to_column)));
    }
    return {};
  }

  Result<std::string> conditions(const JoinTree& tree, bool deny) {
    std::vector<std::string> all;
    for (const DimensionFilter& each : filters_) {
      SqlTerm term =
          as_dimension(column_sql(each.dimension->column), each.type, each.dimension->type);
      OA_ASSIGN(std::string sql,
                filter_sql(*each.filter, std::move(term), now_, parameters_, each.path));
      all.push_back(std::move(sql));
    }
    if (deny) {
      all.push_back("FALSE");
    } else {
      add_rules(tree, all);
    }
    if (all.empty()) return std::string();
    return fmt::format("  WHERE {}\n", fmt::join(all, "\n    AND "));
  }

  void add_rules(const JoinTree& tree, std::vector<std::string>& all) {
    std::set<std::string> restricted;
    for (const BoundRule& rule : rules_.rules) {
      restricted.insert(rule.tables.begin(), rule.tables.end());
      all.push_back(predicate_sql(
          rule.predicate,
          [&](const Field& field) {
            const Column* column = find_column(tables_, field.column.table, field.column.column);
            return as_dimension(column_sql(field.column), class_of(column->type), field.type);
          },
          parameters_));
    }
    for (const JoinStep& step : tree.steps) {
      if (restricted.contains(step.to_table))
        all.push_back(column_sql(step.to_table, step.to_column) + " IS NOT NULL");
    }
  }

  std::string from_sql(const JoinTree& tree) const {
    std::string sql = fmt::format("  FROM {} AS {}\n", quote(tree.root), alias(tree.root));
    for (const JoinStep& step : tree.steps)
      sql += fmt::format("  LEFT JOIN {} AS {} ON {} = {}\n", quote(step.to_table),
                         alias(step.to_table), column_sql(step.from_table, step.from_column),
                         column_sql(step.to_table, step.to_column));
    return sql;
  }

  Result<std::string> aggregation(std::size_t root) {
    bool deny = false;
    OA_ASSIGN(const JoinTree tree, tables_for(root, deny));
    if (deny) ++denied_roots_;
    OA_ASSIGN(const std::string where, conditions(tree, deny));
    const std::string rows = from_sql(tree) + where;
    std::vector<std::string> dimensions;
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      dimensions.push_back(fmt::format("{} AS \"d{}\"", output_sql(outputs_[i]), i));
    const auto aggregates = measures_.aggregates_of(roots_[root]);
    if (aggregates.empty())
      return fmt::format("  SELECT DISTINCT {}\n{}", fmt::join(dimensions, ",\n    "), rows);
    std::vector<std::string> groups;
    for (std::size_t i = 0; i < outputs_.size(); ++i) groups.push_back(std::to_string(i + 1));
    const std::string group_by =
        groups.empty() ? "" : fmt::format("  GROUP BY {}\n", fmt::join(groups, ", "));
    if (tree.fans_out)
      return once_per_row(tree.root, aggregates, std::move(dimensions), rows, group_by);
    for (const Measure* each : aggregates)
      dimensions.push_back(
          measures_.aggregate_sql(*each, each->column ? column_sql(*each->column) : ""));
    return fmt::format("  SELECT {}\n{}{}", fmt::join(dimensions, ",\n    "), rows, group_by);
  }

  // Joined across "many": a row of the root is there several times; the primary key tells which
  // are the same.
  Result<std::string> once_per_row(const std::string& root,
                                   const std::vector<const Measure*>& aggregates,
                                   std::vector<std::string> inner, const std::string& rows,
                                   const std::string& group_by) const {
    const ModelTable& table = *model_.table(root);
    if (table.primary_key.empty())
      return query_error(
                 fmt::format("rows of the table \"{}\" would be counted several times", root))
          .with_hint(fmt::format("give the table \"{}\" a primary_key in the model", root));
    std::vector<std::string> outer;
    for (std::size_t i = 0; i < outputs_.size(); ++i) outer.push_back(fmt::format("\"d{}\"", i));
    for (std::size_t i = 0; i < table.primary_key.size(); ++i) {
      OA_TRY(column_type(tables_, {root, table.primary_key[i], table.at}, "primary_key"));
      inner.push_back(fmt::format("{} AS \"k{}\"", column_sql(root, table.primary_key[i]), i));
    }
    for (std::size_t i = 0; i < aggregates.size(); ++i) {
      const auto& column = aggregates[i]->column;
      if (column) inner.push_back(fmt::format("{} AS \"c{}\"", column_sql(*column), i));
      outer.push_back(measures_.aggregate_sql(*aggregates[i],
                                              column ? fmt::format("\"c{}\"", i) : std::string()));
    }
    return fmt::format("  SELECT {}\n  FROM (SELECT DISTINCT {}\n{}  ) AS \"r\"\n{}",
                       fmt::join(outer, ",\n    "), fmt::join(inner, ",\n    "), rows, group_by);
  }

  // --- The answer ------------------------------------------------------------------------------

  // Of several tables, the value of whichever has a row for the combination.
  std::string dimension_sql(std::size_t i, std::size_t roots) const {
    std::vector<std::string> each;
    for (std::size_t root = 0; root < roots; ++root)
      each.push_back(fmt::format("{}.\"d{}\"", part_name(roots_[root]), i));
    return each.size() == 1 ? each[0] : fmt::format("COALESCE({})", fmt::join(each, ", "));
  }

  std::string combined() const {
    std::string sql = fmt::format("FROM {}\n", part_name(roots_[0]));
    for (std::size_t root = 1; root < roots_.size(); ++root) {
      const std::string part = part_name(roots_[root]);
      std::vector<std::string> equal;
      for (std::size_t i = 0; i < outputs_.size(); ++i)
        equal.push_back(
            fmt::format("{} IS NOT DISTINCT FROM {}.\"d{}\"", dimension_sql(i, root), part, i));
      sql += equal.empty()
                 ? fmt::format("CROSS JOIN {}\n", part)
                 : fmt::format("FULL OUTER JOIN {} ON {}\n", part, fmt::join(equal, " AND "));
    }
    return sql;
  }

  Result<std::string> outer_select() {
    std::vector<std::string> terms;
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      terms.push_back(
          fmt::format("{} AS {}", dimension_sql(i, roots_.size()), quote(columns_[i].id)));
    for (const std::string& id : request_.measures) {
      OA_ASSIGN(const SqlTerm term, measures_.term(*model_.measure(id), parameters_));
      terms.push_back(fmt::format("{} AS {}", term.sql, quote(id)));
    }
    std::vector<std::string> conditions;
    for (const auto& [measure, filter, path] : measure_filters_) {
      OA_ASSIGN(SqlTerm term, measures_.term(*measure, parameters_));
      OA_ASSIGN(std::string sql, filter_sql(*filter, std::move(term), now_, parameters_, path));
      conditions.push_back(std::move(sql));
    }
    const std::string where =
        conditions.empty() ? "" : fmt::format("WHERE {}\n", fmt::join(conditions, "\n  AND "));
    OA_ASSIGN(const std::string order, order_by());
    return fmt::format("SELECT {}\n{}{}{}LIMIT {}{}", fmt::join(terms, ",\n  "), combined(), where,
                       order, request_.limit + 1,
                       request_.offset == 0 ? "" : fmt::format(" OFFSET {}", request_.offset));
  }

  Result<std::string> order_by() const {
    std::vector<std::string> terms;
    std::set<std::size_t> used;
    for (std::size_t i = 0; i < request_.order_by.size(); ++i) {
      const OrderBy& order = request_.order_by[i];
      auto found = std::ranges::find(columns_, order.field, &OutputColumn::id);
      if (found == columns_.end())
        found = std::ranges::find(columns_, order.field, &OutputColumn::field);
      if (found == columns_.end())
        return query_error(
            fmt::format("order_by[{}]: {} is not among the query's dimensions and measures", i,
                        quoted_name(order.field)));
      const auto position = static_cast<std::size_t>(found - columns_.begin());
      if (used.insert(position).second)
        terms.push_back(
            fmt::format("{} {} NULLS LAST", position + 1, order.descending ? "DESC" : "ASC"));
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (used.insert(i).second) terms.push_back(fmt::format("{} ASC NULLS LAST", i + 1));
    }
    return terms.empty() ? std::string() : fmt::format("ORDER BY {}\n", fmt::join(terms, ", "));
  }

  const SemanticModel& model_;
  std::span<const TableSchema> tables_;
  const QueryRequest& request_;
  Timestamp now_;
  ViewerRules rules_;
  MeasureSet measures_;
  Parameters parameters_;
  std::vector<OutputColumn> columns_;
  std::vector<Output> outputs_;
  std::vector<DimensionFilter> filters_;
  std::vector<std::tuple<const Measure*, const Filter*, std::string>> measure_filters_;
  std::vector<std::string> roots_;  // tables whose rows are aggregated
  std::size_t denied_roots_ = 0;
};

}  // namespace

Result<CompiledQuery> compile_query(const SemanticModel& model, std::span<const TableSchema> tables,
                                    const QueryRequest& request, const Viewer& viewer,
                                    const CompileOptions& options) {
  return Compiler(model, tables, request, viewer, options).run();
}

}  // namespace oa::semantics
