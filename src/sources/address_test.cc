#include "address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace oa::sources {
namespace {

bool reaches(const char* text) {
  in_addr four{};
  if (inet_pton(AF_INET, text, &four) == 1) return is_public(four);
  in6_addr six{};
  EXPECT_EQ(inet_pton(AF_INET6, text, &six), 1) << text;
  return is_public(six);
}

TEST(Address, WhatAnOutsiderCannotReachIsNotReachedForHim) {
  for (const char* text : {"127.0.0.1",
                           "127.255.255.254",
                           "0.0.0.0",
                           "10.0.0.1",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "169.254.169.254",
                           "100.64.0.1",
                           "168.63.129.16",
                           "224.0.0.1",
                           "255.255.255.255",
                           "198.18.0.1",
                           "::",
                           "::1",
                           "fe80::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:169.254.169.254",
                           "64:ff9b::10.0.0.1",
                           "64:ff9b:1::1",
                           "2002:7f00:1::",
                           "2002:0a00:0001::1",
                           "2001::1",
                           "2001:db8::1",
                           "::127.0.0.1"}) {
    EXPECT_FALSE(reaches(text)) << text;
  }
}

TEST(Address, WhatEverybodyReachesIsAllowed) {
  for (const char* text :
       {"8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.167.1.1",
        "169.253.1.1", "223.255.255.255", "2a00:1450::1", "2606:4700::1111", "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2002:0808:0808::1"}) {
    EXPECT_TRUE(reaches(text)) << text;
  }
}

TEST(Address, NamesOfThisMachineAreRefusedUnlessAllowed) {
  // inet_aton's short and octal forms mean the same machine.
  for (const char* host : {"localhost", "127.0.0.1", "127.1", "0177.0.0.1", "2130706433", "::1"}) {
    const auto refused = resolve(host, false);
    ASSERT_FALSE(refused.ok()) << host;
    EXPECT_EQ(refused.error().code, ErrorCode::kSourceRefused) << host;
  }
  const auto allowed = resolve("127.1", true);
  ASSERT_TRUE(allowed.ok());
  EXPECT_EQ(*allowed, std::vector<std::string>{"127.0.0.1"});
}

}  // namespace
}  // namespace oa::sources
