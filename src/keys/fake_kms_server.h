// FakeKms over HTTPS on loopback. Computes each request's signature (Signature Version 4) by
// itself, without the code under test, and refuses what is not signed as the service wants it.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fake_kms.h"
#include "oa/keys/aws_key_service.h"

struct ssl_ctx_st;
struct ssl_st;

namespace oa {

class FakeKmsServer {
 public:
  FakeKmsServer();
  ~FakeKmsServer();
  FakeKmsServer(const FakeKmsServer&) = delete;
  FakeKmsServer& operator=(const FakeKmsServer&) = delete;

  FakeKms& kms() { return kms_; }
  /// For a client with access to it, and short waits.
  AwsKeySettings settings() const;
  static aws::Credentials credentials(std::string secret);
  /// Requests are read and not answered until the test is over.
  void say_nothing() { silent_ = true; }
  /// Whole requests so far, heads and bodies.
  std::vector<std::string> requests();

  static constexpr std::string_view kAccessKey = "AKIDFORTESTS";
  static constexpr std::string_view kSecretKey = "secret-key-for-tests";
  static constexpr std::string_view kSessionToken = "session-token-for-tests";
  static constexpr std::string_view kRegion = "eu-test-1";

 private:
  bool wait_for(int fd) const;
  void accept_all();
  void serve(int fd);
  bool read_request(ssl_st* tls, int fd, std::string& request) const;
  FakeKms::Reply answer(const std::string& request);

  FakeKms kms_;
  ssl_ctx_st* tls_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> silent_ = false;
  std::mutex mutex_;
  std::vector<std::string> requests_;   // guarded by mutex_
  std::list<std::thread> connections_;  // touched by acceptor_ until it has ended
  std::thread acceptor_;
};

}  // namespace oa
