// The steps of a drill: each timed, each written down while it runs.
#pragma once

#include <functional>

#include "oa/drill/drill.h"

namespace oa::drill {

/// Says that it is cancelled when the time is over, too.
class Deadline final : public Progress {
 public:
  Deadline(Progress& progress, std::chrono::seconds limit)
      : progress_(progress), end_(std::chrono::steady_clock::now() + limit) {}
  void begin(std::string_view step, std::uint64_t total, std::string_view unit) override {
    progress_.begin(step, total, unit);
  }
  void update(std::uint64_t done) override { progress_.update(done); }
  bool cancelled() const override { return over() || progress_.cancelled(); }
  bool over() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  Progress& progress_;
  const std::chrono::steady_clock::time_point end_;
};

class Steps {
 public:
  using Work = std::function<Status(json::object& figures)>;
  Steps(Drill& drill, catalog::Database& database, Deadline& deadline)
      : drill_(drill), database_(database), deadline_(deadline) {}
  /// What the error table calls retryable is tried again, `attempts` times in all. After a failure the
  /// drill's state says what it was, and the error comes back.
  Status run(const std::string& name, unsigned attempts, const Work& work);
  /// The drill as it stands into the catalog.
  Status keep();

 private:
  Drill& drill_;
  catalog::Database& database_;
  Deadline& deadline_;
};

/// Into the figures, and whether it is what was promised: kTimeout.
Status check_recovery_time(const Drill& drill, const Limits& limits, json::object& figures);
/// What the catalog has of it.
catalog::DrillRow row_of(const Drill& drill);
/// What is published of it.
json::object record_of(const Drill& drill, const std::string& seed);
Error failed(std::string message);
/// None of what is not a number that fits; never throws, whatever others sent.
std::optional<std::uint64_t> unsigned_of(const json::value& value);

}  // namespace oa::drill
