// Exports of personal data and erasures, as jobs, schedules and command lines carry them out.
#pragma once

#include "oa/instance/instance.h"
#include "oa/privacy/erasure.h"
#include "oa/privacy/personal_exports.h"

namespace oa::operations {

/// Who asked, and how the request is found again in logs.
struct Asked {
  std::optional<UserId> by;  // none: the operator
  std::string trace_id;
};

/// Makes the bundle of `user` under the id `id`, seals it and offers it for kExportDays; audited as
/// `privacy.export`. Made once, however often it is called with one id. kNotFound, kErased (of one who
/// was erased, also meanwhile), kCancelled.
Result<privacy::PersonalExport> export_person(instance::Instance& instance, TenantId tenant, Uuid id,
                                              UserId user, const Asked& asked, Progress& progress);
/// The bundle, verified while it is read; counted, and audited with `event`. kConflict unless it is
/// ready, kGone when it is not offered any more.
Result<std::unique_ptr<RangedSource>> open_export(instance::Instance& instance, TenantId tenant,
                                                  const privacy::PersonalExport& record);
Status count_download(instance::Instance& instance, TenantId tenant,
                      const privacy::PersonalExport& record, const NewAuditEvent& event);
/// Removes bundles whose time is over. How many.
Result<std::uint64_t> remove_expired_exports(instance::Instance& instance, TenantId tenant);
/// Removes what interrupted exports left, once it is a day old at `now`. How many.
Result<std::uint64_t> sweep_exports(instance::Instance& instance, TenantId tenant, Timestamp now);

/// Opens the ledger of erasures at the first call.
Result<privacy::Eraser> eraser_of(instance::Instance& instance);
/// Carries out an erasure whose wish was written down, and removes the person's bundles. Of one that
/// is done the record that there is.
Result<privacy::ErasureRecord> erase_person(instance::Instance& instance, TenantId tenant, Uuid id,
                                            const std::string& trace_id, Progress& progress);
/// Erasures whose waiting time is over, of all tenants, and the bundles of those people. How many.
Result<std::uint64_t> carry_out_due_erasures(instance::Instance& instance, Timestamp now,
                                             Progress& progress);
/// kErased of an erased person, kNotFound of nobody.
Status check_is_somebody(catalog::TenantTransaction& transaction, UserId user);

}  // namespace oa::operations
