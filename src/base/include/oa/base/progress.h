// The one way a long operation tells how far it is; the command line, the API and logs share it.
#pragma once

#include <cstdint>
#include <string_view>

namespace oa {

/// Receives progress. Called from the thread that runs the operation; must return quickly and not
/// throw.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A new step begins. `total` is 0 when the amount of work is not known.
  virtual void begin(std::string_view step, std::uint64_t total, std::string_view unit) = 0;
  /// `done` units of the current step, never decreasing.
  virtual void update(std::uint64_t done) = 0;
  /// True when the operation should stop with kCancelled at its next safe point.
  virtual bool cancelled() const { return false; }
};

/// Ignores everything.
Progress& no_progress();

}  // namespace oa
