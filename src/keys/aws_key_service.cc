#include "oa/keys/aws_key_service.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>

#include "aws_kms.h"
#include "key_life.h"
#include "key_names.h"
#include "oa/crypto/seal.h"

namespace oa {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kIdPrefix = "aws-kms:";
constexpr std::size_t kMaxBlob = 6144;  // of the service
constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::int64_t kHourUs = kDayUs / 24;
constexpr std::int64_t kShortestDays = 7;
constexpr std::int64_t kLongestDays = 30;
constexpr int kMaxTombstoneKeys = 1000;
constexpr int kMaxPages = 100;
constexpr std::string_view kTenantTag = "oa-backup:tenant";
constexpr std::string_view kTombstonesTag = "oa-backup:tombstones";
constexpr std::string_view kBeforeTag = "oa-backup:before-destruction";
constexpr std::string_view kEnabled = "enabled";

constexpr std::string_view kNotThere = "NotFoundException";
constexpr std::string_view kExists = "AlreadyExistsException";
constexpr std::string_view kWrongState = "KMSInvalidStateException";
constexpr std::string_view kLimit = "LimitExceededException";

json::object named(std::string_view key_id) { return {{"KeyId", key_id}}; }

json::object context_of(TenantId tenant, KeyPurpose purpose) {
  return {{"tenant", tenant.str()}, {"purpose", to_text(purpose)}};
}

std::string id_of(std::string_view key_arn, std::string_view material) {
  std::string id = std::string(kIdPrefix) + std::string(key_arn);
  if (!material.empty()) id += ":" + std::string(material);
  return id;
}

// Whether the key that the service used is the one that `key_id` names. A server may say or not say
// which material it was.
bool names(const std::string& key_id, const std::string& key_arn, const std::string& material) {
  return key_id == id_of(key_arn, material) || key_id == id_of(key_arn, "") ||
         (material.empty() && key_id.starts_with(id_of(key_arn, "") + ":"));
}

Timestamp moment(const json::object& metadata, std::string_view member) {
  const auto* found = metadata.if_contains(member);
  if (found == nullptr || !found->is_number()) return {};
  return {static_cast<std::int64_t>(found->to_number<double>() * 1e6)};
}

// What DescribeKey says.
struct KeyMetadata {
  std::string arn;
  std::string state;
  Timestamp created_at;
  Timestamp deleted_at;

  bool pending() const { return state == "PendingDeletion"; }
};

class AwsKeys final : public KeyService {
 public:
  AwsKeys(std::unique_ptr<aws::Client> client, AwsKeySettings settings)
      : kms_(std::move(client)),
        alias_prefix_("alias/" + settings.alias_prefix + "-"),
        settle_timeout_(settings.settle_timeout) {}

  Status create_tenant_key(TenantId tenant) override;
  Result<TenantKeyInfo> describe(TenantId tenant) override;
  Result<DataKey> generate_data_key(TenantId tenant, KeyPurpose purpose) override;
  Result<SecretBytes> unwrap(TenantId tenant, KeyPurpose purpose,
                             const WrappedKey& wrapped) override;
  Result<WrappedKey> rewrap(TenantId tenant, KeyPurpose purpose,
                            const WrappedKey& wrapped) override;
  Status rotate(TenantId tenant) override;
  Status disable(TenantId tenant) override;
  Status enable(TenantId tenant) override;
  Status schedule_destroy(TenantId tenant, Timestamp when) override;
  Status cancel_destroy(TenantId tenant) override;
  DestructionWindow destruction_window() const override {
    return {std::chrono::hours(24 * kShortestDays), std::chrono::hours(24 * kLongestDays)};
  }

 private:
  std::string alias_of(TenantId tenant) const { return alias_prefix_ + tenant.str(); }
  std::string tombstone_of(TenantId tenant) const {
    return alias_prefix_ + "destroyed-" + tenant.str();
  }

  Result<std::optional<KeyMetadata>> look_up(std::string_view key_id);
  /// The tenant's key; kNotFound and kKeyDestroyed.
  Result<KeyMetadata> find(TenantId tenant);
  /// The error for an operation on the tenant's key that the service refused.
  Error refused(TenantId tenant, const std::string& refusal);
  Error in_wrong_state(TenantId tenant);
  Status act(TenantId tenant, std::string_view operation, const json::object& input,
             bool repeatable = true);

  /// Makes a key that is found by `alias`; false when another was there first.
  Result<bool> make_key(const std::string& alias, const std::string& description,
                        std::string_view tag, const std::string& tag_value);
  /// The refusal, or nothing. Waits for a key that the service does not know yet.
  Result<std::string> give_alias(const std::string& alias, const std::string& key_arn);
  Status wait_for(const std::string& alias);
  Result<std::string> tombstone_key(int number);
  Status put_tombstone(TenantId tenant);
  Result<std::uint32_t> version_of(TenantId tenant, const KeyMetadata& key);
  Result<bool> was_enabled(TenantId tenant, const KeyMetadata& key);

  Kms kms_;
  const std::string alias_prefix_;
  const milliseconds settle_timeout_;
};

Result<std::optional<KeyMetadata>> AwsKeys::look_up(std::string_view key_id) {
  OA_ASSIGN(const KmsAnswer answer, kms_.call("DescribeKey", named(key_id)));
  if (answer.refusal == kNotThere) return std::optional<KeyMetadata>();
  const auto* found = answer.body.if_contains("KeyMetadata");
  if (!answer.ok() || found == nullptr || !found->is_object()) {
    return make_error(ErrorCode::kInternal, "kms.describe", "the key service describes no key")
        .with_cause(answer.refusal);
  }
  const KmsAnswer metadata{.refusal = {}, .body = found->as_object()};
  KeyMetadata key{.arn = metadata.text("Arn"),
                  .state = metadata.text("KeyState"),
                  .created_at = moment(metadata.body, "CreationDate"),
                  .deleted_at = moment(metadata.body, "DeletionDate")};
  if (key.arn.empty() || key.state.empty())
    return make_error(ErrorCode::kInternal, "kms.describe", "the key service describes no key");
  return std::optional(std::move(key));
}

Result<KeyMetadata> AwsKeys::find(TenantId tenant) {
  OA_ASSIGN(auto key, look_up(alias_of(tenant)));
  if (!key) return refused(tenant, std::string(kNotThere));
  return *std::move(key);
}

Error AwsKeys::in_wrong_state(TenantId tenant) {
  const auto key = find(tenant);
  if (!key.ok()) return key.error();
  if (key->pending()) return disabled_until_destroyed(tenant);
  if (key->state == "Disabled") return key_error(ErrorCode::kKeyDisabled, tenant, "is disabled");
  return key_error(ErrorCode::kKeyServiceUnavailable, tenant, "cannot be used now")
      .with_hint("try again later; the key service says why")
      .with_cause("key state " + key->state);
}

Error AwsKeys::refused(TenantId tenant, const std::string& refusal) {
  if (refusal == kNotThere) {
    const auto tombstone = look_up(tombstone_of(tenant));
    if (!tombstone.ok()) return tombstone.error();
    return *tombstone ? key_error(ErrorCode::kKeyDestroyed, tenant, "was destroyed")
                      : key_error(ErrorCode::kNotFound, tenant, "does not exist")
                            .with_hint("if it did, its alias " + alias_of(tenant) +
                                       " was removed: point it to the key again");
  }
  if (refusal == "DisabledException" || refusal == kWrongState) return in_wrong_state(tenant);
  if (refusal == "InvalidCiphertextException" || refusal == "IncorrectKeyException")
    return wrapped_by_another();
  if (refusal == kLimit) {
    return key_error(ErrorCode::kLimitExceeded, tenant, "has reached a limit of the key service")
        .with_hint("the service's quotas page names it");
  }
  if (refusal == "ConflictException") {
    return key_error(ErrorCode::kConflict, tenant, "is being rotated")
        .with_hint("try again in half an hour");
  }
  return key_error(ErrorCode::kInternal, tenant, "could not be asked for that").with_cause(refusal);
}

Status AwsKeys::act(TenantId tenant, std::string_view operation, const json::object& input,
                    bool repeatable) {
  OA_ASSIGN(const KmsAnswer answer, kms_.call(operation, input, repeatable));
  if (!answer.ok()) return refused(tenant, answer.refusal);
  return {};
}

Result<DataKey> AwsKeys::generate_data_key(TenantId tenant, KeyPurpose purpose) {
  json::object input = named(alias_of(tenant));
  input["KeySpec"] = "AES_256";
  input["EncryptionContext"] = context_of(tenant, purpose);
  OA_ASSIGN(KmsDataKey key, kms_.call_for_key("GenerateDataKey", input));
  if (!key.refusal.empty()) return refused(tenant, key.refusal);
  if (key.blob.empty() || key.plaintext.size() != kDataKeySize) {
    return make_error(ErrorCode::kInternal, "kms.generate",
                      "the key service gave something else than a data key");
  }
  return DataKey{std::move(key.plaintext), {id_of(key.key_arn, key.material), std::move(key.blob)}};
}

Result<SecretBytes> AwsKeys::unwrap(TenantId tenant, KeyPurpose purpose,
                                    const WrappedKey& wrapped) {
  if (!wrapped.key_id.starts_with(kIdPrefix) || wrapped.blob.empty() ||
      wrapped.blob.size() > kMaxBlob)
    return wrapped_by_another();
  json::object input = named(alias_of(tenant));
  input["CiphertextBlob"] = to_base64(wrapped.blob);
  input["EncryptionContext"] = context_of(tenant, purpose);
  OA_ASSIGN(KmsDataKey key, kms_.call_for_key("Decrypt", input));
  if (!key.refusal.empty()) return refused(tenant, key.refusal);
  if (!names(wrapped.key_id, key.key_arn, key.material) || key.plaintext.size() != kDataKeySize)
    return wrapped_by_another();
  return std::move(key.plaintext);
}

Result<WrappedKey> AwsKeys::rewrap(TenantId tenant, KeyPurpose purpose, const WrappedKey& wrapped) {
  if (!wrapped.key_id.starts_with(kIdPrefix) || wrapped.blob.empty() ||
      wrapped.blob.size() > kMaxBlob)
    return wrapped_by_another();
  const std::string alias = alias_of(tenant);
  const json::object context = context_of(tenant, purpose);
  OA_ASSIGN(const KmsAnswer answer,
            kms_.call("ReEncrypt", {{"CiphertextBlob", to_base64(wrapped.blob)},
                                    {"SourceKeyId", alias},
                                    {"SourceEncryptionContext", context},
                                    {"DestinationKeyId", alias},
                                    {"DestinationEncryptionContext", context}}));
  if (!answer.ok()) return refused(tenant, answer.refusal);
  if (!names(wrapped.key_id, answer.text("SourceKeyId"), answer.text("SourceKeyMaterialId")))
    return wrapped_by_another();
  auto blob = from_base64(answer.text("CiphertextBlob"));
  if (!blob.ok() || blob->empty() || answer.text("KeyId").empty()) {
    return make_error(ErrorCode::kInternal, "kms.rewrap",
                      "the key service gave something else than a wrapped key");
  }
  return WrappedKey{id_of(answer.text("KeyId"), answer.text("DestinationKeyMaterialId")),
                    *std::move(blob)};
}

Result<std::uint32_t> AwsKeys::version_of(TenantId tenant, const KeyMetadata& key) {
  std::uint32_t version = 1;
  json::object input = named(key.arn);
  for (int page = 0; page < kMaxPages; ++page) {
    OA_ASSIGN(const KmsAnswer answer, kms_.call("ListKeyRotations", input));
    if (!answer.ok()) return refused(tenant, answer.refusal);
    const auto* rotations = answer.body.if_contains("Rotations");
    if (rotations != nullptr && rotations->is_array())
      version += static_cast<std::uint32_t>(rotations->as_array().size());
    const std::string next = answer.text("NextMarker");
    if (next.empty()) return version;
    input["Marker"] = next;
  }
  return key_error(ErrorCode::kInternal, tenant, "has too many rotations to count");
}

Result<TenantKeyInfo> AwsKeys::describe(TenantId tenant) {
  OA_ASSIGN(const KeyMetadata key, find(tenant));
  OA_ASSIGN(const std::uint32_t version, version_of(tenant, key));
  TenantKeyInfo info{tenant, KeyState::kDisabled, version, key.created_at, key.deleted_at};
  if (key.pending()) info.state = KeyState::kPendingDestruction;
  if (key.state == "Enabled") info.state = KeyState::kEnabled;
  return info;
}

Status AwsKeys::rotate(TenantId tenant) {
  OA_ASSIGN(const KeyMetadata key, find(tenant));
  return act(tenant, "RotateKeyOnDemand", named(key.arn), false);  // there are not many
}

Status AwsKeys::disable(TenantId tenant) {
  OA_ASSIGN(const KeyMetadata key, find(tenant));
  if (key.pending()) return about_to_be_destroyed(tenant);
  return act(tenant, "DisableKey", named(key.arn));
}

Status AwsKeys::enable(TenantId tenant) {
  OA_ASSIGN(const KeyMetadata key, find(tenant));
  if (key.pending()) return about_to_be_destroyed(tenant);
  return act(tenant, "EnableKey", named(key.arn));
}

Result<std::string> AwsKeys::give_alias(const std::string& alias, const std::string& key_arn) {
  const auto until = std::chrono::steady_clock::now() + settle_timeout_;
  for (milliseconds wait{50};; wait = std::min(2 * wait, milliseconds(2'000))) {
    OA_ASSIGN(const KmsAnswer answer,
              kms_.call("CreateAlias", {{"AliasName", alias}, {"TargetKeyId", key_arn}}));
    if (answer.refusal != kNotThere || std::chrono::steady_clock::now() + wait > until)
      return answer.refusal;
    std::this_thread::sleep_for(wait);
  }
}

Status AwsKeys::wait_for(const std::string& alias) {
  const auto until = std::chrono::steady_clock::now() + settle_timeout_;
  for (milliseconds wait{50};; wait = std::min(2 * wait, milliseconds(2'000))) {
    OA_ASSIGN(const auto key, look_up(alias));
    if (key) return {};
    if (std::chrono::steady_clock::now() + wait > until) {
      return make_error(ErrorCode::kKeyServiceUnavailable, "kms.create",
                        "the key was made, and the key service does not find it yet")
          .with_hint("look again in some minutes");
    }
    std::this_thread::sleep_for(wait);
  }
}

Result<bool> AwsKeys::make_key(const std::string& alias, const std::string& description,
                               std::string_view tag, const std::string& tag_value) {
  const json::array tags{json::object{{"TagKey", tag}, {"TagValue", tag_value}}};
  OA_ASSIGN(const KmsAnswer made, kms_.call("CreateKey",
                                            {{"Description", description},
                                             {"KeySpec", "SYMMETRIC_DEFAULT"},
                                             {"KeyUsage", "ENCRYPT_DECRYPT"},
                                             {"Tags", tags}},
                                            false));
  const auto* metadata = made.body.if_contains("KeyMetadata");
  const std::string arn = metadata != nullptr && metadata->is_object()
                              ? KmsAnswer{.refusal = {}, .body = metadata->as_object()}.text("Arn")
                              : "";
  if (arn.empty()) {
    return make_error(made.refusal == kLimit ? ErrorCode::kLimitExceeded : ErrorCode::kInternal,
                      "kms.create", "the key service makes no key")
        .with_hint("the service's quotas page says how many keys there may be")
        .with_cause(made.refusal);
  }
  OA_ASSIGN(const std::string refusal, give_alias(alias, arn));
  if (refusal.empty()) {
    OA_TRY(wait_for(alias));
    return true;
  }
  if (refusal == kExists) {
    // Ours when the answer to the first attempt was lost.
    OA_ASSIGN(const auto holder, look_up(alias));
    if (holder && holder->arn == arn) return true;
  }
  // Nothing has been encrypted with it: it was known here alone.
  OA_ASSIGN(
      const KmsAnswer removed,
      kms_.call("ScheduleKeyDeletion", {{"KeyId", arn}, {"PendingWindowInDays", kShortestDays}}));
  if (refusal == kExists && removed.ok()) return false;
  return make_error(ErrorCode::kInternal, "kms.create", "the key service gives a key no name")
      .with_cause(refusal + " " + removed.refusal);
}

Status AwsKeys::create_tenant_key(TenantId tenant) {
  OA_ASSIGN(const auto present, look_up(alias_of(tenant)));
  if (present) return key_error(ErrorCode::kAlreadyExists, tenant, "exists already");
  OA_ASSIGN(const auto tombstone, look_up(tombstone_of(tenant)));
  if (tombstone) return key_error(ErrorCode::kKeyDestroyed, tenant, "was destroyed");
  OA_ASSIGN(const bool ours,
            make_key(alias_of(tenant), "Data of tenant " + tenant.str() + " in oa-backup",
                     kTenantTag, tenant.str()));
  if (!ours) return key_error(ErrorCode::kAlreadyExists, tenant, "exists already");
  return {};
}

Result<std::string> AwsKeys::tombstone_key(int number) {
  const std::string alias = alias_prefix_ + "tombstones-" + std::to_string(number);
  OA_ASSIGN(auto key, look_up(alias));
  if (!key) {
    OA_TRY(make_key(alias,
                    "Names of tenants of oa-backup whose keys were destroyed; encrypts nothing",
                    kTombstonesTag, std::to_string(number)));
    OA_ASSIGN(key, look_up(alias));
  }
  if (!key) {
    return make_error(ErrorCode::kKeyServiceUnavailable, "kms.tombstone",
                      "the key service does not find a key that it made")
        .with_hint("try again later");
  }
  return key->arn;
}

// The service lets a key have so many aliases, and no more.
Status AwsKeys::put_tombstone(TenantId tenant) {
  for (int number = 1; number <= kMaxTombstoneKeys; ++number) {
    OA_ASSIGN(const std::string arn, tombstone_key(number));
    OA_ASSIGN(const std::string refusal, give_alias(tombstone_of(tenant), arn));
    if (refusal.empty() || refusal == kExists) return {};
    if (refusal != kLimit) return refused(tenant, refusal);
  }
  return key_error(ErrorCode::kLimitExceeded, tenant, "finds no room for its tombstone");
}

Status AwsKeys::schedule_destroy(TenantId tenant, Timestamp when) {
  OA_ASSIGN(const KeyMetadata key, find(tenant));
  if (key.pending()) return about_to_be_destroyed(tenant);
  const std::int64_t wait_us = when.unix_us - Timestamp::now().unix_us;
  const std::int64_t days = wait_us <= 0 ? 0 : (wait_us - 1) / kDayUs + 1;
  if (days < kShortestDays || days > kLongestDays) {
    return key_error(ErrorCode::kInvalidArgument, tenant, "cannot be destroyed at that time")
        .with_hint("AWS KMS deletes a key 7 to 30 days after it was asked to");
  }
  // Tags cannot be changed while deletion is pending.
  OA_TRY(act(tenant, "TagResource",
             {{"KeyId", key.arn},
              {"Tags", json::array{json::object{
                           {"TagKey", kBeforeTag},
                           {"TagValue",
                            key.state == "Enabled" ? kEnabled : std::string_view("disabled")}}}}}));
  OA_TRY(put_tombstone(tenant));
  OA_ASSIGN(const KmsAnswer answer,
            kms_.call("ScheduleKeyDeletion", {{"KeyId", key.arn}, {"PendingWindowInDays", days}}));
  if (answer.ok()) return {};
  if (answer.refusal != kWrongState) return refused(tenant, answer.refusal);
  // Ours when the answer to the first attempt was lost.
  OA_ASSIGN(const KeyMetadata now, find(tenant));
  const std::int64_t ours_us = Timestamp::now().unix_us + days * kDayUs;
  if (now.pending() && std::abs(now.deleted_at.unix_us - ours_us) < kHourUs) return {};
  return about_to_be_destroyed(tenant);
}

Result<bool> AwsKeys::was_enabled(TenantId tenant, const KeyMetadata& key) {
  OA_ASSIGN(const KmsAnswer answer, kms_.call("ListResourceTags", named(key.arn)));
  if (!answer.ok()) return refused(tenant, answer.refusal);
  const auto* tags = answer.body.if_contains("Tags");
  if (tags == nullptr || !tags->is_array()) return false;
  return std::ranges::any_of(tags->as_array(), [](const json::value& value) {
    if (!value.is_object()) return false;
    const KmsAnswer tag{.refusal = {}, .body = value.as_object()};
    return tag.text("TagKey") == kBeforeTag && tag.text("TagValue") == kEnabled;
  });
}

Status AwsKeys::cancel_destroy(TenantId tenant) {
  OA_ASSIGN(const KeyMetadata key, find(tenant));
  if (!key.pending())
    return key_error(ErrorCode::kConflict, tenant, "is not about to be destroyed");
  OA_ASSIGN(const bool enabled_before, was_enabled(tenant, key));
  const Status cancelled = act(tenant, "CancelKeyDeletion", named(key.arn));
  if (!cancelled.ok()) {
    // Done when the answer to the first attempt was lost.
    OA_ASSIGN(const KeyMetadata now, find(tenant));
    if (now.pending()) return cancelled;
  }
  if (enabled_before) OA_TRY(act(tenant, "EnableKey", named(key.arn)));
  OA_ASSIGN(const KmsAnswer answer,
            kms_.call("DeleteAlias", {{"AliasName", tombstone_of(tenant)}}));
  if (!answer.ok() && answer.refusal != kNotThere) return refused(tenant, answer.refusal);
  return {};
}

bool is_alias_prefix(std::string_view text) {
  // PREFIX-destroyed-TENANT is a name of the deployment PREFIX.
  return is_name_prefix(text) && !text.ends_with("-destroyed");
}

}  // namespace

Result<std::unique_ptr<KeyService>> AwsKeyService::open(AwsKeySettings settings) {
  if (!is_alias_prefix(settings.alias_prefix) || settings.settle_timeout.count() < 0) {
    return make_error(
        ErrorCode::kInvalidArgument, "kms.open",
        "an alias prefix has 1 to 64 of a-z, 0-9, - and _, and no -destroyed at its end");
  }
  std::string endpoint = settings.endpoint;
  if (endpoint.empty()) {
    endpoint = "https://kms." + settings.region + ".amazonaws.com" +
               (settings.region.starts_with("cn-") ? ".cn" : "");
  }
  OA_ASSIGN(auto client, aws::Client::open({.endpoint = std::move(endpoint),
                                            .scope = {.region = settings.region, .service = "kms"},
                                            .credentials = settings.credentials,
                                            .ca_file = settings.ca_file,
                                            .connect_timeout = settings.connect_timeout,
                                            .idle_timeout = settings.attempt_timeout,
                                            .total_timeout = settings.attempt_timeout,
                                            .retries = settings.retries,
                                            .unavailable = ErrorCode::kKeyServiceUnavailable}));
  return std::unique_ptr<KeyService>(
      std::make_unique<AwsKeys>(std::move(client), std::move(settings)));
}

}  // namespace oa
