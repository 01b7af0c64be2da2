// Two regions for tests: two clusters whose gateways replicate every bucket to each other.
#pragma once

#include "rgw_testkit.h"

namespace oa::rgw {

/// One realm, one zone group, zones "za" (in which users and buckets are made) and "zb", both on
/// this machine's loopback and durable, so that what was killed comes back with what it had.
class TwoRegions {
 public:
  /// As Gateway::shared().
  static TwoRegions& shared();
  TwoRegions(const TwoRegions&) = delete;
  TwoRegions& operator=(const TwoRegions&) = delete;

  Cluster& a() { return a_; }
  Cluster& b() { return b_; }
  const std::string& bucket() const { return bucket_; }
  /// Starts what is dead in either.
  void bring_back();
  /// One bucket, seen in either region, under a prefix that nobody else has.
  struct Places {
    S3Settings a, b;
  };
  Places fresh_places();

 private:
  TwoRegions();
  void make_realm();

  std::vector<std::string> kms_keys_;  // "tenant-a" and "tenant-b", the same in both
  Cluster a_, b_;
  std::string bucket_;
  int places_ = 0;
};

}  // namespace oa::rgw
