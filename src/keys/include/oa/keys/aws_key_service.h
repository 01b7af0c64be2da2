// The `aws-kms` key provider: one symmetric KMS key for each tenant, in the service or in a server
// that speaks as it does ("AWS Key Management Service API Reference", version 2014-11-01).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "oa/aws/client.h"
#include "oa/keys/key_service.h"

namespace oa {

struct AwsKeySettings {
  std::string region;
  std::string endpoint = {};  // empty: the service's own in that region
  std::shared_ptr<aws::CredentialProvider> credentials = {};
  std::string ca_file = {};  // PEM; empty: the system's
  /// Keys are found by their aliases: alias/PREFIX-TENANT. Two deployments in one account and
  /// region need two. 1 to 64 of a-z 0-9 - _; not PREFIX-destroyed.
  std::string alias_prefix = "oa-backup";
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds attempt_timeout{10'000};
  aws::RetrySettings retries = {};
  /// How long a key that was just made may stay unknown to the service, which is eventually
  /// consistent.
  std::chrono::milliseconds settle_timeout{20'000};
};

/// How the interface maps to the service:
/// - A data key is made, unwrapped and rewrapped by the service, with {tenant, purpose} as
///   encryption context, which the service's audit log shows. unwrap() always names the tenant's
///   own alias, never the key that the stored blob names: nobody can plant a blob of their own
///   account.
/// - The id of a wrap is "aws-kms:KEY-ARN:KEY-MATERIAL".
/// - rotate() makes new key material in the same KMS key (RotateKeyOnDemand; kLimitExceeded after
///   as many times as the service allows, kConflict while one is under way; it may take a minute
///   until it is seen). The service's yearly rotation may be on as well. rewrap() never shows the
///   data key to this process.
/// - schedule_destroy() takes 7 to 30 whole days. The service may take up to a day more; until then
///   the key is disabled. What it was before is a tag of the key.
/// - The service forgets a key that it has deleted, and its alias. So an alias
///   alias/PREFIX-destroyed-TENANT outlives it, which points to a key that holds nothing
///   (alias/PREFIX-tombstones-N, one for each 49 destroyed tenants): a destroyed tenant gets no key
///   again.
/// - A cancel_destroy() that is cut short can leave the key disabled: enable() it.
/// - A process that dies while it creates a key can leave a KMS key without an alias (tag
///   oa-backup:tenant). Nothing was ever encrypted with it. It is not removed automatically: an
///   alias that somebody removed by mistake looks the same.
/// Who only opens and seals needs kms:GenerateDataKey, Decrypt and DescribeKey; rewrapping
/// ReEncrypt*; the rest CreateKey, TagResource, ListResourceTags, CreateAlias, DeleteAlias,
/// RotateKeyOnDemand, ListKeyRotations, DisableKey, EnableKey, ScheduleKeyDeletion and
/// CancelKeyDeletion.
class AwsKeyService {
 public:
  /// Sends nothing. kInvalidArgument for settings that cannot be.
  static Result<std::unique_ptr<KeyService>> open(AwsKeySettings settings);
};

}  // namespace oa
