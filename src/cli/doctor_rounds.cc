#include "doctor_rounds.h"

#include <boost/json.hpp>
#include <chrono>

#include "oa/doctor/checks.h"

namespace oa::cli {
namespace {

constexpr auto kEvery = std::chrono::hours(1);

}  // namespace

doctor::Findings examine_all(const doctor::Place& place, instance::Instance& instance) {
  doctor::Facts facts = doctor::gather_host(place);
  doctor::gather_surroundings(facts, place);
  doctor::gather_instance(facts, place, instance);
  return doctor::examine(facts);
}

std::vector<std::string> BrokenLines::of(const doctor::Findings& findings) {
  std::vector<std::string> lines;
  std::set<std::string> broken;
  for (const auto& each : findings) {
    if (each.severity != doctor::Severity::kBroken) continue;
    broken.insert(each.id);
    if (told_.contains(each.id)) continue;
    lines.push_back(
        json::serialize(json::object{{"level", "error"},
                                     {"ts", Timestamp::now().rfc3339()},
                                     {"operation", "doctor"},
                                     {"code", error_info(ErrorCode::kPromiseBroken).name},
                                     {"finding", each.id},
                                     {"what", each.what},
                                     {"remedy", each.remedy}}));
  }
  told_ = std::move(broken);
  return lines;
}

DoctorRounds::DoctorRounds(doctor::Place place, instance::Instance& instance,
                           std::function<void(const doctor::Findings&)> told)
    : place_(std::move(place)),
      instance_(instance),
      told_(std::move(told)),
      thread_([this] { run(); }) {}

DoctorRounds::~DoctorRounds() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void DoctorRounds::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    told_(examine_all(place_, instance_));
    lock.lock();
    wake_.wait_for(lock, kEvery, [this] { return stopping_; });
  }
}

}  // namespace oa::cli
