// How each operation is run, and written into and read from its job.
#pragma once

#include "oa/operations/operations.h"

namespace oa::operations {

/// What runs an operation has.
struct Run {
  instance::Instance& instance;
  TenantId tenant;
  const catalog::Job& job;
  Progress& progress;
};

Result<JsonText> run(const Run& run, const CreateArchive& operation);
Result<JsonText> run(const Run& run, const ArchiveMoment& operation);
Result<JsonText> run(const Run& run, const ReceiveArchive& operation);
Result<JsonText> run(const Run& run, const VerifyArchive& operation);
Result<JsonText> run(const Run& run, const CompareArchive& operation);
Result<JsonText> run(const Run& run, const PlanRestore& operation);
Result<JsonText> run(const Run& run, const ApplyRestore& operation);
Result<JsonText> run(const Run& run, const PlanUndo& operation);
Result<JsonText> run(const Run& run, const RefreshDataset& operation);
Result<JsonText> run(const Run& run, const VerifyAudit& operation);
Result<JsonText> run(const Run& run, const RewrapKeys& operation);
Result<JsonText> run(const Run& run, const ExportPerson& operation);
Result<JsonText> run(const Run& run, const ErasePerson& operation);

/// kNotFound.
Result<catalog::ArchiveRecord> record_of(instance::Instance& instance, TenantId tenant,
                                         ArchiveId id);
/// Verifies an archive that was made, keeps what that says of it, and gives the job's result.
Result<JsonText> verify_and_keep(const Run& run, const catalog::ArchiveRecord& record);

/// An event in the tenant's audit chain, about the tenant, in the operator's name.
Status note_of_operator(instance::Instance& instance, const catalog::Tenant& tenant,
                        std::string_view action, json::object detail);

json::array ids_json(const std::vector<WorkspaceId>& ids);

}  // namespace oa::operations
