#include "oa/archive_cli/keys.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "oa/archive_cli/passphrase.h"
#include "oa/base/io.h"
#include "oa/crypto/key_file.h"

namespace oa::archive_cli {
namespace {

constexpr unsigned kPublicMode = 0644;

json::object to_json(const PublicKey& key) {
  return {
      {"key_id", key.key_id()}, {"fingerprint", key.fingerprint()}, {"public_key", key.base64()}};
}

Result<SigningKey> open_secret(const SecretKeyFile& file, const std::string& path,
                               const std::string& passphrase_file) {
  SecretBytes passphrase;
  if (file.encrypted()) {
    OA_ASSIGN(passphrase, passphrase_from(passphrase_file, "Passphrase of " + path, false));
  }
  return file.open(passphrase);
}

// The text of a secret key file under a new passphrase, or under none.
Result<SecretBytes> seal(const SigningKey& key, const std::string& passphrase_file,
                         bool no_passphrase) {
  if (no_passphrase) return plain_secret_key_text(key);
  OA_ASSIGN(const auto passphrase,
            passphrase_from(passphrase_file, "New passphrase of the secret key", true));
  return encrypted_secret_key_text(key, passphrase);
}

struct ShownKey {
  PublicKey key;
  const char* kind;
};

Result<ShownKey> look_at(const std::string& path, const std::string& passphrase_file) {
  const auto public_key = read_public_key_file(path);
  if (public_key.ok()) return ShownKey{*public_key, "public"};
  if (public_key.error().code != ErrorCode::kInvalidArgument) return public_key.error();
  const auto secret = SecretKeyFile::read(path);
  if (!secret.ok() && secret.error().code == ErrorCode::kInvalidArgument) {
    return make_error(ErrorCode::kInvalidArgument, "keys.show",
                      path + " is neither a public nor a secret minisign key file")
        .with_hint("name a file as `minisign -G` or `oa-archive keys new` makes it");
  }
  if (!secret.ok()) return secret.error();
  OA_ASSIGN(const auto key, open_secret(*secret, path, passphrase_file));
  return ShownKey{key.public_key(), secret->encrypted() ? "secret" : "secret, no passphrase"};
}

}  // namespace

Status run_keys_new(const KeysOptions& options, const console::Output& output, Progress&) {
  if (::access(options.secret_file.c_str(), F_OK) == 0) {
    return make_error(ErrorCode::kAlreadyExists, "keys.new",
                      options.secret_file + " exists already")
        .with_hint("choose another name: a secret key is never overwritten");
  }
  OA_ASSIGN(const auto public_file,
            AtomicFileSink::create(options.public_file, false, kPublicMode));
  const SigningKey key = SigningKey::generate();
  OA_ASSIGN(const auto text, seal(key, options.passphrase_file, options.no_passphrase));
  OA_TRY(public_file->write(as_bytes(key.public_key().file_text())));
  OA_TRY(write_secret_key_file(options.secret_file, text, false));
  if (Status committed = public_file->commit(); !committed.ok()) {
    ::unlink(options.secret_file.c_str());  // a pair is made whole or not at all
    return committed;
  }
  auto document = to_json(key.public_key());
  document["secret_file"] = options.secret_file;
  document["public_file"] = options.public_file;
  document["encrypted"] = !options.no_passphrase;
  output.document(document);
  output.line(fmt::format("key {} made", key.public_key().key_id()));
  output.line(fmt::format("  {}: keep it secret; whoever has it{} signs as you",
                          options.secret_file, options.no_passphrase ? "" : " and its passphrase"));
  output.line(fmt::format("  {}: give it to whoever checks your archives", options.public_file));
  output.line(fmt::format("  fingerprint {}", key.public_key().fingerprint()));
  return {};
}

Status run_keys_show(const KeysOptions& options, const console::Output& output, Progress&) {
  json::array items;
  for (const auto& path : options.files) {
    OA_ASSIGN(const auto shown, look_at(path, options.passphrase_file));
    auto item = to_json(shown.key);
    item["file"] = path;
    item["kind"] = shown.kind;
    items.push_back(std::move(item));
    output.line(fmt::format("{} ({})", path, shown.kind));
    output.line(fmt::format("  key id       {}", shown.key.key_id()));
    output.line(fmt::format("  fingerprint  {}", shown.key.fingerprint()));
    output.line(fmt::format("  public key   {}", shown.key.base64()));
  }
  output.document(json::object{{"data", std::move(items)}});
  return {};
}

Status run_keys_change_passphrase(const KeysOptions& options, const console::Output& output,
                                  Progress&) {
  OA_ASSIGN(const auto file, SecretKeyFile::read(options.secret_file));
  OA_ASSIGN(const auto key, open_secret(file, options.secret_file, options.passphrase_file));
  OA_ASSIGN(const auto text, seal(key, options.new_passphrase_file, options.no_passphrase));
  OA_TRY(write_secret_key_file(options.secret_file, text, true));
  auto document = to_json(key.public_key());
  document["secret_file"] = options.secret_file;
  document["encrypted"] = !options.no_passphrase;
  output.document(document);
  output.line(fmt::format("{}: {}; copies of the old file still open with what opened them",
                          options.secret_file,
                          options.no_passphrase ? "no passphrase any more" : "new passphrase"));
  return {};
}

}  // namespace oa::archive_cli
