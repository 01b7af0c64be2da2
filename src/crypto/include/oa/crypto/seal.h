// OAS1, the sealed form of everything this project stores (docs/format.md, "Sealed objects"): a
// header that names the wrapped data key, then AES-256-GCM chunks in the STREAM construction
// (Hoang, Reyhanitabar, Rogaway, Vizár 2015: counter nonce, last-chunk flag). Random access;
// truncation, reordering and swapping are detected.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "oa/base/io.h"
#include "oa/crypto/secret.h"

namespace oa {

inline constexpr std::uint32_t kSealChunkSize =
    64 * 1024;  // plaintext bytes in every chunk but the last
inline constexpr std::size_t kDataKeySize = 32;

/// What the header says in the clear. Authenticated by every chunk.
struct SealHeader {
  std::string key_id;  // names the KEK and its version; at most 255 bytes
  Bytes wrapped_key;   // the DEK under that KEK; at most 4096 bytes
};

/// Seals a stream. `context` (tenant, class and name of the object) is bound as associated data and
/// not stored. finish() must be called, also for an empty stream; without it the result does not
/// open.
class SealWriter final : public ByteSink {
 public:
  /// `data_key` has kDataKeySize bytes and must be used for this one stream only. `out` is
  /// borrowed.
  static Result<std::unique_ptr<SealWriter>> create(ByteSink& out, const SealHeader& header,
                                                    const SecretBytes& data_key,
                                                    std::string_view context);
  ~SealWriter() override;
  Status write(ByteView bytes) override;
  Status finish();

 private:
  struct State;
  explicit SealWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Reads the header alone; kSealCorrupt when it is not OAS1.
Result<SealHeader> read_seal_header(const RangedSource& sealed);

/// The plaintext of a sealed source. Returns bytes only after their chunk has been authenticated.
/// size() is authenticated by open(), which reads the last chunk. Safe for concurrent reads.
class SealedSource final : public RangedSource {
 public:
  /// Borrows nothing: takes the source. kSealCorrupt when header, key or last chunk do not fit
  /// `context`.
  static Result<std::unique_ptr<SealedSource>> open(std::unique_ptr<RangedSource> sealed,
                                                    const SecretBytes& data_key,
                                                    std::string_view context);
  ~SealedSource() override;
  std::uint64_t size() const override;
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

 private:
  struct State;
  explicit SealedSource(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa
