// Judges what was gathered. Pure: the same facts, the same findings.
#pragma once

#include "oa/doctor/facts.h"
#include "oa/doctor/finding.h"

namespace oa::doctor {

Finding check_folder(const FolderFact& folder);
Findings check_swap(const HostFacts& host);
Findings check_core_dumps(const CoreDumpFacts& dumps);
Finding check_hibernation(const HibernationFacts& hibernation);
Finding check_file(const FileFact& file);
Finding check_space(const SpaceFact& space);

Findings check_clock(const ClockFacts& clock);
Findings check_bucket(const BucketFacts& bucket);
Findings check_keys(const KeyFacts& keys);
Finding check_connection(const ConnectionFact& connection);
Finding check_certificate(const CertificateFact& certificate, Timestamp now);
Findings check_versions(const VersionFacts& versions);
Findings check_continuity(const InstanceFacts& instance);

/// All of them, for what was gathered.
Findings examine(const Facts& facts);

}  // namespace oa::doctor
