// The monitor of the replica, and reads that heal, over two real regions whose stores are damaged
// beneath their gateways.
#include "oa/durability/replication.h"

#include <chrono>
#include <functional>
#include <thread>

#include "oa/catalog/replication_state.h"
#include "oa/keys/local_key_service.h"
#include "oa/objects/sealed_objects.h"
#include "rgw_regions.h"
#include "testkit/scratch.h"
#include "testkit/shared_database.h"

namespace oa::durability {
namespace {

using rgw::TwoRegions;
using std::chrono::milliseconds;
// A gateway that was killed is followed after half a minute of the other's, on a quiet machine.
constexpr auto kPatience = std::chrono::minutes(4);

class Replication : public testing::Test {
 protected:
  Replication() {
    auto places = TwoRegions::shared().fresh_places();
    for (auto* place : {&places.a, &places.b}) {
      place->segment_bytes = 64 << 10;
      place->connection.retries.attempts = 2;  // a dead gateway refuses at once
    }
    store_ = open_replicated_store(*open_s3_store(places.a), *open_s3_store(places.b),
                                   {.rest = milliseconds(200)});
    keys_ = *LocalKeyService::create(scratch_ / "keystore", {scratch_ / "root.key", {}});
    for (const TenantId owner : {cell_, tenant_.id})
      EXPECT_TRUE(keys_->create_tenant_key(owner).ok());
  }
  ~Replication() override { TwoRegions::shared().bring_back(); }

  ReplicationParts parts() { return {testkit::shared_database(), *keys_, *store_, cell_}; }
  ReplicationRounds rounds(milliseconds may_lag = milliseconds(0)) {
    return {parts(),
            {.canary_patience = milliseconds(5'000), .may_lag = may_lag, .objects_a_round = 12}};
  }
  // Rounds until it is so: what is written takes as long to the replica as it takes.
  template <class Condition>
  static testing::AssertionResult look_until(ReplicationRounds& looking, ReplicationState& state,
                                             const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    do {
      const Status looked = looking.look(state);
      if (!looked.ok()) return testing::AssertionFailure() << looked.error().message;
      if (condition()) return testing::AssertionSuccess();
      std::this_thread::sleep_for(milliseconds(50));
    } while (std::chrono::steady_clock::now() < deadline);
    return testing::AssertionFailure() << state.document().str();
  }
  ObjectKey key(const std::string& name) const { return {tenant_.id, RetentionClass::kRows, name}; }
  VersionId put(const std::string& name, ByteView content) {
    SealedObjects objects(*store_, *keys_);
    const auto writer = *objects.create(key(name));
    EXPECT_TRUE(writer->write(content).ok());
    const VersionId version = *writer->commit();
    SealedObjects replica(store_->replica(), *keys_);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto opened = replica.open(key(name), version);
      if (opened.ok() && read_all(**opened, 1 << 26).ok()) return version;
      std::this_thread::sleep_for(milliseconds(50));
    }
    ADD_FAILURE() << name << " is not replicated";
    return version;
  }
  Result<Bytes> read(const std::string& name, const VersionId& version) {
    SealedObjects objects(*store_, *keys_);
    OA_ASSIGN(const auto opened, objects.open(key(name), version));
    return read_all(*opened, 1 << 26);
  }
  static bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return true;
  }
  static bool has(const ReplicationState& state, ReplicaAlarmCode code) {
    const auto alarms = replica_alarms(state, Timestamp::now());
    return std::ranges::any_of(alarms, [&](const auto& alarm) { return alarm.code == code; });
  }
  static std::string codes(const ReplicationState& state) {
    std::string all;
    for (const auto& fault : state.faults) all += fault.key.name + " " + fault.code + ";";
    return all;
  }

  testkit::Scratch scratch_;
  std::unique_ptr<ReplicatedStore> store_;
  std::unique_ptr<KeyService> keys_;
  const TenantId cell_ = TenantId::random();
  const catalog::Tenant tenant_ = testkit::make_tenant();
  const Bytes content_ = Bytes(200 << 10, 7);  // several segments
};

TEST_F(Replication, ACanaryArrivesAndWhatIsThereIsCompared) {
  put("one", content_);
  put("two", as_bytes("small"));
  ReplicationState state;
  EXPECT_TRUE(has(state, ReplicaAlarmCode::kNotLooked));
  auto looking = rounds();
  ASSERT_TRUE(look_until(looking, state, [&] {
    return !state.pending.has_value() && replica_alarms(state, Timestamp::now()).empty();
  }));
  ASSERT_TRUE(state.lag_us.has_value());
  RecordProperty("lag_ms", static_cast<int>(*state.lag_us / 1000));
  EXPECT_GE(state.compared, 2u);
  // What has arrived is gone again, on both sides; what the replication was still about, soon.
  for (S3Store* side : {&store_->primary(), &store_->replica()}) {
    EXPECT_TRUE(eventually([&] {
      const auto left = side->list(cell_, RetentionClass::kRows, "", 10);
      return left.ok() && left->empty();
    }));
  }
  const auto again = ReplicationState::parse(state.document());
  ASSERT_OK(again);
  EXPECT_EQ(again->document(), state.document());
}

TEST_F(Replication, AReplicaThatLiesOrForgetsTurnsRedUntilItIsMended) {
  const VersionId altered = put("altered", content_);
  put("intact", content_);
  const VersionId lost = put("lost", as_bytes("small"));
  auto& region = TwoRegions::shared().b();
  ASSERT_TRUE(eventually([&] { return region.is_caught_up(TwoRegions::shared().bucket()); }));
  ASSERT_GT(region.flip_bytes("/altered!"), 0u);
  ASSERT_GT(region.lose("/lost!"), 0u);
  ReplicationState state;
  auto looking = rounds();
  ASSERT_TRUE(look_until(looking, state, [&] { return state.faults.size() == 2; }));
  EXPECT_EQ(codes(state), "altered storage/seal-corrupt;lost resource/not-found;");
  EXPECT_TRUE(has(state, ReplicaAlarmCode::kReplicaFault));
  EXPECT_EQ(to_json(state, Timestamp::now()).at("state"), "at-risk");

  // It stays red through rounds that find others well, and is well again when nothing is to be had.
  ASSERT_OK(looking.look(state));
  EXPECT_EQ(state.faults.size(), 2u);
  auto kept = *ReplicationState::parse(state.document());
  EXPECT_EQ(codes(kept), codes(state));
  ASSERT_OK(store_->primary().remove(key("altered"), altered));
  ASSERT_OK(store_->primary().remove(key("lost"), lost));
  ASSERT_TRUE(look_until(looking, kept, [&] { return kept.faults.empty(); })) << codes(kept);
}

TEST_F(Replication, WhatIsYoungMayBeMissing) {
  put("young", as_bytes("small"));
  ASSERT_GT(TwoRegions::shared().b().lose("/young!"), 0u);
  ReplicationState state;
  auto looking = rounds(milliseconds(3'600'000));
  ASSERT_OK(looking.look(state));
  EXPECT_EQ(codes(state), "");
}

TEST_F(Replication, ReadsHealFromTheOtherSide) {
  const VersionId whole = put("whole", as_bytes("small"));
  const VersionId pieces = put("pieces", content_);
  const VersionId gone = put("gone", content_);
  ASSERT_GT(TwoRegions::shared().a().flip_bytes("/whole!"), 0u);
  ASSERT_GT(TwoRegions::shared().a().flip_bytes("/pieces!"), 1u);
  EXPECT_EQ(as_text(read("whole", whole).value()), "small");
  EXPECT_EQ(read("pieces", pieces).value(), content_);
  auto damaged = store_->take_damaged();
  EXPECT_EQ(damaged.size(), 2u);
  EXPECT_GT(store_->counts().replica_reads, 0u);
  EXPECT_TRUE(store_->counts().primary_answers);
  EXPECT_TRUE(store_->take_damaged().empty());
  // Both sides damaged: an error, never other bytes.
  ASSERT_GT(TwoRegions::shared().b().flip_bytes("/pieces!"), 1u);
  const auto refused = read("pieces", pieces);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kSealCorrupt);
  // What the primary lost for good is what it says: it may have been removed.
  ASSERT_GT(TwoRegions::shared().a().lose("/gone!"), 1u);
  const auto lost = read("gone", gone);
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, ErrorCode::kNotFound);
}

TEST_F(Replication, ARegionThatIsGoneIsTold) {
  ReplicationState state;
  auto looking = rounds();
  TwoRegions::shared().b().kill_gateway();
  ASSERT_OK(looking.look(state));
  EXPECT_TRUE(has(state, ReplicaAlarmCode::kReplicaUnreachable));
  TwoRegions::shared().b().start_gateway();
  TwoRegions::shared().a().kill_gateway();
  ASSERT_OK(looking.look(state));
  EXPECT_TRUE(has(state, ReplicaAlarmCode::kPrimaryUnreachable));
  EXPECT_FALSE(has(state, ReplicaAlarmCode::kReplicaUnreachable));
  TwoRegions::shared().a().start_gateway();
  // The canary that was under way may have taken longer than the alarm allows; one after it does not.
  EXPECT_TRUE(look_until(looking, state, [&] {
    return !state.pending.has_value() && replica_alarms(state, Timestamp::now()).empty();
  }));
}

TEST_F(Replication, OneProcessLooksAtATime) {
  catalog::ReplicationRecord record(testkit::shared_database());
  const Timestamp now = Timestamp::now();
  const auto claimed = record.claim(now, {now.unix_us + 5'000'000});
  ASSERT_OK(claimed);
  ASSERT_TRUE(claimed->has_value());
  EXPECT_FALSE((*record.claim(now, {now.unix_us + 9'000'000})).has_value());
  ASSERT_OK(record.write(ReplicationState{}.document(), now));
  EXPECT_TRUE((*record.claim(now, now)).has_value());
  const auto monitor = ReplicationMonitor::start(parts(), {.every = milliseconds(200)}, {});
  EXPECT_TRUE(eventually([] {
    const auto state = read_replication(testkit::shared_database());
    return state.ok() && state->canary_at.has_value();
  }));
}

TEST(ReplicaAlarms, LagGrowsWhileACanaryIsUnderWay) {
  const Timestamp now = Timestamp::now();
  const auto ago = [&](std::int64_t seconds) {
    return Timestamp{now.unix_us - seconds * 1'000'000};
  };
  ReplicationState state;
  state.looked_at = ago(10);
  state.lag_us = 300'000;
  EXPECT_TRUE(replica_alarms(state, now).empty());
  state.pending = {{}, {}, ago(90)};
  ASSERT_EQ(replica_alarms(state, now).size(), 1u);
  EXPECT_FALSE(replica_alarms(state, now)[0].critical);
  state.pending->written_at = ago(301);
  EXPECT_TRUE(replica_alarms(state, now)[0].critical);
  EXPECT_DOUBLE_EQ(*replica_lag_seconds(state, now), 301);
  state.pending.reset();
  state.looked_at = ago(601);
  ASSERT_EQ(replica_alarms(state, now).size(), 1u);
  EXPECT_EQ(replica_alarms(state, now)[0].code, ReplicaAlarmCode::kNotLooked);
}

}  // namespace
}  // namespace oa::durability
