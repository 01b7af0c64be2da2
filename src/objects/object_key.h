// What every driver checks and how the local driver names versions.
#pragma once

#include "oa/objects/object_store.h"

namespace oa {

/// kInvalidArgument unless the name of `key` is a good one.
Status check_object_key(const ObjectKey& key);

/// The local driver's version ids: microseconds with leading zeroes, then a random part, so that an
/// id never comes back when the newest version was removed and the clock was set back.
VersionId make_version(Timestamp created_at);
/// When the version was made; nullopt when `text` is not an id that make_version() made.
std::optional<Timestamp> parse_version(std::string_view text);

}  // namespace oa
