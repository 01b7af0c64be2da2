// A real S3 server for tests and benchmarks: Ceph's monitor, one storage daemon in memory and the
// RADOS Gateway, on this machine's loopback, ended with the process that started them.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "oa/objects/s3_store.h"

namespace oa::rgw {

class Gateway {
 public:
  /// Started when first asked for, from the thread that asks, which must last as long as the
  /// process. Aborts with the servers' logs when they do not come up.
  static Gateway& shared();
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string named_url() const { return "http://localhost:" + std::to_string(port_); }
  std::string tls_url() const { return "https://127.0.0.1:" + std::to_string(tls_port_); }
  std::string ca_file() const { return folder_ + "/server.crt"; }
  int port() const { return port_; }
  /// How to reach it. Waits are short, so that a test that must fail fails soon.
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
  void write_configuration();
  void start_cluster();
  void make_certificate();
  std::string config() const { return "--conf=" + folder_ + "/ceph.conf"; }
  void run(const std::vector<std::string>& arguments);
  pid_t start(const std::vector<std::string>& arguments);
  [[noreturn]] void give_up(const std::string& why);

  std::string folder_;
  int port_ = 0;
  int tls_port_ = 0;
  std::vector<pid_t> daemons_;
  pid_t gateway_ = -1;
  std::string keys_[2];
  int monitor_port_ = 0;
  std::string lockable_bucket_;
  int stores_ = 0;
};

}  // namespace oa::rgw
