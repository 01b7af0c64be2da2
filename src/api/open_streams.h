// Streams of events while they are open: how many somebody may have, and that they end with the
// session, the token or the right by which they were opened.
#pragma once

#include <chrono>
#include <memory>

#include "oa/accounts/accounts.h"
#include "oa/http/message.h"

namespace oa::api {

/// Looks every few seconds whether those for whom streams are open still may see them. Thread-safe.
/// Outlives the streams.
class OpenStreams {
 public:
  static constexpr std::size_t kMostOfPerson = 32;

  /// Of one stream, from before its answer is sent until it has ended.
  class Place {
   public:
    virtual ~Place() = default;
    /// Ends `sender` when the one for whom it is open may see it no more.
    virtual void hold(std::shared_ptr<http::EventSender> sender) = 0;
  };

  /// `accounts` is borrowed.
  static std::unique_ptr<OpenStreams> start(accounts::Accounts& accounts,
                                            std::chrono::milliseconds interval);
  virtual ~OpenStreams() = default;
  /// `owners_matter`: only an Owner may see it. kRateLimited when this person has too many.
  virtual Result<std::shared_ptr<Place>> open(const accounts::Identity& who,
                                              bool owners_matter) = 0;
};

}  // namespace oa::api
