// What the tests of this module share: one real instance per run, and people in its tenants.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "oa/catalog/repositories.h"
#include "oa/instance/instance.h"

namespace oa::instance {

/// Opened before the first test and removed after the last.
Instance& shared_instance();

catalog::User a_user(const std::string& email, bool owner, bool active);
/// Puts one into the tenant and returns its id.
UserId add_user(TenantId tenant, const std::string& email, bool owner, bool active);
/// All events of the tenant's chain, in order.
std::vector<AuditEvent> audit_of(TenantId tenant);

}  // namespace oa::instance
