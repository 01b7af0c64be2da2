// Reads requests out of bytes (RFC 9112). Beast's parser does the reading; what it tolerates and
// two programs could read in two ways is refused here: bare line feeds, folded lines, several
// lengths, a length beside chunks, a transfer coding other than "chunked".
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "oa/http/message.h"

namespace oa::http {

/// Finds the end of a head in bytes that come piece by piece.
class HeadFinder {
 public:
  explicit HeadFinder(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  /// The length of the head with its empty line; none when `input`, which begins at the head's
  /// first byte and only grows between calls, does not hold it all. kInvalidArgument at the first
  /// byte that no head may hold or whose place is wrong, kHeadersTooLarge.
  Result<std::optional<std::size_t>> find(std::string_view input);

 private:
  std::size_t max_bytes_, seen_ = 0, line_ = 0;
};

struct RequestHead {
  Request request;  // but for peer_address and secure
  bool http_1_0 = false;
  bool keep_alive = false;
  bool expects_continue = false;
};

/// One request. Not thread-safe.
class RequestParser {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;

  /// `head` is what a HeadFinder found. kInvalidArgument, kMethodNotAllowed, kHeadersTooLarge (more
  /// than 100 headers).
  Result<RequestHead> read_head(std::string_view head);

  struct Step {
    std::size_t consumed = 0, produced = 0;
  };
  /// Body bytes out of `input` into `out`, which is not empty; takes no byte behind the body. With
  /// nothing consumed and nothing produced, more input is needed. kInvalidArgument: chunks that are
  /// malformed, extensions or trailers of more than kMaxChunkLines bytes.
  Result<Step> read_body(ByteView input, std::span<std::uint8_t> out);
  bool body_done() const;
  static constexpr std::size_t kMaxChunkLines = 8 << 10;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace oa::http
