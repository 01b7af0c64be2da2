// Bits that rot beneath the gateway of one region, repaired from the other.
#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "oa/objects/replicated_store.h"
#include "rgw_regions.h"
#include "scrub_testkit.h"

namespace oa::durability {
namespace {

using rgw::TwoRegions;

class RegionScrub : public ScrubTest {
 protected:
  RegionScrub() {
    auto places = TwoRegions::shared().fresh_places();
    places.a.segment_bytes = places.b.segment_bytes = 64 << 10;
    store_ = open_s3_store(places.a).value();
    replica_ = open_s3_store(places.b).value();
  }
  // True when that place has all of it, within minutes: a gateway that was killed before is followed
  // late by the other's.
  bool is_whole(ObjectStore& place, const std::string& name, const VersionId& version,
                const Bytes& content) {
    SealedObjects sealed(place, *keys_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(4);
    while (std::chrono::steady_clock::now() < deadline) {
      const auto opened = sealed.open(key(name), version);
      if (opened.ok()) {
        const auto bytes = read_all(**opened, 1 << 24);
        if (bytes.ok() && *bytes == content) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
};

TEST_F(RegionScrub, WhatRotsInOneRegionComesBackFromTheOther) {
  const Bytes small = noise(1000), large = noise(5 * 65'536);
  std::map<std::string, std::pair<VersionId, const Bytes*>> objects;
  objects["rotten-small"] = {put("rotten-small", small), &small};
  objects["rotten-large"] = {put("rotten-large", large), &large};
  objects["intact"] = {put("intact", large), &large};
  for (const auto& [name, object] : objects) {
    ASSERT_TRUE(is_whole(*replica_, name, object.first, *object.second)) << name;
    name_by_dataset(name, object.first);
  }
  ASSERT_EQ(scrub().verified_versions, 3u);
  auto& region = TwoRegions::shared().a();
  ASSERT_GT(region.flip_bytes("/rotten-small!"), 0u);
  ASSERT_GT(region.flip_bytes("/rotten-large!"), 1u);

  const auto result = scrub();
  EXPECT_EQ(result.repaired.size(), 2u) << json::serialize(to_json(result));
  for (const auto& repaired : result.repaired) EXPECT_EQ(repaired.from, "replica");
  EXPECT_TRUE(result.damaged.empty() && result.troubles.empty());
  EXPECT_EQ(covered().share(), 1);
  // And what was put back arrives in the other region in its turn.
  for (const auto& [name, object] : objects) {
    EXPECT_TRUE(is_whole(*store_, name, object.first, *object.second)) << name;
    EXPECT_TRUE(is_whole(*replica_, name, object.first, *object.second)) << name;
    EXPECT_EQ(store_->head(key(name))->version, object.first);
  }
}

}  // namespace
}  // namespace oa::durability
