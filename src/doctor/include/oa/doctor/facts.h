// What is looked at, as plain data: gathered by gather.h, judged by checks.h.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/error.h"
#include "oa/continuity/status.h"
#include "oa/durability/bucket_check.h"
#include "oa/instance/block_crypt.h"

namespace oa::doctor {

/// A folder in which something is in the clear, or should not be.
struct FolderFact {
  enum class Holds { kClear, kSealed, kNothing };
  std::string name;  // "postgres": the id is at-rest.NAME
  std::string what;  // "Postgres' folder"
  std::string path;
  Holds holds = Holds::kSealed;
  instance::VolumeCrypt volume;
};

struct SwapFact {
  std::string name;        // as /proc/swaps has it
  bool in_memory = false;  // zram without a disk behind it
  instance::VolumeCrypt volume;
};

struct CoreDumpFacts {
  std::uint64_t own_limit = 0;                // bytes, RLIMIT_CORE of this process
  bool own_dumpable = false;                  // PR_GET_DUMPABLE
  std::optional<std::uint64_t> server_limit;  // of Postgres, when it runs here and may be looked at
  std::string pattern;                        // /proc/sys/kernel/core_pattern
};

struct HibernationFacts {
  bool possible = false;  // the kernel offers it, and knows a device to resume from
  std::string device;     // numbers
  instance::VolumeCrypt volume;
};

struct HostFacts {
  std::vector<FolderFact> folders;
  bool swaps_known = false;
  std::vector<SwapFact> swaps;
  CoreDumpFacts core_dumps;
  HibernationFacts hibernation;
};

struct FileFact {
  std::string name;  // "root-key": the id is files.NAME
  std::string what;
  std::string path;
  bool there = true;
  mode_t mode = 0;       // the lower 12 bits
  mode_t forbidden = 0;  // of them
  uid_t owner = 0;
  std::vector<uid_t> owners;  // who may own it
  bool secret = false;        // a promise is broken by it, not only custom
};

struct ClockFacts {
  std::optional<bool> synchronised;  // by the kernel; none: not told
  struct Offset {
    std::string name;    // "database": the id is clock.NAME
    std::string of;      // "the database's clock"
    double seconds = 0;  // ahead of ours
    double doubt = 0;    // how far off that may be
  };
  std::vector<Offset> offsets;
};

struct BucketFacts {
  struct Place {
    std::string name;  // "primary", "replica"
    std::optional<Error> trouble;
    std::vector<durability::BucketFinding> findings;
  };
  std::vector<Place>
      places;  // empty: objects are in the data folder, which keeps versions by itself
};

struct KeyFacts {
  std::optional<Error> trouble;
  bool asked = false;                  // false: there is no key yet
  bool root_key_beside_store = false;  // on one volume
};

struct CertificateFact {
  std::string name;  // "serve": the id is tls.NAME
  std::string of;    // "the certificate of the service"
  std::optional<Timestamp> ends_at;
  std::optional<Error> trouble;
};
/// A connection that leaves this machine, or does not.
struct ConnectionFact {
  std::string name, of;
  bool local = false;      // a socket, or an address of this very machine
  bool encrypted = false;  // TLS whose certificate is checked
};

struct VersionFacts {
  int postgres_major = 0;          // of the data folder; 0: not here
  bool postgres_replaced = false;  // the running server's program was since replaced on the disk
  std::string postgres, pgbackrest, patroni;  // what the programs say; empty: not there
  bool pgbackrest_wanted = false, patroni_wanted = false;
  std::int64_t migration =
      0;  // this program's, which the database has too; 0: no database was seen
};

struct SpaceFact {
  std::string name, of, path;
  std::uint64_t free_bytes = 0, volume_bytes = 0;
};

/// What is there whether an instance opens or not.
struct SurroundingFacts {
  ClockFacts clock;
  BucketFacts bucket;
  std::vector<ConnectionFact> connections;
  std::vector<CertificateFact> certificates;
  VersionFacts versions;
};

struct InstanceFacts {
  KeyFacts keys;
  std::optional<continuity::CellStatus> cell;
  std::optional<Error> cell_trouble;
  bool kept = false;  // a service runs, or ran a moment ago
};

struct Facts {
  Timestamp now;
  HostFacts host;
  std::vector<FileFact> files;
  std::vector<SpaceFact> spaces;
  std::optional<SurroundingFacts> surroundings;
  /// None when no instance was opened: `opening` says why, or nothing when there is none yet.
  std::optional<InstanceFacts> instance;
  std::optional<Error> opening;
};

}  // namespace oa::doctor
