// Segments of the log fetched before a recovering server asks for them, so that it replays one while
// the next ones are decrypted.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "oa/continuity/repository.h"

namespace oa::continuity {

/// For one recovering server, which asks for one file at a time. Thread-safe. The end waits for
/// what is under way, which is one segment of each thread.
class FetchAhead {
 public:
  /// Keeps what it fetches in `folder`, which it makes, owned by the repository's account, on the
  /// file system of the targets; whoever owns the folder above removes it. `cluster` as in
  /// Repository::archive_get. Borrows the repository.
  static Result<std::unique_ptr<FetchAhead>> start(const Repository& repository, std::string folder,
                                                   std::string cluster);
  ~FetchAhead();
  FetchAhead(const FetchAhead&) = delete;
  FetchAhead& operator=(const FetchAhead&) = delete;

  /// As Repository::archive_get: what could not be fetched ahead is asked for anew.
  Result<Fetched> get(const std::string& name, const std::string& target);

 private:
  struct Ahead;
  FetchAhead(const Repository& repository, std::string folder, std::string cluster);
  void begin_next(const wal::SegmentName& asked);

  const Repository& repository_;
  const std::string folder_, cluster_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Ahead>> ahead_;  // in the order of the log
};

}  // namespace oa::continuity
