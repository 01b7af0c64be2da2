// A real Patroni cluster of two nodes with etcd, on loopback, as the account of the server.
#pragma once

#include <libpq-fe.h>
#include <sys/types.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "oa/continuity/patroni.h"
#include "oa/postgres/process.h"
#include "testkit/scratch.h"

namespace oa::testkit {

/// Pieces of Patroni's configuration, as YAML in its own indentation.
struct PatroniOptions {
  std::string dcs;         // under `bootstrap: dcs:`, 4 blanks
  std::string parameters;  // under `bootstrap: dcs: postgresql: parameters:`, 8 blanks
  std::string bootstrap;   // under `bootstrap:`, 2 blanks
  std::string postgresql;  // under `postgresql:`, 2 blanks
};

/// Nodes are numbered 1 and 2. What cannot be started ends the test program. Ends all its
/// processes.
class PatroniNodes {
 public:
  /// etcd, and folders for the nodes; no node yet.
  PatroniNodes();
  ~PatroniNodes();
  PatroniNodes(const PatroniNodes&) = delete;
  PatroniNodes& operator=(const PatroniNodes&) = delete;

  /// For the starts that follow.
  void configure(const PatroniOptions& options);
  void start(int node);
  /// The first, until it leads; then the second, until it streams.
  void start_both();
  void start_first();
  void start_second();
  /// Patroni, and by it Postgres.
  void stop(int node);
  /// SIGKILL of Patroni and of Postgres.
  void kill(int node);
  /// Every node is well, on the leader's timeline.
  bool streaming(std::size_t nodes = 2) const;
  /// The node that leads; 0 when none does.
  int leader() const;

  continuity::Patroni patroni(const std::string& password = "right") const;
  /// Waits up to a minute.
  static bool eventually(const std::function<bool()>& condition);

  std::string folder(int node) const;
  std::string data(int node) const { return folder(node) + "/data"; }
  std::string configuration_file(int node) const { return folder(node) + ".yml"; }
  std::string log(int node) const;
  int port(int node) const { return postgres_ports_[index(node)]; }
  pid_t server(int node) const;  // 0 when none runs
  pid_t patroni_process(int node) const { return patronis_[index(node)]; }
  const std::string& scratch() const { return scratch_.path(); }
  const postgres::Account& account() const { return account_; }
  /// Finds the primary, for the superuser and for replication.
  std::string conninfo(const std::string& user = "postgres",
                       const std::string& password = "a") const;
  /// Of one node.
  std::string conninfo(int node) const;
  /// Of Patroni's API.
  std::string url(int node) const;

 private:
  static std::size_t index(int node) { return static_cast<std::size_t>(node - 1); }
  pid_t run(const std::string& name, const std::vector<std::string>& arguments);
  void own_folder(const std::string& path) const;

  Scratch scratch_;
  postgres::Account account_;
  int etcd_port_ = 0;
  pid_t etcd_ = 0;
  std::array<int, 2> rest_ports_{}, postgres_ports_{};
  std::array<pid_t, 2> patronis_{};
};

/// Ports that the kernel chose, all different.
std::vector<int> free_ports(std::size_t count);

/// A connection; fails quietly: PQstatus tells.
using Connection = std::unique_ptr<PGconn, void (*)(PGconn*)>;
Connection connect(const std::string& conninfo);
/// The first column of the answer's rows; the message of the error when there is one.
std::vector<std::string> column(const std::string& conninfo, const std::string& sql);
/// The first row of it.
std::string value(const std::string& conninfo, const std::string& sql);

}  // namespace oa::testkit
