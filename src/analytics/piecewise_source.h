// A file that is read as something else, made piece by piece.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "oa/base/io.h"

namespace oa::analytics {

/// Reads anywhere in what the pieces of a file become. Where they lie is known beforehand; what
/// they become is made when they are read, and the last one is kept. Thread-safe.
class PiecewiseSource : public RangedSource {
 public:
  std::uint64_t size() const override { return pieces_.back().out; }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

 protected:
  static constexpr std::uint64_t kPieceBytes = std::uint64_t{256} << 10;
  // Where a piece begins, in the file and in what is read.
  struct Piece {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };
  /// Borrows `file`.
  explicit PiecewiseSource(const RangedSource& file) : file_(file) {}
  /// Appends what `raw`, the bytes of one piece, become: the same whenever it is asked.
  virtual void convert(std::size_t piece, ByteView raw, std::string& text) const = 0;

  const RangedSource& file_;
  std::vector<Piece> pieces_;  // and one for the end

 private:
  Status load(std::size_t piece) const;

  mutable std::mutex mutex_;  // guards what follows: the piece read last
  mutable std::size_t loaded_ = SIZE_MAX;
  mutable Bytes raw_;
  mutable std::string text_;
};

}  // namespace oa::analytics
