#include "piecewise_source.h"

#include <algorithm>

namespace oa::analytics {

Status PiecewiseSource::load(std::size_t piece) const {
  if (loaded_ == piece) return {};
  loaded_ = SIZE_MAX;
  raw_.resize(pieces_[piece + 1].in - pieces_[piece].in);
  OA_TRY(file_.read_at(pieces_[piece].in, raw_));
  text_.clear();
  convert(piece, raw_, text_);
  if (text_.size() != pieces_[piece + 1].out - pieces_[piece].out) {
    return make_error(ErrorCode::kIo, "analytics.import", "The file changed while it was read");
  }
  loaded_ = piece;
  return {};
}

Status PiecewiseSource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset > size() || out.size() > size() - offset) {
    return make_error(ErrorCode::kInvalidArgument, "analytics.import",
                      "A read reaches past the end of the file");
  }
  const std::lock_guard lock(mutex_);
  while (!out.empty()) {
    const auto after = std::ranges::upper_bound(pieces_, offset, {}, &Piece::out);
    const auto piece = static_cast<std::size_t>(after - pieces_.begin()) - 1;
    OA_TRY(load(piece));
    const std::size_t from = offset - pieces_[piece].out;
    const std::size_t count = std::min(out.size(), text_.size() - from);
    std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(from), count, out.begin());
    out = out.subspan(count);
    offset += count;
  }
  return {};
}

}  // namespace oa::analytics
