#include "states.h"

#include "audit_event.h"

namespace oa::datasets {

using catalog::DatasetState;

bool is_under_way(DatasetState state) {
  return state == DatasetState::kSyncing || state == DatasetState::kRefreshing;
}

DatasetState settled_state(const catalog::Dataset& dataset, const catalog::DatasetSource& source) {
  if (dataset.rows.has_value()) return DatasetState::kReady;
  return source.last_failure.has_value() ? DatasetState::kError : DatasetState::kCreated;
}

Result<RefreshLease> RefreshLease::take(catalog::Database& database, TenantId tenant,
                                        DatasetId id) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_TRY(catalog::Datasets(transaction).get(id));
  OA_ASSIGN(const bool taken, catalog::Datasets(transaction).try_lock_refresh(id));
  if (taken) return RefreshLease(std::move(transaction));
  return make_error(ErrorCode::kDatasetRefreshInProgress, "dataset.refresh",
                    "the dataset is being refreshed")
      .with_hint("wait until that refresh has ended");
}

namespace {

// With the lease: what a killed process has left is nobody's any more.
Result<catalog::Dataset> settle(const Services& services, TenantId tenant, DatasetId id) {
  OA_ASSIGN(auto transaction, services.database.begin(tenant));
  catalog::Datasets datasets(transaction);
  OA_ASSIGN(auto dataset, datasets.lock(id));
  if (!is_under_way(dataset.state)) return dataset;
  OA_ASSIGN(const auto source, catalog::DatasetSources(transaction).get(id));
  dataset.state = settled_state(dataset, source);
  OA_TRY(datasets.set_state(id, dataset.state));
  OA_TRY(transaction.commit());
  return dataset;
}

}  // namespace

Result<catalog::Dataset> DatasetService::get(DatasetId id) {
  OA_ASSIGN(auto transaction, services_.database.begin(tenant_, catalog::Isolation::kSnapshot));
  OA_ASSIGN(auto dataset, catalog::Datasets(transaction).get(id));
  if (!is_under_way(dataset.state)) return dataset;
  const auto lease = RefreshLease::take(services_.database, tenant_, id);
  if (!lease.ok() && lease.error().code == ErrorCode::kDatasetRefreshInProgress) return dataset;
  if (!lease.ok()) return lease.error();
  return settle(services_, tenant_, id);
}

Result<catalog::Dataset> DatasetService::pause(DatasetId id, const Actor& actor) {
  OA_ASSIGN(const auto lease, RefreshLease::take(services_.database, tenant_, id));
  OA_ASSIGN(auto transaction, services_.database.begin(tenant_));
  catalog::Datasets datasets(transaction);
  OA_ASSIGN(auto dataset, datasets.lock(id));
  if (dataset.state == DatasetState::kPaused) return dataset;
  dataset.state = DatasetState::kPaused;
  OA_TRY(datasets.set_state(id, dataset.state));
  OA_TRY(append_event(transaction, actor, "dataset.pause", "dataset", id.str(), {}));
  OA_TRY(transaction.commit());
  return dataset;
}

Result<catalog::Dataset> DatasetService::resume(DatasetId id, const Actor& actor) {
  OA_ASSIGN(const auto lease, RefreshLease::take(services_.database, tenant_, id));
  OA_ASSIGN(auto transaction, services_.database.begin(tenant_));
  catalog::Datasets datasets(transaction);
  OA_ASSIGN(auto dataset, datasets.lock(id));
  if (dataset.state != DatasetState::kPaused) return dataset;
  OA_ASSIGN(const auto source, catalog::DatasetSources(transaction).get(id));
  dataset.state = settled_state(dataset, source);
  OA_TRY(datasets.set_state(id, dataset.state));
  OA_TRY(append_event(transaction, actor, "dataset.resume", "dataset", id.str(), {}));
  OA_TRY(transaction.commit());
  return dataset;
}

}  // namespace oa::datasets
