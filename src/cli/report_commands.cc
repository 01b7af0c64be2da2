#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <map>

#include "asset_commands.h"
#include "oa/catalog/repositories.h"
#include "oa/reports/alerts.h"
#include "oa/reports/open_report.h"

namespace oa::cli {
namespace {

constexpr std::size_t kShownRows = 20;

// For people: 12 digits, so that 0.1 + 0.2 reads 0.3, and more only of large numbers; --json has
// them all.
std::string number_text(const std::optional<double>& value) {
  if (!value.has_value()) return "none";
  return std::fabs(*value) < 1e10 ? fmt::format("{:.12g}", *value) : fmt::format("{:.15g}", *value);
}

std::string cell_text(const json::value& cell) {
  if (cell.is_null()) return "";
  if (cell.is_string()) return std::string(cell.as_string());
  if (cell.is_double()) return number_text(cell.as_double());
  return canonical_json(cell);
}

json::value number_json(const std::optional<double>& value) {
  return value.has_value() ? json::value(*value) : json::value(nullptr);
}

json::object point_json(const reports::AlertPoint& point) {
  return {{"period", point.period},
          {"value", number_json(point.value)},
          {"reference", number_json(point.reference)},
          {"outcome", catalog::to_text(point.outcome)}};
}

json::object evaluation_json(const catalog::AlertEvaluation& evaluation) {
  return {{"evaluated_at", evaluation.evaluated_at.rfc3339()},
          {"outcome", catalog::to_text(evaluation.outcome)},
          {"value", number_json(evaluation.value)},
          {"reference", number_json(evaluation.reference)},
          {"detail", evaluation.detail.value()}};
}

Result<std::optional<BookmarkId>> bookmark_of(const catalog::Report& report,
                                              const std::string& name) {
  if (name.empty()) return std::optional<BookmarkId>();
  for (const auto& bookmark : report.bookmarks) {
    if (bookmark.name == name || bookmark.id.str() == name) return std::optional(bookmark.id);
  }
  return make_error(ErrorCode::kNotFound, "report.open", "the report has no bookmark of this name")
      .with_hint(report.bookmarks.empty() ? "it has none"
                                          : "it has \"" + report.bookmarks.front().name + "\"");
}

Result<Timestamp> moment(const std::string& text) {
  if (text.empty()) return Timestamp::now();
  return Timestamp::parse(text);
}

using Names = std::map<Uuid, std::string>;

// E-mail addresses and names of teams.
Result<Names> names_of_principals(catalog::TenantTransaction& transaction) {
  Names names;
  OA_ASSIGN(const auto users, catalog::Users(transaction).list());
  for (const auto& user : users) names[user.id.uuid()] = user.email;
  OA_ASSIGN(const auto teams, catalog::Teams(transaction).list());
  for (const auto& team : teams) names[team.id.uuid()] = team.name;
  return names;
}

json::array grants_json(const std::vector<catalog::RoleGrant>& grants, const Names& names) {
  json::array items;
  for (const auto& grant : grants) {
    items.push_back(json::object{{"kind", catalog::to_text(grant.kind)},
                                 {"principal", grant.principal.str()},
                                 {"name", names.at(grant.principal)},
                                 {"role", catalog::to_text(grant.role)}});
  }
  return items;
}

std::string grants_text(const std::vector<catalog::RoleGrant>& grants, const Names& names) {
  std::string text;
  for (const auto& grant : grants) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", names.at(grant.principal),
                        catalog::to_text(grant.role));
  }
  return text;
}

}  // namespace

void show_answer(const Context& context, const json::value& answer) {
  std::vector<std::string> header;
  for (const auto& column : answer.at("columns").as_array())
    header.emplace_back(column.at("label").as_string());
  std::vector<std::vector<std::string>> rows;
  const auto& all = answer.at("rows").as_array();
  for (const auto& row : all) {
    if (rows.size() == kShownRows) break;
    rows.emplace_back();
    for (const auto& cell : row.as_array()) rows.back().push_back(cell_text(cell));
  }
  const bool denied = answer.as_object().contains("denied");
  context.output.table(
      header, denied ? std::vector<std::vector<std::string>>() : rows,
      denied ? "  no rows: row-level security shows this person none" : "  no rows");
  if (all.size() > kShownRows)
    context.output.line(fmt::format("  … {} rows in all; --json has them", all.size()));
}

Status run_report_list(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(auto transaction,
            opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  OA_ASSIGN(const auto names, names_of_principals(transaction));
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(transaction).list());
  for (const auto& workspace : workspaces) {
    OA_TRY(catalog::Reports(transaction)
               .for_each(workspace.id, [&](const catalog::Report& report) -> Status {
                 items.push_back(json::object{{"id", report.id.str()},
                                              {"name", report.name},
                                              {"workspace_id", workspace.id.str()},
                                              {"visuals", report.visuals.size()},
                                              {"bookmarks", report.bookmarks.size()},
                                              {"grants", grants_json(report.grants, names)}});
                 rows.push_back({report.id.str(), report.name,
                                 std::to_string(report.visuals.size()),
                                 std::to_string(report.bookmarks.size()), workspace.name,
                                 grants_text(report.grants, names)});
                 return {};
               }));
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"id", "name", "visuals", "bookmarks", "workspace", "shared with"}, rows,
                       "the tenant has no report yet");
  return {};
}

Status run_report_open(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, ReportId::parse(options.id));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  reports::OpenOptions open;
  OA_ASSIGN(open.now, moment(options.at));
  UserId user;
  {
    OA_ASSIGN(auto transaction,
              opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(user, chosen_user(transaction, options.user));
    OA_ASSIGN(const auto report, catalog::Reports(transaction).get(id));
    OA_ASSIGN(open.bookmark, bookmark_of(report, options.bookmark));
  }
  OA_ASSIGN(const auto report,
            reports::open_report(opened.instance->database(), opened.instance->objects(),
                                 opened.tenant.id, id, user, open, context.progress));
  const json::value document = reports::to_json(report);
  context.output.document(document);
  context.output.line(
      fmt::format("{}{}", report.name, report.bookmark ? " · bookmark " + *report.bookmark : ""));
  for (std::size_t i = 0; i < report.visuals.size(); ++i) {
    const auto& visual = report.visuals[i];
    context.output.line("");
    context.output.line(fmt::format("{} ({})", visual.title, catalog::to_text(visual.kind)));
    if (visual.error.has_value()) {
      context.output.line(fmt::format("  cannot be shown: {} [{}]", visual.error->message,
                                      error_info(visual.error->code).name));
      continue;
    }
    show_answer(context, document.at("visuals").at(i).at("answer"));
    if (!visual.subtotals.empty()) {
      context.output.line("  in all:");
      show_answer(context, document.at("visuals").at(i).at("subtotals").as_array().back());
    }
    if (visual.comparison.has_value()) {
      const auto& comparison = *visual.comparison;
      context.output.line(fmt::format("  {}: {}; {}: {}", comparison.period,
                                      number_text(comparison.value), comparison.previous_period,
                                      number_text(comparison.reference)));
    }
  }
  context.output.line("");
  context.output.line("digest " + to_hex(report.digest));
  return {};
}

Status run_alert_list(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(auto transaction,
            opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(transaction).list());
  for (const auto& workspace : workspaces) {
    OA_TRY(catalog::Alerts(transaction)
               .for_each(workspace.id, [&](const catalog::Alert& alert) -> Status {
                 items.push_back(json::object{{"id", alert.id.str()},
                                              {"name", alert.name},
                                              {"workspace_id", workspace.id.str()},
                                              {"measure", alert.measure},
                                              {"enabled", alert.enabled}});
                 rows.push_back({alert.id.str(), alert.name, alert.measure,
                                 alert.enabled ? "on" : "off", workspace.name});
                 return {};
               }));
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"id", "name", "measure", "state", "workspace"}, rows,
                       "the tenant has no alert yet");
  return {};
}

Status run_alert_evaluate(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, AlertId::parse(options.id));
  OA_ASSIGN(const auto now, moment(options.at));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto evaluated,
            reports::evaluate_alert(opened.instance->database(), opened.instance->objects(),
                                    opened.tenant.id, id, now, context.progress));
  if (evaluated.error.has_value()) return *evaluated.error;
  json::object document = evaluation_json(evaluated.evaluation);
  json::array preview;
  std::vector<std::vector<std::string>> rows;
  for (const auto& point : evaluated.assessment->preview) {
    preview.push_back(point_json(point));
    rows.push_back({"  " + point.period, number_text(point.value), number_text(point.reference),
                    std::string(catalog::to_text(point.outcome))});
  }
  document["preview"] = std::move(preview);
  context.output.document(document);
  context.output.line(fmt::format(
      "{}: value {}, compared with {}", catalog::to_text(evaluated.evaluation.outcome),
      number_text(evaluated.evaluation.value), number_text(evaluated.evaluation.reference)));
  context.output.table({"  period", "value", "compared with", "outcome"}, rows,
                       "  the measure has no date, so there is no preview");
  return {};
}

Status run_alert_history(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, AlertId::parse(options.id));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(auto transaction,
            opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto alert, catalog::Alerts(transaction).get(id));
  OA_ASSIGN(const auto history, catalog::AlertHistory(transaction).list(id, options.history));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& evaluation : history) {
    items.push_back(evaluation_json(evaluation));
    rows.push_back({evaluation.evaluated_at.rfc3339(),
                    std::string(catalog::to_text(evaluation.outcome)),
                    number_text(evaluation.value), number_text(evaluation.reference)});
  }
  context.output.document(json::object{{"alert", alert.name}, {"data", std::move(items)}});
  context.output.table({"evaluated", "outcome", "value", "compared with"}, rows,
                       "it was not evaluated yet");
  return {};
}

}  // namespace oa::cli
