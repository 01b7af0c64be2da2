// One small Ceph cluster on this machine's loopback for tests and benchmarks: a monitor, one
// storage daemon and a RADOS Gateway, ended with the process that started them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace oa::rgw {

struct ClusterSettings {
  /// What is stored is in the cluster's folder and outlives a kill -9; else it is in the storage
  /// daemon's memory.
  bool durable = false;
  std::uint64_t device_bytes = std::uint64_t{8} << 30;  // of the storage daemon; a sparse file
  /// Of the only realm and zone group there are; empty: a cluster that replicates nothing.
  std::string zone = {};
  /// Values of the KMS keys that the gateway knows, "NAME=BASE64" each.
  std::vector<std::string> kms_keys = {};
};

/// Its daemons are started from the thread that calls, which must last as long as they do. Whatever
/// does not come up within three minutes aborts the process with the servers' logs.
class Cluster {
 public:
  static constexpr const char* kZoneGroup = "zg1";
  static constexpr const char* kRealm = "r1";

  /// Makes its folder. Starts nothing that lasts, so that several can be made at once.
  explicit Cluster(ClusterSettings settings);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Monitor and storage daemon.
  void start_storage();
  /// Returns when it answers.
  void start_gateway();
  /// kill -9. What is dead already stays so.
  void kill_gateway();
  void kill_storage_daemon();
  void kill_all();
  /// Brings up whatever of the three is dead.
  void start_all();

  /// `radosgw-admin` with these arguments, to its successful end.
  void admin(std::vector<std::string> arguments);
  /// Whether `radosgw-admin` ends well.
  bool try_admin(std::vector<std::string> arguments);
  /// Whether all that was written to a bucket in the other zone has arrived in this one.
  bool is_caught_up(const std::string& bucket);
  /// Takes effect when the gateway is started the next time.
  void set_kms_keys(std::vector<std::string> keys);

  /// Damage done beneath the gateway to every stored object whose key contains `part`: a byte in
  /// its middle is another one, or it is gone. How many there were. For clusters with a zone.
  std::size_t flip_bytes(const std::string& part);
  std::size_t lose(const std::string& part);

  int port() const { return port_; }
  int tls_port() const { return tls_port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string ca_file() const { return folder_ + "/server.crt"; }
  const std::string& folder() const { return folder_; }
  [[noreturn]] void give_up(const std::string& why);

 private:
  void write_configuration();
  void make_certificate();
  std::string config() const { return "--conf=" + folder_ + "/ceph.conf"; }
  std::string name() const { return "--name=client.rgw.a"; }
  std::vector<std::string> rados(std::vector<std::string> arguments) const;
  std::vector<std::string> stored(const std::string& part);
  bool try_run(const std::vector<std::string>& arguments, const std::string& output = "log/output");
  void run(const std::vector<std::string>& arguments);
  pid_t start(const std::vector<std::string>& arguments, const std::string& output = "log/output");

  ClusterSettings settings_;
  std::string folder_, id_, osd_id_;
  int port_ = 0, tls_port_ = 0, monitor_port_ = 0;
  pid_t monitor_ = -1, osd_ = -1, gateway_ = -1;
  bool osd_known_ = false;
};

/// 32 random bytes.
std::string random_kms_key();

}  // namespace oa::rgw
