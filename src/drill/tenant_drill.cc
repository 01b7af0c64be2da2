#include <fmt/format.h>

#include <algorithm>

#include "comparison.h"
#include "conduct.h"
#include "oa/backup/archive_creator.h"
#include "oa/catalog/repositories.h"
#include "oa/drill/drill.h"
#include "oa/operations/operations.h"
#include "oa/operations/privacy.h"
#include "smoke_test.h"
#include "steps.h"

namespace oa::drill {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr unsigned kTries = 3;
constexpr std::size_t kMaxListed = 1000;  // of one tenant

Result<std::optional<catalog::ArchiveRecord>> newest_archive(instance::Instance& instance,
                                                             TenantId tenant) {
  OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto archives, catalog::Archives(snapshot).list());
  std::optional<catalog::ArchiveRecord> newest;
  for (const auto& archive : archives) {
    // Of the whole tenant, with its rows; what holds a part restores a part.
    if (!archive.with_rows || archive.workspaces.has_value()) continue;
    if (!newest.has_value() || newest->snapshot_time < archive.snapshot_time) newest = archive;
  }
  return newest;
}

Result<catalog::ArchiveRecord> make_archive(instance::Instance& instance, TenantId tenant,
                                            int days, Progress& progress) {
  backup::ArchiveRequest request;
  request.with_rows = true;
  request.id = ArchiveId::random();
  request.origin = catalog::ArchiveOrigin::kScheduled;
  request.expires_at = Timestamp{Timestamp::now().unix_us + days * kDayUs};
  OA_ASSIGN(const auto signer, instance.signing_key(tenant));
  return backup::create_archive(instance.database(), instance.objects(), signer, tenant, request,
                                progress);
}

// One drill on its way.
class TenantDrill {
 public:
  TenantDrill(instance::Instance& instance, const Settings& settings, Drill& drill,
              Deadline& progress)
      : instance_(instance),
        settings_(settings),
        drill_(drill),
        progress_(progress),
        steps_(drill, instance.database(), progress) {}

  // The first step that fails ends it.
  Status run() {
    OA_TRY(step("archive", kTries, [this](json::object& f) { return pick_archive(f); }));
    const auto begun = std::chrono::steady_clock::now();
    OA_TRY(step("recovery-tenant", 1, [this](json::object&) { return provision(); }));
    OA_TRY(step("restore", 1, [this](json::object& f) { return restore(f); }));
    OA_TRY(step("erasures", kTries, [this](json::object& f) {
      return check_erased(instance_, recovery_, drill_.source, contents_, f);
    }));
    OA_TRY(step("sign-in", kTries, [this](json::object&) { return sign_in(); }));
    OA_TRY(step("reports", 1, [this](json::object& f) {
      return open_reports(instance_, recovery_, *archive_.reader, contents_, *visitor_, f,
                          progress_);
    }));
    drill_.recovery_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    OA_TRY(step("recovery-time", 1, [this](json::object& f) {
      return check_recovery_time(drill_, settings_, f);
    }));
    OA_TRY(step("compare", 1, [this](json::object& f) {
      return compare(instance_, recovery_, *archive_.reader, contents_, f, progress_);
    }));
    OA_TRY(step("refresh", 1, [this](json::object& f) {
      return refresh_datasets(instance_, recovery_, drill_.source, contents_, *visitor_, f,
                              progress_);
    }));
    OA_TRY(step("archive-again", 1, [this](json::object& f) {
      return archive_again(instance_, recovery_, *visitor_, f, progress_);
    }));
    OA_TRY(step("export", 1, [this](json::object& f) {
      return export_somebody(instance_, recovery_, *visitor_, f);
    }));
    archive_ = {};  // nothing reads it any more
    OA_TRY(step("take-down", 1, [this](json::object& f) {
      return take_down_now_or_later(f);
    }));
    return {};
  }

 private:
  Status step(const std::string& name, unsigned attempts, const Steps::Work& work) {
    return steps_.run(name, attempts, work);
  }

  Status pick_archive(json::object& figures) {
    OA_ASSIGN(auto found, newest_archive(instance_, drill_.source));
    const Timestamp oldest{drill_.started_at.unix_us - settings_.max_archive_age_days * kDayUs};
    const bool stale = !found.has_value() || found->snapshot_time < oldest;
    if (stale && !settings_.may_make_archive) {
      return failed(fmt::format("the newest archive with rows is older than {} days",
                                settings_.max_archive_age_days));
    }
    if (stale) {
      OA_ASSIGN(found, make_archive(instance_, drill_.source, settings_.max_archive_age_days,
                                    progress_));
    }
    OA_ASSIGN(archive_, operations::open_archive(instance_, drill_.source, found->id));
    OA_ASSIGN(const auto verified, archive_.reader->verify({.every_signature = true}, progress_));
    drill_.data_age_seconds =
        static_cast<double>(drill_.started_at.unix_us - found->snapshot_time.unix_us) / 1e6;
    if (*drill_.data_age_seconds < 0) drill_.data_age_seconds = 0;  // made just now
    figures["made"] = stale;
    figures["entries"] = verified.entries;
    figures["bytes"] = verified.archive_bytes;
    return {};
  }

  Status provision() {
    OA_ASSIGN(const auto source, instance_.database().find_tenant(drill_.source.str()));
    OA_ASSIGN(recovery_, make_recovery(instance_, drill_.id, source.plan));
    drill_.recovery = recovery_.tenant.id;
    return {};
  }

  Status restore(json::object& figures) {
    OA_ASSIGN(contents_, fill_recovery(instance_, recovery_, drill_.source, *archive_.reader,
                                       figures, progress_));
    return {};
  }

  Status sign_in() {
    OA_ASSIGN(visitor_, Visitor::open({settings_.url, settings_.ca_file}, progress_));
    return visitor_->sign_in(recovery_.tenant.name, recovery_.email, recovery_.password);
  }

  // A provider that destroys keys only after days has it disabled until then: nothing opens, and
  // take_down_kept() removes what is left.
  Status take_down_now_or_later(json::object& figures) {
    const Status done = take_down(instance_, recovery_.tenant.id, figures, progress_);
    if (done.ok()) {
      drill_.recovery.reset();
      return {};
    }
    const auto key = instance_.keys().describe(recovery_.tenant.id);
    if (done.error().code != ErrorCode::kConflict || !key.ok() ||
        key->state != KeyState::kPendingDestruction)
      return done;
    drill_.keep_until = key->destroy_at;
    figures["key_waits"] = true;
    return {};
  }

  instance::Instance& instance_;
  const Settings& settings_;
  Drill& drill_;
  Deadline& progress_;
  Steps steps_;
  restore::StoredArchive archive_;
  Recovery recovery_;
  restore::Contents contents_;
  std::unique_ptr<Visitor> visitor_;
};

// The copy of a tenant must not outlive what the tenant may decide: to take part no more, to erase
// somebody, to be destroyed.
Result<bool> must_go(instance::Instance& instance, const catalog::DrillRow& row, Timestamp now) {
  if (!row.keep_until.has_value() || *row.keep_until <= now) return true;
  const auto key = instance.keys().describe(row.source);
  if (!key.ok()) {
    if (key.error().code == ErrorCode::kKeyDestroyed) return true;
    return key.error();
  }
  if (key->state == KeyState::kPendingDestruction) return true;
  OA_ASSIGN(auto snapshot, instance.database().begin(row.source, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto consent, catalog::DrillConsents(snapshot).get());
  if (!consent.takes_part) return true;
  OA_ASSIGN(auto eraser, operations::eraser_of(instance));
  OA_ASSIGN(const auto erasures, eraser.list(row.source));
  return std::ranges::any_of(erasures, [&](const privacy::ErasureRecord& erasure) {
    return erasure.erased_at.has_value() && *erasure.erased_at > row.started_at;
  });
}

}  // namespace

Status check_consent(instance::Instance& instance, TenantId tenant) {
  OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto consent, catalog::DrillConsents(snapshot).get());
  if (consent.takes_part) return {};
  return make_error(ErrorCode::kPermissionDenied, "drill.run",
                    "the tenant has not agreed to take part in recovery drills")
      .with_hint("an Owner agrees in Settings → Backup, or `oa-backup drill consent on` in their name");
}

Result<Drill> run_tenant_drill(instance::Instance& instance, TenantId tenant,
                               const Settings& settings, Progress& progress) {
  OA_TRY(check_consent(instance, tenant));
  return conduct(instance, Kind::kTenant, tenant, settings, progress,
                 [&](Drill& drill, Deadline& deadline) {
                   return TenantDrill(instance, settings, drill, deadline).run();
                 });
}

Result<std::uint64_t> take_down_kept(instance::Instance& instance, Timestamp now, bool all,
                                     Progress& progress) {
  catalog::Drills drills(instance.database());
  OA_ASSIGN(auto kept, drills.with_recovery());
  std::uint64_t done = 0;
  for (auto& row : kept) {
    const bool running = row.state == "validating";
    // One that runs has its process; one that began days ago has not.
    const bool left = running && row.started_at.unix_us < now.unix_us - kDayUs;
    if (running && !left) continue;
    if (!left && !all) {
      OA_ASSIGN(const bool goes, must_go(instance, row, now));
      if (!goes) continue;
    }
    json::object figures;
    const Status gone = take_down(instance, *row.recovery, figures, progress);
    if (!gone.ok() && gone.error().code == ErrorCode::kConflict) continue;  // its key waits
    OA_TRY(gone);
    row.recovery.reset();
    row.keep_until.reset();
    if (running) {
      row.state = "failed";
      row.finished_at = now;
    }
    OA_TRY(drills.update(row));
    ++done;
  }
  return done;
}

Result<std::vector<Candidate>> candidates_of(catalog::Database& database) {
  OA_ASSIGN(const auto tenants, catalog::tenants_in_drills(database));
  std::vector<Candidate> candidates;
  for (const auto& tenant : tenants) {
    OA_ASSIGN(const auto drills, catalog::Drills(database).of_tenant(tenant, kMaxListed));
    const auto last = std::ranges::find(drills, "successful", &catalog::DrillRow::state);
    candidates.push_back({tenant, last == drills.end() ? std::nullopt
                                                       : std::optional(last->started_at)});
  }
  return candidates;
}

Status set_consent(instance::Instance& instance, TenantId tenant, bool takes_part,
                   std::optional<UserId> by, const std::string& trace_id) {
  OA_ASSIGN(auto transaction, instance.database().begin(tenant));
  catalog::DrillConsents consents(transaction);
  OA_ASSIGN(const auto before, consents.get());
  if (before.changed_at.has_value() && before.takes_part == takes_part) return {};
  OA_TRY(consents.put(takes_part, by));
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = by.has_value() ? "user" : "operator";
  if (by.has_value()) event.actor_id = by->uuid();
  event.action = "drill.consent.change";
  event.resource_type = "tenant";
  event.resource_id = tenant.str();
  event.trace_id = trace_id;
  event.detail = JsonText::of(json::object{{"takes_part", takes_part}});
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

}  // namespace oa::drill
