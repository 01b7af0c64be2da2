// Lists by opaque cursor, which only the processes of this instance can write.
#pragma once

#include "call.h"

namespace oa::api {

/// How much of a list is wanted, and where it goes on.
struct PageRequest {
  std::size_t limit = 50;
  std::optional<std::string> after;  // a position, as the list's handler wrote it
};

/// Reads `limit` (1–500) and `cursor`. kInvalidArgument; kCursorExpired after 24 h;
/// kCursorMismatch for a cursor of another path or query, or one that no answer of ours holds.
Result<PageRequest> page_request(const Arrived& arrived, Timestamp now);

/// kCursorMismatch: what a cursor holds is no position in this list.
Error foreign_cursor();

/// {"data":…,"page":{…}}. `next`: position of the last element when more follow.
json::object page_document(const Arrived& arrived, const PageRequest& page, json::array data,
                           const std::optional<std::string>& next, Timestamp now);

/// A position that is an id.
template <class IdType>
Result<IdType> parse_id(const std::string& position) {
  auto id = IdType::parse(position);
  if (id.ok()) return id;
  return foreign_cursor();
}
/// A position that is a number from 0.
Result<std::uint64_t> parse_ordinal(const std::string& position);
/// A position that is a moment and an id.
std::string position_of(Timestamp moment, const Uuid& id);
Result<catalog::Archives::After> parse_position(const std::string& position);

}  // namespace oa::api
