// An audit chain checked while it passes by as NDJSON, in bounded memory.
#pragma once

#include <string>

#include "oa/audit/audit.h"
#include "oa/base/io.h"

namespace oa {

/// Takes the lines of `audit/events.ndjson` in pieces of any size; the last line may lack its end.
/// write() and finish() fail with kAuditBroken, naming the event, at the first that does not fit, and
/// with kLimitExceeded past kMaxLineBytes. Not thread-safe.
class AuditChainSink final : public ByteSink {
 public:
  static constexpr std::size_t kMaxLineBytes = std::size_t{4} << 20;
  explicit AuditChainSink(const AuditMark& behind) : verifier_(behind) {}
  Status write(ByteView bytes) override;
  /// To be called once, behind the last byte.
  Status finish();
  std::uint64_t events() const { return verifier_.events(); }
  std::uint64_t redacted_values() const { return redacted_; }
  const AuditMark& last() const { return verifier_.last(); }

 private:
  Status line(std::string_view text);
  AuditChainVerifier verifier_;
  std::string open_;  // a line whose end has not come
  std::uint64_t redacted_ = 0;
};

}  // namespace oa
