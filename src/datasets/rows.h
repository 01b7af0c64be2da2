// Where a dataset's rows come from, and what they look like.
#pragma once

#include <atomic>
#include <thread>

#include "oa/catalog/repositories.h"
#include "oa/datasets/datasets.h"
#include "oa/semantics/model.h"

namespace oa::datasets {

ObjectKey rows_key(TenantId tenant, DatasetId dataset);

/// The model's name for its source's secret; nullopt when its rows come from no database.
std::optional<std::string> source_ref_of(const semantics::SemanticModel& model);

/// Passes progress on, and lets threads other than the one that made it know of a cancellation.
class SharedProgress final : public Progress {
 public:
  explicit SharedProgress(Progress& progress) : progress_(progress) {}
  void begin(std::string_view step, std::uint64_t total, std::string_view unit) override {
    progress_.begin(step, total, unit);
  }
  void update(std::uint64_t done) override { progress_.update(done); }
  bool cancelled() const override {
    if (std::this_thread::get_id() == owner_ && progress_.cancelled()) cancelled_ = true;
    return cancelled_;
  }

 private:
  Progress& progress_;
  const std::thread::id owner_ = std::this_thread::get_id();
  mutable std::atomic<bool> cancelled_ = false;
};

/// Connects to the source that `ref` names. `progress` must outlive the source.
Result<std::unique_ptr<sources::PostgresSource>> connect_source(const Services& services,
                                                                TenantId tenant,
                                                                std::string_view ref,
                                                                const SharedProgress& progress);

/// What `model` names, in the source as it is now.
Result<std::vector<TableSchema>> describe_source(sources::PostgresSource& source,
                                                 const semantics::SemanticModel& model);

/// All rows of the model's tables, at one moment, as a new version of `target`.
Result<analytics::ImportResult> import_source(const Services& services, TenantId tenant,
                                              const semantics::SemanticModel& model,
                                              std::string_view ref, const ObjectKey& target,
                                              Progress& progress);

}  // namespace oa::datasets
