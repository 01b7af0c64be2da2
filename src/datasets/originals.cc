#include "originals.h"

#include <algorithm>

#include "audit_event.h"
#include "oa/crypto/hash.h"
#include "oa/datasets/datasets.h"

namespace oa::datasets {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kBatch = 200;
// An original's name is the dataset's id between these.
constexpr std::string_view kFolder = "datasets/";
constexpr std::string_view kLeaf = "/original";
constexpr std::int64_t kKeptUs = std::int64_t{365} * 24 * 3600 * 1'000'000;

Error cancelled(const char* op) {
  return make_error(ErrorCode::kCancelled, op, "cancelled; nothing was changed");
}

Status copy_hashed(const RangedSource& file, ObjectWriter& writer, Blake2b& hash,
                   Progress& progress) {
  Bytes piece(kPieceBytes);
  for (std::uint64_t at = 0; at < file.size();) {
    if (progress.cancelled()) return cancelled("dataset.import");
    const std::span<std::uint8_t> bytes(piece.data(),
                                        std::min<std::uint64_t>(piece.size(), file.size() - at));
    OA_TRY(file.read_at(at, bytes));
    hash.update(bytes);
    OA_TRY(writer.write(bytes));
    progress.update(at += bytes.size());
  }
  return {};
}

}  // namespace

ObjectKey original_key(TenantId tenant, DatasetId dataset) {
  return {tenant, RetentionClass::kOriginals,
          std::string(kFolder) + dataset.str() + std::string(kLeaf)};
}

Result<catalog::KeptOriginal> keep_original(SealedObjects& objects, StagedVersion& staged,
                                            const RangedSource& file,
                                            const analytics::FileOptions& options,
                                            Progress& progress) {
  OA_TRY(analytics::check(options));
  const auto& limits = options.limits;
  const auto most = std::max({limits.max_bytes, limits.max_xlsx_bytes, limits.max_xls_bytes});
  if (file.size() > most) {
    return make_error(ErrorCode::kLimitExceeded, "dataset.import",
                      "the file is larger than " + format_size(most))
        .with_hint("split it, or leave columns out");
  }
  progress.begin("sealing the file", file.size(), "bytes");
  OA_ASSIGN(const auto writer, objects.create(staged.key()));
  Blake2b hash;
  OA_TRY(copy_hashed(file, *writer, hash, progress));
  OA_ASSIGN(VersionId version, writer->commit());
  catalog::KeptOriginal original;
  original.object_name = staged.key().name;
  original.object_version = version.value;
  original.options = JsonText::of(analytics::to_json(options));
  original.size_bytes = file.size();
  original.digest = hash.finish();
  original.uploaded_at = Timestamp::now();
  staged.made(std::move(version));
  return original;
}

Result<analytics::ImportResult> import_original(SealedObjects& objects, TenantId tenant,
                                                const catalog::KeptOriginal& original,
                                                const ObjectKey& target,
                                                analytics::RejectedRows& rejected,
                                                Progress& progress) {
  const auto decoded = analytics::file_options_from_json(original.options.value());
  if (!decoded.ok()) {
    return make_error(ErrorCode::kInternal, "dataset.refresh",
                      "how the kept file is to be read cannot be understood")
        .with_cause(decoded.error().message);
  }
  const ObjectKey key{tenant, RetentionClass::kOriginals, original.object_name};
  OA_ASSIGN(const auto file, objects.open(key, VersionId{original.object_version}));
  return analytics::import_file(objects, *file, target, decoded.value(), rejected, progress);
}

namespace {

// Under the dataset's lock, so that a refresh which has read the record does not put it back. The
// record of a deleted dataset is there without it.
Status forget_record(catalog::Database& database, TenantId tenant, DatasetId id, Timestamp cutoff,
                     const Actor& actor) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  const auto locked = catalog::Datasets(transaction).lock(id);
  if (!locked.ok() && locked.error().code != ErrorCode::kNotFound) return locked.error();
  catalog::DatasetSources sources(transaction);
  OA_ASSIGN(auto source, sources.get(id));
  if (!source.original.has_value() || source.original->uploaded_at >= cutoff) return {};
  const Timestamp uploaded_at = source.original->uploaded_at;
  source.original.reset();
  OA_TRY(sources.put(source));
  OA_TRY(append_event(transaction, actor, "dataset.original.expire", "dataset", id.str(),
                      {{"uploaded_at", uploaded_at.rfc3339()}}));
  return transaction.commit();
}

// First the records, then the objects: whatever interrupts it, no record names an object that is
// gone, and the next run finds what is left.
Status forget_records(catalog::Database& database, TenantId tenant, Timestamp cutoff,
                      const Actor& actor, Progress& progress) {
  for (;;) {
    if (progress.cancelled()) return cancelled("dataset.expire");
    OA_ASSIGN(auto transaction, database.begin(tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto expired,
              catalog::DatasetSources(transaction).uploaded_before(cutoff, kBatch));
    if (expired.empty()) return {};
    for (const auto& source : expired)
      OA_TRY(forget_record(database, tenant, source.dataset_id, cutoff, actor));
  }
}

// The version that the dataset's record names; empty when there is no record or it names none.
Result<VersionId> current_version(catalog::Database& database, const ObjectKey& key) {
  std::string_view id = key.name;
  if (!id.starts_with(kFolder) || !id.ends_with(kLeaf)) return VersionId();
  id.remove_prefix(kFolder.size());
  id.remove_suffix(std::min(id.size(), kLeaf.size()));
  const auto dataset = DatasetId::parse(id);
  if (!dataset.ok()) return VersionId();
  OA_ASSIGN(auto transaction, database.begin(key.tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto source, catalog::DatasetSources(transaction).get(*dataset));
  if (!source.original.has_value() || source.original->object_name != key.name) return VersionId();
  return VersionId{source.original->object_version};
}

// A store's clock may be behind the record's. Versions that are put after they were listed are not
// among them, so that asking for the current one afterwards is soon enough.
Result<std::uint64_t> remove_versions(catalog::Database& database, ObjectStore& store,
                                      const ObjectKey& key, Timestamp cutoff) {
  OA_ASSIGN(const auto versions, store.list_versions(key));
  OA_ASSIGN(const auto current, current_version(database, key));
  std::uint64_t removed = 0;
  for (const auto& version : versions) {
    if (version.created_at >= cutoff || version.version == current) continue;
    OA_TRY(store.remove(key, version.version));
    ++removed;
  }
  return removed;
}

}  // namespace

Result<std::uint64_t> DatasetService::expire_originals(Timestamp now, const Actor& actor,
                                                       Progress& progress) {
  progress.begin("expiring originals", 0, "files");
  const Timestamp cutoff{now.unix_us - kKeptUs};
  OA_TRY(forget_records(services_.database, tenant_, cutoff, actor, progress));
  ObjectStore& store = services_.objects.store();
  std::uint64_t removed = 0;
  std::string after;
  for (;;) {
    OA_ASSIGN(const auto objects, store.list(tenant_, RetentionClass::kOriginals, after, kBatch));
    for (const auto& object : objects) {
      if (progress.cancelled()) return cancelled("dataset.expire");
      OA_ASSIGN(const std::uint64_t gone,
                remove_versions(services_.database, store, object.key, cutoff));
      progress.update(removed += gone);
      after = object.key.name;
    }
    if (objects.size() < kBatch) return removed;
  }
}

}  // namespace oa::datasets
