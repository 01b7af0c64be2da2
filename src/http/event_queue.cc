#include "event_queue.h"

#include <algorithm>

namespace oa::http {
namespace {

void append_field(std::string& text, std::string_view name, std::string_view value) {
  OA_ASSERT(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos);
  if (!value.empty()) text.append(name).append(": ").append(value).append("\n");
}

// A line end inside of the data, of any of the three kinds, begins another data line.
std::string format_event(std::string_view id, std::string_view event, std::string_view data) {
  std::string text;
  append_field(text, "id", id);
  append_field(text, "event", event);
  for (bool more = true; more;) {
    const auto end = data.find_first_of("\r\n");
    text.append("data: ").append(data.substr(0, end)).append("\n");
    more = end != data.npos;
    if (more) data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  return text.append("\n");
}

}  // namespace

bool EventQueue::send(std::string_view id, std::string_view event, std::string_view data) {
  const std::string text = format_event(id, event, data);
  const std::lock_guard lock(mutex_);
  if (!open_) return false;
  if (events_ == kMaxEvents || text_.size() + text.size() > kMaxBytes) {
    open_ = false;
    too_slow_ = true;
  } else {
    text_ += text;
    ++events_;
  }
  if (wake_) wake_();
  return open_;
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  if (wake_) wake_();
}

bool EventQueue::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

EventQueue::Taken EventQueue::take() {
  const std::lock_guard lock(mutex_);
  events_ = 0;
  return {std::exchange(text_, {}), !open_};
}

bool EventQueue::too_slow() const {
  const std::lock_guard lock(mutex_);
  return too_slow_;
}

void EventQueue::detach() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  wake_ = nullptr;
  text_ = {};
}

}  // namespace oa::http
