// Files that arrive in pieces, over connections that break, into the sealed store: what tus 1.0
// (https://tus.io/protocols/resumable-upload: core, creation, checksum, expiration, termination)
// needs, without HTTP.
//
// An upload is a row of the catalog and sealed objects of class `archives`, `uploads/<id>/<start>`,
// one a part of at most Limits::part_bytes. A part is durable before the row's offset moves behind
// it, so whoever serves the upload next, in whichever process, goes on where nothing is lost.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "oa/base/io.h"
#include "oa/catalog/uploads.h"
#include "oa/objects/sealed_objects.h"

namespace oa::uploads {

using catalog::UploadRecord;

enum class ChecksumAlgorithm { kSha1, kSha256 };
/// "sha1", "sha256".
std::string_view to_text(ChecksumAlgorithm algorithm);
/// kInvalidArgument for another one.
Result<ChecksumAlgorithm> parse_checksum_algorithm(std::string_view text);

/// What the bytes of one append hash to, as the sender says.
struct Checksum {
  ChecksumAlgorithm algorithm = ChecksumAlgorithm::kSha256;
  Bytes digest;
};

struct Limits {
  std::uint64_t part_bytes = std::uint64_t{64} << 20;
  std::uint64_t max_length_bytes = std::uint64_t{1} << 40;
  /// Of one upload; one that is sent in tiny appends comes to an end here.
  std::uint64_t max_parts = 32'768;
  /// Of one tenant, finished ones that nobody has used yet too.
  std::uint64_t max_uploads = 100;
  std::uint64_t max_total_bytes = std::uint64_t{2} << 40;  // declared, of all together
  /// Of one person, so that nobody uses up what the others need. The operator has no such limit.
  std::uint64_t max_uploads_of_person = 20;
  std::uint64_t max_bytes_of_person = std::uint64_t{1} << 40;
  /// An append that nothing was written to for so long can be taken over by another, as after its
  /// process was killed or its connection went silent.
  std::chrono::milliseconds lease{5'000};
};

/// From the beginning while nothing has arrived; then after the last append, of uploads that are
/// not whole and of those that are.
inline constexpr int kUntouchedHours = 1;
inline constexpr int kUnfinishedHours = 24;
inline constexpr int kWholeHours = 7 * 24;

struct NewUpload {
  std::uint64_t length_bytes = 0;
  std::string file_name;       // for people only; UTF-8 without control characters, may be empty
  std::optional<UserId> user;  // none: the operator
};

/// Takes the bytes of one append as they arrive. Memory is bounded whatever their number. Whole
/// parts count as soon as they have arrived; the rest once finish() is called, which is right also
/// for a connection that broke: then the sender goes on behind what arrived. With a checksum
/// nothing counts before finish() has compared it. Dropped without finish(), it does what finish()
/// does and nobody hears of it, but with a checksum it keeps nothing. After an error of write()
/// only what counts already is kept. Holds the upload until finish(), without a connection to the
/// database. Not thread-safe.
class Append : public ByteSink {
 public:
  /// kLimitExceeded for more bytes than were declared, of which none is taken, and for more parts
  /// than allowed; errors of the store and of the database.
  Status write(ByteView bytes) override = 0;
  /// Where the upload goes on; its length when it is whole. kUploadChecksum (nothing of this append
  /// was kept); kConflict when it was silent and somebody else went on.
  virtual Result<std::uint64_t> finish() = 0;
};

struct SweepReport {
  std::size_t uploads = 0;  // expired ones
  std::size_t objects = 0;  // that no upload names, left by appends or removals that died
};

/// The uploads of one tenant. Borrows its parts, which must outlive it and what it hands out.
/// Thread-safe; any number of processes may serve the same uploads.
class Uploads {
 public:
  Uploads(catalog::Database& database, SealedObjects& objects, TenantId tenant, Limits limits = {});

  /// kLimitExceeded (too long, or too many at once of the tenant or of this person),
  /// kInvalidArgument (the name).
  Result<UploadRecord> create(const NewUpload& upload);
  /// kNotFound, also for another tenant's; kGone once expired.
  Result<UploadRecord> get(UploadId id);
  /// Those that are not expired, newest first; those of one person when named.
  Result<std::vector<UploadRecord>> list(std::optional<UserId> created_by = std::nullopt);
  /// Goes on at `offset`. kUploadOffset names the right one; kUploadInUse while another append or
  /// removal has the upload, in whatever process (Limits::lease). Those of get().
  Result<std::unique_ptr<Append>> append(UploadId id, std::uint64_t offset,
                                         std::optional<Checksum> checksum = std::nullopt);
  /// With everything that has arrived. kNotFound, kUploadInUse. When the process dies in between,
  /// sweep() finds the rest.
  Status remove(UploadId id);
  /// A whole upload as one source. Bytes are verified as those of any sealed object; a part that is
  /// lost or another's is kSealCorrupt. kPreconditionFailed while it is not whole; those of get().
  /// Does not hold the upload: once that is removed, reading fails.
  Result<std::unique_ptr<RangedSource>> open(UploadId id);
  /// Removes uploads that have expired at `now`, and objects that no upload names and no append is
  /// writing.
  Result<SweepReport> sweep(Timestamp now);

 private:
  Result<std::optional<std::uint64_t>> take(UploadId id);
  /// False when somebody else has it, or it expires later.
  Result<bool> remove_row(UploadId id, Timestamp expired_at);
  Status remove_objects(UploadId id);
  Status sweep_objects_of(UploadId id, SweepReport& report);

  catalog::Database& database_;
  SealedObjects& objects_;
  const TenantId tenant_;
  const Limits limits_;
};

}  // namespace oa::uploads
