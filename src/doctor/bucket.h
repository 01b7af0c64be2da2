// The bucket as a deployment wants it, for this module.
#pragma once

#include "oa/doctor/facts.h"
#include "oa/instance/deployment.h"

namespace oa::doctor {

/// What durability/bucket_check.h finds of the bucket and of its replica, with short timeouts; also
/// how far the store's clock is off, when its answer says.
struct BucketLook {
  BucketFacts facts;
  std::optional<ClockFacts::Offset> clock;
};
BucketLook look_at_bucket(const instance::Deployment& deployment);

/// Of an HTTP date (RFC 9110, 5.6.7): "Mon, 23 Nov 2026 20:00:00 GMT".
std::optional<Timestamp> parse_http_date(const std::string& text);

}  // namespace oa::doctor
