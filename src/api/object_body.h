// A sealed object as the body of an answer.
#pragma once

#include <algorithm>
#include <memory>

#include "oa/base/io.h"
#include "oa/http/message.h"

namespace oa::api {

/// A range of it, unsealed on the way out.
class ObjectBody final : public http::BodySource {
 public:
  ObjectBody(std::unique_ptr<RangedSource> source, std::uint64_t offset, std::uint64_t length)
      : source_(std::move(source)), offset_(offset), left_(length) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
    if (size == 0) return std::size_t{0};
    OA_TRY(source_->read_at(offset_, out.first(size)));
    offset_ += size;
    left_ -= size;
    return size;
  }

 private:
  std::unique_ptr<RangedSource> source_;
  std::uint64_t offset_, left_;
};

}  // namespace oa::api
