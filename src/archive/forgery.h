// A maker of archives that lie: every part can say something else than the others, with and without
// the signer's consent. What no edit touches is consistent and rightly signed, so that a refusal
// has one cause.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "index.h"

namespace oa::archive {

/// The same key for the same number.
SigningKey test_key(std::uint8_t number);

enum class Begins { kBehind, kInNewFrame, kOnNewPage };

/// One entry of a forged archive. Each part can say something else than the others.
struct ForgedEntry {
  std::string path;
  Bytes content = {1, 2, 3};
  bool in_tar = true;
  bool in_index = true;
  char type = '0';                               // of the tar header
  std::string tar_path = {};                     // instead of `path`
  std::optional<std::string> signature_of = {};  // the trusted comment names this path
  bool signed_by_other = false;
  std::string signature_file = {};  // instead of the entry's own
  std::function<void(std::string&)> edit_signature_file = {};
  std::function<void(Bytes&)> edit_header = {};  // the blocks in front of the content
  std::string index_path = {};                   // instead of `path`
  bool with_signature = true;
  bool signature_in_new_frame = false;
  std::size_t chunk_size = std::size_t{4} << 20;
  Begins begins = Begins::kBehind;
};

enum class PartKind { kContent, kPage, kRoot, kManifest, kSeekTable };

/// A frame of the file.
struct ForgedPart {
  PartKind kind = PartKind::kContent;
  Bytes bytes;
  std::size_t plain_size = 0;
};
using ForgedParts = std::vector<ForgedPart>;

/// The bytes of all parts.
Bytes joined(const ForgedParts& parts);
/// Replaces the seek table by one that fits the parts.
void fit_seek_table(ForgedParts& parts);
/// Writes the checksum of a tar header's block again.
void fit_tar_checksum(Bytes& bytes, std::size_t block_at);

/// Every version of the format is read, so forgeries are of the first. An edit of the manifest's
/// text makes another of it.
inline constexpr std::uint32_t kForgedMinor = 0;

/// A small archive. The edits up to the manifest's are by the signer (test_key(1)); later ones by
/// somebody else.
struct Forgery {
  std::vector<ForgedEntry> entries;
  // Of the first content frame:
  std::function<void(Bytes& plain)> edit_plain = {};       // before it is compressed
  std::function<Bytes(const Bytes& plain)> compress = {};  // instead of what the writer does
  // Of every content frame:
  std::function<void(FrameRecord&)> edit_frame = {};  // what the index says of it
  std::function<void(EntryInfo&)> edit_entry = {};    // what the index says of each entry
  std::function<void(EntryInfo&, std::size_t& offset)> edit_place = {};
  std::function<void(Bytes& payload)> edit_page = {};        // the first page
  std::function<void(ForgedParts&)> edit_signed_parts = {};  // content frames and pages
  std::function<void(IndexRoot&)> edit_root = {};
  std::function<void(Bytes& payload)> edit_root_payload = {};
  std::function<void(Manifest&)> edit_manifest = {};
  std::function<void(std::string&)> edit_manifest_text = {};  // before it is signed
  std::function<void(std::string&)> edit_signature = {};      // the manifest's
  std::function<void(Bytes& plain)> edit_last_plain = {};     // of the manifest frame
  std::function<void(ForgedParts&)> edit_parts = {};  // all; the seek table is not fitted again
  std::function<void(Bytes& file)> edit_file = {};
  std::uint8_t key = 1;          // signs the manifest; the manifest names key 1
  bool with_bare_frame = false;  // a frame at the end that lists nothing

  ForgedParts parts() const;
  Bytes make() const;
};

}  // namespace oa::archive
