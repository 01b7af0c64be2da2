#include "fake_kms_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <sstream>

namespace oa {
namespace {

using Headers = std::map<std::string, std::string>;

// A certificate for 127.0.0.1, made once for all tests of the program.
class Certificate {
 public:
  Certificate() {
    char folder[] = "/tmp/oa-kms-tls-XXXXXX";
    EXPECT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
        "/CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout " +
        key() + " -out " + chain() + " 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  std::string key() const { return folder_ + "/key.pem"; }
  std::string chain() const { return folder_ + "/chain.pem"; }

 private:
  std::string folder_;
};

const Certificate& certificate() {
  static const Certificate one;
  return one;
}

std::string hmac(const std::string& key, const std::string& text) {
  unsigned char out[32];
  unsigned int size = sizeof(out);
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

std::string hex(const std::string& bytes) { return to_hex(as_bytes(bytes)); }

std::string sha256_hex(const std::string& text) {
  unsigned char out[32];
  EVP_Digest(text.data(), text.size(), out, nullptr, EVP_sha256(), nullptr);
  return hex({reinterpret_cast<char*>(out), sizeof(out)});
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, by);) parts.push_back(part);
  return parts;
}

Headers headers_of(const std::string& head) {
  Headers headers;
  for (std::string line : split(head, '\n')) {
    if (line.ends_with('\r')) line.pop_back();
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    headers[name] = line.substr(line.find_first_not_of(' ', colon + 1));
  }
  return headers;
}

std::string field(const std::string& authorization, const std::string& name) {
  const auto at = authorization.find(name + "=");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 1;
  return authorization.substr(begin, authorization.find(',', begin) - begin);
}

// Empty for a good signature, else the name of the refusal.
std::string judge_signature(const Headers& headers, const std::string& body) {
  const auto found = headers.find("authorization");
  if (found == headers.end()) return "MissingAuthenticationTokenException";
  const std::string& authorization = found->second;
  const std::string names = field(authorization, "SignedHeaders");
  const auto scope = split(field(authorization, "Credential"), '/');
  if (!authorization.starts_with("AWS4-HMAC-SHA256 ") || scope.size() != 5)
    return "IncompleteSignatureException";
  if (scope[0] != FakeKmsServer::kAccessKey) return "UnrecognizedClientException";
  const auto has = [&](const std::string& name) {
    const auto all = split(names, ';');
    return headers.contains(name) && std::ranges::find(all, name) != all.end() &&
           std::ranges::is_sorted(all);
  };
  for (const char* needed : {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"})
    if (!has(needed)) return "IncompleteSignatureException";
  if (headers.at("x-amz-security-token") != FakeKmsServer::kSessionToken)
    return "UnrecognizedClientException";
  const std::string& date = headers.at("x-amz-date");
  std::tm parsed{};
  if (strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &parsed) == nullptr ||
      std::abs(timegm(&parsed) - Timestamp::now().unix_seconds()) > 300)
    return "InvalidSignatureException";
  if (scope[1] != date.substr(0, 8) || scope[2] != FakeKmsServer::kRegion || scope[3] != "kms" ||
      scope[4] != "aws4_request")
    return "InvalidSignatureException";
  std::string canonical = "POST\n/\n\n";
  for (const std::string& name : split(names, ';')) {
    if (!headers.contains(name)) return "InvalidSignatureException";
    canonical += name + ":" + headers.at(name) + "\n";
  }
  canonical += "\n" + names + "\n" + sha256_hex(body);
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + date + "\n" + scope[1] + "/" + scope[2] +
                              "/kms/aws4_request\n" + sha256_hex(canonical);
  std::string key = "AWS4" + std::string(FakeKmsServer::kSecretKey);
  for (std::size_t i = 1; i < scope.size(); ++i) key = hmac(key, scope[i]);
  return hex(hmac(key, to_sign)) == field(authorization, "Signature") ? ""
                                                                      : "InvalidSignatureException";
}

FakeKms::Reply refusal(const std::string& type) {
  return {400, {{"__type", type}, {"message", "refused"}}};
}

}  // namespace

FakeKmsServer::FakeKmsServer() {
  std::signal(SIGPIPE, SIG_IGN);  // of clients that gave up
  tls_ = SSL_CTX_new(TLS_server_method());
  EXPECT_EQ(SSL_CTX_use_certificate_chain_file(tls_, certificate().chain().c_str()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(tls_, certificate().key().c_str(), SSL_FILETYPE_PEM), 1);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener_, 64), 0);
  EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeKmsServer::~FakeKmsServer() {
  stopping_ = true;
  acceptor_.join();
  for (auto& connection : connections_) connection.join();
  close(listener_);
  SSL_CTX_free(tls_);
}

aws::Credentials FakeKmsServer::credentials(std::string secret) {
  return {.access_key_id = std::string(kAccessKey),
          .secret_access_key = SecretBytes::copy_of(as_bytes(secret)),
          .session_token = SecretBytes::copy_of(as_bytes(kSessionToken)),
          .expires_at = {}};
}

AwsKeySettings FakeKmsServer::settings() const {
  using std::chrono::milliseconds;
  return {
      .region = std::string(kRegion),
      .endpoint = "https://127.0.0.1:" + std::to_string(port_),
      .credentials = *aws::CredentialProvider::fixed(credentials(std::string(kSecretKey))),
      .ca_file = certificate().chain(),
      .connect_timeout = milliseconds(5'000),
      .attempt_timeout = milliseconds(10'000),
      .retries = {.attempts = 4, .first_wait = milliseconds(1), .longest_wait = milliseconds(20)},
      .settle_timeout = milliseconds(5'000)};
}

std::vector<std::string> FakeKmsServer::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool FakeKmsServer::wait_for(int fd) const {
  while (!stopping_) {
    pollfd polled{fd, POLLIN, 0};
    if (poll(&polled, 1, 10) > 0) return true;
  }
  return false;
}

void FakeKmsServer::accept_all() {
  while (wait_for(listener_)) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) connections_.emplace_back([this, fd] { serve(fd); });
  }
}

bool FakeKmsServer::read_request(ssl_st* tls, int fd, std::string& request) const {
  for (;;) {
    const auto head = request.find("\r\n\r\n");
    if (head != std::string::npos) {
      const Headers headers = headers_of(request.substr(0, head));
      const auto length = headers.find("content-length");
      if (length != headers.end() && request.size() >= head + 4 + std::stoul(length->second))
        return true;
    }
    char bytes[16384];
    if (SSL_pending(tls) == 0 && !wait_for(fd)) return false;
    const int n = SSL_read(tls, bytes, sizeof(bytes));
    if (n <= 0) return false;
    request.append(bytes, static_cast<std::size_t>(n));
  }
}

FakeKms::Reply FakeKmsServer::answer(const std::string& request) {
  const auto end = request.find("\r\n\r\n");
  const std::string body = request.substr(end + 4);
  const Headers headers = headers_of(request.substr(0, end));
  if (const auto bad = judge_signature(headers, body); !bad.empty()) return refusal(bad);
  constexpr std::string_view kService = "TrentService.";
  const std::string target = headers.at("x-amz-target");
  const auto type = headers.find("content-type");
  if (!request.starts_with("POST / HTTP/1.1\r\n") || !target.starts_with(kService) ||
      type == headers.end() || type->second != "application/x-amz-json-1.1")
    return refusal("UnknownOperationException");
  const auto input = parse_json(body);
  if (!input.ok()) return refusal("SerializationException");
  return kms_.handle(target.substr(kService.size()), *input);
}

void FakeKmsServer::serve(int fd) {
  SSL* const tls = SSL_new(tls_);
  SSL_set_fd(tls, fd);
  if (SSL_accept(tls) == 1) {
    for (std::string request; read_request(tls, fd, request); request.clear()) {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      while (silent_ && !stopping_) usleep(5'000);
      const FakeKms::Reply reply = answer(request);
      const std::string body = reply.body.empty() ? "" : canonical_json(reply.body);
      const std::string text = "HTTP/1.1 " + std::to_string(reply.status) +
                               " X\r\nContent-Type: application/x-amz-json-1.1\r\n"
                               "Content-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body;
      if (SSL_write(tls, text.data(), static_cast<int>(text.size())) <= 0) break;
    }
  }
  SSL_free(tls);
  close(fd);
}

}  // namespace oa
