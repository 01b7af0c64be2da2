#include "testkit/patroni_nodes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace oa::testkit {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// Also true of one that nobody waits for.
bool gone(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(status, text)) return true;
  const auto at = text.rfind(") ");
  return at == std::string::npos || text[at + 2] == 'Z' || text[at + 2] == 'X';
}

}  // namespace

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

PatroniNodes::PatroniNodes() : account_(*postgres::server_account()) {
  const auto ports = free_ports(6);
  etcd_port_ = ports[0];
  rest_ports_ = {ports[2], ports[3]};
  postgres_ports_ = {ports[4], ports[5]};
  for (const auto& name : {std::string("etcd"), std::string("n1"), std::string("n2")})
    own_folder(scratch_ / name);
  const std::string etcd = fmt::format("http://127.0.0.1:{}", etcd_port_);
  const std::string peer = fmt::format("http://127.0.0.1:{}", ports[1]);
  etcd_ = run("etcd", {"/usr/bin/etcd", "--data-dir", scratch_ / "etcd/data",
                       "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
                       "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                       "--initial-cluster", "default=" + peer, "--unsafe-no-fsync"});
  configure({});
}

PatroniNodes::~PatroniNodes() {
  for (const int node : {1, 2}) kill(node);
  ::kill(etcd_, SIGKILL);
  postgres::wait_for_exit(etcd_);
}

void PatroniNodes::own_folder(const std::string& path) const {
  fs::create_directory(path);
  OA_ASSERT(!account_.other || chown(path.c_str(), account_.uid, account_.gid) == 0);
}

pid_t PatroniNodes::run(const std::string& name, const std::vector<std::string>& arguments) {
  const int log =
      open((scratch_ / (name + ".log")).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const auto pid = postgres::spawn(account_, arguments, log);
  close(log);
  OA_ASSERT(pid.ok());
  return *pid;
}

void PatroniNodes::configure(const PatroniOptions& options) {
  for (const int node : {1, 2}) {
    std::ofstream file(configuration_file(node));
    file << fmt::format(
        "scope: cell\nnamespace: /service/\nname: n{0}\n"
        "restapi:\n  listen: 127.0.0.1:{2}\n  connect_address: 127.0.0.1:{2}\n"
        "  authentication: {{username: orch, password: right}}\n"
        "etcd3:\n  host: 127.0.0.1:{1}\n"
        "bootstrap:\n  dcs:\n    ttl: 8\n    loop_wait: 1\n    retry_timeout: 3\n{5}"
        "    postgresql:\n      use_slots: true\n      use_pg_rewind: true\n"
        "      parameters:\n        wal_level: replica\n{6}"
        "  initdb: [{{encoding: UTF8}}, data-checksums, {{locale: C.UTF-8}}]\n{7}"
        "postgresql:\n  listen: 127.0.0.1:{3}\n  connect_address: 127.0.0.1:{3}\n"
        "  data_dir: {4}/data\n  bin_dir: {9}\n  pgpass: {4}/pgpass\n"
        "  authentication:\n    superuser: {{username: postgres, password: a}}\n"
        "    replication: {{username: repl, password: b}}\n"
        "  parameters: {{unix_socket_directories: '{4}', shared_buffers: 16MB}}\n"
        "  pg_hba: ['local all all trust', 'host replication repl 127.0.0.1/32 scram-sha-256',\n"
        "           'host all all 127.0.0.1/32 scram-sha-256']\n{8}"
        "watchdog: {{mode: 'off'}}\n",
        node, etcd_port_, rest_ports_[index(node)], port(node), folder(node), options.dcs,
        options.parameters, options.bootstrap, options.postgresql,
        *postgres::find_postgres_programs());
  }
}

void PatroniNodes::start(int node) {
  OA_ASSERT(patronis_[index(node)] == 0);
  patronis_[index(node)] =
      run(fmt::format("n{}", node), {"/usr/bin/patroni", configuration_file(node)});
}

void PatroniNodes::start_both() {
  start_first();
  start_second();
}

void PatroniNodes::start_first() {
  start(1);
  OA_ASSERT(eventually([this] { return leader() == 1; }));
}

void PatroniNodes::start_second() {
  start(2);
  OA_ASSERT(eventually([this] { return streaming(); }));
}

void PatroniNodes::stop(int node) {
  pid_t& patroni = patronis_[index(node)];
  if (patroni == 0) return;
  ::kill(patroni, SIGTERM);
  postgres::wait_for_exit(std::exchange(patroni, 0));
}

pid_t PatroniNodes::server(int node) const {
  std::ifstream file(data(node) + "/postmaster.pid");
  pid_t pid = 0;
  file >> pid;
  return file && !gone(pid) ? pid : 0;
}

void PatroniNodes::kill(int node) {
  pid_t& patroni = patronis_[index(node)];
  if (patroni != 0) {
    ::kill(patroni, SIGKILL);
    postgres::wait_for_exit(std::exchange(patroni, 0));
  }
  const pid_t running = server(node);
  if (running == 0) return;
  ::kill(running, SIGKILL);
  OA_ASSERT(eventually([&] { return gone(running); }));
}

bool PatroniNodes::streaming(std::size_t nodes) const {
  const auto now = patroni().cluster();
  if (!now.ok() || now->members.size() != nodes || now->leader() == nullptr ||
      now->leader()->state != "running")
    return false;
  for (const auto& member : now->members)
    if (member.timeline != now->leader()->timeline || member.timeline.value == 0 ||
        (member.role != "leader" && !member.lag_bytes))
      return false;
  return true;
}

int PatroniNodes::leader() const {
  const auto now = patroni().cluster();
  if (!now.ok() || now->leader() == nullptr || now->leader()->state != "running") return 0;
  return now->leader()->name == "n1" ? 1 : 2;
}

std::string PatroniNodes::url(int node) const {
  return fmt::format("http://127.0.0.1:{}", rest_ports_[index(node)]);
}

continuity::Patroni PatroniNodes::patroni(const std::string& password) const {
  continuity::PatroniSettings settings;
  settings.urls = {url(1), url(2)};
  settings.user = "orch";
  settings.password = SecretBytes::copy_of(as_bytes(password));
  return *continuity::Patroni::open(std::move(settings));
}

bool PatroniNodes::eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 600; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(100));
  }
  return false;
}

std::string PatroniNodes::folder(int node) const { return scratch_ / fmt::format("n{}", node); }

std::string PatroniNodes::log(int node) const {
  return contents_of(scratch_ / fmt::format("n{}.log", node));
}

std::string PatroniNodes::conninfo(const std::string& user, const std::string& password) const {
  return fmt::format(
      "host=127.0.0.1,127.0.0.1 port={},{} target_session_attrs=read-write user={} password={} "
      "connect_timeout=3",
      port(1), port(2), user, password);
}

std::string PatroniNodes::conninfo(int node) const {
  return fmt::format("host=127.0.0.1 port={} user=postgres password=a dbname=postgres", port(node));
}

Connection connect(const std::string& conninfo) {
  return Connection(PQconnectdb(conninfo.c_str()), &PQfinish);
}

std::vector<std::string> column(const std::string& conninfo, const std::string& sql) {
  const auto connection = connect(conninfo);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()),
                                                              &PQclear);
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK) return {};
  if (status != PGRES_TUPLES_OK) return {PQerrorMessage(connection.get())};
  std::vector<std::string> values;
  for (int row = 0; row < PQntuples(result.get()); ++row)
    values.emplace_back(PQgetvalue(result.get(), row, 0));
  return values;
}

std::string value(const std::string& conninfo, const std::string& sql) {
  const auto values = column(conninfo, sql);
  return values.empty() ? "" : values.front();
}

}  // namespace oa::testkit
