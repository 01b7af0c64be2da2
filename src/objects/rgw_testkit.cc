#include "rgw_testkit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "oa/crypto/secret.h"

namespace oa::rgw {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kName = "--name=client.rgw.a";
constexpr auto kStartTimeout = std::chrono::seconds(60);

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

std::string random_key() {
  const SecretBytes key = SecretBytes::random(32);
  return to_base64(key.view());
}

void end(pid_t pid) {
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

}  // namespace

Gateway& Gateway::shared() {
  static Gateway gateway;
  return gateway;
}

Gateway::Gateway() {
  char folder[] = "/tmp/oa-rgw-XXXXXX";
  OA_ASSERT(mkdtemp(folder) != nullptr);
  folder_ = folder;
  for (const char* part : {"mon", "osd.0", "run", "log", "rgw"})
    fs::create_directory(folder_ + "/" + part);
  port_ = free_port();
  tls_port_ = free_port();
  monitor_port_ = free_port();
  for (std::string& key : keys_) key = random_key();
  make_certificate();
  write_configuration();
  start_cluster();
  start_gateway();
  run({"radosgw-admin", config(), kName, "user", "create", "--uid=test", "--display-name=test",
       "--access-key=AKTEST", "--secret-key=SKTEST"});
  lockable_bucket_ = make_bucket(true, true);
}

Gateway::~Gateway() {
  end(gateway_);
  for (const pid_t pid : daemons_) end(pid);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Gateway::make_certificate() {
  run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
       folder_ + "/server.key", "-out", folder_ + "/server.crt"});
}

// No manager, no authentication inside of the cluster, everything in memory, one copy.
void Gateway::write_configuration() {
  std::ofstream out(folder_ + "/ceph.conf");
  out << "[global]\n"
      << "fsid = " << Uuid::random().str() << "\n"
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
      << R"(osd_objectstore = memstore
memstore_device_bytes = 8589934592
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
)"
      << "rgw_crypt_s3_kms_encryption_keys =";
  for (int i = 0; i < 2; ++i) out << " " << kKeys[i] << "=" << keys_[i];
  out << "\n[client.rgw.a]\nrgw_data = " << folder_ << "/rgw\n"
      << "rgw_frontends = beast tcp_nodelay=1 endpoint=127.0.0.1:" << port_
      << " ssl_endpoint=127.0.0.1:" << tls_port_ << " ssl_certificate=" << folder_
      << "/server.crt ssl_private_key=" << folder_ << "/server.key\n";
}

void Gateway::start_cluster() {
  const std::string map = folder_ + "/monmap", osd = Uuid::random().str();
  const std::string monitor = "[v2:127.0.0.1:" + std::to_string(monitor_port_) + "]";
  run({"monmaptool", "--create", "--addv", "a", monitor, map});
  run({"ceph-mon", config(), "--mkfs", "-i", "a", "--monmap", map});
  daemons_.push_back(start({"ceph-mon", config(), "-i", "a", "-f"}));
  run({"ceph-osd", config(), "-i", "0", "--mkfs", "--osd-uuid", osd});
  run({"ceph", config(), "--connect-timeout", "30", "osd", "new", osd});
  daemons_.push_back(start({"ceph-osd", config(), "-i", "0", "-f"}));
}

void Gateway::start_gateway() {
  gateway_ = start({"radosgw", config(), kName, "-f"});
  for (const auto deadline = Clock::now() + kStartTimeout; Clock::now() < deadline;) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool up = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    close(fd);
    if (up) return;
    if (waitpid(gateway_, nullptr, WNOHANG) == gateway_) break;
    std::this_thread::sleep_for(milliseconds(20));
  }
  give_up("the gateway does not start");
}

void Gateway::kill_gateway() {
  end(gateway_);
  gateway_ = -1;
}

void Gateway::swap_keys() {
  std::swap(keys_[0], keys_[1]);
  write_configuration();
  kill_gateway();
  start_gateway();
}

pid_t Gateway::start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const std::string log = folder_ + "/log/output";
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

void Gateway::run(const std::vector<std::string>& arguments) {
  const pid_t pid = start(arguments);
  int status = -1;
  for (const auto deadline = Clock::now() + kStartTimeout; Clock::now() < deadline;) {
    if (waitpid(pid, &status, WNOHANG) == pid) {
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
      give_up(arguments[0] + " failed");
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  end(pid);
  give_up(arguments[0] + " does not end");
}

void Gateway::give_up(const std::string& why) {
  std::cerr << why << "; needs the packages radosgw, ceph-mon and ceph-osd\n";
  for (const auto& log : fs::directory_iterator(folder_ + "/log"))
    std::cerr << log.path() << ":\n" << std::ifstream(log.path()).rdbuf() << "\n";
  abort();
}

aws::ClientSettings Gateway::connection() const {
  aws::Credentials credentials{.access_key_id = "AKTEST",
                               .secret_access_key = SecretBytes::copy_of(as_bytes("SKTEST"))};
  return {
      .endpoint = url(),
      .scope = {"default", "s3"},
      .credentials = *aws::CredentialProvider::fixed(std::move(credentials)),
      .connect_timeout = milliseconds(2'000),
      .idle_timeout = milliseconds(20'000),
      .total_timeout = milliseconds(60'000),
      .retries = {.attempts = 4, .first_wait = milliseconds(5), .longest_wait = milliseconds(100)}};
}

std::string Gateway::make_bucket(bool versioned, bool lockable) {
  const std::string name = "bucket-" + Uuid::random().str();
  const auto client = *aws::Client::open(connection());
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
  if (!made.ok() || !made->ok()) give_up("no bucket can be made");
  if (versioned) {
    const auto kept = client->send(keep);
    if (!kept.ok() || !kept->ok()) give_up("versioning cannot be turned on");
  }
  return name;
}

S3Settings Gateway::fresh_store() {
  S3Settings settings;
  settings.connection = connection();
  settings.bucket = lockable_bucket_;
  settings.prefix = "store-" + std::to_string(++stores_) + "/";
  return settings;
}

}  // namespace oa::rgw
