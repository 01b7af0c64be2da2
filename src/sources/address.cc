#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace oa::sources {
namespace {

constexpr std::size_t kMaxAddresses = 8;

struct Range4 {
  std::uint32_t network;
  int bits;
};

constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr Range4 kNotPublic4[] = {
    {ip(0, 0, 0, 0), 8},       {ip(10, 0, 0, 0), 8},       {ip(100, 64, 0, 0), 10},
    {ip(127, 0, 0, 0), 8},     {ip(169, 254, 0, 0), 16},  // metadata services among them
    {ip(172, 16, 0, 0), 12},   {ip(192, 0, 0, 0), 24},     {ip(192, 0, 2, 0), 24},
    {ip(192, 88, 99, 0), 24},  {ip(192, 168, 0, 0), 16},   {ip(198, 18, 0, 0), 15},
    {ip(198, 51, 100, 0), 24}, {ip(203, 0, 113, 0), 24},   {ip(224, 0, 0, 0), 4},
    {ip(240, 0, 0, 0), 4},     {ip(168, 63, 129, 16), 32},  // a cloud's own services
};

bool begins_with(const in6_addr& address, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.s6_addr);
}

bool carried_is_public(const in6_addr& address, std::size_t at) {
  in_addr carried{};
  std::memcpy(&carried, address.s6_addr + at, sizeof(carried));
  return is_public(carried);
}

}  // namespace

bool is_public(const in_addr& address) {
  const std::uint32_t value = ntohl(address.s_addr);
  return std::none_of(std::begin(kNotPublic4), std::end(kNotPublic4), [&](const Range4& range) {
    return (value ^ range.network) >> (32 - range.bits) == 0;
  });
}

bool is_public(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) return carried_is_public(address, 12);
  if (begins_with(address, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))  // NAT64
    return carried_is_public(address, 12);
  if (begins_with(address, {0x20, 0x02})) return carried_is_public(address, 2);    // 6to4
  if (begins_with(address, {0x20, 0x01, 0x0d, 0xb8})) return false;                // documentation
  if (begins_with(address, {0x20, 0x01}) && address.s6_addr[2] < 2) return false;  // Teredo …
  return address.s6_addr[0] >> 5 == 1;  // 2000::/3, all of the global unicast there is
}

Result<std::vector<std::string>> resolve(const std::string& host, bool allow_private_networks) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) {
    return make_error(ErrorCode::kSourceUnreachable, "source.resolve",
                      "the source's host name has no address")
        .with_hint("check the host in the secret");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* at = found; at != nullptr && addresses.size() < kMaxAddresses;
       at = at->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    if (at->ai_family == AF_INET) {
      const auto& address = reinterpret_cast<const sockaddr_in*>(at->ai_addr)->sin_addr;
      if (!allow_private_networks && !is_public(address)) continue;
      OA_ASSERT(inet_ntop(AF_INET, &address, text, sizeof(text)) != nullptr);
    } else if (at->ai_family == AF_INET6) {
      const auto& address = reinterpret_cast<const sockaddr_in6*>(at->ai_addr)->sin6_addr;
      if (!allow_private_networks && !is_public(address)) continue;
      OA_ASSERT(inet_ntop(AF_INET6, &address, text, sizeof(text)) != nullptr);
    } else {
      continue;
    }
    addresses.emplace_back(text);
  }
  if (!addresses.empty()) return addresses;
  return make_error(ErrorCode::kSourceRefused, "source.resolve",
                    "the source's host is in a network that sources may not be in")
      .with_hint("use a host with a public address, or ask the operator to allow private networks");
}

}  // namespace oa::sources
