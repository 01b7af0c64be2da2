// The last content of an archive: manifest.json and its signature, with the end of the tar stream,
// in one stored frame.
#pragma once

#include <string>

#include "frame.h"
#include "oa/archive/manifest.h"

namespace oa::archive {

RawFrame manifest_frame(std::string_view manifest, std::string_view signature, std::uint64_t mtime);

/// What the frame holds, taken apart and decoded; nothing of it is verified.
struct ManifestFrame {
  Manifest manifest;
  std::string text;
  std::string signature;
};
/// Accepts only bytes that manifest_frame() makes. kArchiveMalformed, kArchiveVersionUnsupported.
Result<ManifestFrame> decode_manifest_frame(ByteView frame);

/// Checks the manifest's signature, by the key that the manifest names, and what the signature
/// binds. kArchiveSignatureInvalid.
Status verify_manifest_signature(const ManifestFrame& frame);

}  // namespace oa::archive
