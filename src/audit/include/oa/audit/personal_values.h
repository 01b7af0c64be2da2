// The personal values of an audit event as JSON, as the database and archives hold them.
#pragma once

#include "oa/base/json_writer.h"
#include "oa/audit/audit.h"

namespace oa {

using PersonalValues = std::map<std::string, PersonalValue>;

std::string personal_to_json(const PersonalValues& values);
Result<PersonalValues> personal_from_json(const json::value& value, const std::string& path);
/// Salted anew.
PersonalValue commit_to(std::string_view path, std::string value);

}  // namespace oa
