// Reads ahead of whoever reads in order, where each read is a request to another machine.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "oa/base/io.h"

namespace oa {

/// Once reads have followed each other for half a MiB, windows of 1 MiB, growing to 8, are fetched
/// by threads of their own, two ahead of the reader: at most 24 MiB of memory. A read elsewhere
/// goes directly; only the latest sequence is read ahead of. Thread-safe; its destructor cancels
/// what is under way and waits for it.
class ReadAhead {
 public:
  /// Fills `out` from `offset`; called from several threads. Ends soon when `cancelled` (may be
  /// nullptr) becomes true.
  using Fetch = std::function<Status(std::uint64_t offset, std::span<std::uint8_t> out,
                                     const std::atomic<bool>* cancelled)>;
  ReadAhead(std::uint64_t size, Fetch fetch) : size_(size), fetch_(std::move(fetch)) {}
  ~ReadAhead();

  /// The range lies within the size.
  Status read(std::uint64_t offset, std::span<std::uint8_t> out);

 private:
  // Shared by the readers that wait for it, also after it was left behind.
  struct Window {
    ~Window() { cancelled = true; }
    std::uint64_t begin = 0;
    Bytes bytes;
    std::atomic<bool> cancelled = false;
    std::shared_future<Status> done;  // the last member: waits for the thread that uses the others
  };
  using Windows = std::deque<std::shared_ptr<Window>>;

  void note(std::uint64_t offset, std::size_t length, Windows& left);
  std::shared_ptr<Window> find(std::uint64_t offset, Windows& left);
  void leave(std::shared_ptr<Window> window, Windows& left);
  void top_up();

  const std::uint64_t size_;
  const Fetch fetch_;
  std::mutex mutex_;
  Windows windows_;             // guarded by mutex_, like all below; adjoining, in order
  std::uint64_t expected_ = 0;  // where the next read begins when it follows
  std::uint64_t run_ = 0;       // bytes that were read in order
  std::uint64_t next_ = 0;      // where the next window begins
  std::size_t window_ = 0;      // its size
  std::vector<Bytes> spare_;    // buffers to use again: new ones are zeroed twice
};

}  // namespace oa
