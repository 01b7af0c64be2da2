#include "read_live.h"

#include <fmt/format.h>

#include "undo_plan.h"

namespace oa::restore {
namespace {

constexpr std::size_t kMaxNamed = 3;

Interest interest_of(const PreparedRestore& prepared) {
  return prepared.undo == nullptr ? interest_in(prepared.contents)
                                  : undo_interest(prepared.undo->applied, prepared.contents);
}

Result<Plan> plan_again(const PreparedRestore& prepared, const LiveState& live) {
  if (prepared.undo == nullptr) return make_plan(prepared.contents, live, prepared.request);
  return make_undo_plan(prepared.undo->applied, prepared.contents, live, prepared.undo->request);
}

const char* difference(const PlanItem* before, const PlanItem* now) {
  if (before == nullptr) return "is needed now";
  if (now == nullptr) return "is not needed any more";
  if (before->before == now->before && before->rows_version == now->rows_version)
    return "would be restored otherwise";
  if (!now->before.has_value()) return "was deleted";
  if (!before->before.has_value()) return "was made";
  return "was changed";
}

}  // namespace

Result<LiveState> read_live(const Engine& engine, catalog::TenantTransaction& transaction,
                            const Contents& contents, const Interest& interest,
                            const LiveState* known) {
  OA_ASSIGN(LiveState live, read_live_state(transaction, engine.objects, interest, known));
  OA_ASSIGN(const auto tenant, transaction.own_tenant());
  live.plan = tenant.plan;
  if (engine.erased != nullptr) {
    OA_ASSIGN(const auto erased, engine.erased->among(engine.tenant, contents.users));
    for (const auto& person : erased) live.erased.insert(person.id);
  }
  return live;
}

Error changed_since(const std::vector<PlanItem>& before, const std::vector<PlanItem>& now) {
  std::map<AssetRef, std::pair<const PlanItem*, const PlanItem*>> items;
  for (const auto& item : before) items[item.source].first = &item;
  for (const auto& item : now) items[item.source].second = &item;
  std::string what;
  std::size_t named = 0, others = 0;
  for (const auto& [asset, pair] : items) {
    const auto& [old_item, new_item] = pair;
    if (old_item != nullptr && new_item != nullptr && *old_item == *new_item) continue;
    if (named == kMaxNamed) {
      ++others;
      continue;
    }
    what += fmt::format("{} the {} {} {}", named == 0 ? ":" : ",", to_text(asset.kind),
                        asset.id.str(), difference(old_item, new_item));
    ++named;
  }
  if (others > 0) what += fmt::format(" and {} more", others);
  if (named == 0) what = ": its people, roles or credentials";
  return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                    "the tenant changed since the plan was made" + what)
      .with_hint("make a new plan, look at it and approve that one");
}

Result<LiveState> read_unchanged(const Engine& engine, catalog::TenantTransaction& transaction,
                                 const PreparedRestore& prepared) {
  OA_ASSIGN(LiveState live, read_live(engine, transaction, prepared.contents, interest_of(prepared),
                                      &prepared.live));
  if (live == prepared.live) return live;
  // Texts of the archive name them still, as it was read.
  if (live.erased != prepared.live.erased) return changed_since({}, {});
  OA_ASSIGN(const Plan plan, plan_again(prepared, live));
  if (plan_hash(plan) == prepared.hash) return live;
  return changed_since(prepared.plan.items, plan.items);
}

}  // namespace oa::restore
