#include "certificates.h"

#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <memory>

namespace oa::doctor {
namespace {

constexpr const char* kOp = "doctor.certificate";
constexpr timeval kPatience{3, 0};

template <auto Free>
struct Freeing {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using File = std::unique_ptr<BIO, Freeing<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using Tls = std::unique_ptr<SSL, Freeing<SSL_free>>;
using Addresses = std::unique_ptr<addrinfo, Freeing<freeaddrinfo>>;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<Timestamp> end_of(const X509* certificate) {
  tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
    return make_error(ErrorCode::kInvalidArgument, kOp, "that is no certificate");
  return Timestamp{static_cast<std::int64_t>(timegm(&end)) * 1'000'000};
}

int connected(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &list) != 0) return -1;
  const Addresses addresses(list);
  for (const auto* each = list; each != nullptr; each = each->ai_next) {
    const int fd = ::socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
    if (fd < 0) continue;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    if (::connect(fd, each->ai_addr, each->ai_addrlen) == 0) return fd;
    ::close(fd);
  }
  return -1;
}

bool asked_for_tls(int fd) {
  constexpr std::array<unsigned char, 8> kRequest{0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F};  // 80877103
  char answer = 0;
  return ::send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) == ssize_t{kRequest.size()} &&
         ::recv(fd, &answer, 1, 0) == 1 && answer == 'S';
}

}  // namespace

Result<Timestamp> certificate_end(const std::string& path) {
  const File file(BIO_new_file(path.c_str(), "r"));
  if (file == nullptr)
    return make_error(ErrorCode::kNotFound, kOp, "the certificate's file cannot be read: " + path);
  const Certificate certificate(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  return end_of(certificate.get());
}

Result<Timestamp> peer_certificate_end(const std::string& host, const std::string& port,
                                       Before before) {
  const auto no_answer = make_error(ErrorCode::kIo, kOp, "no TLS at " + host + ":" + port)
                             .with_hint("check address and port");
  const Socket socket(connected(host, port));
  if (socket.get() < 0 || (before == Before::kPostgres && !asked_for_tls(socket.get())))
    return no_answer;
  const Context context(SSL_CTX_new(TLS_client_method()));
  const Tls tls(context == nullptr ? nullptr : SSL_new(context.get()));
  if (tls == nullptr || SSL_set_fd(tls.get(), socket.get()) != 1) return no_answer;
  SSL_set_tlsext_host_name(tls.get(), host.c_str());
  if (SSL_connect(tls.get()) != 1) return no_answer;
  const Certificate certificate(SSL_get1_peer_certificate(tls.get()));
  return end_of(certificate.get());
}

HostPort host_port(std::string_view url) {
  HostPort found;
  found.tls = url.starts_with("https://");
  if (const auto at = url.find("://"); at != url.npos) url.remove_prefix(at + 3);
  url = url.substr(0, url.find('/'));
  const auto colon = url.rfind(':');
  const bool bare = colon == url.npos || url.ends_with(']');
  found.port = bare ? (found.tls ? "443" : "80") : std::string(url.substr(colon + 1));
  if (!bare) url = url.substr(0, colon);
  if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
  found.host = std::string(url);
  return found;
}

bool is_this_machine(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace oa::doctor
