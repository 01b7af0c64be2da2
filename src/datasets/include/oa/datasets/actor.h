// Who does something, as the audit log tells it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "oa/base/ids.h"

namespace oa::datasets {

struct Actor {
  std::string type = "system";  // user, system, operator
  std::optional<UserId> user;
  std::string trace_id;
  std::map<std::string, std::string> personal;  // "actor.email", "actor.ip"
};

}  // namespace oa::datasets
