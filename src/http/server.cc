#include "oa/http/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "connection.h"

namespace oa::http {
namespace {

using asio::ip::tcp;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxSurplus = 64;  // connections that are told that there are too many
constexpr rlim_t kOtherFiles = 512;      // descriptors that are not a connection's
constexpr std::chrono::milliseconds kAcceptPause{100};

Error refused(ErrorCode code, std::string message, const error_code& cause) {
  return make_error(code, "http.listen", std::move(message)).with_cause(cause.message());
}

// Many systems allow 1024 open files by default and far more to who asks.
void allow_open_files(std::size_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min<rlim_t>(connections + kOtherFiles, limit.rlim_max);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  setrlimit(RLIMIT_NOFILE, &limit);  // with fewer, accepting waits
}

Status open_listener(tcp::acceptor& acceptor, const ServerSettings& settings) {
  error_code error;
  const auto address = asio::ip::make_address(settings.address, error);
  if (error)
    return refused(ErrorCode::kInvalidArgument, settings.address + " is no IP address", error)
        .with_hint("Give a numeric address, as 127.0.0.1, 0.0.0.0 or ::.");
  const tcp::endpoint endpoint(address, settings.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  const auto where = settings.address + " port " + std::to_string(settings.port);
  if (error == asio::error::address_in_use)
    return refused(ErrorCode::kBusy, where + " is in use by another program", error)
        .with_hint("Choose another port.");
  if (error == asio::error::access_denied)
    return refused(ErrorCode::kPermissionDenied, where + " is not for this user", error)
        .with_hint("Choose a port from 1024 on.");
  if (error.value() == EADDRNOTAVAIL || error.value() == EAFNOSUPPORT)
    return refused(ErrorCode::kInvalidArgument, settings.address + " is not of this machine",
                   error);
  return refused(ErrorCode::kIo, "cannot listen on " + where, error);
}

std::string text_of(asio::ip::address address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return address.to_string();
}

class TcpServer final : public Server {
 public:
  TcpServer(const ServerSettings& settings, Handler& handler, SslContext tls)
      : acceptor_(asio::make_strand(io_)),
        service_{settings, handler, {settings.workers, settings.max_requests_waiting}},
        tls_(std::move(tls)) {}
  ~TcpServer() override { stop(std::chrono::milliseconds(0)); }

  Status listen() {
    OA_TRY(open_listener(acceptor_, service_.settings));
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(acceptor_.get_executor(), accept(), [this](std::exception_ptr) {
      const std::lock_guard lock(mutex_);
      accepting_ = false;
      ended_.notify_all();
    });
    accepting_ = true;
    for (unsigned i = 0; i < std::max(1u, service_.settings.io_threads); ++i)
      threads_.emplace_back([this] { io_.run(); });
    return {};
  }

  std::uint16_t port() const override { return port_; }
  ServerCounters counters() const override;
  Status reload_certificate() override;
  void stop(std::chrono::milliseconds patience) override;

 private:
  asio::awaitable<void> accept();
  void begin(tcp::socket socket);
  void ended(const std::shared_ptr<Connection>& connection, const std::string& peer, bool surplus);

  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  Service service_;
  std::mutex stop_mutex_;  // held while stopping
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable ended_;
  SslContext tls_;
  std::set<std::shared_ptr<Connection>> connections_;
  std::map<std::string, std::size_t> connections_of_;  // by the peer's address
  std::size_t surplus_ = 0;
  std::uint64_t connections_total_ = 0;
  bool accepting_ = false, stopping_ = false;
};

// Ends when nothing is left to wait for: the acceptor closed and the connections gone.
asio::awaitable<void> TcpServer::accept() {
  asio::steady_timer pause(acceptor_.get_executor());
  while (acceptor_.is_open()) {
    asio::any_io_executor executor = asio::make_strand(io_);
    auto [error, socket] = co_await acceptor_.async_accept(executor, kAwait);
    bool begun = false;
    try {
      if (!error) begin(std::move(socket));
      begun = !error;
    } catch (const std::exception&) {  // no memory
    }
    if (begun || !acceptor_.is_open()) continue;
    pause.expires_after(kAcceptPause);  // no descriptor is free: until a connection has ended
    co_await pause.async_wait(kAwait);
  }
}

void TcpServer::begin(tcp::socket socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const std::string peer = text_of(endpoint.address());
  const std::lock_guard lock(mutex_);
  const auto of_peer = connections_of_.find(peer);
  const bool surplus = connections_.size() - surplus_ >= service_.settings.max_connections ||
                       (of_peer != connections_of_.end() &&
                        of_peer->second >= service_.settings.max_connections_per_peer);
  if (stopping_ || (surplus && surplus_ >= kMaxSurplus)) return;
  ++connections_total_;
  if (surplus) {
    ++surplus_;
  } else {
    ++connections_of_[peer];
  }
  auto connection = std::make_shared<Connection>(Stream::over(std::move(socket), tls_), service_,
                                                 peer, tls_ != nullptr, surplus);
  connections_.insert(connection);
  asio::co_spawn(
      connection->executor(), connection->run(),
      [this, connection, peer, surplus](std::exception_ptr) { ended(connection, peer, surplus); });
}

void TcpServer::ended(const std::shared_ptr<Connection>& connection, const std::string& peer,
                      bool surplus) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  if (surplus) {
    --surplus_;
  } else if (const auto at = connections_of_.find(peer); --at->second == 0) {
    connections_of_.erase(at);
  }
  if (connections_.empty()) ended_.notify_all();
}

ServerCounters TcpServer::counters() const {
  const std::lock_guard lock(mutex_);
  return {connections_.size(), connections_total_, service_.event_streams_open,
          service_.refused_total};
}

Status TcpServer::reload_certificate() {
  if (!service_.settings.tls) return {};
  OA_ASSIGN(SslContext fresh, load_tls(*service_.settings.tls));
  const std::lock_guard lock(mutex_);
  tls_ = std::move(fresh);
  return {};
}

void TcpServer::stop(std::chrono::milliseconds patience) {
  const std::lock_guard stopping(stop_mutex_);
  if (threads_.empty()) return;
  std::unique_lock lock(mutex_);
  stopping_ = true;
  asio::post(acceptor_.get_executor(), [this] {
    error_code ignored;
    acceptor_.close(ignored);
  });
  for (const auto& connection : connections_) connection->finish();
  const auto none_left = [this] { return connections_.empty() && !accepting_; };
  if (!ended_.wait_for(lock, patience, none_left)) {
    for (const auto& connection : connections_) connection->abandon();
    ended_.wait(lock, none_left);
  }
  lock.unlock();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerSettings& settings, Handler& handler) {
  SslContext tls;
  if (settings.tls) {
    OA_ASSIGN(tls, load_tls(*settings.tls));
  }
  allow_open_files(settings.max_connections);
  auto server = std::make_unique<TcpServer>(settings, handler, std::move(tls));
  OA_TRY(server->listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace oa::http
