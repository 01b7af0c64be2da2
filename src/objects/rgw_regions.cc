#include "rgw_regions.h"

#include <chrono>
#include <thread>

namespace oa::rgw {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(180);

std::vector<std::string> with_system_keys(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--access-key=SYSAK", "--secret=SYSSK"});
  return arguments;
}

template <class Condition>
void wait_until(Cluster& cluster, const std::string& what, const Condition& condition) {
  for (const auto deadline = Clock::now() + kPatience; Clock::now() < deadline;) {
    if (condition()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  cluster.give_up(what);
}

}  // namespace

TwoRegions& TwoRegions::shared() {
  static TwoRegions regions;
  return regions;
}

TwoRegions::TwoRegions()
    : kms_keys_{"tenant-a=" + random_kms_key(), "tenant-b=" + random_kms_key()},
      a_({.durable = true, .zone = "za", .kms_keys = kms_keys_}),
      b_({.durable = true, .zone = "zb", .kms_keys = kms_keys_}) {
  a_.start_storage();
  b_.start_storage();
  make_realm();
  a_.admin({"user", "create", "--uid=test", "--display-name=test", "--access-key=AKTEST",
            "--secret-key=SKTEST"});
  wait_until(b_, "the user is not replicated", [&] {
    return b_.try_admin({"user", "info", "--uid=test"});
  });
  bucket_ = make_bucket(a_, true, true);
  const auto there = *aws::Client::open(test_connection(b_.url()));
  wait_until(b_, "the bucket is not replicated", [&] {
    const auto seen = there->send({.path = "/" + bucket_});
    return seen.ok() && seen->ok();
  });
}

// Zone b's `period update` makes gateway a pause for seconds to read the realm anew. Killing it
// then costs 30 s more: the dead one's watch has to time out.
void TwoRegions::make_realm() {
  const std::string group = std::string("--rgw-zonegroup=") + Cluster::kZoneGroup;
  const std::string realm = std::string("--rgw-realm=") + Cluster::kRealm;
  const std::string at_a = "--endpoints=" + a_.url(), at_b = "--endpoints=" + b_.url();
  a_.admin({"realm", "create", realm, "--default"});
  a_.admin({"zonegroup", "create", group, at_a, "--master", "--default"});
  a_.admin(
      with_system_keys({"zone", "create", group, "--rgw-zone=za", at_a, "--master", "--default"}));
  a_.admin({"user", "create", "--uid=sync", "--display-name=sync", "--system", "--access-key=SYSAK",
            "--secret-key=SYSSK"});
  a_.admin({"period", "update", "--commit"});
  a_.start_gateway();
  b_.admin(with_system_keys({"realm", "pull", realm, "--url=" + a_.url(), "--default"}));
  b_.admin(with_system_keys({"zone", "create", group, "--rgw-zone=zb", at_b, "--default"}));
  b_.admin({"period", "update", "--commit"});
  b_.start_gateway();
}

void TwoRegions::bring_back() {
  a_.start_all();
  b_.start_all();
}

TwoRegions::Places TwoRegions::fresh_places() {
  const std::string prefix = "store-" + std::to_string(++places_) + "/";
  Places places;
  for (auto* place : {&places.a, &places.b}) {
    Cluster& cluster = place == &places.a ? a_ : b_;
    place->connection = test_connection(cluster.url());
    place->connection.scope.region = Cluster::kZoneGroup;
    place->bucket = bucket_;
    place->prefix = prefix;
  }
  return places;
}

}  // namespace oa::rgw
