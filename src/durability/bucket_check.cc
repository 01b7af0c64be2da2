#include "oa/durability/bucket_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "bucket_rules.h"

namespace oa::durability {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr std::size_t kMaxLedgers = 50;  // tenants whose ledger is looked at
constexpr const char* kTellUs = "let the access key of the service read this property";

RequiredBucket required_of(const S3Settings& settings, int kept_days, int scrub_days) {
  RequiredBucket required;
  required.name = settings.bucket;
  required.prefix = settings.prefix;
  // The scrub finds what was written over within scrub_days; if one is late, the next one does.
  required.noncurrent_days = kept_days + 2 * scrub_days;
  if (settings.kms_key_of) {
    const auto one = settings.kms_key_of(TenantId::random());
    if (one.has_value() && one == settings.kms_key_of(TenantId::random()))
      required.kms_key = *one;
  }
  return required;
}

class Comparison {
 public:
  Comparison(const RequiredBucket& required, const BucketConfiguration& seen)
      : required_(required), seen_(seen) {}

  void versioning();
  void object_lock();
  void ledger(const std::vector<LedgerLockSeen>& ledger, Timestamp now);
  void encryption();
  void lifecycle();
  void access();
  void policy();
  void replication();
  std::vector<BucketFinding> take() { return std::move(findings_); }

 private:
  void add(BucketAspect aspect, FindingLevel level, std::string message, std::string remedy = {},
           std::string change = {}) {
    findings_.push_back({aspect, level, required_.place, std::move(message), std::move(remedy),
                         std::move(change)});
  }
  // True when the server told.
  bool told(BucketAspect aspect, Told told, const std::string& unsupported) {
    if (told == Told::kUnsupported) add(aspect, FindingLevel::kNote, unsupported);
    if (told == Told::kRefused)
      add(aspect, FindingLevel::kWarning, "the server does not say: access is denied", kTellUs);
    return told == Told::kYes;
  }

  const RequiredBucket& required_;
  const BucketConfiguration& seen_;
  std::vector<BucketFinding> findings_;
};

void Comparison::versioning() {
  if (!told(BucketAspect::kVersioning, seen_.versioning.told,
            "this server does not tell whether a bucket keeps versions") ||
      seen_.versioning.value == "Enabled")
    return;
  add(BucketAspect::kVersioning, FindingLevel::kCritical,
      seen_.versioning.value.empty() ? "the bucket keeps no versions"
                                     : "versioning is suspended: what is written over is lost",
      "oa-backup storage apply turns it on", "turn versioning on");
}

void Comparison::object_lock() {
  if (seen_.default_retention.has_value()) {
    add(BucketAspect::kObjectLock, FindingLevel::kWarning,
        "every new object is locked (" + *seen_.default_retention +
            "), so that nothing a tenant deletes can go before",
        "take the default retention off the bucket; the service locks the ledger itself");
  }
  if (!told(BucketAspect::kObjectLock, seen_.object_lock.told,
            "this server does not lock objects: the ledger is not write-once") ||
      required_.place == "replica")
    return;
  if (required_.lock.has_value() && !seen_.object_lock.value) {
    add(BucketAspect::kObjectLock, FindingLevel::kCritical,
        "the bucket cannot lock objects, and the deployment wants the ledger locked",
        "make a bucket with object lock, and take tenants there by archives");
  } else if (!required_.lock.has_value()) {
    add(BucketAspect::kObjectLock, FindingLevel::kNote,
        "the ledger is not write-once: the deployment has no `ledger_lock`",
        seen_.object_lock.value ? "name one in config.objects.ledger_lock"
                                : "make a bucket with object lock and name one");
  }
}

void Comparison::ledger(const std::vector<LedgerLockSeen>& ledger, Timestamp now) {
  if (!required_.lock.has_value()) return;
  const std::string mode = required_.lock->compliance ? "COMPLIANCE" : "GOVERNANCE";
  for (const auto& entry : ledger) {
    const bool locked = entry.mode == "COMPLIANCE" || entry.mode == mode;
    const bool lasts = entry.until.has_value() && *entry.until > now;
    const bool over = entry.created_at.unix_us + required_.lock->days * kDayUs <= now.unix_us;
    if ((locked && lasts) || over) continue;
    add(BucketAspect::kLedger, FindingLevel::kCritical,
        fmt::format("the newest entry of the ledger of tenant {} is not locked as the deployment "
                    "says ({})",
                    entry.tenant.str(), entry.mode.empty() ? "not at all" : entry.mode),
        "lock it (PutObjectRetention), and see who may change retention in this bucket");
  }
}

void Comparison::encryption() {
  if (!told(BucketAspect::kEncryption, seen_.encryption.told,
            "this server has no default encryption of a bucket; what the service stores is sealed "
            "before it is sent") ||
      seen_.encryption.value.has_value())
    return;
  add(BucketAspect::kEncryption, FindingLevel::kWarning,
      "objects are not encrypted by default",
      "oa-backup storage apply turns it on",
      required_.kms_key.empty() ? "encrypt by default (AES256)"
                                : "encrypt by default (aws:kms with the deployment's key)");
}

void Comparison::lifecycle() {
  if (!told(BucketAspect::kLifecycle, seen_.lifecycle.told,
            "this server has no lifecycle rules; uploads in parts that nobody finished stay"))
    return;
  bool there = false, right = false;
  for (const auto& rule : seen_.lifecycle.value) {
    if (rule.id == kOurRule) {
      there = true;
      right = same_rule(rule, required_);
      continue;
    }
    const auto danger = danger_of(rule, required_);
    if (!danger.has_value()) continue;
    const std::string name = rule.id.empty() ? "without an id" : rule.id;
    add(BucketAspect::kLifecycle, FindingLevel::kCritical,
        fmt::format("the lifecycle rule \"{}\" {}", name, *danger),
        "end it, narrow it to other keys, or let oa-backup storage apply disable it",
        fmt::format("disable the lifecycle rule \"{}\"", name));
  }
  if (right) return;
  add(BucketAspect::kLifecycle, FindingLevel::kWarning,
      there ? fmt::format("the lifecycle rule \"{}\" was changed", kOurRule)
            : "nothing removes uploads in parts that nobody finished",
      "oa-backup storage apply puts the rule there",
      fmt::format("put the lifecycle rule \"{}\"", kOurRule));
}

void Comparison::access() {
  if (told(BucketAspect::kAcl, seen_.grants.told, "this server has no access control lists")) {
    for (const auto& grant : seen_.grants.value) {
      const bool everybody = grant.grantee.ends_with("/global/AllUsers") ||
                             grant.grantee.ends_with("/global/AuthenticatedUsers");
      if (grant.grantee.ends_with("/s3/LogDelivery")) continue;
      add(BucketAspect::kAcl, everybody ? FindingLevel::kCritical : FindingLevel::kWarning,
          fmt::format("the access control list gives {} to {}", grant.permission,
                      everybody ? "everybody" : "another account"),
          "oa-backup storage apply leaves the owner alone in it",
          "take everybody but the owner out of the access control list");
    }
  }
  if (!told(BucketAspect::kPublicAccess, seen_.public_access.told,
            "this server cannot refuse public access for good") ||
      seen_.public_access.value.right())
    return;
  if (seen_.public_access.value.refuses_writes && seen_.public_access.value.block_acls) {
    add(BucketAspect::kPublicAccess, FindingLevel::kCritical,
        "with BlockPublicAcls this server refuses every write",
        "oa-backup storage apply turns that off; IgnorePublicAcls does what is needed",
        "block public access but for BlockPublicAcls");
    return;
  }
  add(BucketAspect::kPublicAccess, FindingLevel::kWarning, "public access is not blocked",
      "oa-backup storage apply blocks it", "block public access");
}

void Comparison::policy() {
  if (!told(BucketAspect::kPolicy, seen_.policy.told, "the bucket's policy cannot be read") ||
      !seen_.policy.value.has_value())
    return;
  for (const auto& statement : public_statements(*seen_.policy.value)) {
    if (statement.conditional) {
      add(BucketAspect::kPolicy, FindingLevel::kWarning,
          fmt::format("the policy's statement {} lets everybody in under a condition",
                      statement.name),
          "name who may come instead of everybody");
      continue;
    }
    add(BucketAspect::kPolicy, FindingLevel::kCritical,
        fmt::format("the policy's statement {} lets everybody in", statement.name),
        "oa-backup storage apply takes it out of the policy",
        fmt::format("take the statement {} out of the policy", statement.name));
  }
}

void Comparison::replication() {
  if (required_.place == "replica") return;
  if (seen_.replication.told == Told::kRefused) {
    told(BucketAspect::kReplication, seen_.replication.told, "");
    return;
  }
  for (const auto& rule : seen_.replication.value) {
    if (!rule.enabled || !required_.prefix.starts_with(rule.prefix)) continue;
    add(BucketAspect::kReplication, FindingLevel::kNote,
        fmt::format("replicated to {} by the rule \"{}\"{}", rule.destination, rule.id,
                    required_.replica_named
                        ? ""
                        : "; the deployment does not name that bucket, so nobody reads it"));
    return;
  }
  if (required_.replica_named) {
    add(BucketAspect::kReplication, FindingLevel::kNote,
        "no rule of the bucket replicates it: the servers of the region that config.objects.replica "
        "names must (zones of one Ceph realm do)");
    return;
  }
  add(BucketAspect::kReplication, FindingLevel::kWarning,
      "nothing replicates the bucket, as far as it tells",
      "let it be copied to another region, and name that in config.objects.replica");
}

}  // namespace

RequiredBucket required_bucket(const S3Settings& settings, bool replica_named, int kept_days,
                               int scrub_days) {
  RequiredBucket required = required_of(settings, kept_days, scrub_days);
  required.place = "primary";
  required.lock = settings.ledger_lock;
  required.replica_named = replica_named;
  return required;
}

RequiredBucket required_replica(const S3Settings& settings, int kept_days, int scrub_days) {
  RequiredBucket required = required_of(settings, kept_days, scrub_days);
  required.place = "replica";
  return required;
}

std::vector<BucketFinding> bucket_findings(const RequiredBucket& required,
                                           const BucketConfiguration& seen,
                                           const std::vector<LedgerLockSeen>& ledger,
                                           Timestamp now) {
  Comparison comparison(required, seen);
  comparison.versioning();
  comparison.object_lock();
  comparison.ledger(ledger, now);
  comparison.encryption();
  comparison.lifecycle();
  comparison.access();
  comparison.policy();
  comparison.replication();
  auto findings = comparison.take();
  std::ranges::stable_sort(findings, std::greater(), &BucketFinding::level);
  return findings;
}

bool drifted(const std::vector<BucketFinding>& findings) {
  return std::ranges::any_of(
      findings, [](const auto& finding) { return finding.level != FindingLevel::kNote; });
}

Result<std::vector<BucketFinding>> check_bucket(BucketAdmin& admin,
                                                const RequiredBucket& required) {
  OA_ASSIGN(const auto seen, admin.read());
  std::vector<LedgerLockSeen> ledger;
  if (required.lock.has_value()) {
    OA_ASSIGN(ledger, admin.ledger_locks(kMaxLedgers));
  }
  return bucket_findings(required, seen, ledger, Timestamp::now());
}

Result<std::vector<std::string>> apply_bucket(BucketAdmin& admin, const RequiredBucket& required,
                                              const BucketConfiguration& seen) {
  const auto findings = bucket_findings(required, seen, {}, Timestamp::now());
  std::vector<std::string> done;
  // Public access last: it would refuse what is still to be mended.
  for (const auto aspect : {BucketAspect::kVersioning, BucketAspect::kEncryption,
                            BucketAspect::kLifecycle, BucketAspect::kAcl, BucketAspect::kPolicy,
                            BucketAspect::kPublicAccess}) {
    std::vector<std::string> changes;
    for (const auto& finding : findings)
      if (finding.aspect == aspect && !finding.change.empty() &&
          std::ranges::find(changes, finding.change) == changes.end())
        changes.push_back(finding.change);
    if (changes.empty()) continue;
    switch (aspect) {
      case BucketAspect::kVersioning:
        OA_TRY(admin.enable_versioning());
        break;
      case BucketAspect::kEncryption:
        OA_TRY(admin.set_encryption(required.kms_key.empty() ? "AES256" : "aws:kms",
                                    required.kms_key));
        break;
      case BucketAspect::kLifecycle: {
        OA_ASSIGN(const auto rules, mended_rules(seen.lifecycle.value, required));
        OA_TRY(admin.put_lifecycle(rules));
        break;
      }
      case BucketAspect::kAcl:
        OA_TRY(admin.make_private());
        break;
      case BucketAspect::kPolicy:
        OA_TRY(admin.put_policy(mended_policy(*seen.policy.value)));
        break;
      default:
        OA_TRY(admin.block_public_access(!seen.public_access.value.refuses_writes));
    }
    std::ranges::move(changes, std::back_inserter(done));
  }
  return done;
}

Status drift_status(const std::vector<BucketFinding>& findings) {
  if (!drifted(findings)) return {};
  const auto serious = std::ranges::count(findings, FindingLevel::kCritical, &BucketFinding::level);
  const auto others = std::ranges::count(findings, FindingLevel::kWarning, &BucketFinding::level);
  return make_error(ErrorCode::kObjectStoreDrift, "storage.check",
                    fmt::format("the bucket is not as it must be: {} critical, {} to be seen to",
                                serious, others))
      .with_hint("`oa-backup storage apply` mends what it can and shows it before");
}

json::object to_json(const BucketFinding& finding) {
  return {{"bucket", finding.place},      {"aspect", to_text(finding.aspect)},
          {"level", to_text(finding.level)}, {"message", finding.message},
          {"remedy", finding.remedy},     {"change", finding.change}};
}

std::string_view to_text(BucketAspect aspect) {
  constexpr std::string_view kTexts[] = {"versioning", "object-lock", "ledger",
                                         "encryption", "lifecycle",   "acl",
                                         "policy",     "public-access", "replication"};
  return kTexts[static_cast<std::size_t>(aspect)];
}

std::string_view to_text(FindingLevel level) {
  constexpr std::string_view kTexts[] = {"note", "warning", "critical"};
  return kTexts[static_cast<std::size_t>(level)];
}

Result<std::vector<CheckedBucket>> open_buckets(const S3Settings& primary,
                                                const std::optional<S3Settings>& replica,
                                                int kept_days, int scrub_days) {
  std::vector<CheckedBucket> buckets(1);
  buckets[0].required = required_bucket(primary, replica.has_value(), kept_days, scrub_days);
  OA_ASSIGN(buckets[0].admin, BucketAdmin::open(primary));
  if (!replica.has_value()) return buckets;
  buckets.emplace_back();
  buckets[1].required = required_replica(*replica, kept_days, scrub_days);
  OA_ASSIGN(buckets[1].admin, BucketAdmin::open(*replica));
  return buckets;
}

}  // namespace oa::durability
