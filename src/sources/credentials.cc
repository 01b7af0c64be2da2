#include <algorithm>
#include <array>

#include "oa/sources/postgres_source.h"

namespace oa::sources {
namespace {

constexpr std::array<std::string_view, 4> kModes = {"disable", "require", "verify-ca",
                                                    "verify-full"};
constexpr std::size_t kMaxHostBytes = 253;  // RFC 1035 names
constexpr std::size_t kMaxNameBytes = 255;  // Postgres' own have 63
constexpr std::size_t kMaxPasswordBytes = 4096;
constexpr std::size_t kMaxCertificateBytes = std::size_t{64} << 10;

// Neither a list of hosts nor a folder of sockets nor an abstract socket can be written with these.
bool is_host(std::string_view host) {
  const auto allowed = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  };
  return !host.empty() && host.size() <= kMaxHostBytes && host[0] != '-' &&
         std::all_of(host.begin(), host.end(), allowed);
}

bool is_text(std::string_view text, std::size_t max_bytes) {
  return !text.empty() && text.size() <= max_bytes && text.find('\0') == std::string_view::npos &&
         is_utf8(text);
}

}  // namespace

std::string_view to_text(SslMode mode) { return kModes.at(static_cast<std::size_t>(mode)); }

Result<SslMode> parse_ssl_mode(std::string_view text) {
  for (std::size_t i = 0; i < kModes.size(); ++i) {
    if (text == kModes[i]) return static_cast<SslMode>(i);
  }
  return make_error(ErrorCode::kInvalidArgument, "source.check",
                    "sslmode is none of disable, require, verify-ca, verify-full");
}

Status check_credentials(const PostgresCredentials& credentials) {
  const char* wrong = nullptr;
  if (!is_host(credentials.host)) wrong = "host";
  if (credentials.port == 0) wrong = "port";
  if (!is_text(credentials.database, kMaxNameBytes)) wrong = "database";
  if (!is_text(credentials.user, kMaxNameBytes)) wrong = "user";
  if (!is_text(as_text(credentials.password.view()), kMaxPasswordBytes)) wrong = "password";
  if (credentials.ca_certificate.size() > kMaxCertificateBytes) wrong = "ca";
  if (wrong == nullptr) return {};
  return make_error(ErrorCode::kInvalidArgument, "source.check",
                    std::string("the source's ") + wrong + " is missing or cannot be right")
      .with_hint("give the name or address of a host, a database, a user and a password");
}

}  // namespace oa::sources
