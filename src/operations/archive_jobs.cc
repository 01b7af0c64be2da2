// Archives: made, received, verified.
#include <boost/json.hpp>

#include "oa/archive/reader.h"
#include "oa/backup/archive_creator.h"
#include "oa/catalog/repositories.h"
#include "oa/uploads/uploads.h"
#include "parts.h"
#include "received_record.h"

namespace oa::operations {
namespace {

bool refuses_archive(ErrorCode code) {
  return code >= ErrorCode::kArchiveMalformed && code <= ErrorCode::kArchiveLimit;
}

// What verification says of the archive; an error only when it could not be read to its end.
Result<catalog::ArchiveVerification> verify(instance::Instance& instance, TenantId tenant,
                                            const catalog::ArchiveRecord& record,
                                            Progress& progress) {
  OA_ASSIGN(const auto trusted, instance.trusted_keys(tenant));
  Status verified;
  const auto opened =
      restore::open_stored_archive(instance.objects(), tenant, record, {trusted, false});
  if (!opened.ok()) {
    verified = opened.error();
  } else {
    const auto report = opened->reader->verify({}, progress);
    if (!report.ok()) verified = report.error();
  }
  catalog::ArchiveVerification verification{Timestamp::now(), std::nullopt};
  if (verified.ok()) return verification;
  const ErrorCode code = verified.error().code;
  if (!refuses_archive(code) && code != ErrorCode::kSealCorrupt && code != ErrorCode::kNotFound)
    return verified.error();
  verification.refusal = error_info(code).name;
  return verification;
}

Status keep_verification(instance::Instance& instance, TenantId tenant, ArchiveId id,
                         const catalog::ArchiveVerification& verification) {
  OA_ASSIGN(auto transaction, instance.database().begin(tenant));
  OA_TRY(catalog::Archives(transaction).set_verification(id, verification));
  return transaction.commit();
}

JsonText archive_result(ArchiveId id) {
  return JsonText::of(json::object{{"archive_id", id.str()}});
}

// Into one object under a name of its own, as every other archive is.
Result<VersionId> store(const Run& run, const RangedSource& source, const std::string& name) {
  OA_ASSIGN(auto sink,
            run.instance.objects().create({run.tenant, RetentionClass::kArchives, name}));
  run.progress.begin("keeping it", source.size(), "bytes");
  Bytes piece(std::size_t{1} << 20);
  for (std::uint64_t offset = 0; offset < source.size(); offset += piece.size()) {
    if (run.progress.cancelled())
      return make_error(ErrorCode::kCancelled, "archive.receive", "cancelled; the upload is kept");
    piece.resize(std::min<std::uint64_t>(piece.size(), source.size() - offset));
    OA_TRY(source.read_at(offset, piece));
    OA_TRY(sink->write(piece));
    run.progress.update(offset + piece.size());
  }
  return sink->commit();
}

Status add_received(const Run& run, const catalog::ArchiveRecord& record) {
  OA_ASSIGN(auto transaction, run.instance.database().begin(run.tenant));
  OA_TRY(catalog::Archives(transaction).add(record));
  NewAuditEvent event;
  event.ts = record.created_at;
  event.actor_type = record.created_by.has_value() ? "user" : "operator";
  if (record.created_by.has_value()) event.actor_id = record.created_by->uuid();
  event.action = "backup.archive.receive";
  event.resource_type = "archive";
  event.resource_id = record.id.str();
  event.trace_id = run.job.trace_id;
  event.detail = JsonText::of(json::object{{"content_hash", record.content_hash},
                                           {"signer", record.signer},
                                           {"size_bytes", record.size_bytes}});
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

}  // namespace

Result<catalog::ArchiveRecord> record_of(instance::Instance& instance, TenantId tenant,
                                         ArchiveId id) {
  OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
  auto record = catalog::Archives(snapshot).get(id);
  if (record.ok()) return record;
  return std::move(record).error().with_hint("it may have been deleted; look at the list");
}

Result<JsonText> verify_and_keep(const Run& run, const catalog::ArchiveRecord& record) {
  OA_ASSIGN(const auto verification, verify(run.instance, run.tenant, record, run.progress));
  OA_TRY(keep_verification(run.instance, run.tenant, record.id, verification));
  return archive_result(record.id);
}

Result<restore::StoredArchive> open_archive(instance::Instance& instance, TenantId tenant,
                                            ArchiveId archive) {
  OA_ASSIGN(const auto record, record_of(instance, tenant, archive));
  OA_ASSIGN(auto trusted, instance.trusted_keys(tenant));
  return restore::open_stored_archive(instance.objects(), tenant, record,
                                      {std::move(trusted), false});
}

Result<JsonText> run(const Run& run, const CreateArchive& operation) {
  const ArchiveId id(run.job.id.uuid());
  auto record = record_of(run.instance, run.tenant, id);
  if (!record.ok()) {
    backup::ArchiveRequest request;
    request.with_rows = operation.rows;
    request.with_audit = operation.audit;
    request.workspaces = operation.workspaces;
    request.created_by = run.job.created_by;
    request.id = id;
    request.origin = operation.origin;
    request.expires_at = operation.expires_at;
    OA_ASSIGN(const auto signer, run.instance.signing_key(run.tenant));
    record = backup::create_archive(run.instance.database(), run.instance.objects(), signer,
                                    run.tenant, request, run.progress);
    if (!record.ok()) return std::move(record).error();
  }
  return verify_and_keep(run, *record);
}

Result<JsonText> run(const Run& run, const VerifyArchive& operation) {
  OA_ASSIGN(const auto record, record_of(run.instance, run.tenant, operation.archive));
  OA_ASSIGN(const auto verification, verify(run.instance, run.tenant, record, run.progress));
  OA_TRY(keep_verification(run.instance, run.tenant, record.id, verification));
  json::object result{
      {"state", "verified"}, {"at", verification.at.rfc3339()}, {"code", nullptr}};
  if (verification.refusal.has_value()) {
    result["state"] = "refused";
    result["code"] = *verification.refusal;
  }
  return JsonText::of(result);
}

Result<JsonText> run(const Run& run, const ReceiveArchive& operation) {
  const ArchiveId id(run.job.id.uuid());
  uploads::Uploads uploads(run.instance.database(), run.instance.objects(), run.tenant);
  if (record_of(run.instance, run.tenant, id).ok()) {  // an attempt before came so far
    const Status removed = uploads.remove(operation.upload);
    if (!removed.ok() && removed.error().code != ErrorCode::kNotFound) return removed.error();
    return archive_result(id);
  }
  OA_ASSIGN(const auto source, uploads.open(operation.upload));
  OA_ASSIGN(auto trusted, run.instance.trusted_keys(run.tenant));
  OA_ASSIGN(const auto reader,
            archive::ArchiveReader::open(*source, {std::move(trusted), true}));
  const auto& manifest = reader->manifest();
  if (!reader->signer_trusted()) {
    return JsonText::of(json::object{{"archive_id", nullptr},
                                     {"signer", {{"fingerprint", manifest.signer.fingerprint()},
                                                 {"public_key", manifest.signer.base64()}}}});
  }
  const auto verified = reader->verify({}, run.progress);
  if (!verified.ok()) return verified.error();
  auto record = received_record(manifest);
  record.id = id;
  record.object_name = id.str();
  record.size_bytes = source->size();
  record.created_by = run.job.created_by;
  record.verification = catalog::ArchiveVerification{Timestamp::now(), std::nullopt};
  OA_ASSIGN(const auto version, store(run, *source, record.object_name));
  record.object_version = version.value;
  record.created_at = Timestamp::now();
  OA_TRY(add_received(run, record));
  OA_TRY(uploads.remove(operation.upload));
  return archive_result(id);
}

}  // namespace oa::operations
