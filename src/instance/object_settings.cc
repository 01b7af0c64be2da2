#include "object_settings.h"

#include <fmt/format.h>

#include "deployment_fields.h"

namespace oa::instance {
namespace {

constexpr const char* kPath = "config.objects";
constexpr const char* kTenant = "{tenant}";
// Where there are two regions, one that stands still is given half a minute.
constexpr auto kFailoverConnect = std::chrono::milliseconds(3'000);
constexpr auto kFailoverIdle = std::chrono::milliseconds(10'000);
constexpr int kFailoverAttempts = 3;

Result<aws::Credentials> read_credentials(const std::string& path) {
  OA_ASSIGN(const SecretBytes text, read_secret_file(path));
  auto document = parse_json(as_text(text.view()), {text.view().size() + 1, 2});
  // The parser's words could quote the file.
  if (!document.ok())
    return make_error(ErrorCode::kInvalidArgument, "config", "is no JSON object: " + path);
  ObjectReader reader(*document, path);
  aws::Credentials credentials;
  credentials.access_key_id = reader.text("access_key_id");
  std::string secret = reader.text("secret_access_key");
  std::string token = reader.optional_text("session_token").value_or("");
  credentials.secret_access_key = SecretBytes::copy_of(as_bytes(secret));
  credentials.session_token = SecretBytes::copy_of(as_bytes(token));
  secret.assign(secret.size(), '\0');
  token.assign(token.size(), '\0');
  OA_TRY(reader.finish());
  return credentials;
}

Result<LedgerLock> read_lock(const json::value& value) {
  ObjectReader reader(value, std::string(kPath) + ".ledger_lock");
  LedgerLock lock;
  const std::string mode = reader.text("mode");
  if (mode != "compliance" && mode != "governance")
    reader.fail("mode", "is compliance or governance");
  lock.compliance = mode == "compliance";
  lock.days = static_cast<int>(std::min<std::uint64_t>(reader.unsigned_integer("days"), 1 << 20));
  OA_TRY(reader.finish());
  return lock;
}

// "oa-{tenant}": a key for each.
std::function<std::optional<std::string>(TenantId)> key_names(const std::string& form) {
  if (form.empty()) return {};
  return [form](TenantId tenant) -> std::optional<std::string> {
    std::string name = form;
    if (const auto at = name.find(kTenant); at != name.npos)
      name.replace(at, std::string_view(kTenant).size(), tenant.str());
    return name;
  };
}

}  // namespace

Result<std::shared_ptr<aws::CredentialProvider>> credentials_in(const std::string& path) {
  OA_ASSIGN(auto now, read_credentials(path));
  OA_TRY(aws::CredentialProvider::fixed(std::move(now)));
  return aws::CredentialProvider::refreshed([path] { return read_credentials(path); });
}

namespace {

// What the primary and its replica say alike.
Result<S3Settings> read_place(ObjectReader& reader) {
  S3Settings settings;
  settings.connection.endpoint = reader.text("endpoint");
  settings.connection.scope = {reader.text("region"), "s3"};
  settings.connection.ca_file = optional_file(reader, "ca_file");
  settings.bucket = reader.text("bucket");
  const std::string addressing = reader.optional_text("addressing").value_or("path");
  if (addressing != "path" && addressing != "virtual-host")
    reader.fail("addressing", "is path or virtual-host");
  settings.virtual_host = addressing == "virtual-host";
  const std::string key = reader.optional_text("kms_key").value_or("");
  if (!key.empty() && !is_plain(key)) reader.fail("kms_key", "is no id of a key");
  settings.kms_key_of = key_names(key);
  const std::string credentials = file_name(reader, "credentials_file");
  OA_TRY(reader.finish());
  OA_ASSIGN(settings.connection.credentials, credentials_in(credentials));
  return settings;
}

// Replication keeps the names of objects, so the prefix is the primary's.
Result<S3Settings> read_replica(const json::value& value, const S3Settings& primary) {
  ObjectReader reader(value, std::string(kPath) + ".replica");
  OA_ASSIGN(S3Settings settings, read_place(reader));
  settings.prefix = primary.prefix;
  if (settings.bucket != primary.bucket ||
      settings.connection.endpoint != primary.connection.endpoint)
    return settings;
  return make_error(ErrorCode::kInvalidArgument, "config",
                    std::string(kPath) + ".replica is the bucket itself")
      .with_hint("name the bucket's copy in another region, or leave `replica` out");
}

}  // namespace

Result<ObjectPlaces> read_object_settings(const json::value& value) {
  ObjectReader reader(value, kPath);
  if (reader.text("kind") != "s3") reader.fail("kind", "is s3");
  const std::string prefix = reader.optional_text("prefix").value_or("");
  const auto* lock = reader.find("ledger_lock");
  const auto* replica = reader.find("replica");
  ObjectPlaces places;
  OA_ASSIGN(places.primary, read_place(reader));
  places.primary.prefix = prefix;
  if (lock != nullptr) {
    OA_ASSIGN(places.primary.ledger_lock, read_lock(*lock));
  }
  if (replica != nullptr) {
    OA_ASSIGN(places.replica, read_replica(*replica, places.primary));
    for (auto* place : {&places.primary, &*places.replica}) {
      place->connection.connect_timeout = kFailoverConnect;
      place->connection.idle_timeout = kFailoverIdle;
      place->connection.retries.attempts = kFailoverAttempts;
    }
  }
  return places;
}

}  // namespace oa::instance
