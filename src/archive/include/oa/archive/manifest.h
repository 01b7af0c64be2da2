// manifest.json of an archive (docs/format.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "oa/archive/format_version.h"
#include "oa/base/json.h"
#include "oa/crypto/hash.h"
#include "oa/crypto/sign.h"

namespace oa::archive {

/// What the maker of an archive says about it. The domain's own parts are canonical JSON that this
/// module carries.
struct ManifestInput {
  TenantId tenant_id;
  JsonText tenant;                              // name, plan, users and teams of no workspace
  std::map<std::string, std::uint64_t> counts;  // e.g. "reports": 12
  JsonText options;  // e.g. {"audit":true,"rows":true,"workspaces":[…]}
  JsonText probes;   // digests of what reports showed; {} when there are none
};

struct Manifest {
  std::uint32_t format_major = kFormatMajor;
  std::uint32_t format_minor = kFormatMinor;
  ArchiveId archive_id;
  Timestamp snapshot_time;
  ManifestInput content;
  PublicKey signer;
  std::uint64_t entry_count = 0;    // content entries: without manifest and signatures
  std::uint64_t content_bytes = 0;  // sum of their sizes
  Blake2bDigest content_hash{};     // over the sorted "<hex digest> <size> <path>\n" lines of the
                                    // content entries
  Blake3Digest index_root{};        // digest of the index root page, which covers all index pages
};

}  // namespace oa::archive
