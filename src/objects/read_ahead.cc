#include "read_ahead.h"

#include <algorithm>
#include <chrono>

namespace oa {
namespace {

constexpr std::uint64_t kInOrder = 512 << 10;
constexpr std::size_t kFirstWindow = std::size_t{1} << 20;
constexpr std::size_t kLargestWindow = std::size_t{4} << 20;
constexpr std::size_t kWindows = 4;  // one that is read, three ahead

}  // namespace

ReadAhead::~ReadAhead() {
  for (const auto& window : windows_) window->cancelled = true;
}

Status ReadAhead::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  Windows left;  // ends behind the lock: it may have to wait for threads
  {
    const std::lock_guard lock(mutex_);
    note(offset, out.size(), left);
  }
  while (!out.empty()) {
    std::shared_ptr<Window> window;
    {
      const std::lock_guard lock(mutex_);
      window = find(offset, left);
    }
    if (window == nullptr) return fetch_(offset, out, nullptr);
    if (const Status fetched = window->done.get(); !fetched.ok()) {
      // Somebody else's seek cancelled it, or it failed: then this says why.
      return fetch_(offset, out, nullptr);
    }
    const std::uint64_t within = offset - window->begin;
    const std::size_t now = std::min<std::size_t>(out.size(), window->bytes.size() - within);
    std::copy_n(window->bytes.begin() + static_cast<std::ptrdiff_t>(within), now, out.begin());
    offset += now;
    out = out.subspan(now);
  }
  return {};
}

// Begins to read ahead where a sequence has become long enough.
void ReadAhead::note(std::uint64_t offset, std::size_t length, Windows& left) {
  run_ = offset == expected_ ? run_ + length : length;
  expected_ = offset + length;
  const bool ahead = !windows_.empty() && offset >= windows_.front()->begin && offset <= next_;
  if (ahead || run_ < kInOrder || run_ == length) return;
  for (const auto& window : windows_) window->cancelled = true;
  left.swap(windows_);
  next_ = offset;
  window_ = kFirstWindow;
  top_up();
}

// The window that holds `offset`; those before it are left, and new ones begun.
std::shared_ptr<ReadAhead::Window> ReadAhead::find(std::uint64_t offset, Windows& left) {
  const auto found = std::ranges::find_if(windows_, [&](const std::shared_ptr<Window>& window) {
    return offset >= window->begin && offset - window->begin < window->bytes.size();
  });
  if (found == windows_.end()) return nullptr;
  const auto window = *found;
  for (; windows_.front() != window; windows_.pop_front()) leave(std::move(windows_.front()), left);
  top_up();
  return window;
}

void ReadAhead::leave(std::shared_ptr<Window> window, Windows& left) {
  const bool idle = window.use_count() == 1 &&
                    window->done.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (idle) {
    spare_.push_back(std::move(window->bytes));
  } else {
    left.push_back(std::move(window));
  }
}

// Windows end where multiples of their size do, as the pieces do in which servers store objects.
void ReadAhead::top_up() {
  while (windows_.size() < kWindows && next_ < size_) {
    auto window = std::make_shared<Window>();
    window->begin = next_;
    if (!spare_.empty()) {
      window->bytes = std::move(spare_.back());
      spare_.pop_back();
    }
    window->bytes.resize(std::min(window_ - next_ % window_, size_ - next_));
    // Its own pointer: the window waits for the thread before it goes.
    window->done = std::async(std::launch::async, [this, one = window.get()] {
                     return fetch_(one->begin, one->bytes, &one->cancelled);
                   }).share();
    next_ += window->bytes.size();
    window_ = std::min(2 * window_, kLargestWindow);
    windows_.push_back(std::move(window));
  }
}

}  // namespace oa
