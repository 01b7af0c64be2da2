// Writes an `.oa-archive` in one pass with bounded memory.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "oa/archive/manifest.h"
#include "oa/base/io.h"

namespace oa::archive {

struct WriterOptions {
  ArchiveId archive_id;
  Timestamp snapshot_time;
  /// zstd level, 1 to 19. In frames of 1 MiB level 3 takes 1.7 times as long as level 1 and packs
  /// documents full of ids and hashes no smaller (docs/format.md does not depend on it).
  int compression_level = 1;
  unsigned threads = 0;  // 0: one per core; the bytes written do not depend on it
};

struct Summary {
  Manifest manifest;
  std::uint64_t archive_bytes = 0;
};

/// Hashes, signs, compresses and orders entries. One thread calls it; it runs its own workers.
/// Errors besides those named below are what producers and the sink report. After an error it is
/// unusable. Dropped without finish(), what reached the sink is no valid archive.
class ArchiveWriter {
 public:
  /// `signer` and `sink` are borrowed until the writer is gone. A thread of the writer's own writes
  /// to `sink`: leave it alone until finish() has returned or the writer is gone. kInvalidArgument
  /// for options out of range.
  static Result<std::unique_ptr<ArchiveWriter>> create(const WriterOptions& options,
                                                       const SigningKey& signer, ByteSink& sink);
  ~ArchiveWriter();

  /// Adds a content entry. Paths must come in ascending byte order and be valid (docs/format.md,
  /// "Paths"), and none may be a folder of another; kInvalidArgument otherwise.
  Status add(std::string path, Bytes content);
  /// Adds an entry of exactly `size` bytes that `produce` writes into the sink it is given.
  /// kInvalidArgument when it writes another number of bytes. Memory stays bounded however large
  /// the entry.
  Status add_stream(std::string path, std::uint64_t size,
                    const std::function<Status(ByteSink&)>& produce);
  /// Writes manifest, its signature, index and seek table. The sink is not committed.
  Result<Summary> finish(const ManifestInput& input);

 private:
  struct State;
  explicit ArchiveWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa::archive
