// One attempt of a request, over libcurl, and the connections that attempts share.
#pragma once

#include <mutex>
#include <vector>

#include "oa/aws/client.h"

namespace oa::aws {

/// What to send. Everything is borrowed.
struct Transfer {
  const Request& request;
  std::string url;
  const Fields& headers;  // all of them
};

/// How it ended.
struct Outcome {
  enum class End {
    kAnswered,
    kNotSent,  // no connection: the server did not get it
    kBroken,   // no whole answer: the server may have carried it out
    kFailed,   // `error`, which trying again does not mend
  };
  End end = End::kFailed;
  Response answer;
  std::string cause;  // of kNotSent and kBroken
  std::optional<Error> error;
};

/// Thread-safe. The idle connections are closed with it.
class Connections {
 public:
  explicit Connections(const ClientSettings& settings);  // borrowed
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  Outcome perform(const Transfer& transfer);
  std::uint64_t opened() const { return opened_; }

 private:
  void* take();
  void give_back(void* handle);

  const ClientSettings& settings_;
  std::mutex mutex_;
  std::vector<void*> idle_;  // CURL handles, each with its connections
  std::atomic<std::uint64_t> opened_ = 0;
};

}  // namespace oa::aws
