// AWS Signature Version 4 ("Signing AWS API requests", AWS Identity and Access Management User
// Guide; "Authenticating Requests", Amazon S3 API Reference), with the key in the header or in the
// URL. Pure: the same input gives the same signature. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oa/aws/credentials.h"
#include "oa/base/bytes.h"

namespace oa::aws {

/// Names and values as they are, not encoded. Of headers, names are in lower case.
using Fields = std::vector<std::pair<std::string, std::string>>;

struct SigningScope {
  std::string region;
  std::string service;  // "s3", "kms"
};

/// SHA-256 of an empty body, in hex.
inline constexpr std::string_view kEmptyPayload =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct RequestToSign {
  std::string method;      // "GET"
  std::string host;        // with the port unless it is the scheme's own
  std::string path = "/";  // not encoded, begins with '/'; used as it is, as S3 wants it
  Fields query = {};
  Fields headers = {};  // all of them are signed; without host and those that signing adds
  std::string payload_sha256{kEmptyPayload};  // hex
};

/// RFC 3986: everything but A-Z a-z 0-9 - . _ ~ becomes %XX with upper-case digits; '/' too unless
/// `keep_slash`.
std::string uri_encode(std::string_view text, bool keep_slash);
/// Encoded, sorted by encoded name and value, "name=" for an empty value: what is signed, and what
/// must be sent.
std::string canonical_query(const Fields& query);

/// The headers to send beside those of `request`: x-amz-date, for S3 x-amz-content-sha256, where
/// there is a session token x-amz-security-token, and authorization. Never to be logged.
Fields sign_headers(const RequestToSign& request, const Credentials& credentials,
                    const SigningScope& scope, Timestamp now);

/// A URL that whoever holds it may use until `lifetime` (1 s to 7 days) is over; the body is not
/// signed. A secret: never to be logged. kInvalidArgument for another lifetime.
Result<std::string> presign(const std::string& scheme, const RequestToSign& request,
                            const Credentials& credentials, const SigningScope& scope,
                            Timestamp now, std::chrono::seconds lifetime);

}  // namespace oa::aws
