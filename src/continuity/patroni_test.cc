#include "oa/continuity/patroni.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "oa/postgres/process.h"

#define ASSERT_OK(expression)                                                                     \
  do {                                                                                            \
    const auto& oa_status = (expression);                                                         \
    ASSERT_TRUE(oa_status.ok()) << oa_status.error().message << " | " << oa_status.error().cause; \
  } while (false)

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

// Ports that the kernel chose; held all at once, so that they differ.
std::vector<int> free_ports(std::size_t count) {
  std::vector<int> ports, sockets;
  for (std::size_t i = 0; i < count; ++i) {
    sockets.push_back(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    OA_ASSERT(bind(sockets.back(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    OA_ASSERT(getsockname(sockets.back(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ports.push_back(ntohs(address.sin_port));
  }
  for (const int fd : sockets) close(fd);
  return ports;
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 600; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(100));
  }
  return false;
}

// etcd and two nodes, as the account of the server, on loopback.
class TwoNodes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    char path[] = "/tmp/oa-patroni-XXXXXX";
    OA_ASSERT(mkdtemp(path) != nullptr && chmod(path, 0711) == 0);
    folder_ = path;
    account_ = *postgres::server_account();
    const auto ports = free_ports(6);
    own_folder("etcd");
    const std::string etcd = fmt::format("http://127.0.0.1:{}", ports[0]);
    const std::string peer = fmt::format("http://127.0.0.1:{}", ports[1]);
    run("etcd", {"/usr/bin/etcd", "--data-dir", folder_ + "/etcd/data", "--listen-client-urls",
                 etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", peer,
                 "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer});
    for (const int node : {1, 2}) {
      const auto at = static_cast<std::size_t>(node) * 2;
      const std::string name = fmt::format("n{}", node);
      own_folder(name);
      std::ofstream(folder_ + "/" + name + ".yml")
          << configuration(name, ports[0], ports[at], ports[at + 1]);
      urls_.push_back(fmt::format("http://127.0.0.1:{}", ports[at]));
      run(name, {"/usr/bin/patroni", folder_ + "/" + name + ".yml"});
      if (node == 1) {
        OA_ASSERT(eventually([] {
          const auto now = patroni().cluster();
          return now.ok() && now->leader() != nullptr && now->leader()->state == "running";
        }));
      }
    }
    OA_ASSERT(eventually([] { return streaming(); }));
  }
  static void TearDownTestSuite() {
    for (auto child = children_.rbegin(); child != children_.rend(); ++child) {
      kill(*child, SIGTERM);
      postgres::wait_for_exit(*child);
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  static std::string configuration(const std::string& name, int etcd, int rest, int postgres) {
    return fmt::format(
        "scope: cell\nnamespace: /service/\nname: {0}\n"
        "restapi:\n  listen: 127.0.0.1:{2}\n  connect_address: 127.0.0.1:{2}\n"
        "  authentication: {{username: orch, password: right}}\n"
        "etcd3:\n  host: 127.0.0.1:{1}\n"
        "bootstrap:\n  dcs:\n    ttl: 20\n    loop_wait: 1\n    retry_timeout: 3\n"
        "    postgresql:\n      use_slots: true\n      parameters: {{wal_level: replica}}\n"
        "  initdb: [{{encoding: UTF8}}, data-checksums, {{locale: C.UTF-8}}]\n"
        "postgresql:\n  listen: 127.0.0.1:{3}\n  connect_address: 127.0.0.1:{3}\n"
        "  data_dir: {4}/{0}/data\n  bin_dir: {5}\n  pgpass: {4}/{0}/pgpass\n"
        "  authentication:\n    superuser: {{username: postgres, password: a}}\n"
        "    replication: {{username: repl, password: b}}\n"
        "  parameters: {{unix_socket_directories: '{4}/{0}', shared_buffers: 16MB}}\n"
        "  pg_hba: ['local all all trust', 'host replication repl 127.0.0.1/32 scram-sha-256',\n"
        "           'host all all 127.0.0.1/32 scram-sha-256']\n"
        "watchdog: {{mode: 'off'}}\n",
        name, etcd, rest, postgres, folder_, *postgres::find_postgres_programs());
  }
  static void own_folder(const std::string& name) {
    fs::create_directory(folder_ + "/" + name);
    OA_ASSERT(chown((folder_ + "/" + name).c_str(), account_.uid, account_.gid) == 0);
  }
  static void run(const std::string& name, const std::vector<std::string>& arguments) {
    const int log =
        open((folder_ + "/" + name + ".log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const auto pid = postgres::spawn(account_, arguments, log);
    close(log);
    OA_ASSERT(pid.ok());
    children_.push_back(*pid);
  }
  static Patroni patroni(const std::string& password = "right") {
    PatroniSettings settings;
    settings.urls = urls_;
    settings.user = "orch";
    settings.password = SecretBytes::copy_of(as_bytes(password));
    return *Patroni::open(std::move(settings));
  }
  static bool streaming() {
    const auto now = patroni().cluster();
    if (!now.ok() || now->members.size() != 2 || now->leader() == nullptr) return false;
    for (const auto& member : now->members)
      if (member.timeline != now->leader()->timeline || member.timeline.value == 0 ||
          (member.role != "leader" && !member.lag_bytes))
        return false;
    return true;
  }

  static inline std::string folder_;
  static inline postgres::Account account_;
  static inline std::vector<pid_t> children_;
  static inline std::vector<std::string> urls_;
};

TEST_F(TwoNodes, ClusterAsItIs) {
  const auto now = patroni().cluster();
  ASSERT_OK(now);
  EXPECT_EQ(now->members.size(), 2u);
  EXPECT_FALSE(now->paused);
  ASSERT_NE(now->leader(), nullptr);
  EXPECT_EQ(now->leader()->host, "127.0.0.1");
  EXPECT_GT(now->leader()->port, 0);
  const auto conninfo = patroni().primary_conninfo();
  ASSERT_OK(conninfo);
  EXPECT_TRUE(conninfo->starts_with("host=127.0.0.1,127.0.0.1 port=")) << *conninfo;
}

TEST_F(TwoNodes, ArchivingIsSetForAllNodes) {
  const PatroniArchiving archiving{.archive_command = "pgbackrest archive-push %p",
                                   .slot = "oa_receiver"};
  EXPECT_EQ(code_of(patroni("wrong").configure(archiving)), ErrorCode::kPermissionDenied);
  auto driver = patroni();
  ASSERT_OK(driver.configure(archiving));
  const auto has_slot = [](const std::string& node) {
    return fs::exists(folder_ + "/" + node + "/data/pg_replslot/oa_receiver");
  };
  const auto now = driver.cluster();
  ASSERT_OK(now);
  EXPECT_TRUE(eventually([&] { return has_slot(now->leader()->name); }));
  // archive_mode holds after a restart, which is the operator's to choose.
  EXPECT_TRUE(eventually([&] {
    const auto pending = driver.configure(archiving);
    return pending.ok() && *pending;
  }));
  ASSERT_OK(driver.unconfigure(archiving));
  EXPECT_TRUE(eventually([&] { return !has_slot(now->leader()->name); }));
}

TEST_F(TwoNodes, SwitchoverBeginsATimeline) {
  auto driver = patroni();
  const auto before = driver.cluster();
  ASSERT_OK(before);
  std::string other;
  for (const auto& member : before->members)
    if (member.role != "leader") other = member.name;
  ASSERT_OK(driver.switchover(other, seconds(40)));
  EXPECT_TRUE(eventually([] { return streaming(); }));
  const auto after = driver.cluster();
  ASSERT_OK(after);
  ASSERT_NE(after->leader(), nullptr);
  EXPECT_EQ(after->leader()->name, other);
  EXPECT_EQ(after->leader()->timeline.value, before->leader()->timeline.value + 1);
  EXPECT_TRUE(eventually([&] {
    const auto history = driver.history();
    return history.ok() && !history->empty() &&
           history->back().timeline == before->leader()->timeline && history->back().end.value > 0;
  }));
  EXPECT_EQ(code_of(driver.switchover("nobody", seconds(5))), ErrorCode::kInvalidArgument);
}

TEST(PatroniSettings, WhatCannotBe) {
  const auto open = [](const std::string& url) {
    PatroniSettings settings;
    if (!url.empty()) settings.urls = {url};
    settings.user = "orch";
    return code_of(Patroni::open(std::move(settings)));
  };
  for (const char* url : {"", "ftp://x", "10.0.0.1:8008", "https://x:1/", "http://10.0.0.1:8008"})
    EXPECT_EQ(open(url), ErrorCode::kInvalidArgument) << url;
  EXPECT_EQ(open("https://10.0.0.1:8008"), ErrorCode::kInternal);
}

TEST(PatroniSettings, NobodyAnswers) {
  PatroniSettings settings;
  settings.urls = {fmt::format("http://127.0.0.1:{}", free_ports(1)[0])};
  auto driver = Patroni::open(std::move(settings));
  ASSERT_OK(driver);
  EXPECT_EQ(code_of(driver->cluster()), ErrorCode::kDatabaseUnavailable);
  EXPECT_EQ(code_of(driver->primary_conninfo()), ErrorCode::kDatabaseUnavailable);
}

}  // namespace
}  // namespace oa::continuity
