// Real S3 servers for tests and benchmarks: Ceph's RADOS Gateway on this machine's loopback.
#pragma once

#include <string>

#include "oa/objects/s3_store.h"
#include "rgw_cluster.h"

namespace oa::rgw {

/// How to reach a gateway as the user "test". Waits are short, so that a test that must fail fails
/// soon.
aws::ClientSettings test_connection(std::string endpoint);
/// A new bucket of that user; its name.
std::string make_bucket(Cluster& cluster, bool versioned, bool lockable);

/// One region, in memory.
class Gateway {
 public:
  /// Started when first asked for, from the thread that asks, which must last as long as the
  /// process.
  static Gateway& shared();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  std::string url() const { return cluster_.url(); }
  std::string named_url() const { return "http://localhost:" + std::to_string(port()); }
  std::string tls_url() const { return "https://127.0.0.1:" + std::to_string(cluster_.tls_port()); }
  std::string ca_file() const { return cluster_.ca_file(); }
  int port() const { return cluster_.port(); }
  aws::ClientSettings connection() const;
  /// Settings of a store under a prefix that nobody else has, in a bucket with object lock.
  S3Settings fresh_store();
  /// A new bucket; its name.
  std::string make_bucket(bool versioned, bool lockable);
  /// KMS keys that it knows.
  static constexpr const char* kKeys[] = {"tenant-a", "tenant-b"};

  /// kill -9 of the gateway alone, and another at the same address.
  void kill_gateway();
  void start_gateway();
  /// Starts the gateway anew with each KMS key under the other's name. Twice: as it was.
  void swap_keys();

 private:
  Gateway();

  std::string keys_[2];
  Cluster cluster_;
  std::string lockable_bucket_;
  int stores_ = 0;
};

}  // namespace oa::rgw
