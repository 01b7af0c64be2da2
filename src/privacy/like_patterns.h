// Conditions in SQL that find what may hold a text.
#pragma once

#include <string>
#include <string_view>

namespace oa::privacy {

/// A pattern of LIKE for texts that contain this one.
inline std::string containing(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern += '%';
}

}  // namespace oa::privacy
