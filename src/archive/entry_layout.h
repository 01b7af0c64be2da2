// The numbers, names and texts that docs/format.md fixes for entries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oa/archive/manifest.h"
#include "oa/archive/paths.h"

namespace oa::archive {

inline constexpr std::size_t kTarBlock = 512;
inline constexpr std::size_t kPackSize = std::size_t{1} << 20;  // plain bytes a pack frame aims at
inline constexpr std::uint64_t kLargeEntry = kPackSize;  // entries above it are cut into chunks
inline constexpr std::size_t kChunkSize = std::size_t{4}
                                          << 20;  // plain bytes of every chunk but the last
inline constexpr std::uint64_t kMaxWrittenExpansion =
    1000;  // frames that would expand more are stored
inline constexpr std::size_t kMaxPathSize = 1024;
inline constexpr std::string_view kManifestPath = "manifest.json";

inline bool is_large(std::uint64_t entry_size) { return entry_size > kLargeEntry; }
inline std::uint64_t chunk_count(std::uint64_t entry_size) {
  return (entry_size + kChunkSize - 1) / kChunkSize;
}
inline std::size_t padding_size(std::uint64_t size) {
  return (kTarBlock - size % kTarBlock) % kTarBlock;
}

/// Watches a sequence of valid paths for what an archive may hold: they ascend, and none is a
/// folder of another (`a` beside `a/b`), nor is its signature (`a` beside `a.sig/b`), so that all
/// of them fit into one folder.
class PathSequence {
 public:
  enum class Next { kFits, kDoesNotAscend, kIsBelowAFile };
  Next take(std::string_view path);

 private:
  // The latest path behind those of its predecessors that it begins with: nothing else can be its
  // successors' folder.
  std::vector<std::string> beginnings_;
};

std::string signature_path(std::string_view path);

/// A path as messages show it.
std::string quoted_path(std::string_view path);

/// What the signature of an entry binds besides its bytes.
std::string trusted_comment(const ArchiveId& archive, std::string_view path, std::uint64_t size);

/// The first line of every signature file in an archive, its line break included.
std::string untrusted_line(const PublicKey& key);

/// Size of the signature file of an entry: its texts have a fixed length but for path and size.
std::size_t signature_size(std::string_view path, std::uint64_t size);

/// Plain bytes that the signature entry of an entry takes in the tar stream: header, content,
/// padding.
std::uint64_t signature_entry_size(std::string_view path, std::uint64_t size);

/// Plain bytes that an entry takes together with its signature entry.
std::uint64_t tar_size(std::string_view path, std::uint64_t size);

}  // namespace oa::archive
