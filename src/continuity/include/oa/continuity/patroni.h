// An existing Patroni 3 cluster, through the REST API of its nodes (Patroni manual, "Patroni REST
// API").
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/result.h"
#include "oa/crypto/secret.h"
#include "oa/wal/position.h"

namespace oa::continuity {

struct PatroniSettings {
  std::vector<std::string> urls;  // of the nodes' APIs, "https://10.0.0.1:8008"; tried in order
  std::string user;               // of `restapi: authentication`; empty: none
  SecretBytes password;
  std::string ca_file;                       // for https; empty: the system's
  std::chrono::milliseconds timeout{5'000};  // of one request to one node
};

struct PatroniMember {
  std::string name;
  std::string role;   // "leader", "replica", "sync_standby", …
  std::string state;  // "running", "streaming", …
  std::string host;   // of Postgres; empty while it is not known
  std::uint16_t port = 0;
  wal::Timeline timeline;                  // 0 while it is not known
  std::optional<std::uint64_t> lag_bytes;  // of a replica
  bool pending_restart = false;            // a setting waits for it
};

struct PatroniCluster {
  std::vector<PatroniMember> members;
  bool paused = false;  // maintenance: no failover by itself
  /// nullptr while there is none, as during a failover.
  const PatroniMember* leader() const;
};

/// A timeline that ended, and where.
struct PatroniSwitch {
  wal::Timeline timeline;
  wal::Lsn end;
  std::string reason;
  std::optional<Timestamp> at;
};

/// What continuous backup asks of the cluster, for all nodes and for good.
struct PatroniArchiving {
  std::string archive_command;  // of the nodes' own pgbackrest
  unsigned archive_timeout_s = 60;
  std::string slot;  // of the receiver; kept through a failover
  /// How much log the slots of the cluster may hold back; none: what it has stays.
  std::optional<unsigned> max_slot_wal_keep_mb = 4096;
};

/// Not thread-safe. Errors of every call: kDatabaseUnavailable (no node answers), kPermissionDenied
/// (user or password), kInvalidArgument (a node refuses what it was told), kDatabase (an answer
/// that is not understood). Passwords are in no error.
class Patroni {
 public:
  /// kInvalidArgument for addresses that cannot be, and for a password that would go unencrypted to
  /// another machine.
  static Result<Patroni> open(PatroniSettings settings);

  Result<PatroniCluster> cluster();
  /// Oldest first.
  Result<std::vector<PatroniSwitch>> history();
  /// What is set for all nodes, as canonical JSON.
  Result<std::string> configuration();
  /// Of the cluster, as pg_control_system() has it.
  Result<std::string> system_identifier();
  struct Configured {
    std::string configuration;  // as configuration() will be: a GET may still show the one before
    bool pending_restart = false;  // a node must be restarted before all of it holds: archive_mode
  };
  /// Sets what is asked (`PATCH /config`).
  Result<Configured> configure(const PatroniArchiving& archiving);
  /// Takes the settings of configure() back, its slot too.
  Status unconfigure(const PatroniArchiving& archiving);
  /// Hands the leader's part to another node, and waits for it up to `timeout`; kTimeout.
  Status switchover(const std::string& to, std::chrono::milliseconds timeout);
  /// libpq's settings that find the primary, whichever it is; without user, database and password.
  Result<std::string> primary_conninfo();

 private:
  explicit Patroni(PatroniSettings settings) : settings_(std::move(settings)) {}
  struct Answer {
    long status = 0;
    std::string body;
  };
  Result<Answer> ask(const std::string& method, const std::string& path, const std::string& body);
  Result<Answer> ask_node(const std::string& url, const std::string& method,
                          const std::string& path, const std::string& body);
  Result<Answer> ask_well(const std::string& method, const std::string& path,
                          const std::string& body);
  PatroniSettings settings_;
  std::size_t first_ = 0;  // the node that answered last is asked first
};

}  // namespace oa::continuity
