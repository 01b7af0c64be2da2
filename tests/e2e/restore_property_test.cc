// Random tenants, random edits, random requests: what a restore does to the whole tenant, its rows
// and what its reports show is what a small model predicts; an undo brings back exactly what was.
//
// OA_PROPERTY_CASES says how many cases (1,000 when it is not set). A failure names a seed;
// OA_PROPERTY_SEED runs that tenant's life again, case by case.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <random>

#include "oa/reports/probes.h"
#include "random_tenant.h"
#include "restore_model.h"
#include "restore_world.h"

namespace oa {
namespace {

using restore::Action;
using testkit::must;
using testkit::RandomTenant;
using testkit::TenantState;

constexpr int kShards = 4;
constexpr int kCasesOfALife = 30;         // of a tenant without rows
constexpr int kCasesOfALifeWithRows = 5;  // what has rows is slow
constexpr int kMostExtra = 4;             // times as many cases at most, for what is rare
constexpr int kLivesBetweenRows = 2;      // so that one case in 13 has rows

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

void expect_same(const TenantState& expected, const TenantState& found, const std::string& when) {
  if (expected == found) return;
  throw std::runtime_error(when + ":\n" + differences(expected, found));
}

std::string text_of(const restore::AssetRef& ref) {
  return std::string(to_text(ref.kind)) + " " + ref.id.str();
}

// What happened, for the one who reads a failure.
struct Tally {
  std::map<Action, std::size_t> actions;
  std::size_t applied = 0, refused = 0, edited = 0, redone = 0, shown = 0, rows = 0, renamed = 0;
};

// One tenant with its archive, from case to case.
class Life {
 public:
  Life(testkit::RestoreWorld& world, std::uint64_t seed, bool with_rows, Tally& tally)
      : world_(world),
        tenant_(world.make_tenant()),
        random_(seed, with_rows ? RandomTenant::GiveRows([this](TenantState& state, DatasetId id,
                                                                const std::string& csv) {
                  testkit::give_rows(world_, tenant_, state, id, csv);
                })
                                : nullptr),
        with_rows_(with_rows),
        tally_(tally) {
    write(random_.make());
  }

  void run_case() {
    if (!archive_ || random_.one_in(4)) make_archive();
    edit(random_.below(7));
    if (random_.one_in(3)) write(random_.without_a_need_of(archived_, live_));
    request_ = random_.request(archived_, live_);
    expected_ = testkit::predict(archived_, live_, request_);
    const auto prepared = world_.plan(tenant_, *archive_, request_);
    compare_plan(prepared.plan);
    if (expected_.blocked && !request_.leave_out_blocked) return refuse(prepared);
    apply(prepared);
    const RestoreId undo_id = take_back(prepared.plan);
    if (random_.one_in(6)) take_the_undo_back(undo_id);
  }

  // What interrupted or old restores leave, and what a record names.
  void end() {
    const Timestamp later{Timestamp::now().unix_us +
                          std::int64_t{restore::kUndoDays + 1} * 86'400'000'000};
    must(restore::sweep(world_.engine(tenant_), later));
    expect_same(live_, world_.state(tenant_), "after the sweep");
    for (const auto& object : world_.unnamed_objects(tenant_))
      expect(!object.starts_with("archives"), "nobody knows the archive " + object);
    expect(world_.lost_objects(tenant_).empty(), "an object is lost");
  }

  std::string description() const { return canonical_json(to_json(request_)) + "\n" + plan_text_; }

 private:
  void write(const TenantState& next) {
    auto transaction = must(world_.database().begin(tenant_.tenant.id));
    write_state(transaction, live_, next);
    must(transaction.commit());
    live_ = next;
  }

  void edit(std::uint64_t times) {
    if (times == 0) return;
    auto transaction = must(world_.database().begin(tenant_.tenant.id));
    for (; times > 0; --times) {
      const TenantState next = random_.edited(live_);
      write_state(transaction, live_, next);
      live_ = next;
    }
    must(transaction.commit());
  }

  void make_archive() {
    std::set<WorkspaceId> some;
    for (const auto& [id, workspace] : live_.workspaces) {
      if (random_.one_in(2)) some.insert(id);
    }
    if (random_.one_in(2)) some.clear();
    const bool rows = with_rows_ && !random_.one_in(4);
    const auto record = world_.archive(tenant_, rows, {some.begin(), some.end()});
    archive_ = std::make_unique<restore::StoredArchive>(world_.open(tenant_, record));
    archived_ = testkit::archived_part(live_, some, rows);
  }

  void compare_plan(const restore::Plan& plan) {
    plan_text_.clear();
    std::string wrong;
    std::map<restore::AssetRef, const restore::PlanItem*> items;
    for (const auto& item : plan.items) {
      items[item.source] = &item;
      ++tally_.actions[item.action];
      tally_.renamed += !item.renamed_from.empty();
      plan_text_ += canonical_json(to_json(item)) + "\n";
    }
    expect(items.size() == plan.items.size(), "an asset has two items");
    for (const auto& [ref, item] : expected_.items) {
      const auto found = items.find(ref);
      const bool same = found != items.end() && found->second->action == item.action &&
                        (item.action == Action::kBlocked ||
                         (found->second->target_id == item.target &&
                          (!writes(*found->second) || found->second->name == item.name)));
      if (!same)
        wrong += fmt::format("{}: expected {} to {} named {}\n", text_of(ref), to_text(item.action),
                             item.target.str(), item.name);
    }
    for (const auto& [ref, item] : items) {
      if (!expected_.items.contains(ref)) wrong += text_of(ref) + ": not expected\n";
    }
    expect(wrong.empty(), "the plan is another one:\n" + wrong);
  }

  void refuse(const restore::PreparedRestore& prepared) {
    ++tally_.refused;
    const auto refused = world_.apply(tenant_, prepared);
    expect(!refused.ok() && refused.error().code == ErrorCode::kConflict,
           "a plan with something blocked was not refused");
    expect_same(live_, world_.state(tenant_), "after a refused restore");
  }

  void apply(const restore::PreparedRestore& prepared) {
    ++tally_.applied;
    must(world_.apply(tenant_, prepared));
    if (random_.one_in(8)) expect_same(expected_.after, world_.state(tenant_), "after the restore");
    const auto again = must(world_.apply(tenant_, prepared));
    expect(again.state == catalog::RestoreState::kApplied,
           "the restore is not recorded as applied");
    expect_same(expected_.after, world_.state(tenant_), "after the restore, applied twice");
    if (with_rows_) show_reports();
  }

  // Reports whose datasets are in their workspace and have the archived rows and models show what
  // they showed.
  void show_reports() {
    const auto probes =
        must(reports::probes_from_json(archive_->reader->manifest().content.probes));
    std::map<ReportId, ReportId> ids;
    for (const auto& [id, report] : archived_.reports) {
      const auto item = expected_.items.find({restore::AssetKind::kReport, id.uuid()});
      if (item == expected_.items.end()) continue;
      const ReportId here(item->second.target);
      const auto restored = expected_.after.reports.find(here);
      if (item->second.action == Action::kSkip || item->second.action == Action::kBlocked ||
          restored == expected_.after.reports.end())
        continue;
      bool same_rows = true;
      for (std::size_t i = 0; i < report.visuals.size(); ++i)
        same_rows &=
            same_dataset(report.visuals[i].dataset_id, restored->second.visuals[i].dataset_id,
                         restored->second.workspace_id);
      if (same_rows) ids[id] = here;
    }
    reports::Probes comparable = probes;
    std::erase_if(comparable.reports,
                  [&](const auto& probe) { return !ids.contains(probe.report); });
    auto snapshot = must(world_.database().begin(tenant_.tenant.id, catalog::Isolation::kSnapshot));
    for (const auto& result : must(
             reports::compare_probes(snapshot, world_.objects(), comparable, ids, no_progress()))) {
      expect(result.state == reports::ProbeState::kSame,
             "report " + result.report.str() + " shows something else");
      ++tally_.shown;
    }
  }

  bool same_dataset(DatasetId archived, DatasetId here, WorkspaceId home) const {
    const auto before = archived_.rows.find(archived), after = expected_.after.rows.find(here);
    const auto record = archived_.datasets.find(archived);
    return before != archived_.rows.end() && after != expected_.after.rows.end() &&
           before->second == after->second &&
           record->second.model_yaml == expected_.after.datasets.at(here).model_yaml &&
           expected_.after.datasets.at(here).workspace_id == home;
  }

  RestoreId take_back(const restore::Plan& plan) {
    restore::UndoRequest undo;
    undo.id = RestoreId(random_.uuid());
    undo.undoes = request_.id;
    undo.requested_by = request_.requested_by;
    std::vector<const restore::PlanItem*> written;
    for (const auto& item : plan.items) {
      if (writes(item)) written.push_back(&item);
      tally_.rows += item.rows == restore::RowsAction::kRestore;
    }
    left_ = expected_.after;
    if (!written.empty() && random_.one_in(5)) {
      edit_and_be_refused(*written[random_.below(written.size())], undo);
      undo.discard_edits = true;
    }
    const auto prepared = world_.plan_undo(tenant_, undo);
    plan_text_ += canonical_json(header_json(prepared.plan)) + "\n";
    for (const auto& item : prepared.plan.items) plan_text_ += canonical_json(to_json(item)) + "\n";
    must(world_.apply(tenant_, prepared));
    expect_same(live_, world_.state(tenant_), "after the undo");
    return undo.id;
  }

  void edit_and_be_refused(const restore::PlanItem& item, restore::UndoRequest undo) {
    ++tally_.edited;
    left_ = random_.with_edit_of(expected_.after, {item.source.kind, item.target_id});
    {
      auto transaction = must(world_.database().begin(tenant_.tenant.id));
      write_state(transaction, expected_.after, left_);
      must(transaction.commit());
    }
    const auto engine = world_.engine(tenant_);
    const auto prepared = must(restore::prepare_undo(engine, undo, no_progress()));
    const Status applicable = restore::check_applicable(prepared.plan);
    expect(!applicable.ok() && applicable.error().code == ErrorCode::kConflict,
           "an edit would be undone without a word");
    expect(applicable.error().message.find(item.target_id.str()) != std::string::npos,
           "it is not said what was edited: " + applicable.error().message);
    expect(!world_.apply(tenant_, prepared).ok(), "an undo that is blocked was applied");
    expect_same(left_, world_.state(tenant_), "after a refused undo");
  }

  void take_the_undo_back(RestoreId undo_id) {
    ++tally_.redone;
    world_.undo(tenant_, undo_id);
    live_ = world_.state(tenant_);
    expect_same(left_, live_, "after the undo of the undo");
  }

  testkit::RestoreWorld& world_;
  const testkit::WorldTenant tenant_;
  RandomTenant random_;
  const bool with_rows_;
  Tally& tally_;
  TenantState live_, archived_;
  TenantState left_;  // by the restore and those who edited since
  std::unique_ptr<restore::StoredArchive> archive_;
  restore::Request request_;
  testkit::Prediction expected_;
  std::string plan_text_;
};

// A seed says of itself whether its tenant has rows.
bool has_rows(std::uint64_t seed) { return seed % 2 == 1; }

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

// The database's promise to survive a power cut is not the subject here, and memory is faster.
std::string fast_folder() {
  struct stat info {};
  return stat("/dev/shm", &info) == 0 && S_ISDIR(info.st_mode) ? "/dev/shm" : "/tmp";
}

class RestoreProperty : public testing::TestWithParam<int> {
 protected:
  // True when the whole life went well.
  bool live(testkit::RestoreWorld& world, std::uint64_t seed, int cases) {
    std::unique_ptr<Life> life;
    int number = 0;
    try {
      life = std::make_unique<Life>(world, seed, has_rows(seed), tally_);
      for (; number < cases; ++number) life->run_case();
      life->end();
      return true;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "OA_PROPERTY_SEED=" << seed << ", case " << number << ": " << error.what()
                    << (life ? "\n" + life->description() : std::string());
      return false;
    }
  }

  std::map<std::string, std::size_t> counts() {
    std::map<std::string, std::size_t> counts{
        {"applied", tally_.applied}, {"refused", tally_.refused}, {"edited", tally_.edited},
        {"redone", tally_.redone},   {"renamed", tally_.renamed}, {"rows", tally_.rows},
        {"shown", tally_.shown}};
    for (const Action action : {Action::kCreate, Action::kOverwrite, Action::kFork, Action::kSkip,
                                Action::kIdentical, Action::kBlocked})
      counts[std::string(to_text(action))] = tally_.actions[action];
    return counts;
  }
  bool covered() {
    const auto all = counts();
    return std::ranges::all_of(all, [](const auto& count) { return count.second > 0; });
  }

  Tally tally_;
};

TEST_P(RestoreProperty, TheTenantBecomesWhatTheModelPredictsAndAnUndoTakesItBack) {
  testkit::RestoreWorld world(fast_folder());
  if (const auto seed = number_from("OA_PROPERTY_SEED")) {
    live(world, *seed, has_rows(*seed) ? kCasesOfALifeWithRows : kCasesOfALife);
    return;
  }
  std::random_device entropy;
  std::mt19937_64 seeds((std::uint64_t{entropy()} << 32) + entropy());
  const int all = static_cast<int>(number_from("OA_PROPERTY_CASES").value_or(1000)) / kShards;
  int done = 0;
  // What only chance left out so far gets more of it.
  for (int lives = 0; done < all || (!covered() && done < kMostExtra * all); ++lives) {
    const bool with_rows = lives % (kLivesBetweenRows + 1) == kLivesBetweenRows;
    const int usual = with_rows ? kCasesOfALifeWithRows : kCasesOfALife;
    const int cases = done < all ? std::min(all - done, usual) : usual;
    if (!live(world, (seeds() & ~std::uint64_t{1}) | (with_rows ? 1 : 0), cases)) return;
    done += cases;
  }
  // The property would hold as well for requests that ask for nothing.
  for (const auto& [what, count] : counts()) {
    RecordProperty(what, static_cast<int>(count));
    EXPECT_GT(count, 0u) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Shard, RestoreProperty, testing::Range(0, kShards));

}  // namespace
}  // namespace oa
