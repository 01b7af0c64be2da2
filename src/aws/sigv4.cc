#include "oa/aws/sigv4.h"

#include <string.h>

#include <algorithm>

#include "oa/crypto/hash.h"

namespace oa::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::int64_t kMaxLifetimeS = 7 * 24 * 3600;

bool unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// "20130524T000000Z"
std::string compact(Timestamp now) {
  std::string text = Timestamp{now.unix_seconds() * 1'000'000}.rfc3339();  // 2013-05-24T00:00:00.0…
  text.resize(text.find('.'));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

// Leading and trailing white space goes, runs of spaces become one.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool space = c == ' ' || c == '\t';
    if (space && (out.empty() || out.back() == ' ')) continue;
    out.push_back(space ? ' ' : c);
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

struct SignedHeaders {
  std::string canonical;  // a line each
  std::string names;      // "host;x-amz-date"
};

SignedHeaders canonical_headers(const RequestToSign& request, const Fields& added) {
  Fields all = request.headers;
  all.insert(all.end(), added.begin(), added.end());
  all.emplace_back("host", request.host);
  std::ranges::stable_sort(all, {}, &Fields::value_type::first);
  SignedHeaders result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool again = i > 0 && all[i].first == all[i - 1].first;
    if (again) {
      result.canonical.back() = ',';  // the end of the line before
    } else {
      result.canonical.append(all[i].first).append(":");
      result.names.append(result.names.empty() ? "" : ";").append(all[i].first);
    }
    result.canonical.append(trimmed(all[i].second)).append("\n");
  }
  return result;
}

std::string credential_scope(const SigningScope& scope, const std::string& moment) {
  return moment.substr(0, 8) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

SecretBytes hmac(const SecretBytes& key, std::string_view message) {
  Sha256Digest digest = hmac_sha256(key.view(), as_bytes(message));
  SecretBytes result = SecretBytes::copy_of(digest);
  explicit_bzero(digest.data(), digest.size());
  return result;
}

std::string signature(const Credentials& credentials, const SigningScope& scope,
                      const std::string& moment, const std::string& canonical_request) {
  const std::string to_sign = std::string(kAlgorithm) + "\n" + moment + "\n" +
                              credential_scope(scope, moment) + "\n" +
                              to_hex(Sha256::of(as_bytes(canonical_request)));
  constexpr std::string_view kPrefix = "AWS4";
  const ByteView secret = credentials.secret_access_key.view();
  SecretBytes key(kPrefix.size() + secret.size());
  std::ranges::copy(as_bytes(kPrefix), key.mutable_view().begin());
  std::ranges::copy(secret, key.mutable_view().begin() + kPrefix.size());
  for (const std::string_view part :
       {std::string_view(moment).substr(0, 8), std::string_view(scope.region),
        std::string_view(scope.service), std::string_view("aws4_request")})
    key = hmac(key, part);
  return to_hex(hmac_sha256(key.view(), as_bytes(to_sign)));
}

std::string canonical(const RequestToSign& request, const Fields& query,
                      const SignedHeaders& headers, std::string_view payload) {
  return request.method + "\n" + uri_encode(request.path, true) + "\n" + canonical_query(query) +
         "\n" + headers.canonical + "\n" + headers.names + "\n" + std::string(payload);
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (unreserved(c) || (keep_slash && c == '/')) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string canonical_query(const Fields& query) {
  Fields encoded;
  for (const auto& [name, value] : query)
    encoded.emplace_back(uri_encode(name, false), uri_encode(value, false));
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded)
    out.append(out.empty() ? "" : "&").append(name).append("=").append(value);
  return out;
}

Fields sign_headers(const RequestToSign& request, const Credentials& credentials,
                    const SigningScope& scope, Timestamp now) {
  const std::string moment = compact(now);
  Fields added{{"x-amz-date", moment}};
  if (scope.service == "s3") added.emplace_back("x-amz-content-sha256", request.payload_sha256);
  if (!credentials.session_token.empty()) {
    added.emplace_back("x-amz-security-token",
                       std::string(as_text(credentials.session_token.view())));
  }
  const SignedHeaders headers = canonical_headers(request, added);
  const std::string text = canonical(request, request.query, headers, request.payload_sha256);
  added.emplace_back("authorization",
                     std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + "/" +
                         credential_scope(scope, moment) + ",SignedHeaders=" + headers.names +
                         ",Signature=" + signature(credentials, scope, moment, text));
  return added;
}

Result<std::string> presign(const std::string& scheme, const RequestToSign& request,
                            const Credentials& credentials, const SigningScope& scope,
                            Timestamp now, std::chrono::seconds lifetime) {
  if (lifetime.count() < 1 || lifetime.count() > kMaxLifetimeS) {
    return make_error(ErrorCode::kInvalidArgument, "aws.presign",
                      "a signed address is good for 1 second to 7 days");
  }
  const std::string moment = compact(now);
  const SignedHeaders headers = canonical_headers(request, {});
  Fields query = request.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential",
                     credentials.access_key_id + "/" + credential_scope(scope, moment));
  query.emplace_back("X-Amz-Date", moment);
  query.emplace_back("X-Amz-Expires", std::to_string(lifetime.count()));
  query.emplace_back("X-Amz-SignedHeaders", headers.names);
  if (!credentials.session_token.empty()) {
    query.emplace_back("X-Amz-Security-Token",
                       std::string(as_text(credentials.session_token.view())));
  }
  const std::string text = canonical(request, query, headers, "UNSIGNED-PAYLOAD");
  return scheme + "://" + request.host + uri_encode(request.path, true) + "?" +
         canonical_query(query) + "&X-Amz-Signature=" + signature(credentials, scope, moment, text);
}

}  // namespace oa::aws
