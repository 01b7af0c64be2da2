// Certificates, in a file or as a server shows them.
#pragma once

#include <string>

#include "oa/base/clock.h"
#include "oa/base/result.h"

namespace oa::doctor {

enum class Before { kNothing, kPostgres };  // what is said before TLS begins (SSLRequest)

/// The end of the first certificate in a PEM file. kNotFound, kInvalidArgument.
Result<Timestamp> certificate_end(const std::string& path);
/// The end of the one that HOST:PORT shows. It is looked at, not checked: those who use the
/// connection check it. Waits at most some seconds. kIo.
Result<Timestamp> peer_certificate_end(const std::string& host, const std::string& port,
                                       Before before);

struct HostPort {
  std::string host, port;
  bool tls = false;
};
/// Of "https://HOST[:PORT]"; brackets of an IPv6 address are taken away.
HostPort host_port(std::string_view url);
bool is_this_machine(std::string_view host);

}  // namespace oa::doctor
