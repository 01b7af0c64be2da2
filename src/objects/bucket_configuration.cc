#include "oa/objects/bucket_configuration.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "oa/crypto/hash.h"
#include "s3_bucket.h"
#include "s3_names.h"
#include "s3_xml.h"

namespace oa {
namespace {

constexpr const char* kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";
constexpr const char* kOp = "bucket.configure";
constexpr const char* kCephsAccessBlock = "BlockPublicAccessBlockConfiguration";
constexpr std::size_t kMaxPolicy = std::size_t{64} << 10;

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

// Some servers write nanoseconds.
std::optional<Timestamp> moment(std::string_view text) {
  std::string short_text(text.substr(0, text.find('.')));
  if (short_text.size() < text.size()) short_text += "Z";
  const auto parsed = Timestamp::parse(short_text);
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

std::string in_root(const std::string& root, const std::string& content) {
  return "<" + root + " xmlns=\"" + kNamespace + "\">" + content + "</" + root + ">";
}

void add_filter(const XmlElement& filter, LifecycleRule& rule) {
  for (const auto& child : filter.children) {
    if (child.name == "Prefix") rule.prefix = child.text;
    if (child.name == "Tag") rule.tags.emplace_back(child.text_of("Key"), child.text_of("Value"));
    if (child.name == "And") add_filter(child, rule);
  }
}

// A date counts as 0 days: it comes.
std::optional<int> days_of(const XmlElement& action, std::string_view name) {
  if (action.child("Date") != nullptr) return 0;
  const XmlElement* const days = action.child(name);
  if (days == nullptr) return std::nullopt;
  return number(days->text).value_or(0);
}

LifecycleRule rule_of(const XmlElement& element) {
  LifecycleRule rule;
  rule.id = element.text_of("ID");
  rule.enabled = element.text_of("Status") == "Enabled";
  rule.prefix = element.text_of("Prefix");
  rule.xml = to_xml(element);
  for (const auto& child : element.children) {
    if (child.name == "Filter") add_filter(child, rule);
    if (child.name == "Expiration") rule.expires_days = days_of(child, "Days");
    if (child.name == "NoncurrentVersionExpiration")
      rule.noncurrent_days = days_of(child, "NoncurrentDays").value_or(0);
    if (child.name == "Transition" || child.name == "NoncurrentVersionTransition")
      rule.transitions.emplace_back(child.text_of("StorageClass"));
  }
  return rule;
}

class Admin final : public BucketAdmin {
 public:
  Admin(std::unique_ptr<aws::Client> client, S3Settings settings,
        std::unique_ptr<aws::Client> client_of_bucket)
      : client_(std::move(client)),
        settings_(std::move(settings)),
        names_(settings_.prefix),
        objects_(std::move(client_of_bucket), settings_) {}

  Result<BucketConfiguration> read() override;
  Result<std::vector<LedgerLockSeen>> ledger_locks(std::size_t max) override;
  Status enable_versioning() override {
    return put("versioning", in_root("VersioningConfiguration", "<Status>Enabled</Status>"));
  }
  Status set_encryption(const std::string& algorithm, const std::string& kms_key) override {
    const std::string key =
        kms_key.empty() ? "" : "<KMSMasterKeyID>" + xml_escaped(kms_key) + "</KMSMasterKeyID>";
    return put("encryption", in_root("ServerSideEncryptionConfiguration",
                                     "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>" +
                                         algorithm + "</SSEAlgorithm>" + key +
                                         "</ApplyServerSideEncryptionByDefault></Rule>"));
  }
  Status put_lifecycle(const std::vector<std::string>& rules) override {
    std::string content;
    for (const auto& rule : rules) content += rule;
    return put("lifecycle", in_root("LifecycleConfiguration", content));
  }
  Status make_private() override;
  Status put_policy(const std::optional<json::value>& policy) override;
  Status block_public_access(bool block_acls) override {
    return put("publicAccessBlock",
               in_root("PublicAccessBlockConfiguration",
                       "<BlockPublicAcls>" + std::string(block_acls ? "true" : "false") +
                           "</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
                           "<BlockPublicPolicy>true</BlockPublicPolicy>"
                           "<RestrictPublicBuckets>true</RestrictPublicBuckets>"));
  }

 private:
  struct Answer {
    Told told = Told::kYes;
    std::optional<XmlElement> root;  // none: the property is not set
    Bytes body;
  };
  aws::Request request(std::string method, const std::string& property) const;
  Result<Answer> get(const std::string& property, std::string_view root,
                     std::string_view absent_code, std::string_view other_root = {});
  Result<Answer> ask(const std::string& property, std::string_view absent_code);
  Status put(const std::string& property, const std::string& body);
  Status send(aws::Request made, const std::string& property);
  Status read_locks(BucketConfiguration& configuration);
  Status read_encryption(BucketConfiguration& configuration);
  Status read_lifecycle(BucketConfiguration& configuration);
  Status read_access(BucketConfiguration& configuration);
  Status read_policy(BucketConfiguration& configuration);
  Status read_replication(BucketConfiguration& configuration);
  Result<LedgerLockSeen> lock_of(const S3Names::Named& named, const std::string& key);

  const std::unique_ptr<aws::Client> client_;
  const S3Settings settings_;
  const S3Names names_;
  S3Bucket objects_;
};

aws::Request Admin::request(std::string method, const std::string& property) const {
  aws::Request made;
  made.method = std::move(method);
  if (settings_.virtual_host) {
    made.bucket = settings_.bucket;
  } else {
    made.path = "/" + settings_.bucket;
  }
  made.query = {{property, ""}};
  return made;
}

Result<Admin::Answer> Admin::ask(const std::string& property, std::string_view absent_code) {
  OA_ASSIGN(aws::Response answer, client_->send(request("GET", property)));
  if (answer.ok()) return Answer{Told::kYes, {}, std::move(answer.body)};
  const int status = answer.head.status;
  if (answer.error_code == "NoSuchBucket") return s3_error(kOp, "the bucket", answer);
  if (answer.error_code == absent_code) return Answer{};
  if (status == 403 || status == 401) return Answer{Told::kRefused, {}, {}};
  if (status == 400 || status == 404 || status == 405 || status == 501)
    return Answer{Told::kUnsupported, {}, {}};
  return s3_error(kOp, "the question for the bucket's " + property, answer);
}

Result<Admin::Answer> Admin::get(const std::string& property, std::string_view root,
                                 std::string_view absent_code, std::string_view other_root) {
  OA_ASSIGN(Answer answer, ask(property, absent_code));
  if (answer.body.empty()) return answer;
  OA_ASSIGN(answer.root, parse_xml(answer.body));
  // One that does not know the question lists the bucket.
  const bool known =
      answer.root->name == root || (!other_root.empty() && answer.root->name == other_root);
  if (!known) return Answer{Told::kUnsupported, {}, {}};
  return answer;
}

Status Admin::send(aws::Request made, const std::string& property) {
  OA_ASSIGN(const aws::Response answer, client_->send(made));
  if (answer.ok()) return {};
  return s3_error(kOp, "the change of the bucket's " + property, answer);
}

Status Admin::put(const std::string& property, const std::string& body) {
  aws::Request made = request("PUT", property);
  made.body = as_bytes(body);
  made.headers = {{"content-type", "application/xml"},
                  {"x-amz-sdk-checksum-algorithm", "SHA256"},
                  {"x-amz-checksum-sha256", to_base64(Sha256::of(as_bytes(body)))}};
  return send(std::move(made), property);
}

Status Admin::make_private() {
  aws::Request made = request("PUT", "acl");
  made.headers = {{"x-amz-acl", "private"}};
  return send(std::move(made), "acl");
}

Status Admin::put_policy(const std::optional<json::value>& policy) {
  if (!policy.has_value()) return send(request("DELETE", "policy"), "policy");
  const std::string text = canonical_json(*policy);
  aws::Request made = request("PUT", "policy");
  made.body = as_bytes(text);
  made.headers = {{"content-type", "application/json"}};
  return send(std::move(made), "policy");
}

Status Admin::read_locks(BucketConfiguration& configuration) {
  OA_ASSIGN(const Answer versioning, get("versioning", "VersioningConfiguration", ""));
  configuration.versioning.told = versioning.told;
  if (versioning.root) configuration.versioning.value = versioning.root->text_of("Status");
  OA_ASSIGN(const Answer lock, get("object-lock", "ObjectLockConfiguration",
                                   "ObjectLockConfigurationNotFoundError"));
  configuration.object_lock.told = lock.told;
  if (!lock.root) return {};
  configuration.object_lock.value = lock.root->text_of("ObjectLockEnabled") == "Enabled";
  const XmlElement* const rule = lock.root->child("Rule");
  const XmlElement* const retention = rule == nullptr ? nullptr : rule->child("DefaultRetention");
  if (retention == nullptr) return {};
  const bool days = retention->child("Days") != nullptr;
  configuration.default_retention = std::string(retention->text_of("Mode")) + ", " +
                                    std::string(retention->text_of(days ? "Days" : "Years")) +
                                    (days ? " days" : " years");
  return {};
}

Status Admin::read_encryption(BucketConfiguration& configuration) {
  OA_ASSIGN(const Answer answer, get("encryption", "ServerSideEncryptionConfiguration",
                                     "ServerSideEncryptionConfigurationNotFoundError"));
  configuration.encryption.told = answer.told;
  const XmlElement* rule = answer.root ? answer.root->child("Rule") : nullptr;
  if (rule != nullptr) rule = rule->child("ApplyServerSideEncryptionByDefault");
  if (rule == nullptr) return {};
  std::string text(rule->text_of("SSEAlgorithm"));
  if (const auto key = rule->text_of("KMSMasterKeyID"); !key.empty()) text += " " + std::string(key);
  configuration.encryption.value = std::move(text);
  return {};
}

Status Admin::read_lifecycle(BucketConfiguration& configuration) {
  OA_ASSIGN(const Answer answer,
            get("lifecycle", "LifecycleConfiguration", "NoSuchLifecycleConfiguration"));
  configuration.lifecycle.told = answer.told;
  if (!answer.root) return {};
  for (const auto& element : answer.root->children)
    if (element.name == "Rule") configuration.lifecycle.value.push_back(rule_of(element));
  return {};
}

Status Admin::read_access(BucketConfiguration& configuration) {
  OA_ASSIGN(const Answer acl, get("acl", "AccessControlPolicy", ""));
  configuration.grants.told = acl.told;
  if (acl.root) {
    const XmlElement* const owner = acl.root->child("Owner");
    const auto owner_id = owner == nullptr ? std::string_view() : owner->text_of("ID");
    const XmlElement* const list = acl.root->child("AccessControlList");
    for (const auto& grant : list == nullptr ? std::list<XmlElement>() : list->children) {
      const XmlElement* const grantee = grant.child("Grantee");
      if (grantee == nullptr || (!owner_id.empty() && grantee->text_of("ID") == owner_id)) continue;
      std::string name(grantee->text_of("URI"));
      if (name.empty()) name = grantee->text_of("ID");
      if (name.empty()) name = grantee->text_of("EmailAddress");
      configuration.grants.value.push_back(
          {std::move(name), std::string(grant.text_of("Permission"))});
    }
  }
  OA_ASSIGN(const Answer block,
            get("publicAccessBlock", "PublicAccessBlockConfiguration",
                "NoSuchPublicAccessBlockConfiguration", kCephsAccessBlock));
  configuration.public_access.told = block.told;
  if (!block.root) return {};
  const auto is_true = [&](const char* name) {
    const auto text = block.root->text_of(name);
    return text == "true" || text == "TRUE";
  };
  configuration.public_access.value = {is_true("BlockPublicAcls"), is_true("IgnorePublicAcls"),
                                       is_true("BlockPublicPolicy"),
                                       is_true("RestrictPublicBuckets"),
                                       block.root->name == kCephsAccessBlock};
  return {};
}

Status Admin::read_policy(BucketConfiguration& configuration) {
  OA_ASSIGN(const Answer answer, ask("policy", "NoSuchBucketPolicy"));
  configuration.policy.told = answer.told;
  if (answer.body.empty()) return {};
  auto policy = parse_json(as_text(answer.body), {kMaxPolicy, 16});
  if (policy.ok() && policy->is_object())
    configuration.policy.value = *std::move(policy);
  else
    configuration.policy.told = Told::kUnsupported;
  return {};
}

Status Admin::read_replication(BucketConfiguration& configuration) {
  OA_ASSIGN(const Answer answer, get("replication", "ReplicationConfiguration",
                                     "ReplicationConfigurationNotFoundError"));
  configuration.replication.told = answer.told;
  if (!answer.root) return {};
  for (const auto& element : answer.root->children) {
    if (element.name != "Rule") continue;
    LifecycleRule filter;
    filter.prefix = element.text_of("Prefix");
    if (const XmlElement* const given = element.child("Filter")) add_filter(*given, filter);
    const XmlElement* const to = element.child("Destination");
    configuration.replication.value.push_back(
        {std::string(element.text_of("ID")), std::string(to == nullptr ? "" : to->text_of("Bucket")),
         filter.prefix, element.text_of("Status") == "Enabled" && filter.tags.empty()});
  }
  return {};
}

Result<BucketConfiguration> Admin::read() {
  BucketConfiguration configuration;
  OA_TRY(read_locks(configuration));
  OA_TRY(read_encryption(configuration));
  OA_TRY(read_lifecycle(configuration));
  OA_TRY(read_access(configuration));
  OA_TRY(read_policy(configuration));
  OA_TRY(read_replication(configuration));
  return configuration;
}

Result<LedgerLockSeen> Admin::lock_of(const S3Names::Named& named, const std::string& key) {
  aws::Request head = request("HEAD", "");
  head.query.clear();
  head.path = (settings_.virtual_host ? "/" : head.path + "/") + key;
  OA_ASSIGN(const aws::Response answer, client_->send(head));
  if (!answer.ok()) return s3_error(kOp, "the question for a lock", answer);
  LedgerLockSeen seen{named.key.tenant, named.version.created_at, {}, {}};
  seen.mode = answer.head.header("x-amz-object-lock-mode");
  seen.until = moment(answer.head.header("x-amz-object-lock-retain-until-date"));
  return seen;
}

// From tenant to tenant, by the names of keys.
Result<std::vector<LedgerLockSeen>> Admin::ledger_locks(std::size_t max) {
  std::vector<LedgerLockSeen> seen;
  const std::string objects = settings_.prefix + "objects/";
  std::string marker;
  while (seen.size() < max) {
    OA_ASSIGN(const NativePage first, objects_.list(objects, marker, "", 1));
    if (first.versions.empty()) break;
    const std::string& key = first.versions[0].key;
    const auto end = key.find('/', objects.size());
    if (end == std::string::npos) break;
    const std::string tenant = key.substr(0, end);
    OA_ASSIGN(const NativePage ledger, objects_.list(tenant + "/ledger/", "", "", 1));
    for (const auto& native : ledger.versions) {
      const auto named = names_.parse_version_key(native.key);
      if (!named || native.delete_marker) continue;
      OA_ASSIGN(auto lock, lock_of(*named, native.key));
      seen.push_back(std::move(lock));
    }
    marker = tenant + "0";  // behind every key of the tenant's
  }
  return seen;
}

}  // namespace

Result<std::unique_ptr<BucketAdmin>> BucketAdmin::open(S3Settings settings) {
  // With its checks of the settings.
  OA_ASSIGN(const auto store, open_s3_store_unasked(settings));
  OA_ASSIGN(auto client, aws::Client::open(settings.connection));
  OA_ASSIGN(auto second, aws::Client::open(settings.connection));
  return std::unique_ptr<BucketAdmin>(
      new Admin(std::move(client), std::move(settings), std::move(second)));
}

std::string housekeeping_rule(const std::string& id, const std::string& prefix, int days) {
  return "<Rule><ID>" + xml_escaped(id) + "</ID><Filter><Prefix>" + xml_escaped(prefix) +
         "</Prefix></Filter><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true"
         "</ExpiredObjectDeleteMarker></Expiration><AbortIncompleteMultipartUpload>"
         "<DaysAfterInitiation>" +
         std::to_string(days) + "</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>";
}

Result<std::string> disabled_rule(const std::string& xml) {
  OA_ASSIGN(XmlElement rule, parse_xml(as_bytes(xml)));
  for (auto& child : rule.children)
    if (child.name == "Status") child.text = "Disabled";
  return to_xml(rule);
}

}  // namespace oa
