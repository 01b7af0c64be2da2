#include "oa/continuity/checks.h"

#include <fmt/format.h>

#include "oa/audit/audit.h"
#include "oa/catalog/cell.h"
#include "oa/catalog/repositories.h"

namespace oa::continuity {
namespace {

void note(CheckReport& report, TenantId tenant, std::string what, bool rows = false) {
  ++report.finding_count;
  if (report.findings.size() < kMaxCheckFindings)
    report.findings.push_back({tenant, std::move(what), rows});
}

Status check_audit(catalog::TenantTransaction& snapshot, CheckReport& report) {
  OA_ASSIGN(const AuditMark begin, catalog::Audit(snapshot).begin());
  AuditChainVerifier verifier(begin);
  std::optional<Error> broken;
  const Status walked =
      catalog::Audit(snapshot).for_each([&](const AuditEvent& event) -> Status {
        Status checked = verifier.check(event);
        if (!checked.ok()) broken = checked.error();
        return checked;
      });
  if (!walked.ok() && !broken.has_value()) return walked.error();
  if (broken.has_value())
    note(report, snapshot.tenant(), fmt::format("the audit chain is broken after {} events", verifier.events()));
  report.audit_events += verifier.events();
  return {};
}

Status check_rows(catalog::TenantTransaction& snapshot, ObjectStore& store, CheckReport& report) {
  OA_ASSIGN(const auto named, catalog::RowVersions(snapshot).named());
  for (const auto& [object, version] : named) {
    const auto found =
        store.get({snapshot.tenant(), RetentionClass::kRows, object}, {version});
    if (found.ok())
      ++report.row_versions;
    else
      note(report, snapshot.tenant(), "rows that a dataset names are not there: " + object,
           true);
  }
  return {};
}

Status check_tenant(catalog::Database& database, ObjectStore& store, const catalog::Tenant& tenant,
                    CheckReport& report) {
  OA_ASSIGN(auto snapshot, database.begin(tenant.id, catalog::Isolation::kSnapshot));
  OA_TRY(check_audit(snapshot, report));
  OA_TRY(check_rows(snapshot, store, report));
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(snapshot).list());
  for (const auto& workspace : workspaces) {
    OA_ASSIGN(const auto datasets, catalog::Datasets(snapshot).list(workspace.id));
    OA_ASSIGN(const auto reports, catalog::Reports(snapshot).names(workspace.id));
    report.datasets += datasets.size();
    report.reports += reports.size();
  }
  ++report.tenants;
  return {};
}

}  // namespace

Result<CheckReport> check_cluster(const catalog::ConnectionSettings& restored, ObjectStore& store,
                                  Progress& progress) {
  OA_ASSIGN(const auto database, catalog::Database::open(restored));
  OA_ASSIGN(const auto tenants, database->list_tenants());
  CheckReport report;
  progress.begin("checking", tenants.size(), "tenants");
  for (const auto& tenant : tenants) {
    if (progress.cancelled()) return make_error(ErrorCode::kCancelled, "cell.check", "cancelled");
    OA_TRY(check_tenant(*database, store, tenant, report));
    progress.update(report.tenants);
  }
  return report;
}

}  // namespace oa::continuity
