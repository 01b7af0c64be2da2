#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oa/base/json.h"

namespace oa {

/// Writes one JSON object in canonical form, straight into `out`. Members must be given in
/// ascending order of their names (asserted). The object is complete after close(). Documents that
/// are canonical already are copied, not parsed.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_.push_back('{'); }
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  void boolean(std::string_view name, bool value);
  void moment(std::string_view name, Timestamp value) { text(name, value.rfc3339()); }
  // Left out when unset.
  void optional_text(std::string_view name, const std::optional<std::string>& value);
  void optional_moment(std::string_view name, const std::optional<Timestamp>& value);
  template <class Tag>
  void id(std::string_view name, const Id<Tag>& value) {
    text(name, value.str());
  }
  void json(std::string_view name, const JsonText& value);
  /// Begins the member; the caller appends its value to the string.
  std::string& raw(std::string_view name);
  /// An array of what `write(out, item)` appends for each item.
  template <class Items, class WriteItem>
  void array(std::string_view name, const Items& items, WriteItem write) {
    raw(name).push_back('[');
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_.push_back(',');
      first = false;
      write(out_, item);
    }
    out_.push_back(']');
  }
  void close() { out_.push_back('}'); }

 private:
  std::string& out_;
  std::string last_name_;
  bool empty_ = true;
};

/// `text` as a JSON string, quotes included.
void append_json_string(std::string& out, std::string_view text);

}  // namespace oa
