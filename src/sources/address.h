// Which addresses a tenant may make us connect to.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <vector>

#include "oa/base/result.h"

namespace oa::sources {

/// Whether an outsider reaches the address by himself, so that he gains nothing by reaching it
/// through us: IANA's special-purpose registries (RFC 6890 and its updates) say which are not.
/// An IPv6 address that carries an IPv4 one is judged by both.
bool is_public(const in_addr& address);
bool is_public(const in6_addr& address);

/// The numeric addresses of `host` that may be connected to, as they are to be tried: what was
/// checked is what is connected to, so that a name cannot point elsewhere in between. At most 8.
/// kSourceUnreachable when the name has no address, kSourceRefused when none is allowed.
Result<std::vector<std::string>> resolve(const std::string& host, bool allow_private_networks);

}  // namespace oa::sources
