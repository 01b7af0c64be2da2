#include "oa/archive_cli/trust.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "oa/crypto/key_file.h"

namespace oa::archive_cli {
namespace {

constexpr std::size_t kFingerprintDigits = 2 * sizeof(Sha256Digest);

Result<std::vector<std::string>> normal_fingerprints(const std::vector<std::string>& given) {
  std::vector<std::string> out;
  for (const auto& text : given) {
    const auto bytes = from_hex(text);
    if (!bytes.ok() || text.size() != kFingerprintDigits) {
      return make_error(ErrorCode::kInvalidArgument, "trust", "'" + text + "' is no fingerprint")
          .with_hint("a fingerprint has 64 hex digits; `oa-archive keys show KEYFILE` prints it");
    }
    out.push_back(to_hex(*bytes));
  }
  return out;
}

Status add_named_keys(const TrustOptions& trust, std::vector<PublicKey>& trusted) {
  for (const auto& path : trust.key_files) {
    OA_ASSIGN(const auto key, read_public_key_file(path));
    trusted.push_back(key);
  }
  for (const auto& text : trust.keys) {
    const auto key = PublicKey::parse(text);
    if (!key.ok()) {
      return Error(key.error())
          .with_hint("--trust-key takes the second line of a minisign public key file (\"RW…\")");
    }
    trusted.push_back(*key);
  }
  return {};
}

}  // namespace

void add_trust_options(CLI::App& command, TrustOptions& trust) {
  command
      .add_option("--trust", trust.key_files,
                  "minisign public key file of an accepted signer; may be repeated")
      ->allow_extra_args(false)
      ->take_all();
  command
      .add_option("--trust-key", trust.keys,
                  "Public key of an accepted signer, as the base64 line of such a file")
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--accept-signer", trust.fingerprints, "Fingerprint of an accepted signer")
      ->allow_extra_args(false)
      ->take_all();
}

Result<std::unique_ptr<archive::ArchiveReader>> open_trusted(const RangedSource& source,
                                                             std::vector<PublicKey> trusted,
                                                             const TrustOptions& trust) {
  OA_TRY(add_named_keys(trust, trusted));
  OA_ASSIGN(const auto accepted, normal_fingerprints(trust.fingerprints));
  if (!accepted.empty()) {
    // A fingerprint accepts exactly that signer: look who signed, then open again with its key
    // trusted.
    OA_ASSIGN(const auto seen, archive::ArchiveReader::open(source, {{}, true}));
    const auto& signer = seen->manifest().signer;
    if (std::ranges::find(accepted, signer.fingerprint()) != accepted.end())
      trusted.push_back(signer);
  }
  auto reader = archive::ArchiveReader::open(source, {std::move(trusted), false});
  if (reader.ok() || reader.error().code != ErrorCode::kArchiveUntrustedSigner) return reader;
  auto error = std::move(reader).error();
  error.hint += " with --accept-signer FINGERPRINT, or name its public key with --trust KEYFILE";
  return error;
}

}  // namespace oa::archive_cli
