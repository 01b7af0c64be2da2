// One error type and one table that says what each error means to a shell, to HTTP and to a retry
// loop.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace oa {

/// Every way an operation of this project can fail. Closed: a new code needs a row in error.cc's
/// table.
enum class ErrorCode : std::uint8_t {
  // The request.
  kInvalidArgument,
  kNotFound,
  kAlreadyExists,
  kConflict,
  kPreconditionFailed,
  kPermissionDenied,
  kLimitExceeded,
  kUnsupported,
  kCancelled,
  kGone,
  kQuotaExceeded,
  // An archive that is refused.
  kArchiveMalformed,
  kArchiveTruncated,
  kArchiveContentMismatch,
  kArchiveEntryMissing,
  kArchiveEntryUnlisted,
  kArchiveSignatureInvalid,
  kArchiveUntrustedSigner,
  kArchiveVersionUnsupported,
  kArchiveLimit,
  // Sealed objects and keys.
  kSealCorrupt,
  kKeyStoreMissing,
  kKeyWrong,
  kKeyDisabled,
  kKeyDestroyed,
  kKeyServiceUnavailable,
  kKeyServiceRefused,
  // Datasets, models and queries.
  kImportRejected,
  kModelInvalid,
  kQueryInvalid,
  kQueryTimeout,
  kQueryTooManyRows,
  kCursorExpired,
  kCursorMismatch,
  kDatasetNotRefreshed,
  kDatasetRefreshInProgress,
  kDatasetPaused,
  kSourceUnreachable,
  kSourceRefused,
  // Who asks over HTTP, and how.
  kUnauthenticated,
  kTokenInvalid,
  kTokenExpired,
  kScopeDenied,
  kTenantMismatch,
  kSignInRefused,
  kLockedOut,
  kForged,
  kRateLimited,
  kMethodNotAllowed,
  kUnsupportedMediaType,
  kHeadersTooLarge,
  kRangeNotSatisfiable,
  kIdempotencyMismatch,
  kUploadOffset,
  kUploadChecksum,
  kUploadInUse,
  kOverloaded,
  // Continuous backup.
  kOutsideWindow,
  kWalMissing,
  kRecoveryFailed,
  kRepositoryDamaged,
  kRepositoryUnavailable,
  // Privacy.
  kErased,
  kLastOwner,
  kReplayPending,
  kLedgerBroken,
  kAuditBroken,
  // Drills.
  kDrillFailed,
  // The machine.
  kIo,
  kDiskFull,
  kObjectStoreUnavailable,
  kObjectStoreDrift,
  kPromiseBroken,
  kBusy,
  kTimeout,
  kDatabase,
  kDatabaseUnavailable,
  kInternal,
};

/// What one code means outside the program. `name` is stable: scripts and clients match on it.
struct ErrorInfo {
  ErrorCode code;
  std::string_view name;  // problem+json `code`, e.g. "archive/truncated"
  int exit_status;        // process exit status, documented in `oa-backup --help`
  int http_status;
  bool retryable;            // the same call may succeed later without a change by the caller
  std::string_view summary;  // one line for documentation
};

/// The row of `code`. Total: every enumerator has one (a unit test enumerates them).
const ErrorInfo& error_info(ErrorCode code);

/// All rows in enumerator order, for documentation and tests.
std::span<const ErrorInfo> error_table();

/// A failure. `message` and `hint` are for the person who asked and never carry secrets or personal
/// data; `cause` is internal detail (library text, errno) for operators and logs, never for a
/// tenant.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string op;       // what was being done, e.g. "archive.open"
  std::string message;  // what went wrong, one sentence
  std::string hint;     // what to do next, may be empty
  std::string cause;    // internal detail, may be empty

  Error with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
  Error with_cause(std::string text) && {
    cause = std::move(text);
    return std::move(*this);
  }
};

inline Error make_error(ErrorCode code, std::string op, std::string message) {
  return Error{code, std::move(op), std::move(message), {}, {}};
}

/// The error of a failed system call: kDiskFull for ENOSPC and EDQUOT, kNotFound for ENOENT,
/// kPermissionDenied for EACCES and EPERM, else kIo. `what` names the object, e.g. a path.
Error errno_error(int error_number, std::string op, std::string what);

}  // namespace oa
