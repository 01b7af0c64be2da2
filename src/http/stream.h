// One connection's bytes, in the clear or over TLS, behind one type: the templates of both are
// compiled once.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <tuple>

#include "tls_context.h"

namespace oa::http {

namespace asio = boost::asio;
using boost::system::error_code;
using IoResult = std::tuple<error_code, std::size_t>;

/// Used on its executor only, a strand.
class Stream {
 public:
  /// Over TLS when `tls` is not null.
  static std::unique_ptr<Stream> over(asio::ip::tcp::socket socket, SslContext tls);
  virtual ~Stream() = default;
  virtual const asio::any_io_executor& executor() = 0;
  virtual asio::awaitable<error_code> handshake() = 0;
  virtual asio::awaitable<IoResult> read_some(asio::mutable_buffer out) = 0;
  virtual asio::awaitable<IoResult> write_some(asio::const_buffer bytes) = 0;
  /// Tells the peer that nothing more comes.
  virtual asio::awaitable<void> end() = 0;
  /// Bytes as they come off the wire, after end().
  virtual asio::awaitable<IoResult> read_raw(asio::mutable_buffer out) = 0;

  /// What is under way after this time is cancelled, and timed_out() is true until the next call.
  virtual void expires_after(std::chrono::milliseconds time) = 0;
  virtual void expires_never() = 0;
  virtual bool timed_out() const = 0;
  /// Cancels what is under way; the stream can be used on.
  virtual void cancel() = 0;
  virtual void close() = 0;
};

}  // namespace oa::http
