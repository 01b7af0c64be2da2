#include "fake_kms.h"

#include <algorithm>
#include <regex>

#include "oa/crypto/aead.h"

namespace oa {
namespace {

constexpr std::size_t kMostAliasesOfAKey = 50;
constexpr std::size_t kMostRotations = 25;
constexpr int kRotationsInAPage = 2;
constexpr std::int64_t kDayUs = 86'400'000'000;
const std::string kArnPrefix = "arn:aws:kms:eu-test-1:111122223333:key/";

double seconds_of(Timestamp moment) { return static_cast<double>(moment.unix_us) / 1e6; }

}  // namespace

const std::map<std::string, FakeKms::Operation>& FakeKms::operations() {
  static const std::map<std::string, Operation> all{
      {"CreateKey", &FakeKms::create_key},
      {"CreateAlias", &FakeKms::create_alias},
      {"DeleteAlias", &FakeKms::delete_alias},
      {"DescribeKey", &FakeKms::describe_key},
      {"GenerateDataKey", &FakeKms::generate_data_key},
      {"Decrypt", &FakeKms::decrypt},
      {"ReEncrypt", &FakeKms::re_encrypt},
      {"RotateKeyOnDemand", &FakeKms::rotate_on_demand},
      {"ListKeyRotations", &FakeKms::list_rotations},
      {"DisableKey", &FakeKms::disable_key},
      {"EnableKey", &FakeKms::enable_key},
      {"ScheduleKeyDeletion", &FakeKms::schedule_deletion},
      {"CancelKeyDeletion", &FakeKms::cancel_deletion},
      {"TagResource", &FakeKms::tag_resource},
      {"ListResourceTags", &FakeKms::list_tags}};
  return all;
}

FakeKms::Reply FakeKms::reply_of(int status, const std::string& type, const std::string& message) {
  return {status, {{"__type", type}, {"message", message}}};
}

void FakeKms::refuse(std::string type, std::string message) {
  throw Refusal{std::move(type), std::move(message)};
}

FakeKms::Reply FakeKms::handle(const std::string& operation, const json::value& input) {
  std::function<void()> action;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = before_.find(operation); found != before_.end()) {
      action = std::move(found->second);
      before_.erase(found);
    }
  }
  if (action) action();
  const std::lock_guard lock(mutex_);
  ++calls_[operation];
  std::erase_if(keys_, [&](auto& entry) {
    const Key& key = entry.second;
    if (key.state != "PendingDeletion" || time() < key.deleted_at) return false;
    std::erase_if(aliases_, [&](const auto& alias) { return alias.second.key_id == key.id; });
    return true;
  });
  for (Failure& failure : failures_) {
    if (failure.count == 0 || (!failure.operation.empty() && failure.operation != operation))
      continue;
    --failure.count;
    if (failure.after) carry_out(operation, input);
    return failure.reply;
  }
  if (denied_.contains(operation)) {
    return reply_of(
        400, "AccessDeniedException",
        "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: kms:" + operation);
  }
  return carry_out(operation, input);
}

FakeKms::Reply FakeKms::carry_out(const std::string& operation, const json::value& input) {
  const auto found = operations().find(operation);
  if (found == operations().end()) return reply_of(400, "UnknownOperationException", "");
  if (!input.is_object()) return reply_of(400, "SerializationException", "");
  try {
    return {200, (this->*found->second)(input.as_object())};
  } catch (const Refusal& refusal) {
    return reply_of(400, refusal.type, refusal.message);
  }
}

void FakeKms::allow_only(const json::object& input, std::initializer_list<std::string_view> names) {
  for (const auto& member : input) {
    if (std::ranges::find(names, std::string_view(member.key())) == names.end())
      refuse("ValidationException", "unknown member " + std::string(member.key()));
  }
}

std::string FakeKms::text(const json::object& input, std::string_view name, std::size_t most) {
  const auto* found = input.if_contains(name);
  if (found == nullptr) refuse("ValidationException", std::string(name) + " must not be null");
  if (!found->is_string()) refuse("SerializationException");
  std::string value(found->as_string());
  if (value.empty() || value.size() > most)
    refuse("ValidationException", std::string(name) + " has the wrong length");
  return value;
}

Bytes FakeKms::blob(const json::object& input) {
  auto bytes = from_base64(text(input, "CiphertextBlob", 8192));
  if (!bytes.ok()) refuse("SerializationException");
  if (bytes->size() > 6144) refuse("ValidationException", "CiphertextBlob is too long");
  return *std::move(bytes);
}

std::string FakeKms::context(const json::object& input, std::string_view name) {
  const auto* found = input.if_contains(name);
  if (found == nullptr) return "{}";
  if (!found->is_object()) refuse("SerializationException");
  for (const auto& member : found->as_object())
    if (!member.value().is_string()) refuse("SerializationException");
  std::string bound = canonical_json(*found);
  contexts_.insert(bound);
  return bound;
}

std::string FakeKms::arn(const std::string& id) { return kArnPrefix + id; }

FakeKms::Key& FakeKms::named(const std::string& name, bool alias_too) {
  std::string id = name.starts_with(kArnPrefix) ? name.substr(kArnPrefix.size()) : name;
  if (name.starts_with("alias/")) {
    if (!alias_too) refuse("NotFoundException", "Invalid keyId " + name);
    const auto alias = aliases_.find(name);
    if (alias == aliases_.end() || alias->second.unknown_to-- > 0)
      refuse("NotFoundException", "Alias " + name + " is not found.");
    id = alias->second.key_id;
  }
  const auto key = keys_.find(id);
  if (key == keys_.end() || key->second.unknown_to-- > 0)
    refuse("NotFoundException", "Key '" + arn(id) + "' does not exist");
  return key->second;
}

void FakeKms::forbid_pending(const Key& key) {
  if (key.state == "PendingDeletion")
    refuse("KMSInvalidStateException", arn(key.id) + " is pending deletion.");
}

FakeKms::Key& FakeKms::usable(const std::string& name) {
  Key& key = named(name, true);
  forbid_pending(key);
  if (key.state == "Disabled") refuse("DisabledException", arn(key.id) + " is disabled.");
  if (key.state != "Enabled")
    refuse("KMSInvalidStateException", arn(key.id) + " is " + key.state + ".");
  return key;
}

void FakeKms::add_material(Key& key) {
  key.materials.push_back(
      {to_hex(SecretBytes::random(32).view()), SecretBytes::random(32), time()});
}

json::object FakeKms::metadata(const Key& key) {
  json::object described{{"KeyId", key.id},
                         {"Arn", arn(key.id)},
                         {"KeyState", key.state},
                         {"Enabled", key.state == "Enabled"},
                         {"CreationDate", seconds_of(key.made_at)},
                         {"KeySpec", "SYMMETRIC_DEFAULT"},
                         {"KeyUsage", "ENCRYPT_DECRYPT"},
                         {"CurrentKeyMaterialId", key.materials.back().id}};
  if (key.state == "PendingDeletion") described["DeletionDate"] = seconds_of(key.deleted_at);
  return {{"KeyMetadata", std::move(described)}};
}

void FakeKms::tag(Key& key, const json::object& input) {
  const auto* tags = input.if_contains("Tags");
  if (tags == nullptr) return;
  if (!tags->is_array()) refuse("SerializationException");
  for (const json::value& each : tags->as_array()) {
    if (!each.is_object()) refuse("SerializationException");
    allow_only(each.as_object(), {"TagKey", "TagValue"});
    key.tags[text(each.as_object(), "TagKey", 128)] = text(each.as_object(), "TagValue", 256);
  }
}

json::object FakeKms::create_key(const json::object& input) {
  allow_only(input, {"Description", "KeySpec", "KeyUsage", "Tags"});
  text(input, "Description", 8192);
  if (text(input, "KeySpec", 64) != "SYMMETRIC_DEFAULT" ||
      text(input, "KeyUsage", 64) != "ENCRYPT_DECRYPT")
    refuse("ValidationException", "not a key of the kind that this knows");
  Key key{.id = Uuid::random().str(), .made_at = time(), .deleted_at = {}};
  key.unknown_to = settle_lookups_;
  tag(key, input);
  add_material(key);
  const std::string id = key.id;
  return metadata(keys_.emplace(id, std::move(key)).first->second);
}

json::object FakeKms::create_alias(const json::object& input) {
  allow_only(input, {"AliasName", "TargetKeyId"});
  const std::string name = text(input, "AliasName", 256);
  static const std::regex pattern("alias/[a-zA-Z0-9/_-]+");
  if (!std::regex_match(name, pattern) || name.starts_with("alias/aws/"))
    refuse("ValidationException", "AliasName is not one");
  Key& key = named(text(input, "TargetKeyId", 2048), false);
  forbid_pending(key);
  if (aliases_.contains(name)) refuse("AlreadyExistsException", "An alias exists: " + name);
  const auto count = std::ranges::count_if(
      aliases_, [&](const auto& alias) { return alias.second.key_id == key.id; });
  if (static_cast<std::size_t>(count) >= kMostAliasesOfAKey) refuse("LimitExceededException");
  aliases_[name] = {key.id, settle_lookups_};
  return {};
}

json::object FakeKms::delete_alias(const json::object& input) {
  allow_only(input, {"AliasName"});
  if (aliases_.erase(text(input, "AliasName", 256)) == 0) refuse("NotFoundException");
  return {};
}

json::object FakeKms::describe_key(const json::object& input) {
  allow_only(input, {"KeyId"});
  return metadata(named(text(input, "KeyId", 2048), true));
}

// Key id, material id and what wrap_secret() makes.
Bytes FakeKms::wrap(Key& key, const std::string& bound, const SecretBytes& plaintext) {
  const Material& material = key.materials.back();
  const std::string head = key.id + material.id;
  Bytes wrapped(head.begin(), head.end());
  const Bytes sealed = wrap_secret(material.key, head + bound, plaintext);
  wrapped.insert(wrapped.end(), sealed.begin(), sealed.end());
  return wrapped;
}

std::pair<std::string, SecretBytes> FakeKms::open(Key& key, ByteView wrapped,
                                                  const std::string& bound) {
  constexpr std::size_t kIdSize = 36;
  constexpr std::size_t kHeadSize = kIdSize + 64;
  if (wrapped.size() < kHeadSize) refuse("InvalidCiphertextException");
  const std::string head(as_text(wrapped.first(kHeadSize)));
  if (!keys_.contains(head.substr(0, kIdSize))) refuse("InvalidCiphertextException");
  if (head.substr(0, kIdSize) != key.id) {
    refuse("IncorrectKeyException",
           "The key ID in the request does not identify a CMK that can perform this operation.");
  }
  const auto material = std::ranges::find(key.materials, head.substr(kIdSize), &Material::id);
  if (material == key.materials.end()) refuse("InvalidCiphertextException");
  auto plaintext = unwrap_secret(material->key, head + bound, wrapped.subspan(kHeadSize));
  if (!plaintext.ok()) refuse("InvalidCiphertextException");
  return {material->id, *std::move(plaintext)};
}

json::object FakeKms::secret_answer(const Key& key, const std::string& material,
                                    const SecretBytes& plaintext) {
  return {{"KeyId", arn(key.id)},
          {"KeyMaterialId", material},
          {"Plaintext", to_base64(plaintext.view())}};
}

json::object FakeKms::generate_data_key(const json::object& input) {
  allow_only(input, {"KeyId", "KeySpec", "EncryptionContext"});
  Key& key = usable(text(input, "KeyId", 2048));
  if (text(input, "KeySpec", 64) != "AES_256") refuse("ValidationException");
  const SecretBytes plaintext = SecretBytes::random(32);
  json::object answer = secret_answer(key, key.materials.back().id, plaintext);
  answer["CiphertextBlob"] = to_base64(wrap(key, context(input, "EncryptionContext"), plaintext));
  return answer;
}

json::object FakeKms::decrypt(const json::object& input) {
  allow_only(input, {"KeyId", "CiphertextBlob", "EncryptionContext"});
  const Bytes wrapped = blob(input);
  Key& key = usable(text(input, "KeyId", 2048));
  const auto [material, plaintext] = open(key, wrapped, context(input, "EncryptionContext"));
  return secret_answer(key, material, plaintext);
}

json::object FakeKms::re_encrypt(const json::object& input) {
  allow_only(input, {"CiphertextBlob", "SourceKeyId", "SourceEncryptionContext", "DestinationKeyId",
                     "DestinationEncryptionContext"});
  const Bytes wrapped = blob(input);
  Key& source = usable(text(input, "SourceKeyId", 2048));
  const auto [material, plaintext] =
      open(source, wrapped, context(input, "SourceEncryptionContext"));
  Key& destination = usable(text(input, "DestinationKeyId", 2048));
  return {
      {"KeyId", arn(destination.id)},
      {"SourceKeyId", arn(source.id)},
      {"SourceKeyMaterialId", material},
      {"DestinationKeyMaterialId", destination.materials.back().id},
      {"CiphertextBlob",
       to_base64(wrap(destination, context(input, "DestinationEncryptionContext"), plaintext))}};
}

json::object FakeKms::rotate_on_demand(const json::object& input) {
  allow_only(input, {"KeyId"});
  const std::string name = text(input, "KeyId", 2048);
  Key& key = named(name, false);
  forbid_pending(key);
  if (key.state == "Disabled") refuse("DisabledException");
  if (key.materials.size() > kMostRotations) refuse("LimitExceededException");
  add_material(key);
  return {{"KeyId", key.id}};
}

json::object FakeKms::list_rotations(const json::object& input) {
  allow_only(input, {"KeyId", "Marker", "Limit"});
  const Key& key = named(text(input, "KeyId", 2048), false);
  std::size_t at = input.contains("Marker") ? std::stoul(text(input, "Marker", 1024)) : 1;
  json::array rotations;
  for (int i = 0; i < kRotationsInAPage && at < key.materials.size(); ++i, ++at) {
    rotations.push_back({{"KeyId", key.id},
                         {"RotationDate", seconds_of(key.materials[at].made_at)},
                         {"RotationType", "ON_DEMAND"}});
  }
  const bool more = at < key.materials.size();
  json::object answer{{"Rotations", std::move(rotations)}, {"Truncated", more}};
  if (more) answer["NextMarker"] = std::to_string(at);
  return answer;
}

json::object FakeKms::disable_key(const json::object& input) {
  allow_only(input, {"KeyId"});
  Key& key = named(text(input, "KeyId", 2048), false);
  forbid_pending(key);
  key.state = "Disabled";
  return {};
}

json::object FakeKms::enable_key(const json::object& input) {
  allow_only(input, {"KeyId"});
  Key& key = named(text(input, "KeyId", 2048), false);
  forbid_pending(key);
  key.state = "Enabled";
  return {};
}

json::object FakeKms::schedule_deletion(const json::object& input) {
  allow_only(input, {"KeyId", "PendingWindowInDays"});
  Key& key = named(text(input, "KeyId", 2048), false);
  forbid_pending(key);
  const auto* window = input.if_contains("PendingWindowInDays");
  const std::int64_t days = window == nullptr ? 30 : window->to_number<std::int64_t>();
  if (days < 7 || days > 30) refuse("ValidationException", "PendingWindowInDays");
  key.state = "PendingDeletion";
  key.deleted_at = {time().unix_us + days * kDayUs};
  return {{"KeyId", arn(key.id)}, {"DeletionDate", seconds_of(key.deleted_at)}};
}

json::object FakeKms::cancel_deletion(const json::object& input) {
  allow_only(input, {"KeyId"});
  Key& key = named(text(input, "KeyId", 2048), false);
  if (key.state != "PendingDeletion")
    refuse("KMSInvalidStateException", arn(key.id) + " is not pending deletion.");
  key.state = "Disabled";
  return {{"KeyId", arn(key.id)}};
}

json::object FakeKms::tag_resource(const json::object& input) {
  allow_only(input, {"KeyId", "Tags"});
  Key& key = named(text(input, "KeyId", 2048), false);
  forbid_pending(key);
  tag(key, input);
  return {};
}

json::object FakeKms::list_tags(const json::object& input) {
  allow_only(input, {"KeyId"});
  json::array tags;
  for (const auto& [name, value] : named(text(input, "KeyId", 2048), false).tags)
    tags.push_back({{"TagKey", name}, {"TagValue", value}});
  return {{"Tags", std::move(tags)}, {"Truncated", false}};
}

void FakeKms::advance(std::chrono::microseconds time) {
  const std::lock_guard lock(mutex_);
  ahead_us_ += time.count();
}

void FakeKms::fail_next(std::string operation, int status, std::string type, int count,
                        bool after) {
  const std::lock_guard lock(mutex_);
  failures_.push_back(
      {std::move(operation), reply_of(status, type, "Rate exceeded or worse"), count, after});
}

void FakeKms::deny(std::string operation, bool denied) {
  const std::lock_guard lock(mutex_);
  if (denied) {
    denied_.insert(std::move(operation));
  } else {
    denied_.erase(operation);
  }
}

void FakeKms::settle_slowly(int lookups) {
  const std::lock_guard lock(mutex_);
  settle_lookups_ = lookups;
}

void FakeKms::before_next(std::string operation, std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  before_[std::move(operation)] = std::move(action);
}

int FakeKms::calls(const std::string& operation) {
  const std::lock_guard lock(mutex_);
  return calls_[operation];
}

std::set<std::string> FakeKms::contexts() {
  const std::lock_guard lock(mutex_);
  return contexts_;
}

std::string FakeKms::state_of(const std::string& alias) {
  const std::lock_guard lock(mutex_);
  const auto found = aliases_.find(alias);
  return found == aliases_.end() ? "" : keys_.at(found->second.key_id).state;
}

std::vector<std::string> FakeKms::states_without_alias() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> states;
  for (const auto& [id, key] : keys_) {
    if (std::ranges::none_of(aliases_, [&](const auto& a) { return a.second.key_id == key.id; }))
      states.push_back(key.state);
  }
  return states;
}

Timestamp FakeKms::now() {
  const std::lock_guard lock(mutex_);
  return time();
}

}  // namespace oa
