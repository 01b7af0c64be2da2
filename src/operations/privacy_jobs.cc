// Personal data: exported, erased.
#include <boost/json.hpp>

#include <algorithm>

#include "oa/backup/archive_rewriting.h"
#include "oa/catalog/erasure_ledger.h"
#include "oa/catalog/repositories.h"
#include "oa/operations/privacy.h"
#include "oa/privacy/erased_user.h"
#include "oa/privacy/export.h"
#include "parts.h"

namespace oa::operations {
namespace {

constexpr std::string_view kFolder = "personal/";
constexpr std::size_t kListBatch = 1000;
constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;

ObjectKey key_of(TenantId tenant, const std::string& name) {
  return {tenant, RetentionClass::kArchives, name};
}

// Into the object store, counted and hashed on the way.
class HashingSink final : public ByteSink {
 public:
  explicit HashingSink(ByteSink& out) : out_(out) {}
  Status write(ByteView bytes) override {
    hash_.update(bytes);
    size_ += bytes.size();
    return out_.write(bytes);
  }
  std::uint64_t size() const { return size_; }
  Sha256Digest digest() { return hash_.finish(); }

 private:
  ByteSink& out_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
};

struct Bundle {
  privacy::ExportObject object;
  privacy::Counts counts;
};

Result<Bundle> store_bundle(instance::Instance& instance, TenantId tenant, Uuid id, UserId user,
                            const Asked& asked, Progress& progress) {
  OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
  OA_TRY(check_is_somebody(snapshot, user));
  Bundle bundle;
  bundle.object.name = std::string(kFolder) + id.str();
  OA_ASSIGN(auto writer, instance.objects().create(key_of(tenant, bundle.object.name)));
  HashingSink sink(*writer);
  OA_ASSIGN(bundle.counts,
            privacy::write_bundle(snapshot, {user, asked.by, ""}, sink, progress));
  OA_ASSIGN(const auto version, writer->commit());
  bundle.object.version = version.value;
  bundle.object.size_bytes = sink.size();
  bundle.object.digest = sink.digest();
  return bundle;
}

Status offer(instance::Instance& instance, TenantId tenant, Uuid id, UserId user,
             const Asked& asked, const Bundle& bundle) {
  json::object counts;
  for (const auto& [name, count] : bundle.counts) counts[name] = count;
  OA_ASSIGN(auto transaction, instance.database().begin(tenant));
  OA_TRY(privacy::PersonalExports(transaction).set_made(id, bundle.object, JsonText::of(counts)));
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = asked.by.has_value() ? "user" : "operator";
  if (asked.by.has_value()) event.actor_id = asked.by->uuid();
  event.action = "privacy.export";
  event.resource_type = "user";
  event.resource_id = user.str();
  event.trace_id = asked.trace_id;
  event.detail = JsonText::of(
      json::object{{"export_id", id.str()}, {"size_bytes", bundle.object.size_bytes}});
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

Result<privacy::PersonalExport> record_of_export(instance::Instance& instance, TenantId tenant,
                                                 Uuid id) {
  OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
  return privacy::PersonalExports(snapshot).get(id);
}

Status add_record(instance::Instance& instance, TenantId tenant, Uuid id, UserId user,
                  const Asked& asked) {
  OA_ASSIGN(auto transaction, instance.database().begin(tenant));
  OA_TRY(privacy::PersonalExports(transaction).add(id, user, asked.by));
  return transaction.commit();
}

Error not_offered() {
  return make_error(ErrorCode::kGone, "privacy.export", "the export is not offered any more")
      .with_hint("ask for another");
}

}  // namespace

Status check_is_somebody(catalog::TenantTransaction& transaction, UserId user) {
  const auto person = catalog::Users(transaction).get(user);
  if (!person.ok() && person.error().code == ErrorCode::kNotFound) {
    return make_error(ErrorCode::kNotFound, "privacy", "there is no person of this id")
        .with_hint("look at the list of people");
  }
  if (!person.ok()) return person.error();
  if (!privacy::is_erased(*person)) return {};
  return make_error(ErrorCode::kErased, "privacy", "the person was erased; nothing of them is left");
}

Result<privacy::PersonalExport> export_person(instance::Instance& instance, TenantId tenant,
                                              Uuid id, UserId user, const Asked& asked,
                                              Progress& progress) {
  OA_TRY(add_record(instance, tenant, id, user, asked));
  OA_ASSIGN(const auto before, record_of_export(instance, tenant, id));
  if (before.made_at.has_value()) return before;
  OA_ASSIGN(const auto bundle, store_bundle(instance, tenant, id, user, asked, progress));
  const Status offered = offer(instance, tenant, id, user, asked, bundle);
  if (!offered.ok()) {
    // What cannot be removed now goes with the remnants.
    (void)instance.objects().remove(key_of(tenant, bundle.object.name),
                                    VersionId{bundle.object.version});
    return offered.error();
  }
  return record_of_export(instance, tenant, id);
}

Result<std::unique_ptr<RangedSource>> open_export(instance::Instance& instance, TenantId tenant,
                                                  const privacy::PersonalExport& record) {
  using enum privacy::ExportState;
  if (record.state == kPreparing || record.state == kFailed) {
    return make_error(ErrorCode::kConflict, "privacy.export",
                      record.state == kFailed ? "the export could not be made"
                                              : "the export is not made yet")
        .with_hint(record.state == kFailed ? "ask for another" : "wait until its job is done");
  }
  if (record.state == kExpired || !record.object.has_value()) return not_offered();
  auto source = instance.objects().open(key_of(tenant, record.object->name),
                                        VersionId{record.object->version});
  if (!source.ok() && source.error().code == ErrorCode::kNotFound) return not_offered();
  return source;
}

Status count_download(instance::Instance& instance, TenantId tenant,
                      const privacy::PersonalExport& record, const NewAuditEvent& event) {
  OA_ASSIGN(auto transaction, instance.database().begin(tenant));
  OA_TRY(privacy::PersonalExports(transaction).add_download(record.id));
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

Result<std::uint64_t> remove_expired_exports(instance::Instance& instance, TenantId tenant) {
  std::vector<privacy::PersonalExport> due;
  {
    OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(due, privacy::PersonalExports(snapshot).to_remove());
  }
  for (const auto& record : due) {
    const Status removed = instance.objects().remove(key_of(tenant, record.object->name),
                                                     VersionId{record.object->version});
    if (!removed.ok() && removed.error().code != ErrorCode::kNotFound) return removed.error();
    OA_ASSIGN(auto transaction, instance.database().begin(tenant));
    OA_TRY(privacy::PersonalExports(transaction).set_removed(record.id));
    OA_TRY(transaction.commit());
  }
  return due.size();
}

Result<std::uint64_t> sweep_exports(instance::Instance& instance, TenantId tenant, Timestamp now) {
  auto& store = instance.objects().store();
  std::vector<ObjectVersion> old;
  for (std::string after(kFolder);;) {
    OA_ASSIGN(const auto page, store.list(tenant, RetentionClass::kArchives, after, kListBatch));
    bool below = true;
    for (const auto& object : page) {
      below = object.key.name.starts_with(kFolder);
      if (!below) break;
      OA_ASSIGN(const auto versions, store.list_versions(object.key));
      std::ranges::copy_if(versions, std::back_inserter(old), [&](const ObjectVersion& version) {
        return version.created_at.unix_us < now.unix_us - kDayUs;
      });
    }
    if (!below || page.size() < kListBatch) break;
    after = page.back().key.name;
  }
  if (old.empty()) return std::uint64_t{0};
  // The objects first: whatever is recorded meanwhile is then seen as kept.
  OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto kept, privacy::PersonalExports(snapshot).kept());
  std::uint64_t removed = 0;
  for (const auto& version : old) {
    const bool stays = std::ranges::any_of(kept, [&](const privacy::ExportObject& object) {
      return object.name == version.key.name && object.version == version.version.value;
    });
    if (stays) continue;
    const Status gone = instance.objects().remove(version.key, version.version);
    if (!gone.ok() && gone.error().code != ErrorCode::kNotFound) return gone.error();
    ++removed;
  }
  return removed;
}

Result<privacy::Eraser> eraser_of(instance::Instance& instance) {
  OA_ASSIGN(auto* const ledger, instance.erasures().ledger());
  return privacy::Eraser(instance.database(), *ledger);
}

namespace {

// Everybody who was erased, with what stands where their values stood.
Result<backup::Tombstones> tombstones_of(instance::Instance& instance, TenantId tenant) {
  OA_ASSIGN(auto* const ledger, instance.erasures().ledger());
  OA_ASSIGN(const auto records, privacy::Eraser(instance.database(), *ledger).list(tenant));
  backup::Tombstones erased;
  for (const auto& record : records) {
    if (record.state == privacy::ErasureState::kDone)
      erased.emplace(record.user, ledger->tombstone(tenant, record.user));
  }
  return erased;
}

// As the tenant's policy says: those that hold somebody who was erased, one after the other. What was
// deleted or is damaged is not this one's matter.
Status rewrite_archives(instance::Instance& instance, TenantId tenant, Progress& progress) {
  OA_ASSIGN(auto eraser, eraser_of(instance));
  OA_ASSIGN(const auto settings, eraser.settings(tenant));
  if (settings.archives != privacy::ArchivePolicy::kRewrite) return {};
  OA_ASSIGN(const auto erased, tombstones_of(instance, tenant));
  OA_ASSIGN(const auto signer, instance.signing_key(tenant));
  std::vector<catalog::ArchiveRecord> archives;
  {
    OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(archives, catalog::Archives(snapshot).list());
  }
  for (const auto& record : archives) {
    const auto opened = open_archive(instance, tenant, record.id);
    if (!opened.ok() && opened.error().code == ErrorCode::kNotFound) continue;
    if (!opened.ok()) return opened.error();
    OA_ASSIGN(const bool holds, backup::holds_erased(*opened->reader, erased));
    if (!holds) continue;
    const auto rewritten = backup::rewrite_archive(instance.database(), instance.objects(), signer,
                                                   tenant, record, *opened->reader, erased, progress);
    if (!rewritten.ok()) return rewritten.error();
  }
  return {};
}

}  // namespace

Result<privacy::ErasureRecord> erase_person(instance::Instance& instance, TenantId tenant, Uuid id,
                                            const std::string& trace_id, Progress& progress) {
  OA_ASSIGN(auto eraser, eraser_of(instance));
  OA_ASSIGN(auto record, eraser.get(tenant, id));
  if (record.state != privacy::ErasureState::kDone) {
    OA_ASSIGN(record, eraser.carry_out(tenant, id, trace_id, progress));
  }
  OA_TRY(remove_expired_exports(instance, tenant));
  OA_TRY(rewrite_archives(instance, tenant, progress));
  return record;
}

Result<std::uint64_t> carry_out_due_erasures(instance::Instance& instance, Timestamp now,
                                             Progress& progress) {
  OA_ASSIGN(auto eraser, eraser_of(instance));
  OA_ASSIGN(const auto due, catalog::due_erasures(instance.database(), now, kListBatch));
  OA_ASSIGN(const auto done, eraser.carry_out_due(now, progress));
  // What takes long, their bundles and archives, is a job's.
  for (const auto& [tenant, id] : due) {
    OA_ASSIGN(const auto record, eraser.get(tenant, id));
    if (record.state != privacy::ErasureState::kDone) continue;
    OA_ASSIGN(auto transaction, instance.database().begin(tenant));
    OA_TRY(catalog::Jobs(transaction).add(job_of(ErasePerson{id, record.user}, std::nullopt, "")));
    OA_TRY(transaction.commit());
  }
  return done;
}

Result<JsonText> run(const Run& run, const ExportPerson& operation) {
  OA_ASSIGN(const auto record,
            export_person(run.instance, run.tenant, run.job.id.uuid(), operation.user,
                          {run.job.created_by, run.job.trace_id}, run.progress));
  return JsonText::of(json::object{{"export_id", record.id.str()}});
}

Result<JsonText> run(const Run& run, const ErasePerson& operation) {
  OA_ASSIGN(const auto record, erase_person(run.instance, run.tenant, operation.erasure,
                                            run.job.trace_id, run.progress));
  return JsonText::of(json::object{{"erasure_id", record.id.str()}});
}

}  // namespace oa::operations
