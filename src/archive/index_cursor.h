// Reads the binary index front to back. Past the end it returns zeros and ok() turns false, so that
// a decoder checks once.
#pragma once

#include <algorithm>

#include "oa/base/bytes.h"

namespace oa::archive {

class IndexCursor {
 public:
  explicit IndexCursor(ByteView bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return bytes_.size(); }

  ByteView bytes(std::uint64_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const auto taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }
  template <class T>
  T fixed() {
    const auto taken = bytes(sizeof(T));
    return taken.empty() ? T{} : read_le<T>(taken);
  }
  template <class Array>
  void copy(Array& out) {
    std::ranges::copy(bytes(out.size()), out.begin());
  }
  /// LEB128, shortest form only, at most 63 bits.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const auto byte = fixed<std::uint8_t>();
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift > 0) ok_ = false;
        return value;
      }
    }
    ok_ = false;
    return 0;
  }

 private:
  ByteView bytes_;
  bool ok_ = true;
};

}  // namespace oa::archive
