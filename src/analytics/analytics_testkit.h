// What the tests of imports share: a real sealed store in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "oa/analytics/importer.h"
#include "oa/keys/local_key_service.h"
#include "sandbox.h"

namespace oa::analytics {

class ImportTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-analytics-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    RootKeySource root;
    root.key_file = folder_ + "/root.key";
    keys_ = *LocalKeyService::create(folder_ + "/keys", root);
    store_ = *open_local_store(folder_ + "/objects");
    objects_ = std::make_unique<SealedObjects>(*store_, *keys_);
    target_ = {TenantId::random(), RetentionClass::kRows, "datasets/rows.parquet"};
    ASSERT_TRUE(keys_->create_tenant_key(target_.tenant).ok());
  }
  void TearDown() override {
    objects_.reset();
    store_.reset();
    keys_.reset();
    std::filesystem::remove_all(folder_);
  }

  static MemorySource csv_of(std::string_view text) {
    return MemorySource(Bytes(text.begin(), text.end()));
  }

  Result<ImportResult> import(std::string_view text, const CsvOptions& options = {}) {
    return import_csv(*objects_, csv_of(text), target_, options, no_progress());
  }

  /// The error of an import that must fail and leave nothing behind.
  Error refused(std::string_view text, const CsvOptions& options = {}) {
    const auto imported = import(text, options);
    EXPECT_FALSE(imported.ok());
    expect_nothing_stored();
    return imported.ok() ? Error{} : imported.error();
  }

  void expect_nothing_stored() {
    const auto versions = store_->list_versions(target_);
    EXPECT_TRUE(!versions.ok() || versions->empty());
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ + "/objects")) {
      EXPECT_FALSE(entry.is_regular_file() && entry.file_size() > 0 &&
                   entry.path().string().find("rows.parquet") != std::string::npos)
          << entry.path();
    }
  }

  /// Answer of `SELECT <what> FROM` the rows of a version.
  Rows select(const VersionId& version, const std::string& what, const std::string& rest = "") {
    const auto source = *objects_->open(target_, version);
    const auto sandbox = *Sandbox::create(source.get(), nullptr);
    const auto answer = sandbox->run(
        "SELECT " + what + " FROM read_parquet(" + sql_literal(kInputPath) + ")" + rest,
        no_progress());
    EXPECT_TRUE(answer.ok()) << answer.error().message << answer.error().cause;
    return answer.ok() ? *answer : Rows{};
  }

  std::string folder_;
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<SealedObjects> objects_;
  ObjectKey target_;
};

}  // namespace oa::analytics
