#include "oa/base/error.h"

#include <array>
#include <cerrno>
#include <cstring>

#include "oa/base/assert.h"

namespace oa {
namespace {

using enum ErrorCode;

// Exit statuses: 1 internal, 2 usage or bad request, 3 not found, 4 conflict, 5 not permitted, 6
// archive refused, 7 keys, 8 storage, 9 database, 10 busy or timed out (try again), 11 import
// rejected, 12 a promise of the deployment is broken, 13 a recovery drill failed, 130 cancelled.
constexpr std::array kTable{
    ErrorInfo{kInvalidArgument, "request/invalid", 2, 400, false,
              "the request or an argument is not valid"},
    ErrorInfo{kNotFound, "resource/not-found", 3, 404, false, "the thing asked for does not exist"},
    ErrorInfo{kAlreadyExists, "resource/already-exists", 4, 409, false,
              "a thing of this name or id exists already"},
    ErrorInfo{kConflict, "resource/conflict", 4, 409, false,
              "the current state does not allow this"},
    ErrorInfo{kPreconditionFailed, "resource/precondition-failed", 4, 412, false,
              "something changed since the request was prepared"},
    ErrorInfo{kPermissionDenied, "auth/permission-denied", 5, 403, false, "not permitted"},
    ErrorInfo{kLimitExceeded, "request/limit-exceeded", 2, 413, false,
              "a documented limit was exceeded"},
    ErrorInfo{kUnsupported, "request/unsupported", 2, 422, false, "not supported"},
    ErrorInfo{kCancelled, "request/cancelled", 130, 409, true,
              "cancelled before it finished; nothing was changed"},
    ErrorInfo{kGone, "resource/gone", 3, 410, false, "the thing asked for was there and was removed"},
    ErrorInfo{kQuotaExceeded, "tenant/quota-exceeded", 4, 403, false,
              "the tenant's plan does not allow that much"},
    ErrorInfo{kArchiveMalformed, "archive/malformed", 6, 422, false, "not a well-formed archive"},
    ErrorInfo{kArchiveTruncated, "archive/truncated", 6, 422, false, "the archive ends too early"},
    ErrorInfo{kArchiveContentMismatch, "archive/content-mismatch", 6, 422, false,
              "content differs from what was signed"},
    ErrorInfo{kArchiveEntryMissing, "archive/entry-missing", 6, 422, false,
              "a signed entry is not in the archive"},
    ErrorInfo{kArchiveEntryUnlisted, "archive/entry-unlisted", 6, 422, false,
              "the archive holds an entry that was not signed"},
    ErrorInfo{kArchiveSignatureInvalid, "archive/signature-invalid", 6, 422, false,
              "a signature does not verify"},
    ErrorInfo{kArchiveUntrustedSigner, "archive/untrusted-signer", 6, 403, false,
              "signed by a key that is not trusted here"},
    ErrorInfo{kArchiveVersionUnsupported, "archive/version-unsupported", 6, 422, false,
              "the archive's format version is not known to this program"},
    ErrorInfo{kArchiveLimit, "archive/limit", 6, 413, false,
              "the archive asks for more than the reader's limits"},
    ErrorInfo{kSealCorrupt, "storage/seal-corrupt", 8, 500, false,
              "a sealed object does not authenticate"},
    ErrorInfo{kKeyStoreMissing, "key/store-missing", 7, 503, false,
              "the key store or its root key is not there"},
    ErrorInfo{kKeyWrong, "key/wrong", 7, 503, false, "the key does not open this"},
    ErrorInfo{kKeyDisabled, "key/disabled", 7, 403, false, "the tenant's key is disabled"},
    ErrorInfo{kKeyDestroyed, "key/destroyed", 7, 410, false, "the tenant's key has been destroyed"},
    ErrorInfo{kKeyServiceUnavailable, "key/service-unavailable", 7, 503, true,
              "the service that holds the keys does not answer"},
    ErrorInfo{kKeyServiceRefused, "key/service-refused", 7, 503, false,
              "the service that holds the keys refuses this program"},
    ErrorInfo{kImportRejected, "import/rejected", 11, 422, false,
              "the file has rows that cannot be imported"},
    ErrorInfo{kModelInvalid, "model/invalid", 2, 422, false,
              "the semantic model does not parse or does not fit its rows"},
    ErrorInfo{kQueryInvalid, "query/invalid-semantic", 2, 400, false,
              "the query asks for what the semantic model does not have"},
    ErrorInfo{kQueryTimeout, "query/timeout", 10, 504, true, "the query took too long"},
    ErrorInfo{kQueryTooManyRows, "query/too-many-rows", 2, 413, false,
              "the query's answer has more rows than allowed"},
    ErrorInfo{kCursorExpired, "pagination/cursor-expired", 2, 400, false,
              "the cursor is too old; begin at the first page"},
    ErrorInfo{kCursorMismatch, "pagination/cursor-mismatch", 2, 400, false,
              "the cursor belongs to another query or to other rows"},
    ErrorInfo{kDatasetNotRefreshed, "dataset/not-refreshed", 4, 409, false,
              "the dataset has no rows yet"},
    ErrorInfo{kDatasetRefreshInProgress, "dataset/refresh-in-progress", 10, 503, true,
              "the dataset is being refreshed"},
    ErrorInfo{kDatasetPaused, "dataset/paused", 4, 409, false, "the dataset is paused"},
    ErrorInfo{kSourceUnreachable, "source/unreachable", 10, 502, true,
              "the dataset's source cannot be reached"},
    ErrorInfo{kSourceRefused, "source/refused", 5, 502, false,
              "the dataset's source refuses the credentials or the read"},
    ErrorInfo{kUnauthenticated, "auth/missing-token", 5, 401, false, "sign in first"},
    ErrorInfo{kTokenInvalid, "auth/invalid-token", 5, 401, false,
              "the token or the sign-in is not known, or was revoked"},
    ErrorInfo{kTokenExpired, "auth/expired-token", 5, 401, false,
              "the token or the sign-in is too old"},
    ErrorInfo{kScopeDenied, "auth/scope-denied", 5, 403, false,
              "the token was made without the scope that this needs"},
    ErrorInfo{kTenantMismatch, "auth/tenant-mismatch", 5, 403, false,
              "the request names another tenant than the one signed in to"},
    ErrorInfo{kSignInRefused, "auth/sign-in-refused", 5, 401, false,
              "organisation, e-mail address or password is wrong"},
    ErrorInfo{kLockedOut, "auth/locked-out", 10, 429, true,
              "too many attempts to sign in; wait before the next"},
    ErrorInfo{kForged, "auth/forged-request", 5, 403, false,
              "the request does not come from a page of this service"},
    ErrorInfo{kRateLimited, "request/rate-limited", 10, 429, true,
              "too many requests; wait before the next"},
    ErrorInfo{kMethodNotAllowed, "request/method-not-allowed", 2, 405, false,
              "this address does not take that method"},
    ErrorInfo{kUnsupportedMediaType, "request/unsupported-media-type", 2, 415, false,
              "the body is not of the type that is wanted here"},
    ErrorInfo{kHeadersTooLarge, "request/headers-too-large", 2, 431, false,
              "the request's header is too large"},
    ErrorInfo{kRangeNotSatisfiable, "request/range-not-satisfiable", 2, 416, false,
              "the range lies outside of what there is"},
    ErrorInfo{kIdempotencyMismatch, "request/idempotency-key-reused", 2, 422, false,
              "the Idempotency-Key came before with another request"},
    ErrorInfo{kUploadOffset, "upload/offset-conflict", 4, 409, false,
              "the upload goes on at another offset"},
    ErrorInfo{kUploadChecksum, "upload/checksum-mismatch", 2, 460, true,
              "what arrived is not what was sent"},
    ErrorInfo{kUploadInUse, "upload/in-use", 10, 423, true,
              "another request has this upload in use"},
    ErrorInfo{kOverloaded, "service/overloaded", 10, 503, true,
              "the service is busy, starting or shutting down"},
    ErrorInfo{kOutsideWindow, "backup/outside-window", 2, 422, false,
              "the moment is not one that can be restored"},
    ErrorInfo{kWalMissing, "backup/wal-missing", 4, 422, false,
              "a piece of the write-ahead log that the moment needs is not there"},
    ErrorInfo{kRecoveryFailed, "backup/recovery-failed", 4, 500, false,
              "a cluster that was restored did not come up, or is not as it should be"},
    ErrorInfo{kRepositoryDamaged, "backup/repository-damaged", 4, 500, false,
              "the repository of backups is damaged"},
    ErrorInfo{kRepositoryUnavailable, "backup/repository-unavailable", 9, 503, true,
              "the repository of backups cannot be reached"},
    ErrorInfo{kErased, "privacy/erased", 4, 409, false, "the person was erased, for good"},
    ErrorInfo{kLastOwner, "privacy/last-owner", 4, 409, false,
              "the tenant's last active Owner cannot be erased"},
    ErrorInfo{kReplayPending, "privacy/replay-pending", 10, 503, true,
              "erasures that this database does not know are carried out first"},
    ErrorInfo{kLedgerBroken, "privacy/ledger-broken", 8, 503, false,
              "the ledger of erasures is damaged, or is not the one of this database"},
    ErrorInfo{kAuditBroken, "audit/chain-broken", 6, 422, false,
              "the audit chain does not verify"},
    ErrorInfo{kDrillFailed, "drill/failed", 13, 422, false,
              "a recovery drill found what it must not find"},
    ErrorInfo{kIo, "storage/io", 8, 503, true, "reading or writing failed"},
    ErrorInfo{kDiskFull, "storage/full", 8, 507, true, "the storage is full"},
    ErrorInfo{kObjectStoreUnavailable, "object_store/unavailable", 8, 503, true,
              "the object store does not answer"},
    ErrorInfo{kObjectStoreDrift, "object_store/drift", 8, 503, false,
              "the bucket is not set up as it has to be"},
    ErrorInfo{kPromiseBroken, "deployment/promise-broken", 12, 503, false,
              "the deployment does not keep a promise of this service"},
    ErrorInfo{kBusy, "resource/busy", 10, 409, true, "in use by another process"},
    ErrorInfo{kTimeout, "request/timeout", 10, 504, true, "took too long"},
    ErrorInfo{kDatabase, "database/error", 9, 500, false, "the database refused a statement"},
    ErrorInfo{kDatabaseUnavailable, "database/unavailable", 9, 503, true,
              "the database cannot be reached"},
    ErrorInfo{kInternal, "internal", 1, 500, false, "a defect in this program"},
};

constexpr bool table_is_total() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].code) != i) return false;
  }
  return kTable.size() == static_cast<std::size_t>(kInternal) + 1;
}
static_assert(table_is_total(), "every ErrorCode needs its row, in enumerator order");

}  // namespace

const ErrorInfo& error_info(ErrorCode code) {
  OA_ASSERT(static_cast<std::size_t>(code) < kTable.size());
  return kTable[static_cast<std::size_t>(code)];
}

std::span<const ErrorInfo> error_table() { return kTable; }

Error errno_error(int error_number, std::string op, std::string what) {
  ErrorCode code = kIo;
  std::string hint;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      code = kDiskFull;
      hint = "free some space or choose another place, then try again";
      break;
    case ENOENT:
      code = kNotFound;
      hint = "check the path";
      break;
    case EACCES:
    case EPERM:
      code = kPermissionDenied;
      hint = "check the owner and the mode of the path";
      break;
    case EEXIST:
      code = kAlreadyExists;
      break;
    default:
      break;
  }
  Error error = make_error(code, std::move(op), std::move(what));
  error.hint = std::move(hint);
  error.cause = std::strerror(error_number);
  return error;
}

}  // namespace oa
