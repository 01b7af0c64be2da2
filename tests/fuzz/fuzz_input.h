// What the fuzz harnesses share: how an input is taken apart, and what holds for every refusal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "oa/base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace oa::fuzz {

/// An input of several parts: each is its length (u32, little-endian) and its bytes. A length past
/// the end means the rest.
std::vector<ByteView> split_sections(ByteView input);
Bytes join_sections(const std::vector<Bytes>& sections);

/// Aborts unless the error may go to a terminal and into a JSON answer as it is: UTF-8 without
/// control characters, of bounded length.
void expect_printable(const Error& error);

/// ok(), with expect_printable() for a refusal.
template <class T>
bool accepted(const Result<T>& result) {
  if (!result.ok()) expect_printable(result.error());
  return result.ok();
}

/// One of the codes that docs/format.md lists for a refused archive.
bool is_archive_refusal(ErrorCode code);

}  // namespace oa::fuzz
