// New rows for a dataset, from where they came from before or from another file: everything that
// takes time outside of transactions, then all or nothing in one.
#include <algorithm>

#include "audit_event.h"
#include "keys.h"
#include "originals.h"
#include "rows.h"
#include "states.h"

namespace oa::datasets {
namespace {

using catalog::DatasetState;

constexpr std::size_t kMaxMessageBytes = 2000;

// A file that takes the place of the kept original.
struct Upload {
  const RangedSource& file;
  const analytics::FileOptions& options;
  analytics::RejectedRows& rejected;
};

std::string shortened(std::string text) {
  if (text.size() > kMaxMessageBytes) text.resize(kMaxMessageBytes);
  while (!is_utf8(text)) text.pop_back();
  return text;
}

class Refresh {
 public:
  /// Without an upload, the rows come from where the dataset's record says.
  Refresh(const Services& services, TenantId tenant, DatasetId id, const Upload* upload,
          const Actor& actor, RefreshLease lease)
      : services_(services),
        tenant_(tenant),
        id_(id),
        upload_(upload),
        op_(upload == nullptr ? "dataset.refresh" : "dataset.upload"),
        actor_(actor),
        lease_(std::move(lease)) {}

  /// Errors of this are the caller's: nothing has begun.
  Status begin() {
    OA_ASSIGN(auto transaction, services_.database.begin(tenant_));
    catalog::Datasets datasets(transaction);
    OA_ASSIGN(before_, datasets.lock(id_));
    OA_ASSIGN(source_, catalog::DatasetSources(transaction).get(id_));
    if (before_.state == DatasetState::kPaused) {
      return make_error(ErrorCode::kDatasetPaused, op_, "the dataset is paused")
          .with_hint("resume it first");
    }
    if (before_.mode != catalog::DatasetMode::kImport) {
      return make_error(ErrorCode::kUnsupported, op_,
                        "only datasets of mode import have rows of their own")
          .with_hint("its queries go to the source itself");
    }
    if (upload_ != nullptr && before_.source_ref.has_value()) {
      return make_error(ErrorCode::kUnsupported, op_, "the dataset's rows come from a source")
          .with_hint("refresh it, or take `source:` out of its model first");
    }
    if (is_under_way(before_.state)) before_.state = settled_state(before_, source_);
    OA_TRY(datasets.set_state(
        id_, before_.rows.has_value() ? DatasetState::kRefreshing : DatasetState::kSyncing));
    return transaction.commit();
  }

  Result<catalog::Dataset> run(Progress& progress) {
    const Timestamp began = Timestamp::now();
    auto refreshed = read_and_commit(began, progress);
    if (!refreshed.ok()) record_failure(refreshed.error(), began);
    return refreshed;
  }

 private:
  Error changed_meanwhile(const char* what) const {
    return make_error(ErrorCode::kPreconditionFailed, op_, what)
        .with_hint("start again if it is still wanted");
  }

  Result<analytics::ImportResult> read_rows(StagedVersion& original, const ObjectKey& target,
                                            Progress& progress) {
    if (upload_ != nullptr) {
      OA_ASSIGN(source_.original, keep_original(services_.objects, original, upload_->file,
                                                upload_->options, progress));
      return analytics::import_file(services_.objects, upload_->file, target, upload_->options,
                                    upload_->rejected, progress);
    }
    if (before_.source_ref.has_value()) {
      OA_ASSIGN(const auto model, semantics::parse_model(before_.model_yaml));
      return import_source(services_, tenant_, model, *before_.source_ref, target, progress);
    }
    if (!source_.original.has_value()) {
      return make_error(ErrorCode::kPreconditionFailed, op_,
                        "the file that the rows came from is not kept")
          .with_hint("upload it: `oa-backup dataset upload`");
    }
    analytics::RejectedRows rejected;  // the error names the first
    return import_original(services_.objects, tenant_, *source_.original, target, rejected,
                           progress);
  }

  // A model that cannot be parsed is one that no query can be asked of.
  Status check_new_rows(const StagedVersion& rows, const analytics::ImportResult& imported,
                        Progress& progress) {
    const auto model = semantics::parse_model(before_.model_yaml);
    if (!model.ok()) return {};
    return check_keys(
        services_.objects,
        {rows.key(), imported.version, imported.rows.columns, imported.rows.row_count}, *model,
        progress);
  }

  Result<catalog::Dataset> read_and_commit(Timestamp began, Progress& progress) {
    StagedVersion original(services_.objects, original_key(tenant_, id_));
    StagedVersion rows(services_.objects, rows_key(tenant_, id_));
    OA_ASSIGN(const auto imported, read_rows(original, rows.key(), progress));
    rows.made(imported.version);
    OA_TRY(check_new_rows(rows, imported, progress));
    if (progress.cancelled())
      return make_error(ErrorCode::kCancelled, op_, "cancelled; nothing was changed");

    OA_ASSIGN(auto transaction, services_.database.begin(tenant_));
    catalog::Datasets datasets(transaction);
    auto locked = datasets.lock(id_);
    if (!locked.ok() && locked.error().code == ErrorCode::kNotFound)
      return changed_meanwhile("the dataset was deleted while its rows were read");
    if (!locked.ok()) return locked;
    catalog::Dataset after = std::move(locked).value();
    OA_TRY(lease_.check());
    if (!same_but_state(after))
      return changed_meanwhile("the dataset was changed while its rows were read");
    apply(imported, rows.key().name, after);
    OA_TRY(datasets.put({&after, 1}));
    OA_ASSIGN(auto source, catalog::DatasetSources(transaction).get(id_));
    source.last_failure.reset();
    source.last_attempt_at = began;
    if (upload_ != nullptr) source.original = source_.original;
    OA_TRY(catalog::DatasetSources(transaction).put(source));
    OA_TRY(append_event(transaction, actor_,
                        upload_ == nullptr ? "dataset.refresh.success" : "dataset.upload",
                        "dataset", id_.str(),
                        {{"rows", after.row_count}, {"version", after.versions.back().version}}));
    // From here the outcome is the database's, as in an import.
    original.keep();
    rows.keep();
    OA_TRY(transaction.commit());
    return after;
  }

  // Edits of anything else while the rows were read win over the refresh.
  bool same_but_state(const catalog::Dataset& now) const {
    catalog::Dataset expected = before_;
    expected.state = now.state;
    return is_under_way(now.state) && now == expected;
  }

  static void apply(const analytics::ImportResult& imported, const std::string& object_name,
                    catalog::Dataset& dataset) {
    dataset.state = DatasetState::kReady;
    dataset.row_count = imported.rows.row_count;
    dataset.size_bytes = imported.parquet_bytes;
    dataset.rows = catalog::RowsObject{object_name, imported.version.value};
    dataset.last_refresh_at = Timestamp::now();
    auto& versions = dataset.versions;
    if (!versions.empty() && versions.back().columns == imported.rows.columns) return;
    const std::uint32_t next = versions.empty() ? 1 : versions.back().version + 1;
    versions.push_back({next, imported.rows.columns, *dataset.last_refresh_at});
  }

  // Whatever prevents this leaves a state that the next use sets right.
  void record_failure(const Error& error, Timestamp began) {
    if (!lease_.check().ok()) return;  // another may be refreshing it by now
    (void)write_failure(error, began);
  }

  Status write_failure(const Error& error, Timestamp began) {
    OA_ASSIGN(auto transaction, services_.database.begin(tenant_));
    catalog::Datasets datasets(transaction);
    OA_ASSIGN(const auto dataset, datasets.lock(id_));
    OA_ASSIGN(auto source, catalog::DatasetSources(transaction).get(id_));
    if (upload_ != nullptr) {
      // The file was refused, the dataset has not failed: nothing but its state is put back.
      if (is_under_way(dataset.state))
        OA_TRY(datasets.set_state(id_, settled_state(dataset, source)));
      return transaction.commit();
    }
    const std::string code(error_info(error.code).name);
    // A cancelled one has not failed: the dataset is what it was.
    const bool cancelled = error.code == ErrorCode::kCancelled;
    if (!cancelled)
      source.last_failure = catalog::RefreshFailure{code, shortened(error.message)};
    source.last_attempt_at = began;
    if (is_under_way(dataset.state))
      OA_TRY(datasets.set_state(id_, cancelled ? before_.state : settled_state(dataset, source)));
    OA_TRY(catalog::DatasetSources(transaction).put(source));
    OA_TRY(append_event(transaction, actor_, "dataset.refresh.failure", "dataset", id_.str(),
                        {{"code", code}}));
    return transaction.commit();
  }

  const Services& services_;
  const TenantId tenant_;
  const DatasetId id_;
  const Upload* const upload_;
  const char* const op_;
  const Actor& actor_;
  RefreshLease lease_;
  catalog::Dataset before_;  // in the state it had before
  catalog::DatasetSource source_;
};

Result<catalog::Dataset> give_rows(const Services& services, TenantId tenant, DatasetId id,
                                   const Upload* upload, const Actor& actor, Progress& progress) {
  OA_ASSIGN(auto lease, RefreshLease::take(services.database, tenant, id));
  Refresh refresh(services, tenant, id, upload, actor, std::move(lease));
  OA_TRY(refresh.begin());
  return refresh.run(progress);
}

}  // namespace

Result<catalog::Dataset> DatasetService::refresh(DatasetId id, const Actor& actor,
                                                 Progress& progress) {
  return give_rows(services_, tenant_, id, nullptr, actor, progress);
}

Result<catalog::Dataset> DatasetService::replace_file(DatasetId id, const RangedSource& file,
                                                      const analytics::FileOptions& options,
                                                      analytics::RejectedRows& rejected,
                                                      const Actor& actor, Progress& progress) {
  rejected = {};
  const Upload upload{file, options, rejected};
  return give_rows(services_, tenant_, id, &upload, actor, progress);
}

}  // namespace oa::datasets
