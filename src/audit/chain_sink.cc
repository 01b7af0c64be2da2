#include "oa/audit/chain_sink.h"

#include <algorithm>

namespace oa {

Status AuditChainSink::write(ByteView bytes) {
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view piece = rest.substr(0, end);
    if (open_.size() + piece.size() > kMaxLineBytes)
      return make_error(ErrorCode::kLimitExceeded, "audit.verify",
                        "a line of the audit chain is longer than 4 MiB");
    if (end == std::string_view::npos) {
      open_ += piece;
      return {};
    }
    if (open_.empty()) {
      OA_TRY(line(piece));
    } else {
      open_ += piece;
      OA_TRY(line(open_));
      open_.clear();
    }
    rest.remove_prefix(end + 1);
  }
  return {};
}

Status AuditChainSink::finish() { return open_.empty() ? Status() : line(open_); }

Status AuditChainSink::line(std::string_view text) {
  const auto event = audit_from_json(text);
  if (!event.ok()) {
    return make_error(ErrorCode::kAuditBroken, "audit.verify",
                      "the audit chain is broken at event " +
                          std::to_string(verifier_.last().sequence + 1) + ": it is no event (" +
                          event.error().message + ")");
  }
  OA_TRY(verifier_.check(*event));
  redacted_ += static_cast<std::uint64_t>(std::ranges::count_if(
      event->personal, [](const auto& each) { return each.second.redacted; }));
  return {};
}

}  // namespace oa
