#include "oa/backup/archive_creator.h"

#include <boost/json.hpp>

#include "oa/archive/writer.h"
#include "oa/reports/probes.h"

namespace oa::backup {
namespace {

class WritingConsumer final : public EntryConsumer {
 public:
  explicit WritingConsumer(archive::ArchiveWriter& writer) : writer_(writer) {}
  Status add(std::string path, Bytes content) override {
    return writer_.add(std::move(path), std::move(content));
  }
  Status add_stream(std::string path, std::uint64_t size,
                    const std::function<Status(ByteSink&)>& produce) override {
    return writer_.add_stream(std::move(path), size, produce);
  }

 private:
  archive::ArchiveWriter& writer_;
};

json::object counts_json(const std::map<std::string, std::uint64_t>& counts) {
  json::object object;
  for (const auto& [name, count] : counts) object[name] = count;
  return object;
}

Status record_archive(catalog::Database& database, TenantId tenant,
                      const catalog::ArchiveRecord& record) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_TRY(catalog::Archives(transaction).add(record));
  NewAuditEvent event;
  event.ts = record.created_at;
  event.actor_type = record.created_by.has_value() ? "user" : "operator";
  if (record.origin == catalog::ArchiveOrigin::kScheduled) event.actor_type = "system";
  if (record.created_by.has_value()) event.actor_id = record.created_by->uuid();
  event.action = "backup.archive.create";
  event.resource_type = "archive";
  event.resource_id = record.id.str();
  json::object detail{
      {"audit", record.with_audit}, {"rows", record.with_rows}, {"size_bytes", record.size_bytes}};
  if (record.origin == catalog::ArchiveOrigin::kMoment)
    detail["moment"] = record.snapshot_time.rfc3339();
  event.detail = JsonText::of(detail);
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

struct ArchiveJob {
  ArchiveId id;
  std::string object_name;
  bool with_probes = false;
};

Result<WrittenArchive> write(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                             const SigningKey& signer, const catalog::Tenant& tenant,
                             const ArchiveRequest& request, const ArchiveJob& job,
                             Progress& progress) {
  OA_ASSIGN(auto sink, objects.create({tenant.id, RetentionClass::kArchives, job.object_name}));
  archive::WriterOptions options;
  options.archive_id = job.id;
  options.snapshot_time = request.moment.value_or(snapshot.started_at());
  OA_ASSIGN(auto writer, archive::ArchiveWriter::create(options, signer, *sink));
  WritingConsumer consumer(*writer);
  OA_ASSIGN(auto content, walk_snapshot(snapshot, objects, tenant, request, consumer, progress));
  if (job.with_probes) {
    OA_ASSIGN(const auto probes,
              reports::take_probes(snapshot, objects, request.workspaces, progress));
    content.probes = reports::to_json(probes);
  }
  OA_ASSIGN(auto summary, writer->finish(content));
  OA_ASSIGN(auto version, sink->commit());
  return WrittenArchive{std::move(summary.manifest), summary.archive_bytes, std::move(version)};
}

}  // namespace

Result<WrittenArchive> write_archive(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                                     const SigningKey& signer, const catalog::Tenant& tenant,
                                     const ArchiveRequest& request, const std::string& object_name,
                                     Progress& progress) {
  return write(snapshot, objects, signer, tenant, request,
               {ArchiveId::random(), object_name, false}, progress);
}

Result<catalog::ArchiveRecord> create_archive(catalog::Database& database, SealedObjects& objects,
                                              const SigningKey& signer, TenantId tenant_id,
                                              const ArchiveRequest& request, Progress& progress) {
  OA_ASSIGN(auto snapshot, database.begin(tenant_id, catalog::Isolation::kSnapshot));
  return create_archive_of(snapshot, database, objects, signer, request, progress);
}

Result<catalog::ArchiveRecord> create_archive_of(catalog::TenantTransaction& snapshot,
                                                 catalog::Database& live, SealedObjects& objects,
                                                 const SigningKey& signer,
                                                 const ArchiveRequest& request, Progress& progress) {
  OA_ASSIGN(const auto tenant, snapshot.own_tenant());

  const ArchiveId id = request.id.value_or(ArchiveId::random());
  ArchiveJob job{id, id.str(), request.with_rows};
  OA_ASSIGN(const auto written, write(snapshot, objects, signer, tenant, request, job, progress));

  catalog::ArchiveRecord record;
  record.id = id;
  record.snapshot_time = request.moment.value_or(snapshot.started_at());
  record.object_name = job.object_name;
  record.object_version = written.version.value;
  record.size_bytes = written.size_bytes;
  record.with_rows = request.with_rows;
  record.with_audit = request.with_audit;
  record.counts = JsonText::of(counts_json(written.manifest.content.counts));
  record.content_hash = to_hex(written.manifest.content_hash);
  record.signer = signer.public_key().fingerprint();
  record.created_by = request.created_by;
  record.created_at = Timestamp::now();
  record.origin = request.origin;
  if (!request.workspaces.empty()) record.workspaces = request.workspaces;
  record.expires_at = request.expires_at;
  OA_TRY(record_archive(live, tenant.id, record));
  return record;
}

}  // namespace oa::backup
