#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oa/diff/render.h"
#include "restore_commands.h"

namespace oa::cli {
namespace {

using restore::Action;
using restore::PlanItem;

constexpr std::size_t kFew = 20;  // overwritten assets whose differences are shown unasked

std::string why(const PlanItem& item) {
  std::string text = item.reason;
  if (!item.renamed_from.empty()) text += fmt::format("; \"{}\" is taken", item.renamed_from);
  if (item.newer_here && item.action != Action::kBlocked) text += "; newer in the tenant";
  if (item.rows == restore::RowsAction::kNone) return text;
  text += fmt::format("; rows: {}", restore::to_text(item.rows));
  if (item.rows_before.has_value() && item.rows_before != item.rows_after)
    text += fmt::format(" ({} -> {})", *item.rows_before, item.rows_after.value_or(0));
  return text;
}

std::string sum(const restore::Plan& plan) {
  std::string text;
  for (const auto& [action, count] : restore::count_actions(plan))
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, restore::to_text(action));
  return text;
}

// Changes something, or would.
bool matters(const PlanItem& item) {
  return restore::writes(item) || item.action == Action::kRemove || item.action == Action::kBlocked;
}

// As they will be. Those of equal names are told apart by their ids.
std::map<WorkspaceId, std::string> workspace_names(const restore::PreparedRestore& prepared) {
  std::map<WorkspaceId, std::string> names;
  for (const auto& [id, workspace] : prepared.live.workspaces) names[id] = workspace.name;
  for (const auto& item : prepared.plan.items) {
    if (item.source.kind == restore::AssetKind::kWorkspace)
      names[item.target_workspace] = item.name;
  }
  std::map<std::string, std::size_t> uses;
  for (const auto& [id, name] : names) ++uses[name];
  for (auto& [id, name] : names) {
    if (uses[name] > 1) name = id.str();
  }
  return names;
}

bool makes_workspaces(const restore::Plan& plan) {
  return std::ranges::any_of(plan.items, [](const PlanItem& item) {
    return item.source.kind == restore::AssetKind::kWorkspace &&
           (item.action == Action::kCreate || item.action == Action::kFork);
  });
}

void show_people(const Output& output, const restore::PreparedRestore& prepared) {
  const auto& plan = prepared.plan;
  const auto placeholders = std::ranges::count(plan.users, true, &restore::UserMapping::create);
  if (placeholders > 0) {
    output.line(
        fmt::format("  {} users are not here any more and come back inactive", placeholders));
  }
  for (const auto& team : plan.teams) {
    if (!team.create) continue;
    const auto archived = prepared.contents.teams.find(team.archived);
    output.line(archived == prepared.contents.teams.end()
                    ? fmt::format("  the team {} is made", team.target.str())
                    : fmt::format("  the team \"{}\" is made", archived->second.name));
  }
  if (!plan.remove_users.empty() || !plan.remove_teams.empty()) {
    output.line(
        fmt::format("  {} inactive users and {} teams that the restore made go, unless something "
                    "made since names them",
                    plan.remove_users.size(), plan.remove_teams.size()));
  }
  if (!plan.with_roles && makes_workspaces(plan))
    output.line("  roles and shares are not restored in new workspaces: --with-roles does that");
  for (const auto& name : plan.credentials)
    output.line(fmt::format("  the credentials \"{}\" must be entered again", name));
  for (const auto& note : plan.notes) output.line("  note: " + note);
}

void show_differences(const Output& output, const PlanItem& item,
                      const restore::ItemDifferences& differences) {
  output.line(fmt::format("  {} \"{}\":", restore::to_text(item.source.kind), item.name));
  for (const auto& field : differences.fields) output.line("    " + diff::to_line(field));
  if (differences.rows.has_value()) {
    output.line(
        fmt::format("    rows: {} -> {}", differences.rows->before, differences.rows->after));
    for (const auto& column : differences.rows->columns)
      output.line("    column " + diff::to_line(column));
  }
  std::string_view model = differences.model;
  if (!model.empty()) output.line("    model.yaml:");
  while (!model.empty()) {
    const auto end = std::min(model.find('\n'), model.size());
    output.line("      " + std::string(model.substr(0, end)));
    model.remove_prefix(std::min(end + 1, model.size()));
  }
}

}  // namespace

bool PlanPrinter::with_differences(const restore::Plan& plan) const {
  const auto counts = restore::count_actions(plan);
  const auto overwritten = counts.find(Action::kOverwrite);
  return overwritten != counts.end() && (options_.differences || overwritten->second <= kFew);
}

Status PlanPrinter::each_difference(
    const restore::PreparedRestore& prepared,
    const std::function<void(const PlanItem&, const restore::ItemDifferences&)>& use) {
  if (!with_differences(prepared.plan)) return {};
  OA_ASSIGN(auto snapshot, engine_.database.begin(engine_.tenant, catalog::Isolation::kSnapshot));
  for (const auto& item : prepared.plan.items) {
    if (item.action != Action::kOverwrite) continue;
    OA_ASSIGN(const auto differences, restore::differences(snapshot, prepared, item));
    use(item, differences);
  }
  return {};
}

std::vector<const PlanItem*> PlanPrinter::chosen_lines(const restore::Plan& plan) {
  quiet_ = unseen_ = 0;
  std::vector<const PlanItem*> lines;
  const bool all = plan.items.size() <= options_.lines;
  for (const auto& item : plan.items) {
    if (all || matters(item)) {
      lines.push_back(&item);
    } else {
      ++quiet_;
    }
  }
  if (lines.size() <= options_.lines) return lines;
  std::ranges::stable_partition(
      lines, [](const PlanItem* item) { return item->action == Action::kBlocked; });
  unseen_ = lines.size() - options_.lines;
  lines.resize(options_.lines);
  return lines;
}

void PlanPrinter::show_lines(const restore::PreparedRestore& prepared, const std::string& more) {
  const auto names = workspace_names(prepared);
  std::vector<std::vector<std::string>> rows;
  for (const auto* item : chosen_lines(prepared.plan)) {
    const auto name = names.find(item->target_workspace);
    const bool has_one = item->source.kind != restore::AssetKind::kWorkspace;
    rows.push_back({"  " + std::string(restore::to_text(item->action)),
                    std::string(restore::to_text(item->source.kind)), item->target_id.str(),
                    !has_one              ? ""
                    : name == names.end() ? item->target_workspace.str()
                                          : name->second,
                    item->name, why(*item)});
  }
  context_.output.table({"  action", "kind", "id", "workspace", "name", "why"}, rows,
                        prepared.plan.items.empty() ? "  nothing to do" : "  nothing changes");
  if (quiet_ > 0)
    context_.output.line(fmt::format("  {} lines that change nothing are left out", quiet_));
  if (unseen_ > 0) {
    context_.output.line(fmt::format(
        "  {} lines more CHANGE something or are blocked and are not shown: {}", unseen_, more));
  }
}

Status PlanPrinter::show(const restore::PreparedRestore& prepared, const std::string& tenant,
                         const std::string& more) {
  const Output& output = context_.output;
  if (output.json()) return {};
  const auto& plan = prepared.plan;
  output.line(plan.undoes.has_value()
                  ? fmt::format("Plan to undo restore {} in tenant {}:", plan.undoes->str(), tenant)
                  : fmt::format("Plan for tenant {} from the archive of {}:", tenant,
                                plan.snapshot_time.rfc3339()));
  show_lines(prepared, more);
  OA_TRY(each_difference(prepared, [&](const PlanItem& item, const auto& differences) {
    show_differences(output, item, differences);
  }));
  if (!plan.items.empty()) output.line("  " + sum(plan));
  show_people(output, prepared);
  output.line("  plan hash " + prepared.hash);
  return {};
}

Status PlanPrinter::keep_differences(const restore::PreparedRestore& prepared) {
  if (!context_.output.json()) return {};
  kept_.emplace();
  return each_difference(prepared, [&](const PlanItem&, const auto& differences) {
    kept_->push_back(JsonText::of(restore::to_json(differences)));
  });
}

Status PlanPrinter::document(const restore::PreparedRestore& prepared, json::object members) {
  if (!context_.output.json()) return {};
  const auto& plan = prepared.plan;
  std::string text = "{";
  const auto flush = [&]() -> Status {
    OA_TRY(Output::write(as_bytes(text)));
    text.clear();
    return {};
  };
  members["plan_hash"] = prepared.hash;
  std::string rest = canonical_json(members);
  rest.front() = ',';
  const bool with = with_differences(plan);
  std::optional<catalog::TenantTransaction> snapshot;
  if (with && !kept_.has_value()) {
    OA_ASSIGN(auto begun, engine_.database.begin(engine_.tenant, catalog::Isolation::kSnapshot));
    snapshot.emplace(std::move(begun));
  }
  std::string header = canonical_json(restore::header_json(plan));
  header.pop_back();
  text += "\"plan\":" + header + ",\"items\":[";
  bool first = true;
  std::size_t overwritten = 0;
  for (const auto& item : plan.items) {
    json::value value = restore::to_json(item);
    if (with && item.action == Action::kOverwrite) {
      auto& differences = value.as_object()["differences"];
      if (kept_.has_value()) {
        differences = kept_->at(overwritten++).value();
      } else {
        OA_ASSIGN(const auto now, restore::differences(*snapshot, prepared, item));
        differences = restore::to_json(now);
      }
    }
    text += (first ? "" : ",") + canonical_json(value);
    first = false;
    if (text.size() > (std::size_t{1} << 16)) OA_TRY(flush());
  }
  text += "]}" + rest + "\n";
  return flush();
}

}  // namespace oa::cli
