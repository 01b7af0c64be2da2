// Archives that their signer made to deceive (signed_archive.h), and edits of them afterwards.
#include "archive_walk.h"
#include "fuzz_input.h"
#include "signed_archive.h"

namespace oa::fuzz {
namespace {

// Whatever was changed after signing, no entry has another content, and no change passes a
// verification.
void check_edited(const Bytes& edited, const std::optional<Walk>& original) {
  const auto walk = walk_archive(edited);
  if (!walk) return;
  OA_ASSERT(original.has_value());
  if (original->verified) OA_ASSERT(!walk->verified);
  for (const auto& [path, content] : walk->contents) {
    const auto before = original->contents.find(path);
    OA_ASSERT(before != original->contents.end() && before->second == content);
  }
}

}  // namespace
}  // namespace oa::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oa::fuzz;
  const SignedArchive archive = make_archive({data, size});
  const auto walk = walk_archive(archive.file);
  if (archive.edited != archive.file) check_edited(archive.edited, walk);
  return 0;
}
