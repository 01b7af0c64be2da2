// An archive whose manifest and index root have been verified, and verified access to its pages and
// frames.
#pragma once

#include <memory>
#include <optional>

#include "index.h"
#include "manifest_frame.h"
#include "recent_cache.h"

namespace oa::archive {

/// Where an entry is: a page and a place in it.
struct EntryPlace {
  std::shared_ptr<const IndexPage> page;
  std::size_t index = 0;
  const PageEntry& entry() const { return page->entries[index]; }
};

/// Safe for concurrent use. Errors as ArchiveReader's.
class ArchiveFile {
 public:
  static Result<std::unique_ptr<ArchiveFile>> open(const RangedSource& source,
                                                   const Limits& limits);

  const Manifest& manifest() const { return manifest_.manifest; }
  const IndexRoot& root() const { return root_; }
  const Limits& limits() const { return limits_; }
  std::uint64_t size() const { return source_.size(); }
  std::uint64_t manifest_offset() const { return manifest_offset_; }
  std::uint64_t table_offset() const { return table_offset_; }

  Result<std::shared_ptr<const IndexPage>> page(std::size_t index) const;
  /// The page that would hold `path`: the last one that begins at or before it. 0 when there is
  /// none.
  std::size_t page_index_of(std::string_view path) const;
  /// nullopt when there is no such entry.
  Result<std::optional<EntryPlace>> find(std::string_view path) const;

  /// Reads a frame as it is stored, unverified.
  Status read_stored(const FrameRecord& frame, Bytes& stored) const;
  /// The plain bytes of a frame whose stored ones are at hand.
  Status decompress(const FrameRecord& frame, ByteView stored, Bytes& plain) const;
  /// Reads, verifies and, unless it is stored, decompresses a frame: its plain bytes in pieces that
  /// lie in `stored` or `plain`, which are memory to reuse.
  Result<std::vector<ByteView>> load_frame(const FrameRecord& frame, Bytes& stored,
                                           Bytes& plain) const;
  /// The same through a cache, for frames that hold many entries.
  Result<std::shared_ptr<const Bytes>> pack_frame(const FrameRecord& frame) const;
  /// A range of the file, unverified.
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const;

 private:
  ArchiveFile(const RangedSource& source, const Limits& limits)
      : source_(source), limits_(limits) {}
  Status read_tail();
  Status locate();
  Status load_manifest_and_root();

  const RangedSource& source_;
  const Limits limits_;
  Bytes tail_;  // the end of the file, read once; a small archive is all in it
  std::uint64_t root_offset_ = 0, manifest_offset_ = 0, table_offset_ = 0;
  ManifestFrame manifest_;
  IndexRoot root_;
  mutable RecentCache<IndexPage> pages_{4};
  mutable RecentCache<Bytes> frames_{4};
};

}  // namespace oa::archive
