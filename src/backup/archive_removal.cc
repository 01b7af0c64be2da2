#include "oa/backup/archive_removal.h"

#include <boost/json.hpp>
#include <limits>
#include <set>
#include <utility>

namespace oa::backup {
namespace {

constexpr std::size_t kListBatch = 1000;
constexpr std::int64_t kHourUs = std::int64_t{3600} * 1'000'000;
constexpr Timestamp kEndOfTime{std::numeric_limits<std::int64_t>::max()};

// Whether a restore reads the archive that is kept under this id. One that came from outside is not
// kept under the id in its manifest, which is the restore's archive_id.
bool reads(const catalog::RestoreRecord& restore, ArchiveId id) {
  if (restore.archive_id == id) return true;
  const json::value source = restore.source.value();
  const auto* object = source.if_object();
  const auto* kept = object == nullptr ? nullptr : object->if_contains("archive_id");
  return kept != nullptr && kept->is_string() && kept->as_string() == id.str();
}

Status check_unused(catalog::TenantTransaction& transaction, ArchiveId id) {
  OA_ASSIGN(const auto applying,
            catalog::Restores(transaction).in_state(catalog::RestoreState::kApplying));
  for (const auto& restore : applying) {
    if (!reads(restore, id)) continue;
    return make_error(ErrorCode::kConflict, "archive.delete",
                      "a restore from this archive is being applied")
        .with_hint("wait until it is done; when it was interrupted, run `oa-backup restore sweep`");
  }
  return {};
}

Status append_event(catalog::TenantTransaction& transaction, const catalog::ArchiveRecord& archive,
                    const std::optional<UserId>& actor) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = actor.has_value() ? "user" : "operator";
  if (actor.has_value()) event.actor_id = actor->uuid();
  event.action = "backup.archive.delete";
  event.resource_type = "archive";
  event.resource_id = archive.id.str();
  event.detail = JsonText::of(json::object{{"content_hash", archive.content_hash},
                                           {"size_bytes", archive.size_bytes},
                                           {"snapshot_time", archive.snapshot_time.rfc3339()}});
  return catalog::Audit(transaction).append({&event, 1});
}

// Whatever is named, or may be named soon.
struct Named {
  std::set<std::pair<std::string, std::string>> versions;  // object name, version
  std::set<std::string> under_way;                         // object names

  bool covers(const ObjectVersion& object) const {
    return under_way.contains(object.key.name) ||
           versions.contains({object.key.name, object.version.value});
  }
};

Result<Named> named(catalog::Database& database, TenantId tenant) {
  OA_ASSIGN(auto snapshot, database.begin(tenant, catalog::Isolation::kSnapshot));
  Named named;
  OA_ASSIGN(const auto archives, catalog::Archives(snapshot).list());
  for (const auto& archive : archives)
    named.versions.emplace(archive.object_name, archive.object_version);
  catalog::Restores restores(snapshot);
  OA_ASSIGN(const auto undoable, restores.undoable_before(kEndOfTime));
  for (const auto& restore : undoable)
    named.versions.emplace(restore.undo_archive->object_name, restore.undo_archive->object_version);
  OA_ASSIGN(const auto applying, restores.in_state(catalog::RestoreState::kApplying));
  for (const auto& restore : applying) named.under_way.insert("undo/" + restore.id.str());
  return named;
}

Result<std::vector<ObjectVersion>> stored_before(ObjectStore& store, TenantId tenant,
                                                 Timestamp moment) {
  std::vector<ObjectVersion> old;
  for (std::string after;;) {
    OA_ASSIGN(const auto page, store.list(tenant, RetentionClass::kArchives, after, kListBatch));
    for (const auto& object : page) {
      const auto& name = object.key.name;
      if (name.starts_with("uploads/") || name.starts_with("personal/")) continue;
      OA_ASSIGN(const auto versions, store.list_versions(object.key));
      for (const auto& version : versions) {
        if (version.created_at < moment) old.push_back(version);
      }
    }
    if (page.size() < kListBatch) return old;
    after = page.back().key.name;
  }
}

}  // namespace

Status remove_archive(catalog::Database& database, SealedObjects& objects, TenantId tenant,
                      ArchiveId id, const std::optional<UserId>& actor) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  catalog::Archives archives(transaction);
  OA_ASSIGN(const auto archive, archives.get(id));
  OA_TRY(check_unused(transaction, id));
  OA_TRY(archives.remove(id));
  OA_TRY(append_event(transaction, archive, actor));
  OA_TRY(transaction.commit());
  const auto removed = objects.remove({tenant, RetentionClass::kArchives, archive.object_name},
                                      VersionId{archive.object_version});
  if (removed.ok() || removed.error().code == ErrorCode::kNotFound) return {};
  Error error = removed.error();
  error.hint = "the archive is not listed any more; `oa-backup archive sweep` removes its object";
  return error;
}

Result<std::size_t> sweep_archives(catalog::Database& database, SealedObjects& objects,
                                   TenantId tenant, Timestamp now) {
  // The objects first: whatever is recorded meanwhile is then seen as named.
  OA_ASSIGN(const auto old, stored_before(objects.store(), tenant,
                                          Timestamp{now.unix_us - kUnlistedHours * kHourUs}));
  OA_ASSIGN(const Named keep, named(database, tenant));
  std::size_t removed = 0;
  for (const auto& object : old) {
    if (keep.covers(object)) continue;
    const auto gone = objects.remove(object.key, object.version);
    if (!gone.ok() && gone.error().code != ErrorCode::kNotFound) return gone.error();
    removed += gone.ok() ? 1 : 0;
  }
  return removed;
}

}  // namespace oa::backup
