#include "oa/base/json_writer.h"

#include <algorithm>
#include <boost/json/string.hpp>

namespace oa {

void append_json_string(std::string& out, std::string_view text) {
  const bool plain =
      std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; });
  if (!plain) {
    out += canonical_json(json::string(text));
    return;
  }
  out.push_back('"');
  out += text;
  out.push_back('"');
}

std::string& ObjectWriter::raw(std::string_view name) {
  OA_ASSERT(empty_ || last_name_ < name);
  if (!empty_) out_.push_back(',');
  empty_ = false;
  last_name_ = name;
  append_json_string(out_, name);
  out_.push_back(':');
  return out_;
}

void ObjectWriter::text(std::string_view name, std::string_view value) {
  append_json_string(raw(name), value);
}

void ObjectWriter::optional_text(std::string_view name, const std::optional<std::string>& value) {
  if (value.has_value()) text(name, std::string_view(*value));
}

void ObjectWriter::number(std::string_view name, std::uint64_t value) {
  raw(name) += std::to_string(value);
}

void ObjectWriter::boolean(std::string_view name, bool value) {
  raw(name) += value ? "true" : "false";
}

void ObjectWriter::optional_moment(std::string_view name, const std::optional<Timestamp>& value) {
  if (value.has_value()) moment(name, *value);
}

void ObjectWriter::json(std::string_view name, const JsonText& value) { raw(name) += value.str(); }

}  // namespace oa
