#include "archive_walk.h"

#include <zstd.h>

#include <algorithm>

#include "entry_layout.h"
#include "frame.h"
#include "fuzz_input.h"
#include "manifest_codec.h"
#include "signed_archive.h"
#include "tar.h"

namespace oa::fuzz {

using namespace archive;

namespace {

constexpr Limits kLimits{.max_entries = 500,
                         .max_path_bytes = 400,
                         .max_entry_bytes = std::uint64_t{8} << 20,
                         .max_manifest_bytes = std::size_t{64} << 10,
                         .max_frame_bytes = std::size_t{5} << 20,
                         .max_index_page_bytes = std::size_t{64} << 10};

template <class T>
bool accepted_or_refused(const Result<T>& result) {
  if (accepted(result)) return true;
  OA_ASSERT(is_archive_refusal(result.error().code));
  return false;
}

std::vector<EntryInfo> list(const ArchiveReader& reader, std::string_view prefix, bool& whole) {
  std::vector<EntryInfo> entries;
  whole = accepted_or_refused(reader.for_each(prefix, [&](const EntryInfo& entry) -> Status {
    OA_ASSERT(is_valid_path(entry.path) && entry.path.starts_with(prefix));
    OA_ASSERT(entry.path.size() <= kLimits.max_path_bytes && entry.size <= kLimits.max_entry_bytes);
    OA_ASSERT(entries.empty() || entries.back().path < entry.path);
    entries.push_back(entry);
    return {};
  }));
  return entries;
}

// Walks by a prefix find what the whole walk finds.
void check_prefixes(const ArchiveReader& reader, const std::vector<EntryInfo>& entries) {
  if (entries.empty()) return;
  const std::string& middle = entries[entries.size() / 2].path;
  for (const auto& prefix : {middle, middle.substr(0, middle.size() / 2), middle + "\x7f"}) {
    bool whole = false;
    const auto found = list(reader, prefix, whole);
    const auto expected = std::ranges::count_if(
        entries, [&](const EntryInfo& entry) { return entry.path.starts_with(prefix); });
    OA_ASSERT(whole && std::cmp_equal(found.size(), expected));
  }
  const auto none = reader.stat(middle + "\x7f");
  OA_ASSERT(!none.ok() && none.error().code == ErrorCode::kNotFound);
}

void copy_all(const ArchiveReader& reader, const std::vector<EntryInfo>& entries, Walk& walk) {
  for (const auto& entry : entries) {
    const auto info = reader.stat(entry.path);
    OA_ASSERT(info.ok() && info->digest == entry.digest && info->size == entry.size);
    MemorySink sink;
    const bool whole = accepted_or_refused(reader.copy(entry.path, sink));
    OA_ASSERT(sink.bytes().size() <= entry.size);
    if (!whole) {
      OA_ASSERT(is_large(entry.size) || sink.bytes().empty());
      continue;
    }
    OA_ASSERT(sink.bytes().size() == entry.size && Blake2b::of(sink.bytes()) == entry.digest);
    OA_ASSERT(*reader.read(entry.path, entry.size) == sink.bytes());
    walk.contents[entry.path] = sink.take();
  }
}

// The plain bytes of all frames, by libzstd alone.
Bytes unpack(ByteView file) {
  Bytes out;
  while (!file.empty()) {
    const std::size_t size = ZSTD_findFrameCompressedSize(file.data(), file.size());
    OA_ASSERT(!ZSTD_isError(size));
    const auto frame = file.first(size);
    file = file.subspan(size);
    if (read_le<std::uint32_t>(frame) != kZstdMagic) continue;
    const auto plain_size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    const std::size_t at = out.size();
    out.resize(at + plain_size);
    OA_ASSERT(ZSTD_decompress(out.data() + at, plain_size, frame.data(), frame.size()) ==
              plain_size);
  }
  return out;
}

// The tar stream that the entries make, with every signature.
Bytes tar_of(const Manifest& manifest, std::string_view text, const Walk& walk) {
  const auto mtime = static_cast<std::uint64_t>(manifest.snapshot_time.unix_seconds());
  Bytes out;
  const auto add = [&](std::string_view path, ByteView content) {
    append_tar_file(out, path, content, mtime);
    const std::string comment = trusted_comment(manifest.archive_id, path, content.size());
    append_tar_file(out, signature_path(path),
                    as_bytes(signing_key().sign(Blake2b::of(content), comment)), mtime);
  };
  for (const auto& [path, content] : walk.contents) add(path, content);
  add(kManifestPath, as_bytes(text));
  out.resize(out.size() + 2 * kTarBlock);
  return out;
}

void check_whole(const ArchiveReader& reader, const Bytes& file,
                 const std::vector<EntryInfo>& entries, const Walk& walk) {
  const Manifest& manifest = reader.manifest();
  std::uint64_t bytes = 0;
  for (const auto& entry : entries) bytes += entry.size;
  OA_ASSERT(entries.size() == manifest.entry_count && bytes == manifest.content_bytes);
  OA_ASSERT(walk.contents.size() == entries.size());
  if (!walk.verified || manifest.format_minor > kFormatMinor) return;
  OA_ASSERT(unpack(file) == tar_of(manifest, encode_manifest(manifest), walk));
}

}  // namespace

std::optional<Walk> walk_archive(const Bytes& file) {
  const MemorySource source(file);
  const TrustPolicy anybody{{signing_key().public_key()}, true};
  const auto opened = ArchiveReader::open(source, anybody, kLimits);
  if (!accepted_or_refused(opened)) return std::nullopt;
  const ArchiveReader& reader = *opened.value();
  OA_ASSERT(reader.signer_trusted() == (reader.manifest().signer == signing_key().public_key()));
  Walk walk;
  bool whole = false;
  const auto entries = list(reader, "", whole);
  if (whole) check_prefixes(reader, entries);
  copy_all(reader, entries, walk);
  const bool verified = accepted_or_refused(reader.verify({false, 1}, no_progress()));
  walk.verified = accepted_or_refused(reader.verify({true, 1}, no_progress()));
  OA_ASSERT(verified || !walk.verified);
  OA_ASSERT(whole || !verified);
  if (verified && reader.signer_trusted()) check_whole(reader, file, entries, walk);
  return walk;
}

}  // namespace oa::fuzz
