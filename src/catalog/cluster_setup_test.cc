#include "oa/catalog/cluster_setup.h"

#include <gtest/gtest.h>

#include "passfile.h"
#include "scram.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

std::string password(const std::string& file, const PassfileKey& key) {
  return std::string(as_text(password_in(file, key).view()));
}

TEST(Passfile, TheFirstLineThatFits) {
  const PassfileKey key{"db1", "5432", "oneanalytics", "oa_service"};
  EXPECT_EQ(password("*:*:*:oa_service:one\n*:*:*:oa_service:two\n", key), "one");
  EXPECT_EQ(password("db2:5432:*:oa_service:one\ndb1:5432:*:oa_service:two", key), "two");
  EXPECT_EQ(password("# db1:*:*:*:no\n\n*:*:*:oa_owner:no\r\n*:*:*:*:y\\:e\\\\s\r\n", key),
            "y:e\\s");
  EXPECT_EQ(password("#*:*:*:oa_service:no\n", {"#*", "*", "*", "oa_service"}), "");
  EXPECT_EQ(password("db1:5433:*:oa_service:no\n*:*:*:oa_service:\n*:*:oa_service:no\n", key), "");
  EXPECT_EQ(password("", key), "");
  EXPECT_EQ(password("\\*:*:*:oa_service:no\n:::", key), "") << "an escaped star is a host";
}

TEST(Scram, WhatTheServerMadeFitsItsPasswordAlone) {
  const auto connection = superuser();
  const auto secret = [](const std::string& text) { return SecretBytes::copy_of(as_bytes(text)); };
  ASSERT_OK(
      connection->script("CREATE ROLE scram_one; CREATE ROLE scram_two PASSWORD 'by-server'"));
  ASSERT_OK(connection->set_password("scram_one", secret("by-us: 'quoted'")));
  const auto kept = [&](const std::string& role) {
    const auto rows =
        connection->script("SELECT rolpassword FROM pg_authid WHERE rolname = '" + role + "'");
    return std::string(PQgetvalue(rows->get(), 0, 0));
  };
  EXPECT_TRUE(scram_fits(kept("scram_one"), secret("by-us: 'quoted'")));
  EXPECT_FALSE(scram_fits(kept("scram_one"), secret("by-us")));
  EXPECT_TRUE(scram_fits(kept("scram_two"), secret("by-server")));
  EXPECT_EQ(kept("scram_one").find("by-us"), std::string::npos);
  const std::string whole = kept("scram_two");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(scram_fits(whole.substr(0, size), secret("by-server"))) << size;
  for (const char* none :
       {"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$9999999999:$:", "SCRAM-SHA-256$:$:"})
    EXPECT_FALSE(scram_fits(none, secret("x"))) << none;
  ASSERT_OK(connection->script("DROP ROLE scram_one; DROP ROLE scram_two"));
}

TEST(SessionLock, OneSessionHasIt) {
  auto first = database().lock_session(kKeeperLock);
  ASSERT_OK(first);
  ASSERT_TRUE(first->has_value());
  EXPECT_TRUE((*first)->holds());
  EXPECT_FALSE(database().lock_session(kKeeperLock)->has_value());
  // As a failover does it.
  ASSERT_OK(superuser()->script(
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
      "AND classid = 1868653163 AND objid = 3"));
  EXPECT_FALSE((*first)->holds());
  bool taken = false;
  for (int tries = 0; tries < 100 && !taken; ++tries) {
    const auto second = database().lock_session(kKeeperLock);
    taken = second.ok() && second->has_value();
  }
  EXPECT_TRUE(taken);
  EXPECT_FALSE((*first)->holds()) << "not again";
}

}  // namespace
}  // namespace oa::catalog
