// manifest.json and the frame it lies in: what decodes has one form, as text and as a frame.
#include <algorithm>
#include <boost/json.hpp>

#include "entry_layout.h"
#include "fuzz_input.h"
#include "manifest_codec.h"
#include "manifest_frame.h"
#include "tar.h"

namespace oa::archive {
namespace {

bool check_text(std::string_view text) {
  const auto manifest = decode_manifest(text);
  if (!fuzz::accepted(manifest)) {
    OA_ASSERT(fuzz::is_archive_refusal(manifest.error().code));
    return false;
  }
  const auto seconds = manifest->snapshot_time.unix_seconds();
  OA_ASSERT(seconds >= 0 && static_cast<std::uint64_t>(seconds) <= kMaxUstarNumber);
  OA_ASSERT(manifest->format_major == kFormatMajor);
  const std::string known = encode_manifest(*manifest);
  if (manifest->format_minor <= kFormatMinor) OA_ASSERT(known == text);
  OA_ASSERT(canonical_json(*parse_json(text, {text.size(), 64})) == text);
  const auto again = decode_manifest(known);
  OA_ASSERT(again.ok() && encode_manifest(*again) == known);
  return true;
}

void check_frame(ByteView frame) {
  const auto decoded = decode_manifest_frame(frame);
  if (!fuzz::accepted(decoded)) {
    OA_ASSERT(fuzz::is_archive_refusal(decoded.error().code));
    return;
  }
  const auto mtime = static_cast<std::uint64_t>(decoded->manifest.snapshot_time.unix_seconds());
  const RawFrame again = manifest_frame(decoded->text, decoded->signature, mtime);
  OA_ASSERT(std::ranges::equal(again.frame(), frame));
  OA_ASSERT(check_text(decoded->text));
  const Status verified = verify_manifest_signature(*decoded);
  if (!fuzz::accepted(verified))
    OA_ASSERT(verified.error().code == ErrorCode::kArchiveSignatureInvalid);
}

// A frame round a text that need not be a manifest, with one byte of its plain bytes changed.
void frame_and_check(std::string_view text, std::string_view signature, ByteView edit) {
  const auto manifest = decode_manifest(text);
  const auto mtime =
      manifest.ok() ? static_cast<std::uint64_t>(manifest->snapshot_time.unix_seconds()) : 0;
  Bytes frame = manifest_frame(text, signature, mtime).take();
  const auto whole = decode_manifest_frame(frame);
  OA_ASSERT(whole.ok() == manifest.ok());
  if (whole.ok()) OA_ASSERT(whole->text == text && whole->signature == signature);
  if (edit.size() < 5) return check_frame(frame);
  frame[read_le<std::uint32_t>(edit) % frame.size()] ^= edit[4];
  check_frame(frame);
}

}  // namespace
}  // namespace oa::archive

// First byte: 't' a text, 'f' a frame, 's' sections: text, signature, an edit (u32 place, u8 bits).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oa::archive;
  if (size == 0) return 0;
  const oa::ByteView rest(data + 1, size - 1);
  if (*data == 't') check_text(oa::as_text(rest));
  if (*data == 'f') check_frame(rest);
  if (*data == 's') {
    auto sections = oa::fuzz::split_sections(rest);
    sections.resize(3);
    frame_and_check(oa::as_text(sections[0]), oa::as_text(sections[1]), sections[2]);
  }
  return 0;
}
