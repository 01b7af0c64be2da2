// Mutations within one section, which leave the others whole: for inputs that are sections.
#include <algorithm>
#include <array>
#include <random>

#include "fuzz_input.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

constexpr std::size_t kMaxSections = 40;

std::size_t give(const oa::Bytes& bytes, std::uint8_t* out, std::size_t max_size) {
  if (bytes.empty() || bytes.size() > max_size) return 0;
  std::ranges::copy(bytes, out);
  return bytes.size();
}

std::vector<oa::Bytes> owned(oa::ByteView input) {
  std::vector<oa::Bytes> sections;
  for (const auto section : oa::fuzz::split_sections(input))
    sections.emplace_back(section.begin(), section.end());
  if (sections.empty()) sections.emplace_back();
  return sections;
}

void mutate_one(oa::Bytes& section, std::size_t max_size) {
  const std::size_t before = section.size();
  section.resize(std::max(max_size, before));
  section.resize(LLVMFuzzerMutate(section.data(), before, section.size()));
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  auto sections = owned({data, size});
  const std::size_t chosen = random() % sections.size();
  const auto at = sections.begin() + static_cast<std::ptrdiff_t>(chosen);
  switch (random() % 16) {
    case 0:
      if (sections.size() > 1) sections.erase(at);
      break;
    case 1:
      if (sections.size() < kMaxSections) sections.insert(at, oa::Bytes(*at));
      break;
    case 2:
      std::swap(*at, sections[random() % sections.size()]);
      break;
    case 3:
      if (sections.size() < kMaxSections)
        sections.push_back({std::array<std::uint8_t, 5>{'F', 'P', 'R', 'C', 'E'}[random() % 5],
                            static_cast<std::uint8_t>(random() % 8)});
      mutate_one(sections.back(), 64);
      break;
    default:
      mutate_one(*at, at->size() + (max_size > size ? max_size - size : 0));
  }
  const std::size_t made = give(oa::fuzz::join_sections(sections), data, max_size);
  return made > 0 ? made : LLVMFuzzerMutate(data, size, max_size);
}

// Sections of both parents at the same places.
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* data1, std::size_t size1,
                                                 const std::uint8_t* data2, std::size_t size2,
                                                 std::uint8_t* out, std::size_t max_size,
                                                 unsigned seed) {
  std::minstd_rand random(seed);
  auto sections = owned({data1, size1});
  const auto others = owned({data2, size2});
  for (std::size_t i = 0; i < others.size() && i < kMaxSections; ++i) {
    if (random() % 2 == 0) continue;
    if (i < sections.size()) {
      sections[i] = others[i];
    } else {
      sections.push_back(others[i]);
    }
  }
  return give(oa::fuzz::join_sections(sections), out, max_size);
}
