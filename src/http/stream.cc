#include "stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace oa::http {
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
using Socket = asio::ip::tcp::socket;

Socket& socket_of(Socket& socket) { return socket; }
Socket& socket_of(asio::ssl::stream<Socket>& stream) { return stream.next_layer(); }

template <class Layer>
class SocketStream final : public Stream {
 public:
  template <class... Arguments>
  explicit SocketStream(Arguments&&... arguments)
      : layer_(std::forward<Arguments>(arguments)...),
        executor_(socket().get_executor()),
        deadline_(std::make_shared<Deadline>(Deadline{*this, asio::steady_timer(executor_)})) {
    error_code ignored;
    socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  const asio::any_io_executor& executor() override { return executor_; }

  asio::awaitable<error_code> handshake() override {
    if constexpr (!std::is_same_v<Layer, Socket>) {
      const auto [error] = co_await layer_.async_handshake(asio::ssl::stream_base::server, kAwait);
      co_return error;
    }
    co_return error_code();
  }

  asio::awaitable<IoResult> read_some(asio::mutable_buffer out) override {
    if (timed_out_) co_return IoResult(asio::error::timed_out, 0);
    co_return co_await layer_.async_read_some(out, kAwait);
  }
  asio::awaitable<IoResult> write_some(asio::const_buffer bytes) override {
    if (timed_out_) co_return IoResult(asio::error::timed_out, 0);
    co_return co_await layer_.async_write_some(bytes, kAwait);
  }

  asio::awaitable<void> end() override {
    if constexpr (!std::is_same_v<Layer, Socket>) co_await layer_.async_shutdown(kAwait);
    error_code ignored;
    socket().shutdown(Socket::shutdown_send, ignored);
  }

  asio::awaitable<IoResult> read_raw(asio::mutable_buffer out) override {
    return socket().async_read_some(out, kAwait);
  }

  void expires_after(std::chrono::milliseconds time) override {
    timed_out_ = false;
    until_ = Clock::now() + time;
    if (until_ < deadline_->timer.expiry() || !waiting_) wait_until(until_);
  }
  void expires_never() override {
    timed_out_ = false;
    until_ = Clock::time_point::max();
  }
  bool timed_out() const override { return timed_out_; }

  void cancel() override {
    error_code ignored;
    socket().cancel(ignored);
  }
  void close() override {
    error_code ignored;
    socket().close(ignored);
  }

 private:
  using Clock = std::chrono::steady_clock;
  // Lives as long as the stream; a wait that ends later finds it gone.
  struct Deadline {
    SocketStream& stream;
    asio::steady_timer timer;
  };
  Socket& socket() { return socket_of(layer_); }

  // Moving the deadline back, which is done for each piece, leaves the timer as it is: it finds out
  // when it ends. Cancels again and again, since an operation over TLS has several steps, and the
  // first time may hit between two of them.
  void wait_until(Clock::time_point time) {
    waiting_ = true;
    deadline_->timer.expires_at(time);
    deadline_->timer.async_wait([weak = std::weak_ptr(deadline_)](error_code aborted) {
      const auto deadline = weak.lock();
      if (deadline != nullptr && !aborted) deadline->stream.check_deadline();
    });
  }
  void check_deadline() {
    waiting_ = false;
    if (until_ == Clock::time_point::max()) return;
    const auto now = Clock::now();
    timed_out_ = now >= until_;
    if (timed_out_) cancel();
    wait_until(timed_out_ ? now + std::chrono::milliseconds(50) : until_);
  }

  Layer layer_;
  const asio::any_io_executor executor_;
  std::shared_ptr<Deadline> deadline_;
  Clock::time_point until_ = Clock::time_point::max();
  bool waiting_ = false, timed_out_ = false;
};

}  // namespace

std::unique_ptr<Stream> Stream::over(asio::ip::tcp::socket socket, SslContext tls) {
  if (tls == nullptr) return std::make_unique<SocketStream<Socket>>(std::move(socket));
  return std::make_unique<SocketStream<asio::ssl::stream<Socket>>>(std::move(socket),
                                                                   SSL_new(tls.get()));
}

}  // namespace oa::http
