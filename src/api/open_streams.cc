#include "open_streams.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

namespace oa::api {
namespace {

using accounts::Identity;

class LookingStreams;

class HeldPlace final : public OpenStreams::Place {
 public:
  HeldPlace(LookingStreams& streams, const Identity& opened_by, bool of_owners)
      : who(opened_by), owners_matter(of_owners), streams_(streams) {}
  ~HeldPlace() override;
  void hold(std::shared_ptr<http::EventSender> sender) override {
    const std::lock_guard lock(mutex_);
    sender_ = std::move(sender);
    if (over_) sender_->close();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    if (sender_ != nullptr) sender_->close();
  }
  const Identity who;
  const bool owners_matter;

 private:
  LookingStreams& streams_;
  std::mutex mutex_;
  std::shared_ptr<http::EventSender> sender_;
  bool over_ = false;
};

class LookingStreams final : public OpenStreams {
 public:
  LookingStreams(accounts::Accounts& accounts, std::chrono::milliseconds interval)
      : accounts_(accounts), interval_(interval), thread_([this] { look_again_and_again(); }) {}
  ~LookingStreams() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Result<std::shared_ptr<Place>> open(const Identity& who, bool owners_matter) override {
    const std::lock_guard lock(mutex_);
    auto& open = open_of_[{who.tenant, who.user}];
    if (open >= kMostOfPerson) {
      return make_error(ErrorCode::kRateLimited, "job.events",
                        "too many streams of events are open for you")
          .with_hint("close some that nobody looks at");
    }
    auto place = std::make_shared<HeldPlace>(*this, who, owners_matter);
    places_.emplace(place.get(), place);
    ++open;
    return std::shared_ptr<Place>(std::move(place));
  }

  void left(const HeldPlace& place) {
    const std::lock_guard lock(mutex_);
    places_.erase(&place);
    const auto open = open_of_.find({place.who.tenant, place.who.user});
    if (--open->second == 0) open_of_.erase(open);
  }

 private:
  using Places = std::vector<std::shared_ptr<HeldPlace>>;

  void look_again_and_again() {
    for (;;) {
      std::map<TenantId, Places> open;
      {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, interval_, [this] { return over_; })) return;
        for (const auto& [address, weak] : places_)
          if (auto place = weak.lock()) open[place->who.tenant].push_back(std::move(place));
      }
      for (const auto& [tenant, places] : open) look(tenant, places);
    }
  }

  void look(TenantId tenant, const Places& places) {
    std::set<SessionId> sessions;
    std::set<TokenId> tokens;
    for (const auto& place : places) {
      if (place->who.session.has_value()) sessions.insert(*place->who.session);
      if (place->who.token.has_value()) tokens.insert(*place->who.token);
    }
    const auto held = accounts_.holding(tenant, {sessions.begin(), sessions.end()},
                                        {tokens.begin(), tokens.end()}, Timestamp::now());
    if (!held.ok()) return;  // without the database no stream has news either
    for (const auto& place : places) {
      const auto& [session, token] = std::tie(place->who.session, place->who.token);
      const auto found = held->find(session.has_value() ? session->uuid() : token->uuid());
      if (found == held->end() || (place->owners_matter && !found->second)) place->end();
    }
  }

  accounts::Accounts& accounts_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::map<const HeldPlace*, std::weak_ptr<HeldPlace>> places_;
  std::map<std::pair<TenantId, UserId>, std::size_t> open_of_;
  std::thread thread_;
};

HeldPlace::~HeldPlace() { streams_.left(*this); }

}  // namespace

std::unique_ptr<OpenStreams> OpenStreams::start(accounts::Accounts& accounts,
                                                std::chrono::milliseconds interval) {
  return std::make_unique<LookingStreams>(accounts, interval);
}

}  // namespace oa::api
