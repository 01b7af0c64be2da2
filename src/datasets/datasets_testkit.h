// What the tests of this module share: one real cluster, one real source, real stores of each
// test's own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "oa/catalog/embedded_postgres.h"
#include "oa/catalog/repositories.h"
#include "oa/datasets/datasets.h"
#include "oa/datasets/secrets.h"
#include "testkit/scratch.h"
#include "testkit/source_cluster.h"

#define ASSERT_OK(expression)                                                                     \
  do {                                                                                            \
    const auto& oa_status = (expression);                                                         \
    ASSERT_TRUE(oa_status.ok()) << oa_status.error().message << " | " << oa_status.error().cause; \
  } while (false)

namespace oa::datasets {

const catalog::ConnectionSettings& cluster();
const testkit::SourceCluster& source_cluster();

/// Calls `hook` with the name of each step that begins.
class StepHook final : public Progress {
 public:
  explicit StepHook(std::function<void(std::string_view)> hook) : hook_(std::move(hook)) {}
  void begin(std::string_view step, std::uint64_t, std::string_view) override { hook_(step); }
  void update(std::uint64_t) override {}
  bool cancelled() const override { return cancel; }
  bool cancel = false;

 private:
  std::function<void(std::string_view)> hook_;
};

/// A tenant with a user, a workspace and stores in a folder of its own.
class DatasetsTest : public testing::Test {
 protected:
  void SetUp() override;

  catalog::TenantTransaction begin() { return database_->begin(tenant_).value(); }
  SecretStore secrets() { return {*database_, *keys_, tenant_}; }
  DatasetService service();
  NewDataset new_dataset(std::string model = "") const {
    return {workspace_, "Sales 2024", user_, std::move(model)};
  }
  Actor actor() const {
    Actor out;
    out.type = "user";
    out.user = user_;
    out.personal = {{"actor.email", "ada@example.com"}};
    return out;
  }
  Result<catalog::Dataset> import(std::string_view csv, std::string model = "",
                                  Progress& progress = no_progress());
  /// The dataset and its source as the catalog has them.
  catalog::Dataset stored(DatasetId id);
  catalog::DatasetSource stored_source(DatasetId id);
  std::vector<catalog::Dataset> listed();
  std::vector<std::string> actions();
  /// Names of all stored objects with the number of their versions: "rows/… 2".
  std::vector<std::string> objects();
  /// Files of this test's stores that hold `needle`.
  std::vector<std::string> files_with(const std::string& needle) {
    return testkit::files_with(folder_.path(), needle);
  }
  /// A secret `warehouse` for the source, and in the source a table of sales and one of customers.
  void fill_source();
  static void source_sql(const std::string& script) { source_cluster().sql(script); }

  testkit::Scratch folder_;
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<SealedObjects> objects_;
  std::unique_ptr<catalog::Database> database_;
  TenantId tenant_;
  UserId user_;
  WorkspaceId workspace_;
};

SecretBytes secret_of(std::string_view text);

template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

}  // namespace oa::datasets
