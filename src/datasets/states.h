// The states of a dataset, and who may change them.
#pragma once

#include "oa/catalog/repositories.h"
#include "oa/datasets/datasets.h"

namespace oa::datasets {

/// Whether only a refresh under way explains the state.
bool is_under_way(catalog::DatasetState state);
/// The state of a dataset that nobody is refreshing and that is not paused.
catalog::DatasetState settled_state(const catalog::Dataset& dataset,
                                    const catalog::DatasetSource& source);

/// The right to refresh one dataset, as long as this lives and its connection holds.
class RefreshLease {
 public:
  /// kDatasetRefreshInProgress when somebody has it, kNotFound.
  static Result<RefreshLease> take(catalog::Database& database, TenantId tenant, DatasetId id);
  ~RefreshLease() {
    if (transaction_ != nullptr) (void)transaction_->commit();  // waits until it is given back
  }
  RefreshLease(RefreshLease&&) noexcept = default;
  RefreshLease& operator=(RefreshLease&&) = delete;
  /// kDatabaseUnavailable once the connection is lost, and with it the right.
  Status check() { return transaction_->check(); }

 private:
  explicit RefreshLease(catalog::TenantTransaction transaction)
      : transaction_(std::make_unique<catalog::TenantTransaction>(std::move(transaction))) {}
  std::unique_ptr<catalog::TenantTransaction> transaction_;
};

}  // namespace oa::datasets
