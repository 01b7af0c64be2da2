// manifest.json to and from its canonical JSON.
#pragma once

#include <string>
#include <string_view>

#include "oa/archive/manifest.h"

namespace oa::archive {

std::string encode_manifest(const Manifest& manifest);

/// kArchiveVersionUnsupported for another major version; kArchiveMalformed for anything that is not
/// a manifest in canonical form. Members that this version does not know are ignored only when the
/// minor version is newer.
Result<Manifest> decode_manifest(std::string_view text);

}  // namespace oa::archive
