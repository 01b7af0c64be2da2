#include "cluster_testkit.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace oa::wal {

TestCluster::TestCluster()
    : account_(postgres::server_account().value()),
      programs_(postgres::find_postgres_programs().value()) {
  OA_ASSERT(!account_.other || ::chown(folder_.path().c_str(), account_.uid, account_.gid) == 0);
  log_fd_ =
      ::open((folder_.path() + "/log").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  OA_ASSERT(log_fd_ >= 0);
}

TestCluster::~TestCluster() {
  if (server_ != 0) kill();
  ::close(log_fd_);
}

int TestCluster::run(const std::vector<std::string>& arguments) {
  return postgres::wait_for_exit(postgres::spawn(account_, arguments, log_fd_).value());
}

std::unique_ptr<TestCluster> TestCluster::make() {
  std::unique_ptr<TestCluster> made(new TestCluster);
  OA_ASSERT(made->run({made->programs_ + "/initdb", "--pgdata=" + made->data(), "--no-sync",
                       "--username=postgres", "--auth=trust", "--wal-segsize=1", "--locale=C",
                       "--encoding=UTF8", "--no-instructions"}) == 0);
  return made;
}

std::unique_ptr<TestCluster> TestCluster::copy_of(TestCluster& source,
                                                  const std::vector<std::string>& options) {
  std::unique_ptr<TestCluster> made(new TestCluster);
  // The folder of the source is open to the account alone: both have the same one.
  std::vector<std::string> arguments = {made->programs_ + "/pg_basebackup",
                                        "--pgdata=" + made->data(), "--no-sync",
                                        "--checkpoint=fast", "--dbname=" + source.conninfo()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  if (made->run(arguments) != 0) fputs(made->log().c_str(), stderr);
  OA_ASSERT(access((made->data() + "/PG_VERSION").c_str(), F_OK) == 0);
  return made;
}

bool TestCluster::start(const std::vector<std::string>& settings,
                        std::span<const postgres::InheritedFile> files) {
  std::vector<std::string> arguments = {programs_ + "/postgres", "-D", data()};
  std::vector<std::string> all = {"listen_addresses=",
                                  "unix_socket_directories=" + folder_.path(),
                                  "unix_socket_permissions=0700",
                                  "shared_buffers=16MB",
                                  "max_wal_size=64MB",
                                  "min_wal_size=2MB",
                                  "wal_level=replica",
                                  "log_min_messages=warning",
                                  "logging_collector=off"};
  all.insert(all.end(), settings.begin(), settings.end());
  for (const auto& setting : all) arguments.insert(arguments.end(), {"-c", setting});
  server_ = postgres::spawn(account_, arguments, log_fd_, files).value();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < deadline) {
    if (PQstatus(connect().get()) == CONNECTION_OK) return true;
    if (postgres::has_exited(server_)) {
      server_ = 0;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  fputs(log().c_str(), stderr);
  OA_ASSERT(false);
}

// All of its processes, as when the machine goes: while one is left it could go on sending.
void TestCluster::kill() {
  ::kill(server_, SIGSTOP);
  const std::string pid = std::to_string(server_);
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
  ::kill(server_, SIGKILL);
  postgres::wait_for_exit(std::exchange(server_, 0));
}

void TestCluster::stop() {
  ::kill(server_, SIGINT);
  postgres::wait_for_exit(std::exchange(server_, 0));
}

std::unique_ptr<PGconn, void (*)(PGconn*)> TestCluster::connect() const {
  return {PQconnectdb((conninfo() + " dbname=postgres").c_str()), &PQfinish};
}

std::string TestCluster::sql(const std::string& text) {
  const auto connection = connect();
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQexec(connection.get(), text.c_str()), &PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    ADD_FAILURE() << text << ": " << PQerrorMessage(connection.get());
    return "";
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

std::string TestCluster::log() const {
  const auto text = read_file(folder_.path() + "/log", 64 << 20);
  return text.ok() ? std::string(as_text(*text)) : "";
}

void TestCluster::touch(const std::string& name) {
  const int fd = ::open((data() + "/" + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  OA_ASSERT(fd >= 0 && (!account_.other || ::fchown(fd, account_.uid, account_.gid) == 0));
  ::close(fd);
}

}  // namespace oa::wal
