#include "version_reader.h"

#include <algorithm>
#include <thread>

#include "oa/objects/unseal.h"

namespace oa::durability {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr auto kLook = std::chrono::milliseconds(100);  // for a cancellation while it waits

// Hashes what passes, each byte once, as far as reads follow each other. Of one reader.
class HashedSource final : public RangedSource {
 public:
  HashedSource(std::unique_ptr<RangedSource> source, Sha256& hash, std::uint64_t& hashed)
      : source_(std::move(source)), hash_(hash), hashed_(hashed) {}
  std::uint64_t size() const override { return source_->size(); }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    OA_TRY(source_->read_at(offset, out));
    if (offset > hashed_ || offset + out.size() <= hashed_) return {};
    hash_.update(out.subspan(hashed_ - offset));
    hashed_ = offset + out.size();
    return {};
  }

 private:
  const std::unique_ptr<RangedSource> source_;
  Sha256& hash_;
  std::uint64_t& hashed_;
};

}  // namespace

Status Pace::spend(std::uint64_t bytes, const Progress& progress) {
  if (bytes_per_second_ != 0) {
    const auto cost = std::chrono::duration<double>(static_cast<double>(bytes) /
                                                    static_cast<double>(bytes_per_second_));
    free_at_ = std::max(free_at_, Clock::now()) + std::chrono::duration_cast<Clock::duration>(cost);
  }
  while (!progress.cancelled()) {
    const auto now = Clock::now();
    if (bytes_per_second_ == 0 || now >= free_at_) return {};
    std::this_thread::sleep_for(std::min<Clock::duration>(free_at_ - now, kLook));
  }
  return make_error(ErrorCode::kCancelled, "scrub", "cancelled");
}

Result<ReadVersion> read_version(KeyService& keys, const ObjectKey& key,
                                 std::unique_ptr<RangedSource> stored, Pace& pace,
                                 const Progress& progress) {
  ReadVersion read;
  read.sealed_bytes = stored->size();
  Sha256 hash;
  std::uint64_t hashed = 0;
  auto source = std::make_unique<HashedSource>(std::move(stored), hash, hashed);
  const HashedSource& passed = *source;  // lives as long as `opened`
  OA_ASSIGN(const auto opened, open_sealed(keys, key, std::move(source)));
  Bytes piece;
  for (std::uint64_t offset = 0; offset < opened->size(); offset += piece.size()) {
    piece.resize(std::min<std::uint64_t>(kPiece, opened->size() - offset));
    OA_TRY(pace.spend(piece.size(), progress));
    OA_TRY(opened->read_at(offset, piece));
  }
  // The last chunk was authenticated when it was opened, and is not read a second time.
  piece.resize(read.sealed_bytes - hashed);
  if (!piece.empty()) OA_TRY(passed.read_at(hashed, piece));
  read.sealed_sha256 = hash.finish();
  return read;
}

}  // namespace oa::durability
