// A tenant's own Postgres, as a dataset's source: on loopback TCP with passwords and TLS.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "testkit/scratch.h"

namespace oa::testkit {

/// A real server of its own with an empty database `warehouse`, stopped at the end. Listens on
/// 127.0.0.1 only. Throws std::runtime_error when it does not start. Make it on the main thread:
/// the server ends with the thread that started it.
class SourceCluster {
 public:
  SourceCluster();
  ~SourceCluster();
  SourceCluster(const SourceCluster&) = delete;
  SourceCluster& operator=(const SourceCluster&) = delete;

  std::uint16_t port() const { return port_; }
  /// Of `reader`, who may connect and nothing else.
  const std::string& password() const { return password_; }
  /// The server's certificate, which is its own authority, in the name of `localhost`.
  const std::string& ca_certificate() const { return certificate_; }
  /// The payload of a secret of kind postgres for `reader`, without TLS.
  std::string secret_payload() const;
  /// Runs SQL as the superuser; the first column of the first row, "" when there is none. Throws
  /// with the server's words.
  std::string sql(const std::string& script) const;

 private:
  void start();
  std::string run(const std::string& database, const std::string& script) const;
  Scratch scratch_;
  std::string superuser_password_, password_, certificate_;
  std::uint16_t port_ = 0;
  pid_t server_ = 0;
};

}  // namespace oa::testkit
