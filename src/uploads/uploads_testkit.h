// What the tests of this module share: one real instance per run, bytes that say where they belong,
// and appends in a process that is killed.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>

#include "oa/instance/instance.h"
#include "oa/uploads/uploads.h"

namespace oa::uploads {

/// The value, or an exception with the error's words.
template <class T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  throw std::runtime_error(result.error().op + ": " + result.error().message + " " +
                           result.error().cause);
}
inline void must(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error().op + ": " + status.error().message);
}
/// kInternal for a success.
template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

instance::Instance& shared_instance();
TenantId new_tenant();

/// `size` bytes that stand at `offset` of a file which compresses to nothing like it.
Bytes bytes_at(std::uint64_t offset, std::size_t size);

/// Small enough that a test has many parts.
inline constexpr std::uint64_t kPartBytes = 64 << 10;
Limits small_parts();
/// Besides, what a killed process had is soon free.
Limits short_lease();

struct ChildOutcome {
  bool killed = false;
  std::string error;  // ErrorInfo::name; empty when the upload is whole
};
/// Goes on with the upload where it stands, in a process that is killed at the `kill_at`th time it
/// touches the store.
ChildOutcome append_in_child(TenantId tenant, UploadId id, int kill_at);

/// What the started program does instead of tests: its exit status, when `argv` is of
/// append_in_child().
std::optional<int> child_main(int argc, char** argv);

}  // namespace oa::uploads
