// What the archive tests share: keys, contents, and a quick way to an archive.
#pragma once

#include <map>
#include <random>
#include <string>

#include "forgery.h"
#include "oa/archive/reader.h"
#include "oa/archive/writer.h"

namespace oa::archive {

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

}  // namespace oa::archive
