// What the archive tests share: keys, contents, a quick way to an archive, and a maker of archives
// that lie.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "index.h"
#include "oa/archive/reader.h"
#include "oa/archive/writer.h"

namespace oa::archive {

/// The same key for the same number.
SigningKey test_key(std::uint8_t number);
WriterOptions test_options(unsigned threads = 2);
ManifestInput test_manifest();
/// Bytes that do not compress.
Bytes noise(std::size_t size, std::uint32_t seed);
/// Bytes that compress several hundred times.
Bytes pattern(std::size_t size);

using Contents = std::map<std::string, Bytes>;
/// An archive of `contents`, signed by test_key(1).
Bytes write_archive(const Contents& contents, const WriterOptions& options = test_options());

TrustPolicy trust_key(std::uint8_t number);
/// The name of the error that opening and verifying `archive` ends with, "" when it is accepted.
std::string_view refusal(const Bytes& archive, bool every_signature = false,
                         const Limits& limits = {});
/// The same, with the message of the error.
Status open_and_verify(const Bytes& archive, bool every_signature, const Limits& limits,
                       unsigned threads);

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
};

/// A small archive that a signer (test_key(1)) made with intent or by mistake: consistent where
/// nothing says otherwise.
struct Forgery {
  std::vector<ForgedEntry> entries;
  std::function<void(Bytes& plain)> edit_plain = {};  // before the frame is compressed
  std::function<void(FrameRecord&)> edit_frame = {};  // what the index says of it
  std::function<void(EntryInfo&)> edit_entry = {};    // what the index says of each entry
  std::function<void(Manifest&)> edit_manifest = {};
  std::function<void(std::string&)> edit_manifest_text = {};  // before it is signed
  std::function<void(std::string&)> edit_signature = {};      // the manifest's
  std::uint8_t key = 1;          // signs the manifest; the manifest names key 1
  bool with_bare_frame = false;  // a frame at the end that lists nothing
  Bytes make() const;
};

}  // namespace oa::archive
