#include "testkit/source_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "oa/base/ids.h"
#include "oa/base/json.h"
#include "oa/postgres/process.h"

namespace oa::testkit {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("source cluster: " + what);
}

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool found = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  require(found, "no free port");
  return ntohs(address.sin_port);
}

void write_text(const postgres::Account& account, const std::string& path,
                const std::string& text) {
  std::ofstream(path) << text;
  require(chmod(path.c_str(), 0600) == 0, path);
  require(!account.other || chown(path.c_str(), account.uid, account.gid) == 0, path);
}

}  // namespace

SourceCluster::SourceCluster()
    : superuser_password_(Uuid::random().str()), password_(Uuid::random().str()) {
  for (int attempt = 0; server_ == 0; ++attempt) {
    port_ = free_port();  // somebody may take it before the server does
    start();
    require(server_ != 0 || attempt < 3, contents_of(scratch_ / "log"));
  }
  run("postgres", "CREATE DATABASE warehouse");
  sql(fmt::format("CREATE ROLE reader LOGIN PASSWORD '{}'", password_));
}

void SourceCluster::start() {
  const auto account = postgres::server_account().value();
  const auto programs = postgres::find_postgres_programs().value();
  const int log = open((scratch_ / "log").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  require(log >= 0, "no log");
  const std::string data = scratch_ / "data";
  if (files_below(data).empty()) {
    require(mkdir(data.c_str(), 0700) == 0, data);
    require(!account.other || chown(data.c_str(), account.uid, account.gid) == 0, data);
    write_text(account, scratch_ / "password", superuser_password_);
    const auto initdb =
        postgres::spawn(account,
                        {programs + "/initdb", "--pgdata=" + data, "--username=postgres",
                         "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256",
                         "--pwfile=" + (scratch_ / "password"), "--no-sync", "--no-instructions"},
                        log);
    require(initdb.ok() && postgres::wait_for_exit(initdb.value()) == 0,
            contents_of(scratch_ / "log"));
    const auto openssl =
        postgres::spawn(account,
                        {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                         data + "/server.key", "-out", data + "/server.crt"},
                        log);
    require(openssl.ok() && postgres::wait_for_exit(openssl.value()) == 0,
            contents_of(scratch_ / "log"));
    certificate_ = contents_of(data + "/server.crt");
    std::ofstream(data + "/postgresql.conf", std::ios::app) << "ssl = on\n";  // tests switch it off
  }
  std::vector<std::string> arguments = {programs + "/postgres", "-D", data};
  for (const std::string& setting :
       {std::string("listen_addresses=127.0.0.1"), fmt::format("port={}", port_),
        std::string("unix_socket_directories="), std::string("fsync=off"),
        std::string("max_connections=20"), std::string("shared_buffers=32MB")}) {
    arguments.insert(arguments.end(), {"-c", setting});
  }
  const auto server = postgres::spawn(account, arguments, log);
  close(log);
  require(server.ok(), "the server cannot be started");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    if (postgres::has_exited(server.value())) return;
    server_ = server.value();
    try {
      run("postgres", "SELECT 1");
      return;
    } catch (const std::runtime_error&) {
      server_ = 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  kill(server.value(), SIGQUIT);
  (void)postgres::wait_for_exit(server.value());
}

SourceCluster::~SourceCluster() {
  if (server_ == 0) return;
  kill(server_, SIGQUIT);  // nothing in it is needed any more
  (void)postgres::wait_for_exit(server_);
}

std::string SourceCluster::secret_payload() const {
  return canonical_json(json::object{{"host", "127.0.0.1"},
                                     {"port", port_},
                                     {"database", "warehouse"},
                                     {"user", "reader"},
                                     {"password", password_},
                                     {"sslmode", "disable"}});
}

std::string SourceCluster::sql(const std::string& script) const { return run("warehouse", script); }

std::string SourceCluster::run(const std::string& database, const std::string& script) const {
  const std::string port = std::to_string(port_);
  const char* const keys[] = {"host",     "port",    "dbname",  "user",
                              "password", "sslmode", "options", nullptr};
  const char* const values[] = {"127.0.0.1",
                                port.c_str(),
                                database.c_str(),
                                "postgres",
                                superuser_password_.c_str(),
                                "disable",
                                "-c client_min_messages=warning",
                                nullptr};
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdbParams(keys, values, 0),
                                                              &PQfinish);
  require(PQstatus(connection.get()) == CONNECTION_OK, PQerrorMessage(connection.get()));
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQexec(connection.get(), script.c_str()), &PQclear);
  const auto status = PQresultStatus(result.get());
  require(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK,
          PQerrorMessage(connection.get()));
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

}  // namespace oa::testkit
