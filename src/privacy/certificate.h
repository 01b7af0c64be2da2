// The certificate of an erasure (docs/privacy.md): a statement, signed so that plain `minisign -V`
// verifies its canonical JSON.
#pragma once

#include "oa/privacy/erasure.h"

namespace oa::privacy {

inline constexpr std::string_view kCertificateFormat = "oa-erasure-certificate:v1";

/// An archive that may still hold the person.
struct HoldingArchive {
  catalog::ArchiveRecord record;
  bool downloaded = false;  // so that copies may be elsewhere
};

/// Those of `archives` with what the audit chain says of their downloads.
Result<std::vector<HoldingArchive>> look_at_downloads(
    catalog::TenantTransaction& transaction, const std::vector<catalog::ArchiveRecord>& archives);

/// {"statement":{…},"signature":"…","public_key":"…"}. Of the person only the id is in it.
JsonText make_certificate(const Ledger& ledger, const LedgerEntry& entry, const Counts& effects,
                          const std::vector<HoldingArchive>& archives);

json::object to_json(const Counts& counts);

}  // namespace oa::privacy
