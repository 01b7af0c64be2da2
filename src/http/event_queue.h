// What waits to be written to one stream of server-sent events.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "oa/http/message.h"

namespace oa::http {

/// Written by anybody, read by the connection. Thread-safe.
class EventQueue final : public EventSender {
 public:
  static constexpr std::size_t kMaxEvents = 64;
  static constexpr std::size_t kMaxBytes = 1 << 20;

  /// `wake` is called when something came or ended, until detach(); it must not call back.
  explicit EventQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  bool send(std::string_view id, std::string_view event, std::string_view data) override;
  void close() override;
  bool open() const override;

  /// More came than may wait: the connection is to be broken.
  bool too_slow() const;
  struct Taken {
    std::string text;
    bool ended = false;  // nothing follows
  };
  Taken take();
  /// The connection is gone.
  void detach();

 private:
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::string text_;
  std::size_t events_ = 0;
  bool open_ = true, too_slow_ = false;
};

}  // namespace oa::http
