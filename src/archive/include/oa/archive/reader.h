// Reads an `.oa-archive`. Nothing that has not been verified is ever returned.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/archive/manifest.h"
#include "oa/base/io.h"
#include "oa/base/progress.h"

namespace oa::archive {

/// Bounds on what an archive may ask of its reader. Past one of them: kArchiveLimit.
struct Limits {
  std::uint64_t max_entries = 50'000'000;
  std::size_t max_path_bytes = 1024;
  std::uint64_t max_entry_bytes = std::uint64_t{1} << 42;
  std::size_t max_manifest_bytes = std::size_t{64} << 20;
  std::size_t max_frame_bytes = std::size_t{16} << 20;  // decompressed
  std::size_t max_index_page_bytes = std::size_t{64} << 20;
  std::uint64_t max_expansion = 2000;  // decompressed / compressed, per frame
};

/// Whose signature is good enough.
struct TrustPolicy {
  std::vector<PublicKey> trusted;
  /// Accept a signer that is not in `trusted` (its fingerprint is shown and nothing is restored on
  /// its word alone).
  bool accept_unknown_signer = false;
};

struct EntryInfo {
  std::string path;
  std::uint64_t size = 0;
  Blake2bDigest digest{};
};

/// One part of the file (docs/format.md, "Outside: frames").
struct PartInfo {
  enum class Kind { kContentFrame, kIndexPage, kIndexRoot, kManifest, kSeekTable };
  Kind kind = Kind::kContentFrame;
  std::uint64_t offset = 0;       // in the file; the parts follow each other without gaps
  std::uint64_t stored_size = 0;  // in the file
  std::uint64_t plain_size = 0;   // of the tar stream; 0 for what is not part of it
  std::uint64_t page = 0;         // number of the index page that it is or that describes it
  std::uint64_t entries = 0;      // content frame: whose content begins in it; page: that it lists
};

struct VerifyOptions {
  bool every_signature = false;  // check each entry's own signature too, not only the manifest's
  unsigned threads = 0;          // 0: one per core
};

struct VerifyReport {
  std::uint64_t entries = 0;
  std::uint64_t content_bytes = 0;
  std::uint64_t archive_bytes = 0;
  std::uint64_t signatures_checked = 0;
};

/// Passes the content of one entry to a sink, verified before it goes out. To be called at most once,
/// and only during the call that got it.
using EntryContent = std::function<Status(ByteSink& out)>;
using ContentVisitor = std::function<Status(const EntryInfo&, const EntryContent&)>;

/// Errors of all reading calls: kArchiveTruncated, kArchiveMalformed, kArchiveContentMismatch,
/// kArchiveEntryMissing, kArchiveEntryUnlisted, kArchiveSignatureInvalid, kArchiveUntrustedSigner,
/// kArchiveVersionUnsupported, kArchiveLimit, kNotFound (no such path), and what the source
/// reports. Safe for concurrent reads.
class ArchiveReader {
 public:
  /// Reads the tail, the manifest with its signature and the index root. `source` is borrowed for
  /// the reader's life.
  static Result<std::unique_ptr<ArchiveReader>> open(const RangedSource& source,
                                                     const TrustPolicy& trust,
                                                     const Limits& limits = {});
  ~ArchiveReader();

  const Manifest& manifest() const;
  /// True when the signer is in the policy's trusted set.
  bool signer_trusted() const;

  /// Content entries whose path begins with `prefix`, in order, from verified index pages. The
  /// callback may stop the walk by returning an error.
  Status for_each(std::string_view prefix,
                  const std::function<Status(const EntryInfo&)>& visit) const;
  /// Every part of the file in its order, as the verified index and the manifest place them; the
  /// content frames themselves are not read. The callback may stop the walk by returning an error.
  Status for_each_part(const std::function<Status(const PartInfo&)>& visit) const;
  /// The next content entries whose paths come behind `after` (at most a page of the index), in
  /// order; none when there are no more. For readers that go through an archive at their own pace.
  Result<std::vector<EntryInfo>> list_after(std::string_view after) const;
  Result<EntryInfo> stat(std::string_view path) const;
  /// A whole small entry; kLimitExceeded when it is larger than `max_bytes`.
  Result<Bytes> read(std::string_view path, std::size_t max_bytes) const;
  /// Any entry, chunk by chunk, each verified before it goes out.
  Status copy(std::string_view path, ByteSink& out) const;
  /// Visits every entry whose path begins with one of `prefixes` (all entries when there are none),
  /// each once, from `threads` threads at once (0: one per core) and in no particular order. Each
  /// frame is read and decompressed once. The first failure, in the order of the file, ends it.
  /// Progress counts bytes of content. Memory: two chunks a thread.
  Status for_each_content(const std::vector<std::string>& prefixes, unsigned threads,
                          Progress& progress, const ContentVisitor& visit) const;
  /// The whole file: every frame, tar header, hash, padding, index page and the seek table;
  /// content_hash recomputed.
  Result<VerifyReport> verify(const VerifyOptions& options, Progress& progress) const;

 private:
  struct State;
  explicit ArchiveReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa::archive
