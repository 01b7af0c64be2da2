// What the tests of this module share.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "oa/keys/local_key_service.h"
#include "oa/wal/sealed_wal.h"

#define ASSERT_OK(expression)                                                                     \
  do {                                                                                            \
    const auto& oa_status = (expression);                                                         \
    ASSERT_TRUE(oa_status.ok()) << oa_status.error().message << " | " << oa_status.error().cause; \
  } while (false)

namespace oa::wal {

/// A fresh folder that other accounts can pass through, removed at the end.
class TestFolder {
 public:
  TestFolder() {
    char path[] = "/tmp/oa-wal-XXXXXX";
    OA_ASSERT(mkdtemp(path) != nullptr && chmod(path, 0711) == 0);
    path_ = path;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// kInternal, which nothing here gives, for a success.
template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

/// A cell with its key, and the folder of its log.
class Cell {
 public:
  Cell() {
    keys_ =
        LocalKeyService::create(folder_.path() + "/keys", {folder_.path() + "/root", {}}).value();
    keys_->create_tenant_key(id).value();
  }
  std::unique_ptr<SealedWal> open(Access access = Access::kWrite) {
    return open_local_wal(log_folder(), *keys_, id, access).value();
  }
  KeyService& keys() { return *keys_; }
  std::string log_folder() const { return folder_.path() + "/wal"; }
  const std::string& folder() const { return folder_.path(); }
  const TenantId id = TenantId::random();

 private:
  TestFolder folder_;
  std::unique_ptr<KeyService> keys_;
};

}  // namespace oa::wal
