#include "aws_kms.h"

#include <algorithm>
#include <array>
#include <boost/json/parser.hpp>
#include <boost/json/static_resource.hpp>
#include <new>

namespace oa {
namespace {

// The blob of a key that the service wrapped has at most 6144 bytes.
constexpr std::size_t kMaxSecretAnswer = 16 * 1024;
constexpr std::size_t kParserMemory = 32 * 1024;

// Refused because of who asks, not because of what is asked for.
constexpr std::array<std::string_view, 10> kAboutTheCaller{
    "AccessDeniedException",      "UnrecognizedClientException",
    "InvalidSignatureException",  "InvalidClientTokenId",
    "IncompleteSignature",        "IncompleteSignatureException",
    "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "ExpiredTokenException",      "OptInRequired"};

Error unreadable(std::string cause) {
  return make_error(ErrorCode::kInternal, "kms.call", "the key service's answer makes no sense")
      .with_cause(std::move(cause));
}

// An error for what is no matter of the request; the name of the refusal else.
Result<std::string> refusal_of(std::string_view operation, const aws::Response& answer) {
  // One operation has two actions: kms:ReEncryptFrom and kms:ReEncryptTo.
  const std::string action =
      "kms:" + std::string(operation) + (operation == "ReEncrypt" ? "*" : "");
  if (std::ranges::find(kAboutTheCaller, answer.error_code) != kAboutTheCaller.end()) {
    return make_error(ErrorCode::kKeyServiceRefused, "kms.call",
                      "the key service refuses this program")
        .with_hint(answer.error_code == "AccessDeniedException"
                       ? "let its policy allow " + action + " on the tenants' keys and aliases"
                       : "check the access key and this machine's clock")
        .with_cause(action + ": " + answer.error_code);
  }
  if (answer.head.status >= 500) {
    return make_error(ErrorCode::kKeyServiceUnavailable, "kms.call",
                      "the key service cannot do this now")
        .with_hint("try again later")
        .with_cause(action + ": HTTP " + std::to_string(answer.head.status) + " " +
                    answer.error_code);
  }
  if (answer.error_code.empty())
    return unreadable(action + ": HTTP " + std::to_string(answer.head.status));
  return answer.error_code;
}

aws::Request request_of(std::string_view operation, const std::string& body) {
  return {.method = "POST",
          .headers = {{"content-type", "application/x-amz-json-1.1"},
                      {"x-amz-target", "TrentService." + std::string(operation)}},
          .body = as_bytes(body)};
}

class SecretSink final : public aws::ResponseSink {
 public:
  Status begin(const aws::ResponseHead&) override {
    size_ = 0;
    return {};
  }
  Status write(ByteView bytes) override {
    if (bytes.size() > kMaxSecretAnswer - size_) return unreadable("an answer that is too long");
    std::ranges::copy(bytes, memory_.mutable_view().begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
    return {};
  }
  std::string_view text() const { return as_text(memory_.view().first(size_)); }

 private:
  SecretBytes memory_{kMaxSecretAnswer};
  std::size_t size_ = 0;
};

std::string_view member(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string_view(found->as_string())
                                                : std::string_view();
}

Result<KmsDataKey> data_key_of(const json::object& body) {
  KmsDataKey key{.refusal = {},
                 .key_arn = std::string(member(body, "KeyId")),
                 .material = std::string(member(body, "KeyMaterialId")),
                 .blob = {},
                 .plaintext = {}};
  auto blob = from_base64(member(body, "CiphertextBlob"));  // Decrypt gives none
  auto plaintext = secret_from_base64(member(body, "Plaintext"));
  if (key.key_arn.empty() || !blob.ok() || !plaintext.ok() || plaintext->empty())
    return unreadable("a member is missing or not base64");
  key.blob = *std::move(blob);
  key.plaintext = *std::move(plaintext);
  return key;
}

// Parses within `memory`: no piece of `text` gets anywhere else.
Result<KmsDataKey> parse_secret(std::string_view text, SecretBytes& memory) {
  const auto all = memory.mutable_view();
  json::static_resource values(all.data(), all.size() / 2);
  json::static_resource working(all.data() + all.size() / 2, all.size() / 2);
  try {
    json::parser parser(&working);
    parser.reset(&values);
    boost::system::error_code error;
    parser.write(text.data(), text.size(), error);
    if (error) return unreadable("not JSON");
    const json::value value = parser.release();
    if (!value.is_object()) return unreadable("not an object");
    return data_key_of(value.as_object());
  } catch (const std::bad_alloc&) {
    return unreadable("an answer with too many members");
  }
}

}  // namespace

std::string KmsAnswer::text(std::string_view name) const { return std::string(member(body, name)); }

Result<KmsAnswer> Kms::call(std::string_view operation, const json::object& input,
                            bool repeatable) {
  const std::string body = canonical_json(input);
  aws::Request request = request_of(operation, body);
  request.repeatable = repeatable;
  OA_ASSIGN(const aws::Response answer, client_->send(request));
  if (!answer.ok()) {
    OA_ASSIGN(std::string refusal, refusal_of(operation, answer));
    return KmsAnswer{.refusal = std::move(refusal)};
  }
  if (answer.body.empty()) return KmsAnswer{};
  auto parsed = parse_json(as_text(answer.body));
  if (!parsed.ok() || !parsed->is_object()) return unreadable("not a JSON object");
  return KmsAnswer{.refusal = {}, .body = std::move(parsed->as_object())};
}

Result<KmsDataKey> Kms::call_for_key(std::string_view operation, const json::object& input) {
  const std::string body = canonical_json(input);
  SecretSink sink;
  aws::Request request = request_of(operation, body);
  request.sink = &sink;
  OA_ASSIGN(const aws::Response answer, client_->send(request));
  if (!answer.ok()) {
    OA_ASSIGN(std::string refusal, refusal_of(operation, answer));
    return KmsDataKey{
        .refusal = std::move(refusal), .key_arn = {}, .material = {}, .blob = {}, .plaintext = {}};
  }
  SecretBytes memory(kParserMemory);
  return parse_secret(sink.text(), memory);
}

}  // namespace oa
