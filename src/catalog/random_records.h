// Random records for property tests, with everything that is hard to carry: every plane of Unicode,
// quotes, extreme numbers and moments, nested documents.
#pragma once

#include <rapidcheck.h>

#include "oa/audit/audit.h"
#include "oa/catalog/records.h"

namespace oa::catalog {

/// A tenant's content whose references hold.
struct RandomContent {
  std::vector<User> users;
  std::vector<Team> teams;
  std::vector<Workspace> workspaces;
  std::vector<Dataset> datasets;
  std::vector<Report> reports;
  std::vector<Alert> alerts;
};

// random_content() and random_event() draw with rapidcheck, so only inside a property; the others
// go on from there.

RandomContent random_content();
NewAuditEvent random_event();
/// Text of up to `max_characters` characters, without NUL.
std::string random_text(std::size_t max_characters);
JsonText random_json();
Timestamp random_moment();

}  // namespace oa::catalog
