#include "entry_layout.h"

#include "tar.h"

namespace oa::archive {
namespace {

constexpr std::string_view kUntrustedPrefix = "untrusted comment: signature from oa-backup key ";
constexpr std::size_t kKeyIdDigits = 16;
constexpr std::size_t kSignatureLineSize = 100;  // base64 of algorithm, key id and signature
constexpr std::size_t kGlobalLineSize = 88;      // base64 of the trusted comment's signature

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\'; }

bool is_segment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != "..";
}

}  // namespace

// One pass, since a listing checks every path of an archive.
bool is_valid_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathSize) return false;
  bool ascii = true;
  std::size_t begin = 0;  // of the segment
  for (std::size_t i = 0; i <= path.size(); ++i) {
    if (i == path.size() || path[i] == '/') {
      if (!is_segment(path.substr(begin, i - begin))) return false;
      begin = i + 1;
    } else {
      if (!is_plain(path[i])) return false;
      ascii = ascii && static_cast<unsigned char>(path[i]) < 0x80;
    }
  }
  const auto first = path.substr(0, path.find('/'));
  if (first == "signatures" || first == kManifestPath) return false;
  if (path.starts_with("manifest.json.sig/")) return false;  // below the manifest's signature
  return ascii || is_utf8(path);
}

PathSequence::Next PathSequence::take(std::string_view path) {
  if (!beginnings_.empty() && path <= beginnings_.back()) return Next::kDoesNotAscend;
  while (!beginnings_.empty() && !path.starts_with(beginnings_.back())) beginnings_.pop_back();
  for (const auto& beginning : beginnings_) {
    const auto rest = path.substr(beginning.size());
    if (rest.starts_with('/') || rest.starts_with(".sig/")) return Next::kIsBelowAFile;
  }
  beginnings_.emplace_back(path);
  return Next::kFits;
}

std::string signature_path(std::string_view path) {
  return std::string("signatures/").append(path).append(".sig");
}

std::string quoted_path(std::string_view path) { return std::string("'").append(path).append("'"); }

std::string trusted_comment(const ArchiveId& archive, std::string_view path, std::uint64_t size) {
  return std::string("archive=")
      .append(archive.str())
      .append(" size=")
      .append(std::to_string(size))
      .append(" path=")
      .append(path);
}

std::string untrusted_line(const PublicKey& key) {
  return std::string(kUntrustedPrefix).append(key.key_id()).append("\n");
}

std::size_t signature_size(std::string_view path, std::uint64_t size) {
  constexpr std::string_view kFixed =
      "trusted comment: archive=00000000-0000-0000-0000-000000000000 size= path=\n";
  return kUntrustedPrefix.size() + kKeyIdDigits + 1 + kSignatureLineSize + 1 + kFixed.size() +
         std::to_string(size).size() + path.size() + kGlobalLineSize + 1;
}

std::uint64_t signature_entry_size(std::string_view path, std::uint64_t size) {
  const std::size_t signature = signature_size(path, size);
  return tar_header_size(signature_path(path), signature) + signature + padding_size(signature);
}

std::uint64_t tar_size(std::string_view path, std::uint64_t size) {
  return tar_header_size(path, size) + size + padding_size(size) + signature_entry_size(path, size);
}

}  // namespace oa::archive
