#include "secret_payload.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include <memory>

#include "oa/base/json.h"
#include "oa/catalog/repositories.h"

namespace oa::datasets {
namespace {

constexpr std::size_t kMaxPayloadBytes = std::size_t{256} << 10;
constexpr std::size_t kMaxTextBytes = 4096;
constexpr std::size_t kMaxPemBytes = std::size_t{64} << 10;
constexpr const char* kOp = "secret.check";

Error bad(const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, kOp, what)
      .with_hint("the manual lists the members of each kind of secret");
}

// A parsed payload whose texts do not outlive it in memory that is free again.
class Payload {
 public:
  static Result<Payload> parse(const SecretBytes& bytes) {
    if (bytes.size() > kMaxPayloadBytes) return bad("a secret has at most 256 KiB");
    auto parsed = parse_json(as_text(bytes.view()), {kMaxPayloadBytes, 4});
    if (!parsed.ok() || !parsed->is_object()) return bad("a secret is one JSON object");
    return Payload(std::move(*parsed));
  }
  Payload(Payload&& other) noexcept : value_(std::move(other.value_)) {}
  ~Payload() {
    auto* object = value_.if_object();
    if (object == nullptr) return;
    for (auto& member : *object) {
      if (auto* text = member.value().if_string()) explicit_bzero(text->data(), text->size());
    }
  }

  /// A view into this; empty when absent or wrong, which finish() reports.
  std::string_view text(const char* name, bool required, std::size_t max_bytes = kMaxTextBytes) {
    known_.push_back(name);
    const json::value* value = value_.as_object().if_contains(name);
    if (value == nullptr) {
      if (required) fail(name, "is missing");
      return {};
    }
    const json::string* text = value->if_string();
    if (text == nullptr) {
      fail(name, "is no text");
    } else if (text->size() > max_bytes) {
      fail(name, "is longer than " + std::to_string(max_bytes) + " bytes");
    } else if (required && text->empty()) {
      fail(name, "is empty");
    } else if (text->find('\0') != json::string::npos) {
      fail(name, "contains a NUL character");
    } else {
      return {text->data(), text->size()};
    }
    return {};
  }
  std::uint16_t port(const char* name, std::uint16_t otherwise) {
    known_.push_back(name);
    const json::value* value = value_.as_object().if_contains(name);
    if (value == nullptr) return otherwise;
    const std::int64_t* number = value->if_int64();
    if (number == nullptr || *number < 1 || *number > 65535) {
      fail(name, "is no port");
      return otherwise;
    }
    return static_cast<std::uint16_t>(*number);
  }
  void fail(std::string_view name, const std::string& what) {
    if (failure_.empty()) failure_ = "\"" + std::string(name) + "\" " + what;
  }
  Status finish() const {
    if (!failure_.empty()) return bad(failure_);
    for (const auto& member : value_.as_object()) {
      if (std::find(known_.begin(), known_.end(), member.key()) == known_.end())
        return bad("it has a member that this kind of secret does not know");
    }
    return {};
  }

 private:
  explicit Payload(json::value value) : value_(std::move(value)) {}
  json::value value_;
  std::vector<std::string_view> known_;
  std::string failure_;
};

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Pem = std::unique_ptr<BIO, Free>;
using Certificate = std::unique_ptr<X509, Free>;

Result<Certificate> read_certificate(std::string_view pem) {
  const Pem bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  OA_ASSERT(bio != nullptr);
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) return bad("the certificate is no X.509 certificate in PEM");
  return certificate;
}

Result<PayloadFacts> check_certificate(Payload payload) {
  const std::string_view pem = payload.text("certificate", true, kMaxPemBytes);
  OA_TRY(payload.finish());
  OA_ASSIGN(const Certificate certificate, read_certificate(pem));
  struct tm expiry {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &expiry) != 1)
    return bad("the certificate does not say until when it is valid");
  return PayloadFacts{Timestamp{static_cast<std::int64_t>(timegm(&expiry)) * 1'000'000}};
}

Result<PayloadFacts> check_cloud_key(Payload payload) {
  const std::string_view provider = payload.text("provider", true);
  if (provider != "aws" && provider != "azure" && provider != "gcp" && provider != "s3")
    payload.fail("provider", "is none of aws, azure, gcp, s3");
  for (const char* name : {"access_key_id", "secret_access_key"}) (void)payload.text(name, true);
  for (const char* name : {"session_token", "region", "endpoint"}) (void)payload.text(name, false);
  OA_TRY(payload.finish());
  return PayloadFacts{};
}

Result<sources::PostgresCredentials> read_postgres(Payload payload) {
  sources::PostgresCredentials credentials;
  credentials.host = payload.text("host", true);
  credentials.port = payload.port("port", credentials.port);
  credentials.database = payload.text("database", true);
  credentials.user = payload.text("user", true);
  credentials.password = SecretBytes::copy_of(as_bytes(payload.text("password", true)));
  const std::string_view mode = payload.text("sslmode", false);
  credentials.ca_certificate = payload.text("ca", false, kMaxPemBytes);
  OA_TRY(payload.finish());
  if (!mode.empty()) {
    const auto parsed = sources::parse_ssl_mode(mode);
    if (!parsed.ok()) return bad("\"sslmode\" is none of disable, require, verify-ca, verify-full");
    credentials.ssl_mode = *parsed;
  }
  if (!credentials.ca_certificate.empty()) OA_TRY(read_certificate(credentials.ca_certificate));
  OA_TRY(sources::check_credentials(credentials));
  return credentials;
}

}  // namespace

Result<PayloadFacts> check_payload(catalog::SecretKind kind, const SecretBytes& payload) {
  OA_ASSIGN(Payload parsed, Payload::parse(payload));
  switch (kind) {
    case catalog::SecretKind::kPostgres:
      OA_TRY(read_postgres(std::move(parsed)));
      return PayloadFacts{};
    case catalog::SecretKind::kCloudKey:
      return check_cloud_key(std::move(parsed));
    case catalog::SecretKind::kSamlCertificate:
      return check_certificate(std::move(parsed));
  }
  OA_ASSERT(false);
}

Result<sources::PostgresCredentials> decode_postgres(const SecretBytes& payload) {
  OA_ASSIGN(Payload parsed, Payload::parse(payload));
  return read_postgres(std::move(parsed));
}

Result<sources::PostgresCredentials> open_postgres(catalog::TenantTransaction& transaction,
                                                   KeyService& keys, std::string_view name) {
  const auto unusable = [&](const char* what) {
    return make_error(ErrorCode::kSourceRefused, "source.credentials",
                      "the secret \"" + std::string(name) + "\" " + what)
        .with_hint("store the source's credentials as a secret of kind postgres under that name");
  };
  const auto secret = catalog::Secrets(transaction).get(name);
  if (!secret.ok() && secret.error().code == ErrorCode::kNotFound) return unusable("is not there");
  if (!secret.ok()) return secret.error();
  const auto& record = secret.value();
  if (record.kind != catalog::SecretKind::kPostgres) return unusable("is of another kind");
  OA_ASSIGN(const SecretBytes payload,
            unseal_value(keys, transaction.tenant(), KeyPurpose::kSecrets, record.id.str(),
                         record.sealed));
  auto credentials = decode_postgres(payload);
  if (credentials.ok()) return credentials;
  return unusable("lacks what a connection needs").with_cause(credentials.error().message);
}

}  // namespace oa::datasets
