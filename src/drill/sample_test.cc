#include "oa/drill/sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "oa/drill/chronicle.h"

namespace oa::drill {
namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1'000'000;
const Timestamp kNow{1'800'000'000'000'000};

std::vector<Candidate> candidates(std::size_t count, std::int64_t days_ago) {
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back({TenantId::random(), Timestamp{kNow.unix_us - days_ago * kDay}});
  return all;
}

TEST(Sample, TheSameSeedChoosesTheSame) {
  auto all = candidates(50, 10);
  const auto first = choose_sample(all, "2026-Q4", 10, kNow);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(choose_sample(all, "2026-Q4", 10, kNow), first);
  EXPECT_NE(choose_sample(all, "2027-Q1", 10, kNow), first);
  EXPECT_EQ(std::set<TenantId>(first.begin(), first.end()).size(), 10U);
}

TEST(Sample, WhoWouldWaitLongerThanAYearComesFirst) {
  auto all = candidates(30, 10);
  auto waiting = candidates(2, 300);
  waiting[1].last = Timestamp{kNow.unix_us - 350 * kDay};
  Candidate never{TenantId::random(), std::nullopt};
  all.insert(all.begin() + 5, waiting.begin(), waiting.end());
  all.push_back(never);
  const auto chosen = choose_sample(all, "any", 4, kNow);
  ASSERT_EQ(chosen.size(), 4U);
  EXPECT_EQ(chosen[0], never.tenant);
  EXPECT_EQ(chosen[1], waiting[1].tenant);
  EXPECT_EQ(chosen[2], waiting[0].tenant);
}

TEST(Sample, FewerThanAskedForAreAll) {
  EXPECT_EQ(choose_sample(candidates(3, 10), "s", 10, kNow).size(), 3U);
  EXPECT_TRUE(choose_sample({}, "s", 10, kNow).empty());
}

// What the chain is held against, without a store.
std::vector<Entry> chain(const SigningKey& key, int count) {
  std::vector<Entry> entries;
  for (int i = 1; i <= count; ++i) {
    Entry entry;
    entry.record = {{"number", i},
                    {"outcome", "successful"},
                    {"previous", entries.empty() ? std::string() : entries.back().hash}};
    const auto text = canonical_json(entry.record);
    entry.hash = to_hex(Sha256::of(as_bytes(text)));
    entry.signature = key.sign(Blake2b::of(as_bytes(text)), "test");
    entries.push_back(entry);
  }
  return entries;
}

TEST(Chronicle, WhatWasChangedTakenOutOrSignedByOthersIsFound) {
  const auto key = SigningKey::generate();
  const auto whole = chain(key, 4);
  EXPECT_TRUE(verify(whole, key.public_key()).ok());
  EXPECT_TRUE(verify({}, key.public_key()).ok());
  auto changed = whole;
  changed[1].record["outcome"] = "failed";
  EXPECT_EQ(verify(changed, key.public_key()).error().code, ErrorCode::kDrillFailed);
  changed[1].hash = to_hex(Sha256::of(as_bytes(canonical_json(changed[1].record))));
  EXPECT_FALSE(verify(changed, key.public_key()).ok());
  for (const json::value wrong : {json::value(-1), json::value(1.5), json::value("2"), json::value(nullptr)}) {
    changed = whole;
    changed[1].record["number"] = wrong;
    EXPECT_EQ(verify(changed, key.public_key()).error().code, ErrorCode::kDrillFailed);
  }
  auto shorter = whole;
  shorter.erase(shorter.begin() + 1);
  EXPECT_FALSE(verify(shorter, key.public_key()).ok());
  auto swapped = whole;
  std::swap(swapped[1], swapped[2]);
  EXPECT_FALSE(verify(swapped, key.public_key()).ok());
  EXPECT_FALSE(verify(whole, SigningKey::generate().public_key()).ok());
}

}  // namespace
}  // namespace oa::drill
