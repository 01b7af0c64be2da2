#include "manifest_frame.h"

#include <algorithm>
#include <optional>

#include "entry_layout.h"
#include "manifest_codec.h"
#include "tar.h"

namespace oa::archive {
namespace {

constexpr std::size_t kSizeFieldAt = 124;
constexpr std::size_t kSizeDigits = 11;
constexpr std::size_t kEndOfTar = 2 * kTarBlock;

Error malformed(std::string message) {
  return make_error(ErrorCode::kArchiveMalformed, "archive.manifest", std::move(message));
}

// Takes header, content and padding of one file off the front. What the header says besides the
// size is not looked at.
std::optional<std::string_view> take_file(std::string_view& tar) {
  if (tar.size() < kTarBlock) return std::nullopt;
  std::uint64_t size = 0;
  for (const char digit : tar.substr(kSizeFieldAt, kSizeDigits)) {
    if (digit < '0' || digit > '7') return std::nullopt;
    size = size << 3 | static_cast<std::uint64_t>(digit - '0');
  }
  tar.remove_prefix(kTarBlock);
  if (size + padding_size(size) > tar.size()) return std::nullopt;
  const auto content = tar.substr(0, size);
  tar.remove_prefix(size + padding_size(size));
  return content;
}

}  // namespace

RawFrame manifest_frame(std::string_view manifest, std::string_view signature,
                        std::uint64_t mtime) {
  Bytes plain;
  append_tar_file(plain, kManifestPath, as_bytes(manifest), mtime);
  append_tar_file(plain, signature_path(kManifestPath), as_bytes(signature), mtime);
  plain.resize(plain.size() + kEndOfTar);
  RawFrame frame(plain.size());
  frame.append(plain);
  return frame;
}

Result<ManifestFrame> decode_manifest_frame(ByteView frame) {
  const auto plain = decode_raw_frame(frame);
  if (!plain) return malformed("the manifest is not in a stored frame");
  auto tar = as_text(*plain);
  const auto text = take_file(tar);
  const auto signature = text ? take_file(tar) : std::nullopt;
  if (!signature)
    return malformed("the manifest's frame does not hold a manifest and its signature");
  OA_ASSIGN(auto manifest, decode_manifest(*text));
  ManifestFrame out{std::move(manifest), std::string(*text), std::string(*signature)};
  const auto mtime = static_cast<std::uint64_t>(out.manifest.snapshot_time.unix_seconds());
  if (!std::ranges::equal(manifest_frame(out.text, out.signature, mtime).frame(), frame)) {
    return malformed(
        "the manifest's frame holds something else besides the manifest and its signature");
  }
  return out;
}

Status verify_manifest_signature(const ManifestFrame& frame) {
  const auto refuse = [](std::string message) {
    return make_error(ErrorCode::kArchiveSignatureInvalid, "archive.manifest", std::move(message));
  };
  const Manifest& manifest = frame.manifest;
  // The first line is the one part that no signature covers.
  if (!frame.signature.starts_with(untrusted_line(manifest.signer))) {
    return refuse("the manifest's signature file has another first line");
  }
  OA_ASSIGN(const auto verified,
            verify_signature(frame.signature, manifest.signer, Blake2b::of(as_bytes(frame.text))));
  if (verified.trusted_comment !=
      trusted_comment(manifest.archive_id, kManifestPath, frame.text.size())) {
    return refuse("the manifest's signature was made for another archive");
  }
  return {};
}

}  // namespace oa::archive
