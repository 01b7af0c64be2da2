// The sealed write-ahead log of one cell (docs/format.md, "The write-ahead log, sealed"): what the
// receiver got, byte for byte, durable within the call and readable by nobody without the cell's
// key.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/io.h"
#include "oa/keys/key_service.h"
#include "oa/wal/position.h"

namespace oa::wal {

/// Which cluster a log is of.
struct ClusterIdentity {
  std::uint64_t system_identifier = 0;
  SegmentSize segment_size;
  auto operator<=>(const ClusterIdentity&) const = default;
};

struct StoredSegment {
  SegmentName name;
  std::uint64_t stored_bytes = 0;  // in the store, sealed
  bool finished = false;           // every byte of the segment is there
  bool damaged = false;            // it does not authenticate: no more is known of it
};

/// How much of a segment was there.
struct SegmentExtent {
  std::uint32_t durable_bytes = 0;  // from its begin; behind them, zeros
  bool finished = false;
};

/// Since when the server that the log is received from is on a timeline.
struct Lead {
  Timestamp at;
  Timeline timeline;
};

/// The log of one cell. One process writes at a time; any number read meanwhile and see what was
/// durable at some moment of their call. Thread-safe.
///
/// Whatever is not as it was sealed (bytes, order, place, cell) is kSealCorrupt or kKeyWrong, never
/// wrong bytes. Only the newest bytes can be missing without a trace, as after a crash.
class SealedWal {
 public:
  virtual ~SealedWal() = default;

  /// The cluster that the log is of; none before the first bind().
  virtual Result<std::optional<ClusterIdentity>> cluster() = 0;
  /// Ties the log to its cluster for good. kConflict when it is tied to another.
  virtual Status bind(const ClusterIdentity& cluster) = 0;

  /// Adds `bytes` from `start` on; durable on return. `start` is where the log of that timeline
  /// ends (end_of()), or the begin of a segment of which nothing is there (after a gap or on a new
  /// timeline); else kConflict. kPreconditionFailed before bind() and for a log opened for reading,
  /// kDiskFull, kIo. After an error the call may be repeated from end_of() on; nothing that was
  /// durable is lost.
  virtual Status append(Timeline timeline, Lsn start, ByteView bytes) = 0;
  /// Keeps a history file, durable on return. Kept already: nothing to do, or kConflict when its
  /// content is another. A damaged one is replaced.
  virtual Status put_history(Timeline timeline, ByteView file) = 0;

  /// What is there, in order; what is damaged is no error.
  virtual Result<std::vector<StoredSegment>> list() = 0;
  /// Where the newest segment of `timeline` ends; none when there is none.
  virtual Result<std::optional<Lsn>> end_of(Timeline timeline) = 0;
  /// When the newest segment of `timeline` does not authenticate, so that its end is not known:
  /// renames its parts to `<part>.damaged`. They are kept, but no part of the log any more, which
  /// can go on at that segment's begin. Which segment; none when nothing had to be done.
  virtual Result<std::optional<SegmentName>> set_aside_damaged(Timeline timeline) = 0;
  /// Timelines with segments, ascending.
  virtual Result<std::vector<Timeline>> timelines() = 0;
  /// Writes exactly the segment to `out`: what is there, then zeros. Bytes reach `out` only after
  /// they have been authenticated, but an error may come behind them. kNotFound when nothing of it
  /// is there. kWalMissing when its end is missing although the log goes on behind it (a gap, which
  /// the receiver reported), kSealCorrupt when that end was there once.
  virtual Result<SegmentExtent> read(const SegmentName& segment, ByteSink& out) = 0;
  /// kNotFound.
  virtual Result<Bytes> read_history(Timeline timeline) = 0;
  /// Timelines whose history file is kept, ascending.
  virtual Result<std::vector<Timeline>> histories() = 0;

  /// Notes which timeline is received from now on, durable on return; nothing when it is the one
  /// noted last. The newest 4,096 notes are kept.
  virtual Status note_lead(const Lead& lead) = 0;
  /// What was noted, oldest first. A timeline comes back when a node that stood still leads on
  /// although another one had taken over.
  virtual Result<std::vector<Lead>> leads() = 0;

  /// Removes segments that end at or before `limit`, of every timeline, each only when `archived`
  /// says that the repository has it, with what was set aside of them. The newest segment of the
  /// newest timeline stays, and so do history files. The number of bytes freed; the first error
  /// ends it.
  virtual Result<std::uint64_t> remove_before(
      Lsn limit, const std::function<Result<bool>(const SegmentName&)>& archived) = 0;
  /// Bytes in the store.
  virtual Result<std::uint64_t> stored_bytes() = 0;
};

enum class Access { kRead, kWrite };

/// The log in `folder` (made with mode 0700 when it is not there and is to be written; one that
/// others may enter lets its group read what is sealed), under data keys of the tenant `cell`, whose
/// key `keys` holds. `keys` is borrowed. kBusy when another process writes it, kNotFound when it is
/// to be read and is not there.
Result<std::unique_ptr<SealedWal>> open_local_wal(const std::string& folder, KeyService& keys,
                                                  TenantId cell, Access access);

}  // namespace oa::wal
