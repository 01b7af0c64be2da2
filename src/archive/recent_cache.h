// The last few things that were read, so that neighbours are not read and verified again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace oa::archive {

/// Thread-safe. Shared ownership, because a reader may still use what another reader's find pushes
/// out.
template <class T>
class RecentCache {
 public:
  explicit RecentCache(std::size_t capacity) : capacity_(capacity) {}

  std::shared_ptr<const T> find(std::uint64_t key) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(items_, key, &Item::first);
    if (found == items_.end()) return nullptr;
    std::rotate(items_.begin(), found, found + 1);
    return items_.front().second;
  }
  void put(std::uint64_t key, std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    if (items_.size() == capacity_) items_.pop_back();
    items_.insert(items_.begin(), Item(key, std::move(value)));
  }

 private:
  using Item = std::pair<std::uint64_t, std::shared_ptr<const T>>;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::vector<Item> items_;  // most recent first
};

}  // namespace oa::archive
