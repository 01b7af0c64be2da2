#include "rgw_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "oa/base/ids.h"
#include "oa/crypto/secret.h"

namespace oa::rgw {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto kStartTimeout = std::chrono::seconds(180);

// One that was free a moment ago.
int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  OA_ASSERT(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  OA_ASSERT(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

void end(pid_t& pid) {
  if (pid > 0) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  pid = -1;
}

bool answers(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool up = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return up;
}

}  // namespace

std::string random_kms_key() {
  const SecretBytes key = SecretBytes::random(32);
  return to_base64(key.view());
}

Cluster::Cluster(ClusterSettings settings)
    : settings_(std::move(settings)), id_(Uuid::random().str()), osd_id_(Uuid::random().str()) {
  char folder[] = "/tmp/oa-rgw-XXXXXX";
  OA_ASSERT(mkdtemp(folder) != nullptr);
  folder_ = folder;
  for (const char* part : {"mon", "osd.0", "run", "log", "rgw"})
    fs::create_directory(folder_ + "/" + part);
  port_ = free_port();
  tls_port_ = free_port();
  monitor_port_ = free_port();
  make_certificate();
  write_configuration();
  const std::string map = folder_ + "/monmap";
  const std::string monitor = "[v2:127.0.0.1:" + std::to_string(monitor_port_) + "]";
  run({"monmaptool", "--create", "--fsid", id_, "--addv", "a", monitor, map});
  run({"ceph-mon", config(), "--mkfs", "-i", "a", "--monmap", map});
}

Cluster::~Cluster() {
  kill_all();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Cluster::kill_gateway() { end(gateway_); }
void Cluster::kill_storage_daemon() { end(osd_); }
void Cluster::kill_all() {
  end(gateway_);
  end(osd_);
  end(monitor_);
}

void Cluster::start_storage() {
  if (monitor_ < 0) monitor_ = start({"ceph-mon", config(), "-i", "a", "-f"});
  if (!osd_known_) {
    run({"ceph-osd", config(), "-i", "0", "--mkfs", "--osd-uuid", osd_id_});  // asks the monitor
    run({"ceph", config(), "--connect-timeout", "30", "osd", "new", osd_id_});
    osd_known_ = true;
  }
  if (osd_ < 0) osd_ = start({"ceph-osd", config(), "-i", "0", "-f"});
}

void Cluster::start_gateway() {
  if (gateway_ > 0) return;
  gateway_ = start({"radosgw", config(), name(), "-f"});
  for (const auto deadline = Clock::now() + kStartTimeout; Clock::now() < deadline;) {
    if (answers(port_)) return;
    if (waitpid(gateway_, nullptr, WNOHANG) == gateway_) break;
    std::this_thread::sleep_for(milliseconds(20));
  }
  give_up("the gateway does not start");
}

void Cluster::start_all() {
  start_storage();
  start_gateway();
}

void Cluster::admin(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"radosgw-admin", config(), name()});
  run(arguments);
}
bool Cluster::try_admin(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"radosgw-admin", config(), name()});
  return try_run(arguments);
}

bool Cluster::is_caught_up(const std::string& bucket) {
  const std::string output = folder_ + "/sync-status";
  fs::remove(output);
  if (!try_run({"radosgw-admin", config(), name(), "bucket", "sync", "status", "--bucket=" + bucket},
               "sync-status"))
    return false;
  std::ifstream file(output);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.find("bucket is caught up with source") != text.npos;
}

void Cluster::set_kms_keys(std::vector<std::string> keys) {
  settings_.kms_keys = std::move(keys);
  write_configuration();
}

void Cluster::make_certificate() {
  run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
       folder_ + "/server.key", "-out", folder_ + "/server.crt"});
}

// No manager, no authentication inside of the cluster, one copy of everything.
void Cluster::write_configuration() {
  std::ofstream out(folder_ + "/ceph.conf");
  out << "[global]\n"
      << "fsid = " << id_ << "\n"
      << "mon_host = [v2:127.0.0.1:" << monitor_port_ << "]\n"
      << "run_dir = " << folder_ << "/run\n"
      << "admin_socket = " << folder_ << "/run/$name.$pid.asok\n"
      << "pid_file =\n"
      << "log_file = " << folder_ << "/log/$name.log\n"
      << "crash_dir = " << folder_ << "/run\n"
      << R"(auth_cluster_required = none
auth_service_required = none
auth_client_required = none
auth_allow_insecure_global_id_reclaim = false
ms_bind_ipv4 = true
ms_bind_ipv6 = false
ms_bind_msgr1 = false
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
log_to_stderr = false
err_to_stderr = true
setuser_match_path =
ms_mon_client_mode = crc
osd_client_watch_timeout = 10
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 2000
mon_warn_on_pool_no_redundancy = false
[mon]
mon_data_avail_crit = 1
mon_data_avail_warn = 2
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
)"
      << "mon_data = " << folder_ << "/mon\n[osd]\nosd_data = " << folder_ << "/osd.0\n"
      << "osd_objectstore = " << (settings_.durable ? "bluestore" : "memstore") << "\n"
      << "bluestore_block_size = " << settings_.device_bytes
      << "\nmemstore_device_bytes = " << settings_.device_bytes << "\n"
      << R"(bluestore_block_create = true
bluestore_cache_autotune = false
bluestore_cache_size = 67108864
osd_class_load_list = *
osd_class_default_list = *
osd_op_num_shards = 2
osd_op_num_threads_per_shard = 1
osd_mclock_skip_benchmark = true
[client]
rgw_rados_pool_pg_num_min = 1
rgw_thread_pool_size = 32
rgw_dns_name = localhost
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_enable_usage_log = false
rgw_enable_quota_threads = false
rgw_exit_timeout_secs = 2
rgw_sync_lease_period = 5
)"
      << "rgw_crypt_s3_kms_encryption_keys =";
  for (const std::string& key : settings_.kms_keys) out << " " << key;
  if (!settings_.zone.empty()) {
    out << "\nrgw_realm = " << kRealm << "\nrgw_zonegroup = " << kZoneGroup
        << "\nrgw_zone = " << settings_.zone;
  }
  out << "\n[client.rgw.a]\nrgw_data = " << folder_ << "/rgw\n"
      << "rgw_frontends = beast tcp_nodelay=1 endpoint=127.0.0.1:" << port_
      << " ssl_endpoint=127.0.0.1:" << tls_port_ << " ssl_certificate=" << folder_
      << "/server.crt ssl_private_key=" << folder_ << "/server.key\n";
}

std::vector<std::string> Cluster::rados(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(),
                   {"rados", config(), "--pool=" + settings_.zone + ".rgw.buckets.data"});
  return arguments;
}

std::vector<std::string> Cluster::stored(const std::string& part) {
  const std::string list = folder_ + "/objects";
  run(rados({"ls", "--output", list}));
  std::vector<std::string> found;
  std::ifstream lines(list);
  for (std::string name; std::getline(lines, name);)
    if (name.find(part) != name.npos) found.push_back(name);
  return found;
}

std::size_t Cluster::flip_bytes(const std::string& part) {
  const auto names = stored(part);
  const std::string copy = folder_ + "/object";
  for (const std::string& name : names) {
    run(rados({"get", name, copy}));
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(fs::file_size(copy) / 2);
    file.seekg(middle);
    const int byte = file.get();
    file.seekp(middle);
    file.put(static_cast<char>(~byte));
    file.close();
    run(rados({"put", name, copy}));
  }
  return names.size();
}

std::size_t Cluster::lose(const std::string& part) {
  const auto names = stored(part);
  for (const std::string& name : names) run(rados({"rm", name}));
  return names.size();
}

pid_t Cluster::start(const std::vector<std::string>& arguments, const std::string& output) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const std::string log = folder_ + "/" + output;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  OA_ASSERT(pid >= 0);
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, 0);
  dup2(fd, 1);
  dup2(fd, 2);
  execvp(argv[0], argv.data());
  _exit(127);
}

bool Cluster::try_run(const std::vector<std::string>& arguments, const std::string& output) {
  pid_t pid = start(arguments, output);
  int status = -1;
  for (const auto deadline = Clock::now() + kStartTimeout; Clock::now() < deadline;) {
    if (waitpid(pid, &status, WNOHANG) == pid) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    std::this_thread::sleep_for(milliseconds(5));
  }
  end(pid);
  return false;
}

void Cluster::run(const std::vector<std::string>& arguments) {
  if (!try_run(arguments)) give_up(arguments[0] + " failed");
}

void Cluster::give_up(const std::string& why) {
  std::cerr << why << "; needs the packages radosgw, ceph-mon and ceph-osd\n";
  for (const auto& log : fs::directory_iterator(folder_ + "/log"))
    if (log.file_size() > 0)
      std::cerr << log.path() << ":\n" << std::ifstream(log.path()).rdbuf() << "\n";
  abort();
}

}  // namespace oa::rgw
