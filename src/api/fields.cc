#include "fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace oa::api {

std::string bounded_text(ObjectReader& reader, std::string_view name, std::size_t least,
                         std::size_t most) {
  auto text = reader.text(name);
  const auto begins_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  };
  const auto characters =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
  if (characters < least || characters > most)
    reader.fail(name, fmt::format("has {} to {} characters", least, most));
  return text;
}

}  // namespace oa::api
