// What the tests of this module share: one real cluster per run, folders that clean up, children.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "connection.h"
#include "oa/catalog/database.h"

#define ASSERT_OK(expression)                                                                     \
  do {                                                                                            \
    const auto& oa_status = (expression);                                                         \
    ASSERT_TRUE(oa_status.ok()) << oa_status.error().message << " | " << oa_status.error().cause; \
  } while (false)

namespace oa::catalog {

/// A fresh folder that other accounts can pass through, removed at the end.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The migrated cluster of this run.
const ConnectionSettings& cluster();
Database& database();
/// A connection that row-level security does not bind, to look behind it.
std::unique_ptr<Connection> superuser();
/// Makes a tenant of a new name.
TenantId new_tenant();
/// A transaction; a failure to begin ends the test program.
TenantTransaction begin(TenantId tenant, Isolation isolation = Isolation::kReadWrite);

/// kInternal, which nothing here gives, for a success.
template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

/// Runs `body` in a child and returns its process id; the child's exit status is what `body`
/// returns.
pid_t fork_child(const std::function<int()>& body);
/// The exit status of a child, or 128 + signal.
int exit_status(pid_t pid);

}  // namespace oa::catalog
