#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "conduct.h"
#include "oa/catalog/repositories.h"
#include "oa/continuity/checks.h"
#include "oa/continuity/runs.h"
#include "oa/continuity/status.h"
#include "oa/crypto/hash.h"
#include "smoke_test.h"

namespace oa::drill {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000, kDayUs = 24 * 3600 * kSecondUs;
constexpr unsigned kTries = 3;
constexpr std::size_t kVisited = 3, kRowsLookedAt = 20;

double seconds_of(std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); }

// Of [from, to), by SHA-256(seed ":" id): whoever knows both can draw it again.
Timestamp draw(const std::string& seed, const Uuid& id, Timestamp from, Timestamp to) {
  const auto lot = Sha256::of(as_bytes(seed + ":" + id.str()));
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | lot[static_cast<std::size_t>(i)];
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(1, to.unix_us - from.unix_us));
  return {from.unix_us + static_cast<std::int64_t>(number % span)};
}

struct Window {
  continuity::CellStatus status;
  Timestamp from;
};

Result<Window> window_now(instance::Instance& instance) {
  OA_ASSIGN(const auto seen, continuity::observe(instance.cell(), instance.database()));
  Window window;
  window.status = continuity::status_of(seen);
  if (!window.status.earliest.has_value()) {
    if (window.status.repository_trouble.has_value()) return *window.status.repository_trouble;
    return make_error(ErrorCode::kOutsideWindow, "drill", "there is no backup yet")
        .with_hint("the first is made by a service that runs");
  }
  window.from = *window.status.earliest;
  // What a recovery has cut off is no past of what is live.
  const catalog::CellRunKind recoveries[] = {catalog::CellRunKind::kRecovery};
  OA_ASSIGN(const auto recovered, catalog::CellRuns(instance.database()).last(recoveries, false));
  if (recovered.has_value() && recovered->finished_at.has_value())
    window.from = std::max(window.from, *recovered->finished_at);
  if (window.from < Timestamp::now()) return window;
  return make_error(ErrorCode::kOutsideWindow, "drill", "the first backup ends just now")
      .with_hint("try again in some seconds");
}

Status check_moment(const std::optional<Timestamp>& moment, Timestamp from, Timestamp to) {
  if (!moment.has_value() || (from <= *moment && *moment <= to)) return {};
  return make_error(ErrorCode::kOutsideWindow, "drill",
                    fmt::format("that moment is not between {} and {}", from.rfc3339(),
                                to.rfc3339()))
      .with_hint("leave it out for a random one");
}

class CellDrill {
 public:
  CellDrill(instance::Instance& instance, const CellSettings& settings, Drill& drill,
            Deadline& progress)
      : instance_(instance),
        cell_(*instance.cell()),
        settings_(settings),
        drill_(drill),
        progress_(progress),
        steps_(drill, instance.database(), progress) {}

  Status run() {
    OA_TRY(step("data-loss", 1, &CellDrill::measure_loss));
    OA_TRY(step("moment", kTries, &CellDrill::choose_moment));
    const auto begun = std::chrono::steady_clock::now();
    OA_TRY(step("restore", 1, &CellDrill::restore));
    OA_TRY(step("check", 1, &CellDrill::check));
    OA_TRY(step("history", 1, &CellDrill::compare_history));
    OA_TRY(step("erasures", 1, &CellDrill::forget_erased));
    OA_TRY(step("sign-in", 1, &CellDrill::sign_in));
    OA_TRY(step("reports", 1, &CellDrill::open_reports));
    drill_.recovery_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    OA_TRY(step("recovery-time", 1, &CellDrill::recovery_time));
    return step("take-down", 1, &CellDrill::take_down);
  }

 private:
  struct Visit {
    Recovery somebody;
    std::unique_ptr<Visitor> visitor;
  };
  using Work = Status (CellDrill::*)(json::object& figures);

  Status step(const std::string& name, unsigned attempts, Work work) {
    return steps_.run(name, attempts, [this, work](json::object& f) { return (this->*work)(f); });
  }

  // What is committed now is lost in a disaster until it is safe elsewhere.
  Status measure_loss(json::object& figures) {
    auto& database = instance_.database();
    const auto begun = std::chrono::steady_clock::now();
    OA_TRY(continuity::make_restorable(database.settings(), drill_.started_at,
                                       continuity::durable_position(database), {}, progress_));
    drill_.data_age_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    figures["seconds"] = *drill_.data_age_seconds;
    figures["promised_seconds"] = settings_.data_loss.count();
    if (*drill_.data_age_seconds <= static_cast<double>(settings_.data_loss.count())) return {};
    return failed("more would have been lost than was promised");
  }

  Status choose_moment(json::object& figures) {
    OA_ASSIGN(window_, window_now(instance_));
    const Timestamp to = drill_.started_at;
    OA_TRY(check_moment(settings_.moment, window_.from, to));
    moment_ = settings_.moment.has_value() ? *settings_.moment
                                           : draw(settings_.seed, drill_.id, window_.from, to);
    figures["from"] = window_.from.rfc3339();
    figures["to"] = to.rfc3339();
    figures["moment"] = moment_.rfc3339();
    return {};
  }

  Status restore(json::object& figures) {
    OA_TRY(continuity::sweep_scratch(cell_.scratch_folder()));
    OA_ASSIGN(tail_, cell_.open_tail());
    continuity::ScratchOptions options;
    options.target = continuity::Target::at(moment_);
    OA_ASSIGN(scratch_, continuity::ScratchCluster::restore(cell_.repository(), {tail_.get()},
                                                            cell_.scratch_folder(), options,
                                                            progress_));
    figures["database_bytes"] = scratch_->path().backup.database_bytes;
    figures["restore_seconds"] = seconds_of(scratch_->restore_time());
    figures["replay_seconds"] = seconds_of(scratch_->recovery_time());
    return scratch_->make_current(progress_);
  }

  // Whether rows of so long ago may be gone: the tenant, its key, or its window.
  Result<bool> may_lack_rows(TenantId tenant) {
    if (!instance_.check_key(tenant).ok()) return true;
    const auto live = instance_.database().find_tenant(tenant.str());
    if (!live.ok() && live.error().code == ErrorCode::kNotFound) return true;
    OA_TRY(live);
    OA_ASSIGN(auto snapshot, instance_.database().begin(tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto window, continuity::window_of(snapshot, window_.status));
    return !window.earliest.has_value() || moment_ < *window.earliest;
  }

  Status check(json::object& figures) {
    OA_ASSIGN(const auto report, continuity::check_cluster(scratch_->settings(),
                                                           instance_.objects().store(), progress_));
    for (const auto& finding : report.findings) {
      OA_ASSIGN(const bool excused, may_lack_rows(finding.tenant));
      if (!finding.rows || !excused)
        return failed(fmt::format("tenant {}: {}", finding.tenant.str(), finding.what));
    }
    if (report.finding_count > report.findings.size())
      return failed(fmt::format("{} findings in what was restored", report.finding_count));
    figures["tenants"] = report.tenants;
    figures["datasets"] = report.datasets;
    figures["reports"] = report.reports;
    figures["audit_events"] = report.audit_events;
    figures["row_versions"] = report.row_versions;
    figures["beyond_window"] = report.finding_count;
    return {};
  }

  // What was restored is the past of what is live, and as near the moment as was promised.
  Status compare_history(json::object& figures) {
    OA_ASSIGN(const auto then, catalog::Database::open(scratch_->settings()));
    OA_ASSIGN(const auto tenants, then->list_tenants());
    std::map<TenantId, catalog::Tenant> restored;
    for (const auto& tenant : tenants) restored.emplace(tenant.id, tenant);
    OA_ASSIGN(const auto live, instance_.database().list_tenants());
    const Timestamp safe{moment_.unix_us - settings_.data_loss.count() * kSecondUs};
    std::uint64_t compared = 0;
    for (const auto& tenant : live) {
      if (progress_.cancelled()) return make_error(ErrorCode::kCancelled, "drill", "cancelled");
      if (!restored.contains(tenant.id)) {
        if (tenant.created_at < safe)
          return failed("tenant " + tenant.id.str() + " is missing");
        continue;
      }
      OA_TRY(compare_chain(*then, tenant.id, safe));
      ++compared;
    }
    figures["tenants"] = compared;
    return {};
  }

  Status compare_chain(catalog::Database& then, TenantId tenant, Timestamp safe) {
    std::vector<AuditEvent> last;
    {
      OA_ASSIGN(auto past, then.begin(tenant, catalog::Isolation::kSnapshot));
      OA_ASSIGN(last, catalog::Audit(past).page({}, std::nullopt, 1));
    }
    if (last.empty()) return {};
    const AuditEvent& newest = last.front();
    OA_ASSIGN(auto now, instance_.database().begin(tenant, catalog::Isolation::kSnapshot));
    catalog::Audit audit(now);
    OA_ASSIGN(const auto same, audit.page({}, newest.sequence + 1, 1));
    OA_ASSIGN(const auto begin, audit.begin());
    const bool removed = newest.sequence <= begin.sequence;  // as events of long ago are
    if (!removed && (same.empty() || same.front().hash != newest.hash))
      return failed(fmt::format("the history of tenant {} is another from event {} on", tenant.str(),
                                newest.sequence));
    OA_ASSIGN(const auto next, audit.page({}, newest.sequence + 2, 1));
    if (!next.empty() && next.front().sequence == newest.sequence + 1 && next.front().ts < safe)
      return failed(fmt::format("tenant {} lacks what happened from {} on", tenant.str(),
                                next.front().ts.rfc3339()));
    return {};
  }

  Status forget_erased(json::object& figures) {
    OA_TRY(scratch_->make_writable());
    OA_ASSIGN(recovered_, instance_.over(scratch_->settings()));
    OA_ASSIGN(const auto erased, recovered_->erasures().replay(progress_));
    figures["erased"] = erased;
    return {};
  }

  // In those alone that agreed.
  Status sign_in(json::object& figures) {
    OA_ASSIGN(served_, settings_.serve(*recovered_));
    OA_ASSIGN(auto candidates, candidates_of(instance_.database()));
    const auto count = candidates.size();
    for (const auto& id :
         choose_sample(std::move(candidates), settings_.seed, count, drill_.started_at)) {
      if (visits_.size() == kVisited) break;
      const auto tenant = recovered_->database().find_tenant(id.str());
      if (!tenant.ok() && tenant.error().code == ErrorCode::kNotFound) continue;  // came later
      OA_TRY(tenant);
      if (!recovered_->check_key(id).ok()) continue;
      Visit visit;
      OA_ASSIGN(visit.somebody, add_visitor(*recovered_, drill_.id, *tenant));
      OA_ASSIGN(visit.visitor, Visitor::open({served_->url(), ""}, progress_));
      OA_TRY(visit.visitor->sign_in(tenant->name, visit.somebody.email, visit.somebody.password));
      visits_.push_back(std::move(visit));
    }
    figures["tenants"] = visits_.size();
    return {};
  }

  Status open_reports(json::object& figures) {
    Seen seen;
    for (auto& visit : visits_)
      OA_TRY(look_around(*recovered_, visit.somebody, *visit.visitor, seen, progress_));
    figures["listed"] = seen.reports;
    figures["opened"] = seen.opened;
    figures["visuals"] = seen.visuals;
    return {};
  }

  Status recovery_time(json::object& figures) {
    return check_recovery_time(drill_, settings_, figures);
  }

  Status take_down(json::object&) {
    visits_.clear();
    served_.reset();
    recovered_.reset();
    const std::string folder = scratch_->folder();
    scratch_.reset();
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) return {};
    return failed("the scratch cluster's folder is left");
  }

  instance::Instance& instance_;
  continuity::Cell& cell_;
  const CellSettings& settings_;
  Drill& drill_;
  Deadline& progress_;
  Steps steps_;
  Window window_;
  Timestamp moment_;
  std::unique_ptr<wal::SealedWal> tail_;
  // In the order in which they are made; each uses those before it.
  std::unique_ptr<continuity::ScratchCluster> scratch_;
  std::unique_ptr<instance::Instance> recovered_;
  std::unique_ptr<ServedApi> served_;
  std::vector<Visit> visits_;
};

// Of processes that died.
Status end_abandoned(instance::Instance& instance) {
  catalog::Drills drills(instance.database());
  OA_ASSIGN(auto rows, drills.of_tenant(instance.cell()->id(), kRowsLookedAt));
  const Timestamp now = Timestamp::now();
  for (auto& row : rows) {
    if (row.state != "validating" || row.started_at.unix_us > now.unix_us - kDayUs) continue;
    row.state = "failed";
    row.finished_at = now;
    OA_TRY(drills.update(row));
  }
  return {};
}

}  // namespace

Status check_cell(instance::Instance& instance) {
  if (instance.cell() != nullptr) return {};
  return make_error(ErrorCode::kConflict, "drill.run", "nothing is backed up continuously")
      .with_hint("`oa-backup serve --help` says how that is begun");
}

Result<Drill> run_cell_drill(instance::Instance& instance, const CellSettings& settings,
                             Progress& progress) {
  OA_TRY(check_cell(instance));
  // What cannot be drilled is no drill that failed.
  const auto window = window_now(instance);
  if (window.ok()) {
    OA_TRY(check_moment(settings.moment, window->from, Timestamp::now()));
  } else if (window.error().code == ErrorCode::kOutsideWindow) {
    return window.error();
  }
  OA_TRY(end_abandoned(instance));
  return conduct(instance, Kind::kCell, instance.cell()->id(), settings, progress,
                 [&](Drill& drill, Deadline& deadline) {
                   return CellDrill(instance, settings, drill, deadline).run();
                 });
}

}  // namespace oa::drill
