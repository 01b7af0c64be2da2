// A sink that hashes what it is given.
#pragma once

#include "oa/base/io.h"
#include "oa/crypto/hash.h"

namespace oa {

/// BLAKE2b-512 of all that is written, in constant memory.
class HashSink final : public ByteSink {
 public:
  Status write(ByteView bytes) override {
    hash_.update(bytes);
    return {};
  }
  Blake2bDigest finish() { return hash_.finish(); }

 private:
  Blake2b hash_;
};

}  // namespace oa
