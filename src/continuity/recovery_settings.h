// The settings of a server that recovers a restored cluster, and what its end means.
#pragma once

#include <string>
#include <vector>

#include "oa/base/result.h"
#include "oa/continuity/scratch_cluster.h"
#include "oa/postgres/process.h"

namespace oa::continuity {

/// Where its parts are, within the folder of a scratch cluster.
struct ScratchLayout {
  explicit ScratchLayout(const std::string& folder)
      : data(folder + "/data"),
        sockets(folder + "/s"),
        configuration(folder + "/postgresql.conf"),
        log(folder + "/server.log"),
        restore_socket(folder + "/restore.sock"),
        ahead(folder + "/ahead") {}
  std::string data, sockets, configuration, log, restore_socket, ahead;
};

/// A short one: the path of a socket has 107 bytes.
inline constexpr const char* kScratchPort = "1";

struct RecoveryPlan {
  Target target;
  AtTarget at_target = AtTarget::kPause;
  wal::Timeline timeline = {};  // 0: the newest
  bool own_timeline = false;    // that of the cluster itself, whatever else there is
  std::string restore_command = {};
};

/// Makes what lies around the restored files: recovery.signal, access rules, folders.
Status prepare_recovery(const ScratchLayout& layout, const postgres::Account& account,
                        const catalog::ConnectionSettings& settings);
/// The same for a server that somebody else starts, by its own files: recovery.signal, and the plan
/// in postgresql.auto.conf, of which all other settings of recoveries go.
Status write_recovery(const std::string& data, const postgres::Account& account,
                      const RecoveryPlan& plan);
/// The command line; reads pg_control with `pg_controldata`, so that hot standby has what the
/// primary had.
Result<std::vector<std::string>> recovery_arguments(const std::string& programs,
                                                    const postgres::Account& account,
                                                    const ScratchLayout& layout,
                                                    const RecoveryPlan& plan);
/// Why the server ended, by its log.
Error recovery_error(const std::string& log, const Target& target);
/// How far the startup process of `server` is, by its title: the segment; empty when it does not
/// say.
std::string recovering_segment(pid_t server);

}  // namespace oa::continuity
