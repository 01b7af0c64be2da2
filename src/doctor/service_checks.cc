#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "oa/doctor/checks.h"

namespace oa::doctor {
namespace {

std::string with_cause(const Error& error) {
  return error.cause.empty() ? error.message : error.message + ": " + error.cause;
}
std::string hint_or(const Error& error, const char* otherwise) {
  return error.hint.empty() ? otherwise : error.hint;
}

// What only a service that runs can mend: while none does, it is no more than to be known. A
// private Postgres runs for a moment then, and has nobody to archive for.
bool mended_by_running(continuity::AlarmCode code, const continuity::CellStatus& cell) {
  using enum continuity::AlarmCode;
  constexpr std::array kMended{kReceiverDown,      kReceiverLag, kWalGap,    kBackupOverdue,
                               kNoVerifiedRestore, kRpoAtRisk,   kRtoAtRisk, kSlotMissing};
  if (code == kArchiveFailing) return !cell.cluster.has_value();
  return std::ranges::find(kMended, code) != kMended.end();
}

Severity severity_of(durability::FindingLevel level) {
  if (level == durability::FindingLevel::kNote) return Severity::kNote;
  return level == durability::FindingLevel::kWarning ? Severity::kWarning : Severity::kBroken;
}

std::string moment(const std::optional<Timestamp>& at) {
  return at.has_value() ? at->rfc3339().substr(0, 19) + "Z" : "none yet";
}

}  // namespace

Findings check_clock(const ClockFacts& clock) {
  constexpr double kNoted = 2, kWrong = 60;  // seconds
  Findings findings;
  Finding synchronised{"clock.synchronised", Severity::kOk, "the clock is synchronised", "",
                       Promise::kContinuous};
  if (!clock.synchronised.value_or(true)) {
    synchronised.severity = Severity::kWarning;
    synchronised.what = "the clock is not synchronised";
    synchronised.remedy =
        "run chrony or systemd-timesyncd; moments to restore to are named by the clock";
  } else if (!clock.synchronised.has_value()) {
    synchronised.severity = Severity::kNote;
    synchronised.what = "whether the clock is synchronised cannot be seen";
  }
  findings.push_back(std::move(synchronised));
  for (const auto& offset : clock.offsets) {
    const double off = std::max(0.0, std::abs(offset.seconds) - offset.doubt);
    Finding finding{"clock." + offset.name, Severity::kOk,
                    fmt::format("{} is {:.1f} s {} ours", offset.of, std::abs(offset.seconds),
                                offset.seconds < 0 ? "behind" : "ahead of"),
                    "", Promise::kContinuous};
    if (off >= kNoted) {
      finding.severity = off >= kWrong ? Severity::kBroken : Severity::kWarning;
      finding.remedy = "synchronise both machines' clocks (chrony)";
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings check_bucket(const BucketFacts& bucket) {
  if (bucket.places.empty())
    return {{"objects.store", Severity::kOk,
             "objects are in the data folder, which keeps versions; another region has no copy", "",
             Promise::kObjects}};
  Findings findings;
  // Reads go on from the copy, so that an instance may start while a region is away.
  const bool copy_answers = std::ranges::any_of(bucket.places, [](const auto& place) {
    return place.name != "primary" && !place.trouble.has_value();
  });
  for (const auto& place : bucket.places) {
    const bool primary = place.name == "primary";
    const std::string prefix = primary ? "objects." : "objects." + place.name + "-";
    if (place.trouble.has_value()) {
      // Without its copy the service goes on.
      const bool away = place.trouble->code == ErrorCode::kObjectStoreUnavailable;
      findings.push_back({prefix + "reachable",
                          primary && !(away && copy_answers) ? Severity::kBroken : Severity::kWarning,
                          with_cause(*place.trouble),
                          hint_or(*place.trouble, "check the deployment file's section `objects`"),
                          Promise::kObjects});
      continue;
    }
    findings.push_back({prefix + "reachable", Severity::kOk,
                        "the bucket (" + place.name + ") answers", "", Promise::kObjects});
    for (const auto& each : place.findings)
      findings.push_back({prefix + std::string(durability::to_text(each.aspect)),
                          severity_of(each.level), each.message + " (" + place.name + ")",
                          each.level > durability::FindingLevel::kNote && each.remedy.empty()
                              ? "see `oa-backup storage check`"
                              : each.remedy,
                          Promise::kObjects});
  }
  return findings;
}

Findings check_keys(const KeyFacts& keys) {
  Findings findings;
  Finding reach{"keys.reach", Severity::kOk, "the key service gives data keys and opens them", "",
                Promise::kKeys};
  if (keys.trouble.has_value()) {
    reach.severity = Severity::kBroken;
    reach.what = "the key service does not serve: " + with_cause(*keys.trouble);
    reach.remedy = hint_or(*keys.trouble, "see the state of the key in the key service");
  } else if (!keys.asked) {
    reach.severity = Severity::kNote;
    reach.what = "there is no key yet that could be tried";
  }
  findings.push_back(std::move(reach));
  if (keys.root_key_beside_store)
    findings.push_back(
        {"keys.root-key", Severity::kWarning,
         "the root key is on the volume of the keys that it opens, and of what they seal",
         "open the key store by --passphrase-file, or use a KMS or a token", Promise::kKeys});
  return findings;
}

Finding check_connection(const ConnectionFact& connection) {
  Finding finding{"tls." + connection.name, Severity::kOk, "", "", Promise::kNetwork};
  if (connection.encrypted) {
    finding.what = connection.of + " is by TLS with a checked certificate";
  } else if (connection.local) {
    finding.what = connection.of + " does not leave this machine";
  } else {
    finding.severity = Severity::kBroken;
    finding.what = connection.of + " is in the clear";
    finding.remedy = "use TLS: https:// addresses, sslmode verify-full, --tls-cert and --tls-key";
  }
  return finding;
}

Finding check_certificate(const CertificateFact& certificate, Timestamp now) {
  constexpr std::int64_t kDayUs = std::int64_t{86'400} * 1'000'000;
  constexpr std::int64_t kSoon = 21, kNow = 7;  // days
  Finding finding{"tls." + certificate.name, Severity::kOk, "", "", Promise::kNetwork};
  if (!certificate.ends_at.has_value()) {
    finding.severity = Severity::kWarning;
    finding.what = certificate.of + " cannot be looked at" +
                   (certificate.trouble.has_value() ? ": " + with_cause(*certificate.trouble) : "");
    finding.remedy = certificate.trouble.has_value()
                         ? hint_or(*certificate.trouble, "check address and files")
                         : "check address and files";
    return finding;
  }
  const std::int64_t left = certificate.ends_at->unix_us - now.unix_us, days = left / kDayUs;
  finding.what = fmt::format("{} is good for {} days", certificate.of, days);
  if (left <= 0) {
    finding.severity = Severity::kBroken;
    finding.what = certificate.of + " ended at " + moment(certificate.ends_at);
  } else if (days < kSoon) {
    finding.severity = days < kNow ? Severity::kWarning : Severity::kNote;
  }
  if (finding.severity != Severity::kOk)
    finding.remedy = "renew it; after SIGHUP the service reads its own again";
  return finding;
}

Findings check_versions(const VersionFacts& versions) {
  constexpr int kMajor = 15;
  Findings findings;
  const auto add = [&](const char* id, Severity severity, std::string what, const char* remedy) {
    findings.push_back({id, severity, std::move(what), remedy, Promise::kOperation});
  };
  if (versions.postgres_major != 0 && versions.postgres_major != kMajor)
    add("versions.postgres", Severity::kWarning,
        fmt::format("the cluster is of Postgres {}", versions.postgres_major),
        "this program knows Postgres 15: see its release notes");
  else if (versions.postgres_replaced)
    add("versions.postgres", Severity::kWarning,
        "Postgres was upgraded while it runs: now installed is " + versions.postgres, "restart it");
  else if (!versions.postgres.empty())
    add("versions.postgres", Severity::kOk, versions.postgres, "");
  const auto program = [&](const char* id, const std::string& version, bool wanted,
                           const char* remedy) {
    if (!version.empty())
      add(id, Severity::kOk, version, "");
    else if (wanted)
      add(id, Severity::kWarning,
          std::string(id).substr(std::string(id).find('.') + 1) + " is not installed here", remedy);
  };
  program("versions.pgbackrest", versions.pgbackrest, versions.pgbackrest_wanted,
          "install it (Debian: pgbackrest)");
  program("versions.patroni", versions.patroni, versions.patroni_wanted,
          "on a node, install it (Debian: patroni); elsewhere nothing is to be done");
  if (versions.migration != 0)
    add("versions.schema", Severity::kOk,
        fmt::format("the database's schema is this program's, migration {}", versions.migration),
        "");
  return findings;
}

Findings check_continuity(const InstanceFacts& service) {
  const auto finding = [](const std::string& id, Severity severity, std::string what,
                          std::string remedy) {
    return Finding{"continuity." + id, severity, std::move(what), std::move(remedy),
                   Promise::kContinuous};
  };
  if (service.cell_trouble.has_value())
    return {finding("state", Severity::kBroken, with_cause(*service.cell_trouble),
                    hint_or(*service.cell_trouble, "see `oa-backup continuity status`"))};
  if (!service.cell.has_value()) return {};
  Findings findings;
  const auto& cell = *service.cell;
  if (cell.on)
    findings.push_back(
        finding("state", service.kept ? Severity::kOk : Severity::kNote,
                fmt::format("last backup {}, latest moment {}{}", moment(cell.last_backup_at),
                            moment(cell.latest), service.kept ? "" : "; no service runs now"),
                service.kept ? "" : "start it: `oa-backup up` or `oa-backup serve`"));
  for (const auto& alarm : cell.alarms) {
    auto severity =
        alarm.severity == continuity::Severity::kCritical ? Severity::kBroken : Severity::kWarning;
    if (!service.kept && mended_by_running(alarm.code, cell)) severity = Severity::kNote;
    findings.push_back(finding(std::string(continuity::to_text(alarm.code)), severity,
                               alarm.message,
                               "see `oa-backup continuity status` and docs/operations.md"));
  }
  return findings;
}

Findings examine(const Facts& facts) {
  Findings all;
  const auto add = [&all](Findings more) { std::ranges::move(more, std::back_inserter(all)); };
  for (const auto& folder : facts.host.folders) all.push_back(check_folder(folder));
  add(check_swap(facts.host));
  add(check_core_dumps(facts.host.core_dumps));
  all.push_back(check_hibernation(facts.host.hibernation));
  for (const auto& file : facts.files) all.push_back(check_file(file));
  for (const auto& space : facts.spaces) all.push_back(check_space(space));
  if (facts.surroundings.has_value()) {
    const auto& around = *facts.surroundings;
    add(check_bucket(around.bucket));
    add(check_clock(around.clock));
    for (const auto& connection : around.connections) all.push_back(check_connection(connection));
    for (const auto& certificate : around.certificates)
      all.push_back(check_certificate(certificate, facts.now));
    add(check_versions(around.versions));
  }
  if (facts.instance.has_value()) {
    add(check_keys(facts.instance->keys));
    add(check_continuity(*facts.instance));
  } else if (facts.opening.has_value()) {
    all.push_back({"instance.open", Severity::kBroken,
                   "the instance does not open: " + with_cause(*facts.opening),
                   hint_or(*facts.opening, "see the log"), Promise::kKeys});
  } else {
    all.push_back({"instance.open", Severity::kNote, "there is no instance yet",
                   "make one with `oa-backup up`", Promise::kOperation});
  }
  return all;
}

}  // namespace oa::doctor
