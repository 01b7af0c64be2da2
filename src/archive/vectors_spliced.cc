// Vectors of archives that somebody without the signer's key put together from parts of others that
// he signed.
#include <utility>

#include "archive_vectors.h"
#include "entry_layout.h"

namespace oa::archive {
namespace {

Forgery with_secret(std::uint32_t seed) {
  return {.entries = {{.path = "a", .content = {'o', 'n', 'e', '\n'}},
                      {.path = "b/c", .content = noise(40, seed)}}};
}

// An earlier archive of the same id in which every part has the size that it has in the later one.
ForgedParts earlier_parts(const ForgedParts& later) {
  for (std::uint32_t seed = 2;; ++seed) {
    ForgedParts parts = with_secret(seed).parts();
    bool same = parts.size() == later.size();
    for (std::size_t i = 0; same && i < parts.size(); ++i)
      same = parts[i].bytes.size() == later[i].bytes.size();
    if (same) return parts;
  }
}

Forgery rolled_back(std::vector<PartKind> kinds) {
  Forgery base = with_secret(1);
  base.edit_parts = [=](ForgedParts& parts) {
    const ForgedParts earlier = earlier_parts(with_secret(1).parts());
    for (const auto kind : kinds) {
      ForgedParts copy = earlier;
      part_of(parts, kind) = part_of(copy, kind);
    }
    fit_seek_table(parts);
  };
  return base;
}

// The parts at two places change places.
Forgery exchanged(Forgery base, std::size_t one, std::size_t other) {
  base.edit_parts = [=](ForgedParts& parts) {
    std::swap(parts[one], parts[other]);
    fit_seek_table(parts);
  };
  return base;
}

Forgery without(Forgery base, std::size_t index) {
  base.edit_parts = [=](ForgedParts& parts) {
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(index));
    fit_seek_table(parts);
  };
  return base;
}

}  // namespace

std::vector<ArchiveVector> spliced_vectors() {
  VectorCatalog c(false);
  using enum PartKind;
  c.not_verified("rollback_of_content", "content-mismatch",
                 "The content frame is that of an earlier archive with the same id.",
                 rolled_back({kContent}));
  c.not_verified("rollback_of_page", "content-mismatch",
                 "The index page is that of an earlier archive with the same id.",
                 rolled_back({kPage}));
  c.not_verified("rollback_of_content_and_page", "content-mismatch",
                 "Content frame and page, which fit each other, are those of an earlier archive "
                 "with the same id.",
                 rolled_back({kContent, kPage}));
  c.not_opened("rollback_of_root", "content-mismatch",
               "The index root is that of an earlier archive with the same id.",
               rolled_back({kRoot}));
  c.not_opened("rollback_of_manifest", "content-mismatch",
               "The manifest with its signature is that of an earlier archive with the same id.",
               rolled_back({kManifest}));
  c.not_verified(
      "rollback_of_manifest_and_root", "content-mismatch",
      "Manifest and root, which fit each other, are those of an earlier archive with the same id.",
      rolled_back({kRoot, kManifest}));
  // Two pages: content, content, page, content, content, page, root, manifest, seek table.
  c.not_verified("frames_exchanged", "content-mismatch", "Two content frames have changed places.",
                 exchanged(two_pages(), 0, 1));
  c.not_verified("pages_exchanged", "content-mismatch",
                 "Two index pages of the same size have changed places.",
                 exchanged(two_pages(), 2, 5));
  c.not_opened("frame_left_out", "malformed", "A content frame is missing.",
               without(two_pages(), 1));
  c.not_opened("page_left_out", "malformed", "An index page is missing.", without(two_pages(), 2));
  c.not_opened("root_left_out", "malformed", "The index root is missing.", without(two_pages(), 6));
  c.not_opened("manifest_left_out", "malformed", "The manifest frame is missing.",
               without(two_pages(), 7));
  c.not_opened("root_behind_manifest", "malformed", "Root and manifest have changed places.",
               exchanged(two_pages(), 6, 7));
  c.not_verified(
      "chunks_exchanged", "content-mismatch", "Two chunks of the same size have changed places.",
      exchanged({.entries = {{.path = "rows", .content = pattern(std::size_t{8} << 20)}}}, 1, 2));

  Forgery other = two_entries();
  other.key = 2;
  c.not_opened("manifest_by_another_key", "signature-invalid",
               "Another key signed the manifest, which names the trusted one.", other);
  other.edit_signature = [](std::string& text) {
    text = untrusted_line(test_key(1).public_key()).append(text.substr(text.find('\n') + 1));
  };
  c.not_opened("manifest_by_another_key_disguised", "signature-invalid",
               "Another key signed the manifest; the untrusted comment names the trusted one.",
               other);
  other = two_entries();
  other.key = 2;
  other.edit_manifest = [](Manifest& manifest) { manifest.signer = test_key(2).public_key(); };
  c.not_opened("untrusted_signer", "untrusted-signer", "All is well, but nobody trusts the key.",
               other);
  other.key = 1;
  c.not_opened("manifest_names_another_key", "signature-invalid",
               "The trusted key signed a manifest that names another one.", other);
  return c.take();
}

}  // namespace oa::archive
