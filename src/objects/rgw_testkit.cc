#include "rgw_testkit.h"

#include <utility>

#include "oa/crypto/secret.h"

namespace oa::rgw {
namespace {

using std::chrono::milliseconds;

std::vector<std::string> named(const std::string (&values)[2]) {
  std::vector<std::string> keys;
  for (int i = 0; i < 2; ++i) keys.push_back(std::string(Gateway::kKeys[i]) + "=" + values[i]);
  return keys;
}

}  // namespace

aws::ClientSettings test_connection(std::string endpoint) {
  aws::Credentials credentials{.access_key_id = "AKTEST",
                               .secret_access_key = SecretBytes::copy_of(as_bytes("SKTEST"))};
  return {
      .endpoint = std::move(endpoint),
      .scope = {"default", "s3"},
      .credentials = *aws::CredentialProvider::fixed(std::move(credentials)),
      .connect_timeout = milliseconds(2'000),
      .idle_timeout = milliseconds(20'000),
      .total_timeout = milliseconds(60'000),
      .retries = {.attempts = 4, .first_wait = milliseconds(5), .longest_wait = milliseconds(100)}};
}

std::string make_bucket(Cluster& cluster, bool versioned, bool lockable) {
  const std::string name = "bucket-" + Uuid::random().str();
  const auto client = *aws::Client::open(test_connection(cluster.url()));
  aws::Request make{.method = "PUT", .path = "/" + name};
  if (lockable) make.headers = {{"x-amz-bucket-object-lock-enabled", "true"}};
  const std::string versions =
      "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Status>Enabled</Status></VersioningConfiguration>";
  const aws::Request keep{.method = "PUT",
                          .path = "/" + name,
                          .query = {{"versioning", ""}},
                          .body = as_bytes(versions)};
  const auto made = client->send(make);
  if (!made.ok() || !made->ok()) cluster.give_up("no bucket can be made");
  if (versioned) {
    const auto kept = client->send(keep);
    if (!kept.ok() || !kept->ok()) cluster.give_up("versioning cannot be turned on");
  }
  return name;
}

Gateway& Gateway::shared() {
  static Gateway gateway;
  return gateway;
}

Gateway::Gateway()
    : keys_{random_kms_key(), random_kms_key()}, cluster_({.kms_keys = named(keys_)}) {
  cluster_.start_all();
  cluster_.admin({"user", "create", "--uid=test", "--display-name=test", "--access-key=AKTEST",
                  "--secret-key=SKTEST"});
  lockable_bucket_ = make_bucket(true, true);
}

void Gateway::kill_gateway() { cluster_.kill_gateway(); }
void Gateway::start_gateway() { cluster_.start_gateway(); }

void Gateway::swap_keys() {
  std::swap(keys_[0], keys_[1]);
  cluster_.set_kms_keys(named(keys_));
  kill_gateway();
  start_gateway();
}

aws::ClientSettings Gateway::connection() const { return test_connection(url()); }

std::string Gateway::make_bucket(bool versioned, bool lockable) {
  return rgw::make_bucket(cluster_, versioned, lockable);
}

S3Settings Gateway::fresh_store() {
  S3Settings settings;
  settings.connection = connection();
  settings.bucket = lockable_bucket_;
  settings.prefix = "store-" + std::to_string(++stores_) + "/";
  return settings;
}

}  // namespace oa::rgw
