#include <fmt/format.h>

#include <algorithm>

#include "oa/doctor/checks.h"

namespace oa::doctor {
namespace {

constexpr const char* kSetUp = "set the host up with deploy/luks2-setup.sh (deploy/luks2.md)";

// Of what was dumped, these keep nothing when the limit is zero.
bool keeps_to_limits(const std::string& pattern) {
  return pattern.find("systemd-coredump") != pattern.npos || pattern.find("apport") != pattern.npos;
}
bool drops_all(const std::string& pattern) {
  return pattern == "|/bin/false" || pattern == "|/usr/bin/false" || pattern == "|/bin/true";
}

Severity of_clear_folder(const instance::VolumeCrypt& volume) {
  using instance::VolumeEncryption;
  if (volume.in_memory || instance::is_luks2_aes256(volume)) return Severity::kOk;
  const bool untold = volume.kind == VolumeEncryption::kLuks2 && volume.spec.cipher.empty();
  if (untold || volume.kind == VolumeEncryption::kUnknown) return Severity::kWarning;
  return Severity::kBroken;
}

}  // namespace

Finding check_folder(const FolderFact& folder) {
  Finding finding{"at-rest." + folder.name, Severity::kOk,
                  folder.what + " is " + instance::describe(folder.volume), "", Promise::kAtRest};
  if (folder.holds == FolderFact::Holds::kClear) {
    finding.severity = of_clear_folder(folder.volume);
    const bool luks2 = folder.volume.kind == instance::VolumeEncryption::kLuks2;
    if (finding.severity == Severity::kBroken && luks2) finding.what += ", which is not AES-256";
    if (finding.severity == Severity::kWarning && luks2)
      finding.what += "; its cipher cannot be read by this account";
    if (finding.severity == Severity::kBroken) finding.remedy = kSetUp;
    if (finding.severity == Severity::kWarning)
      finding.remedy = luks2 ? "run `oa-backup doctor` as root"
                             : "look where the device is known: on the host itself";
    return finding;
  }
  finding.promise = Promise::kMemoryOnly;
  if (folder.volume.kind == instance::VolumeEncryption::kNone) {
    finding.severity = Severity::kNote;
    finding.what =
        fmt::format("{} is on {}, which is not encrypted", folder.what, folder.volume.device);
  }
  finding.what += folder.holds == FolderFact::Holds::kSealed
                      ? "; what is in it is sealed"
                      : "; nothing readable is written there";
  return finding;
}

Findings check_swap(const HostFacts& host) {
  Findings findings;
  if (!host.swaps_known)
    return {{"memory.swap", Severity::kWarning, "whether there is swap cannot be seen",
             "look at /proc/swaps on the host", Promise::kMemoryOnly}};
  for (const auto& swap : host.swaps) {
    using instance::VolumeEncryption;
    Finding finding{"memory.swap", Severity::kOk, "", "", Promise::kMemoryOnly};
    const auto kind = swap.volume.kind;
    if (swap.in_memory) {
      finding.what = "swap " + swap.name + " is compressed memory";
    } else if (kind == VolumeEncryption::kUnknown) {
      finding.severity = Severity::kWarning;
      finding.what = "where the swap " + swap.name + " is cannot be seen";
      finding.remedy = "turn it off, or encrypt it: deploy/luks2-setup.sh --swap";
    } else if (kind == VolumeEncryption::kNone) {
      finding.severity = Severity::kBroken;
      finding.what = "swap " + swap.name + " is NOT encrypted: memory can be read from it";
      finding.remedy = "turn it off (swapoff -a), or encrypt it: deploy/luks2-setup.sh --swap";
    } else {
      finding.what =
          fmt::format("swap {} is encrypted ({})", swap.name,
                      swap.volume.spec.cipher.empty() ? "dm-crypt" : swap.volume.spec.cipher);
    }
    findings.push_back(std::move(finding));
  }
  if (findings.empty())
    findings.push_back(
        {"memory.swap", Severity::kOk, "there is no swap", "", Promise::kMemoryOnly});
  return findings;
}

Findings check_core_dumps(const CoreDumpFacts& dumps) {
  Findings findings;
  const bool own = dumps.own_limit == 0 && !dumps.own_dumpable;
  findings.push_back(
      {"memory.core-dumps", own ? Severity::kOk : Severity::kBroken,
       own ? "this program leaves no core dumps" : "this program may leave core dumps",
       own ? "" : "start it with RLIMIT_CORE 0 (systemd: LimitCORE=0)", Promise::kMemoryOnly});
  if (dumps.server_limit.has_value()) {
    const bool none = *dumps.server_limit == 0;
    findings.push_back(
        {"memory.core-dumps-postgres", none ? Severity::kOk : Severity::kBroken,
         none ? "Postgres leaves no core dumps" : "Postgres may leave core dumps",
         none ? "" : "start it with RLIMIT_CORE 0 (systemd: LimitCORE=0), then restart it",
         Promise::kMemoryOnly});
  }
  // The kernel asks a program whatever the limit is.
  Finding pattern{"memory.core-pattern", Severity::kOk, "", "", Promise::kMemoryOnly};
  const bool piped = dumps.pattern.starts_with('|');
  if (!piped || drops_all(dumps.pattern)) {
    pattern.what = "the kernel keeps core dumps of nobody who forbids them";
  } else if (keeps_to_limits(dumps.pattern)) {
    pattern.severity = Severity::kNote;
    pattern.what = "core dumps go to a program that heeds the limit of zero";
  } else {
    pattern.severity = Severity::kWarning;
    pattern.what =
        "core dumps go to a program, whatever the limit is: " + dumps.pattern.substr(0, 100);
    pattern.remedy = "set kernel.core_pattern to |/bin/false: deploy/luks2-setup.sh does";
  }
  findings.push_back(std::move(pattern));
  return findings;
}

Finding check_hibernation(const HibernationFacts& hibernation) {
  Finding finding{"memory.hibernation", Severity::kOk, "the host does not hibernate", "",
                  Promise::kMemoryOnly};
  if (!hibernation.possible) return finding;
  const auto kind = hibernation.volume.kind;
  if (kind == instance::VolumeEncryption::kNone) {
    finding.severity = Severity::kBroken;
    finding.what = "the host may hibernate to a device that is NOT encrypted";
    finding.remedy = "forbid it: systemctl mask hibernate.target, and no resume= for the kernel";
  } else if (kind == instance::VolumeEncryption::kUnknown) {
    finding.severity = Severity::kWarning;
    finding.what = "the host may hibernate, and where to cannot be seen";
    finding.remedy = "forbid it: systemctl mask hibernate.target, and no resume= for the kernel";
  } else {
    finding.what = "the host hibernates to an encrypted device";
  }
  return finding;
}

Finding check_file(const FileFact& file) {
  Finding finding{"files." + file.name, Severity::kOk, "", "",
                  file.secret ? Promise::kKeys : Promise::kOperation};
  const auto bad = file.secret ? Severity::kBroken : Severity::kWarning;
  if (!file.there) {
    finding.severity = Severity::kBroken;
    finding.promise = Promise::kKeys;
    finding.what = file.what + " is not there: " + file.path;
    finding.remedy = "bring it back from where it is kept";
  } else if ((file.mode & file.forbidden) != 0) {
    finding.severity = bad;
    finding.what =
        fmt::format("{} is open to others (mode {:04o}): {}", file.what, file.mode, file.path);
    finding.remedy = fmt::format("chmod {:04o} {}", file.mode & ~file.forbidden, file.path);
  } else if (std::ranges::find(file.owners, file.owner) == file.owners.end()) {
    finding.severity = bad;
    finding.what =
        fmt::format("{} belongs to another account (uid {}): {}", file.what, file.owner, file.path);
    finding.remedy =
        fmt::format("chown {} {}", file.owners.empty() ? 0 : file.owners.front(), file.path);
  } else {
    finding.what = fmt::format("{} is its owner's (mode {:04o})", file.what, file.mode);
  }
  return finding;
}

Finding check_space(const SpaceFact& space) {
  constexpr double kLow = 0.1, kOut = 0.02;
  const double share = space.volume_bytes == 0 ? 0
                                               : static_cast<double>(space.free_bytes) /
                                                     static_cast<double>(space.volume_bytes);
  Finding finding{
      "space." + space.name, Severity::kOk,
      fmt::format("{}: {} free, {:.0f} %", space.of, format_size(space.free_bytes), share * 100),
      "", Promise::kOperation};
  if (share >= kLow) return finding;
  finding.severity = share < kOut ? Severity::kBroken : Severity::kWarning;
  if (share < kOut) finding.promise = Promise::kContinuous;
  finding.remedy = "make room on the volume of " + space.path + ", or enlarge it";
  return finding;
}

}  // namespace oa::doctor
