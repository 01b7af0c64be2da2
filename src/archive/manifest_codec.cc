#include "manifest_codec.h"

#include <algorithm>
#include <boost/json.hpp>

#include "tar.h"

namespace oa::archive {
namespace {

constexpr std::uint64_t kMaxExactNumber = std::uint64_t{1} << 53;  // RFC 8785, 3.2.2.3
constexpr std::size_t kMaxDepth = 33;  // what is carried may itself be 32 deep

Error malformed(std::string message) {
  return make_error(ErrorCode::kArchiveMalformed, "archive.manifest", std::move(message));
}

template <class Digest>
Digest read_digest(ObjectReader& reader, std::string_view name) {
  Digest digest{};
  const std::string text = reader.text(name);
  const auto bytes = from_hex(text);
  if (!bytes.ok() || bytes->size() != digest.size() || to_hex(*bytes) != text) {
    reader.fail(name, "is not a digest in lower-case hex");
    return digest;
  }
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

std::map<std::string, std::uint64_t> read_counts(const json::object& counts, ObjectReader& reader) {
  std::map<std::string, std::uint64_t> out;
  for (const auto& [name, value] : counts) {
    boost::system::error_code error;
    const auto count = value.to_number<std::uint64_t>(error);
    if (error || !value.is_number() || value.is_double() || count > kMaxExactNumber)
      reader.fail("counts", "has a member that is no count");
    out.emplace(name, count);
  }
  return out;
}

PublicKey read_signer(const json::value& value, ObjectReader& manifest, bool allow_unknown) {
  ObjectReader reader(value, "manifest.signer");
  const auto key = PublicKey::parse(reader.text("public_key"));
  const auto id = reader.text("key_id");
  if (!key.ok() || !reader.finish(allow_unknown).ok() || key->key_id() != id) {
    manifest.fail("signer", "is not a minisign key with its id");
    return {};
  }
  return *key;
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  json::object counts;
  for (const auto& [name, count] : manifest.content.counts) counts[name] = count;
  const json::object object{
      {"format", {{"major", manifest.format_major}, {"minor", manifest.format_minor}}},
      {"archive_id", manifest.archive_id.str()},
      {"snapshot_time", manifest.snapshot_time.rfc3339()},
      {"tenant_id", manifest.content.tenant_id.str()},
      {"tenant", manifest.content.tenant.value()},
      {"counts", counts},
      {"options", manifest.content.options.value()},
      {"probes", manifest.content.probes.value()},
      {"signer", {{"key_id", manifest.signer.key_id()}, {"public_key", manifest.signer.base64()}}},
      {"entry_count", manifest.entry_count},
      {"content_bytes", manifest.content_bytes},
      {"content_hash", to_hex(manifest.content_hash)},
      {"index_root", to_hex(manifest.index_root)}};
  return canonical_json(object);
}

Result<Manifest> decode_manifest(std::string_view text) {
  const auto parsed = parse_json(text, {.max_bytes = text.size(), .max_depth = kMaxDepth});
  if (!parsed.ok() && parsed.error().code == ErrorCode::kLimitExceeded) {
    return make_error(ErrorCode::kArchiveLimit, "archive.manifest",
                      "manifest.json is nested deeper than the limit");
  }
  if (!parsed.ok())
    return malformed("manifest.json is not valid JSON").with_cause(parsed.error().message);
  Manifest manifest;
  ObjectReader reader(*parsed, "manifest");
  ObjectReader format(reader.member("format"), "manifest.format");
  const std::uint64_t major = format.unsigned_integer("major");
  const std::uint64_t minor = format.unsigned_integer("minor");
  const Status version = format.finish(true);
  if (!version.ok())
    return malformed("manifest.json names no format version").with_cause(version.error().message);
  if (major != kFormatMajor) {
    return make_error(ErrorCode::kArchiveVersionUnsupported, "archive.manifest",
                      "the archive has format version " + std::to_string(major) + "." +
                          std::to_string(minor) + ", this program reads version " +
                          std::to_string(kFormatMajor))
        .with_hint("read it with a program that knows its version");
  }
  const bool newer = minor > kFormatMinor;
  manifest.format_major = kFormatMajor;
  manifest.format_minor = static_cast<std::uint32_t>(minor);
  manifest.archive_id = reader.id<ArchiveId>("archive_id");
  manifest.snapshot_time = reader.timestamp("snapshot_time");
  manifest.content.tenant_id = reader.id<TenantId>("tenant_id");
  manifest.content.tenant = reader.raw("tenant");
  manifest.content.counts = read_counts(reader.object("counts"), reader);
  manifest.content.options = reader.raw("options");
  manifest.content.probes = reader.raw("probes");
  for (const char* name : {"tenant", "options", "probes"}) {
    const auto& value = reader.member(name);
    if (!value.is_object()) reader.fail(name, "is no object");
  }
  manifest.signer = read_signer(reader.member("signer"), reader, newer);
  manifest.entry_count = reader.unsigned_integer("entry_count");
  manifest.content_bytes = reader.unsigned_integer("content_bytes");
  manifest.content_hash = read_digest<Blake2bDigest>(reader, "content_hash");
  manifest.index_root = read_digest<Blake3Digest>(reader, "index_root");
  const auto seconds = manifest.snapshot_time.unix_seconds();
  if (seconds < 0 || static_cast<std::uint64_t>(seconds) > kMaxUstarNumber) {
    reader.fail("snapshot_time", "is outside of what the format can hold");
  }
  if (std::max(manifest.entry_count, manifest.content_bytes) > kMaxExactNumber)
    reader.fail("content_bytes", "is a number that JSON does not hold exactly");
  if (minor > UINT32_MAX) reader.fail("format", "has no such minor version");
  Status known = reader.finish(newer);
  if (known.ok()) known = format.finish(newer);
  if (!known.ok())
    return malformed("manifest.json has another shape").with_cause(known.error().message);
  if ((newer ? canonical_json(*parsed) : encode_manifest(manifest)) != text) {
    return malformed("manifest.json is not in canonical form");
  }
  return manifest;
}

}  // namespace oa::archive
