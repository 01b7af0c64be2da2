// The test vectors of the archive format: each has one scenario and one expected outcome. Their
// bytes lie in tests/vectors/archive, where other readers find them; `OA_ACCEPT_VECTORS=1
// oa_archive_vectors_test` writes them anew.
#pragma once

#include "archive_fixture.h"

namespace oa::archive {

struct ArchiveVector {
  std::string name;      // of the file, and of its test
  std::string scenario;  // one sentence
  // "ok" or a class of the table of refusals in docs/format.md.
  std::string open, verify, every_signature;
  /// The signer himself contradicts what he signed. Then what is released is what the signed index
  /// says; otherwise it is what the signer put into the archive.
  bool signer_lies = false;
  Forgery forgery;
};

/// Collects vectors. Each call adds one.
class VectorCatalog {
 public:
  explicit VectorCatalog(bool signer_lies) : signer_lies_(signer_lies) {}

  void accepted(std::string name, std::string scenario, Forgery forgery) {
    add(std::move(name), "ok", "ok", "ok", std::move(scenario), std::move(forgery));
  }
  /// Opening it already ends with `outcome`.
  void not_opened(std::string name, const std::string& outcome, std::string scenario,
                  Forgery forgery) {
    const std::string full = "archive/" + outcome;
    add(std::move(name), full, full, full, std::move(scenario), std::move(forgery));
  }
  /// It opens; verifying it ends with `outcome`.
  void not_verified(std::string name, const std::string& outcome, std::string scenario,
                    Forgery forgery) {
    const std::string full = "archive/" + outcome;
    add(std::move(name), "ok", full, full, std::move(scenario), std::move(forgery));
  }
  /// Only the check of every signature refuses it.
  void wrong_signature(std::string name, std::string scenario, Forgery forgery) {
    add(std::move(name), "ok", "ok", "archive/signature-invalid", std::move(scenario),
        std::move(forgery));
  }

  std::vector<ArchiveVector> take() { return std::move(vectors_); }

 private:
  void add(std::string name, std::string open, std::string verify, std::string every,
           std::string scenario, Forgery forgery) {
    vectors_.push_back({std::move(name), std::move(scenario), std::move(open), std::move(verify),
                        std::move(every), signer_lies_, std::move(forgery)});
  }
  const bool signer_lies_;
  std::vector<ArchiveVector> vectors_;
};

/// Two small entries, `a` and `b/c`.
Forgery two_entries();
/// `a`, and `rows` in two chunks.
Forgery with_large_entry();
/// Four entries in as many frames, on two pages.
Forgery two_pages();
/// Replaces the first `from`, which must be there, by `to`.
std::function<void(std::string&)> replaced(std::string from, std::string to);
/// The first part of a kind.
ForgedPart& part_of(ForgedParts& parts, PartKind kind);

std::vector<ArchiveVector> good_vectors();
std::vector<ArchiveVector> tampered_vectors();
std::vector<ArchiveVector> spliced_vectors();
std::vector<ArchiveVector> tar_vectors();
std::vector<ArchiveVector> path_vectors();
std::vector<ArchiveVector> frame_vectors();
std::vector<ArchiveVector> page_vectors();
std::vector<ArchiveVector> root_vectors();
std::vector<ArchiveVector> manifest_vectors();
std::vector<ArchiveVector> signature_vectors();
/// All of them.
std::vector<ArchiveVector> archive_vectors();

}  // namespace oa::archive
