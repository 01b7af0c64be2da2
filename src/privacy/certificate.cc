#include "certificate.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "oa/catalog/repositories.h"

namespace oa::privacy {
namespace {

struct Kept {
  std::string_view what, why;
};
// What an erasure leaves on purpose.
constexpr Kept kKept[] = {
    {"assets", "they are the organisation's; their creator reads \"Erased user\""},
    {"audit_events", "the chain must verify; what names the person is replaced by a keyed tombstone"},
    {"ledger_entry", "so that the person stays erased: tenant, user id, moment and a keyed hash of "
                     "the address"},
    {"erasure_record", "accountability (GDPR article 5 (2)): the user id and this certificate"},
};

json::array kept_json() {
  json::array kept;
  for (const auto& [what, why] : kKept)
    kept.emplace_back(json::object{{"what", what}, {"why", why}});
  return kept;
}

json::array archives_json(const std::vector<HoldingArchive>& archives) {
  json::array list;
  for (const auto& [record, downloaded] : archives) {
    json::object one{{"archive", record.id.str()},
                     {"created_at", record.created_at.rfc3339()},
                     {"snapshot_time", record.snapshot_time.rfc3339()},
                     {"expires_at", nullptr},
                     {"downloaded", downloaded}};
    if (record.expires_at.has_value()) one["expires_at"] = record.expires_at->rfc3339();
    list.emplace_back(std::move(one));
  }
  return list;
}

}  // namespace

json::object to_json(const Counts& counts) {
  json::object object;
  for (const auto& [what, count] : counts) object[what] = count;
  return object;
}

Result<std::vector<HoldingArchive>> look_at_downloads(
    catalog::TenantTransaction& transaction, const std::vector<catalog::ArchiveRecord>& archives) {
  catalog::Audit audit(transaction);
  std::vector<HoldingArchive> holding;
  for (const auto& record : archives) {
    catalog::Audit::Filter filter;
    filter.action = "backup.archive.download";
    filter.resource = record.id.str();
    OA_ASSIGN(const auto events, audit.page(filter, std::nullopt, 1));
    holding.push_back({record, !events.empty()});
  }
  return holding;
}

JsonText make_certificate(const Ledger& ledger, const LedgerEntry& entry, const Counts& effects,
                          const std::vector<HoldingArchive>& archives) {
  const json::object statement{
      {"format", kCertificateFormat},
      {"tenant", entry.erased.tenant.str()},
      {"user", entry.erased.user.str()},
      {"erased_at", entry.erased.at.rfc3339()},
      {"ledger", json::object{{"number", entry.number}, {"hash", to_hex(entry.hash)}}},
      {"effects", to_json(effects)},
      {"kept", kept_json()},
      {"archives", archives_json(archives)}};
  const std::string comment = fmt::format("certificate of erasure, ledger entry {}", entry.number);
  const std::string signature = ledger.signing_key().sign(
      Blake2b::of(as_bytes(canonical_json(statement))), comment);
  return JsonText::of(json::object{{"statement", statement},
                                   {"signature", signature},
                                   {"public_key", ledger.public_key().base64()}});
}

}  // namespace oa::privacy
