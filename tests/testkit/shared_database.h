// A migrated database for the tests of one program, and tenants with people in it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "oa/catalog/database.h"

#define ASSERT_OK(expression)                                                                     \
  do {                                                                                            \
    const auto& oa_status = (expression);                                                         \
    ASSERT_TRUE(oa_status.ok()) << oa_status.error().message << " | " << oa_status.error().cause; \
  } while (false)

namespace oa::testkit {

/// Opened before the first test, gone after the last.
catalog::Database& shared_database();
const catalog::ConnectionSettings& shared_settings();

/// A tenant of a new name.
catalog::Tenant make_tenant();
UserId make_user(TenantId tenant, const std::string& email, bool owner = false);

}  // namespace oa::testkit
