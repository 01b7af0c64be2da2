#include "fuzz_input.h"

#include <algorithm>

namespace oa::fuzz {
namespace {

constexpr std::size_t kMaxMessage = 4096;

bool is_printable(std::string_view text) {
  return text.size() <= kMaxMessage && is_utf8(text) && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

}  // namespace

std::vector<ByteView> split_sections(ByteView input) {
  std::vector<ByteView> sections;
  while (input.size() >= sizeof(std::uint32_t)) {
    const std::size_t size = read_le<std::uint32_t>(input);
    input = input.subspan(sizeof(std::uint32_t));
    sections.push_back(input.first(std::min(size, input.size())));
    input = input.subspan(sections.back().size());
  }
  return sections;
}

Bytes join_sections(const std::vector<Bytes>& sections) {
  Bytes out;
  for (const auto& section : sections) {
    append_le(out, static_cast<std::uint32_t>(section.size()));
    out.insert(out.end(), section.begin(), section.end());
  }
  return out;
}

void expect_printable(const Error& error) {
  OA_ASSERT(is_printable(error.message));
  OA_ASSERT(is_printable(error.hint));
}

bool is_archive_refusal(ErrorCode code) {
  return code >= ErrorCode::kArchiveMalformed && code <= ErrorCode::kArchiveLimit;
}

}  // namespace oa::fuzz
