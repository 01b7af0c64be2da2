#include "oa/keys/caching_key_service.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "key_service_conformance.h"
#include "keys_testkit.h"
#include "oa/keys/local_key_service.h"

namespace oa {
namespace {

using std::chrono::seconds;

class CachedLocalUnderTest final : public KeysUnderTest {
 public:
  CachedLocalUnderTest() : folder_(new_folder()) {}
  ~CachedLocalUnderTest() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<KeyService> open() override {
    const RootKeySource root{folder_ + "/root.key", {}};
    const bool there = std::filesystem::exists(folder_ + "/keys");
    auto local = there ? LocalKeyService::open(folder_ + "/keys", root)
                       : LocalKeyService::create(folder_ + "/keys", root);
    // What another service changed is seen as late as the age says; here at once.
    KeyCacheSettings settings;
    settings.clock = [calls = std::make_shared<std::atomic<int>>(0)] {
      return std::chrono::hours(++*calls);
    };
    return *CachingKeyService::create(*std::move(local), std::move(settings));
  }
  void wait_until_after(Timestamp when) override {
    while (Timestamp::now() <= when) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

 private:
  const std::string folder_;
};

INSTANTIATE_TEST_SUITE_P(CachedLocal, KeyServiceConformance,
                         testing::Values(KeysFactory{"cached local", [] {
                                                       return std::unique_ptr<KeysUnderTest>(
                                                           new CachedLocalUnderTest);
                                                     }}));

// Lets a test hold an unwrap back after the provider has done it.
class Gate final : public KeyService {
 public:
  explicit Gate(std::unique_ptr<KeyService> inner) : inner_(std::move(inner)) {}
  Status create_tenant_key(TenantId tenant) override { return inner_->create_tenant_key(tenant); }
  Result<TenantKeyInfo> describe(TenantId tenant) override { return inner_->describe(tenant); }
  Result<DataKey> generate_data_key(TenantId tenant, KeyPurpose purpose) override {
    return inner_->generate_data_key(tenant, purpose);
  }
  Result<SecretBytes> unwrap(TenantId tenant, KeyPurpose purpose,
                             const WrappedKey& wrapped) override {
    auto key = inner_->unwrap(tenant, purpose, wrapped);
    std::unique_lock lock(mutex_);
    inside_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    return key;
  }
  Result<WrappedKey> rewrap(TenantId tenant, KeyPurpose purpose,
                            const WrappedKey& wrapped) override {
    return inner_->rewrap(tenant, purpose, wrapped);
  }
  Status rotate(TenantId tenant) override { return inner_->rotate(tenant); }
  Status disable(TenantId tenant) override { return inner_->disable(tenant); }
  Status enable(TenantId tenant) override { return inner_->enable(tenant); }
  Status schedule_destroy(TenantId tenant, Timestamp when) override {
    return inner_->schedule_destroy(tenant, when);
  }
  Status cancel_destroy(TenantId tenant) override { return inner_->cancel_destroy(tenant); }

  void shut() { open_ = false; }
  void wait_for_one_inside() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_; });
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::unique_ptr<KeyService> inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  bool inside_ = false;
};

class KeyCacheTest : public KeyStoreTest {
 protected:
  static constexpr auto kRows = KeyPurpose::kRows;

  void SetUp() override {
    KeyStoreTest::SetUp();
    elsewhere_ = create();
    ASSERT_TRUE(elsewhere_->create_tenant_key(tenant_).ok());
    ASSERT_TRUE(elsewhere_->create_tenant_key(other_).ok());
    start({});
  }
  void start(KeyCacheSettings settings) {
    settings.clock = [this] { return now_.load(); };
    auto gate = std::make_unique<Gate>(open());
    gate_ = gate.get();
    keys_ = *CachingKeyService::create(std::move(gate), std::move(settings));
  }
  WrappedKey wrapped_elsewhere(TenantId tenant) {
    return elsewhere_->generate_data_key(tenant, kRows)->wrapped;
  }
  std::string outcome(TenantId tenant, const WrappedKey& wrapped, KeyPurpose purpose = kRows) {
    const auto key = keys_->unwrap(tenant, purpose, wrapped);
    return key.ok() ? "ok" : std::string(error_info(key.error().code).name);
  }
  std::string outcome(const WrappedKey& wrapped) { return outcome(tenant_, wrapped); }

  const TenantId tenant_ = TenantId::random();
  const TenantId other_ = TenantId::random();
  std::unique_ptr<KeyService> elsewhere_;
  std::unique_ptr<CachingKeyService> keys_;
  Gate* gate_ = nullptr;  // within keys_
  std::atomic<std::chrono::nanoseconds> now_{seconds(1000)};
};

TEST_F(KeyCacheTest, TheSecondUnwrapAsksNobody) {
  const DataKey key = *elsewhere_->generate_data_key(tenant_, kRows);
  for (int round = 0; round < 3; ++round) {
    const auto opened = keys_->unwrap(tenant_, kRows, key.wrapped);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE(constant_time_equal(opened->view(), key.plaintext.view()));
  }
  EXPECT_EQ(keys_->counts().misses, 1u);
  EXPECT_EQ(keys_->counts().hits, 2u);
}

TEST_F(KeyCacheTest, WhatWasGeneratedIsKnownAndEachIsFresh) {
  const DataKey one = *keys_->generate_data_key(tenant_, kRows);
  const DataKey two = *keys_->generate_data_key(tenant_, kRows);
  EXPECT_FALSE(constant_time_equal(one.plaintext.view(), two.plaintext.view()));
  EXPECT_TRUE(constant_time_equal(keys_->unwrap(tenant_, kRows, one.wrapped)->view(),
                                  one.plaintext.view()));
  EXPECT_EQ(keys_->counts().misses, 0u);
}

TEST_F(KeyCacheTest, AnEntryServesNoOtherTenantPurposeOrId) {
  const WrappedKey wrapped = wrapped_elsewhere(tenant_);
  ASSERT_EQ(outcome(wrapped), "ok");
  EXPECT_EQ(outcome(other_, wrapped), "key/wrong");
  EXPECT_EQ(outcome(tenant_, wrapped, KeyPurpose::kWal), "key/wrong");
  EXPECT_EQ(outcome({wrapped.key_id + "0", wrapped.blob}), "key/wrong");
  EXPECT_EQ(keys_->counts().hits, 0u);
}

TEST_F(KeyCacheTest, AKeyDisabledElsewhereIsForgottenWithinTheAge) {
  start({.max_age = seconds(60)});
  const WrappedKey wrapped = wrapped_elsewhere(tenant_);
  const WrappedKey theirs = wrapped_elsewhere(other_);
  ASSERT_EQ(outcome(wrapped), "ok");
  ASSERT_TRUE(elsewhere_->disable(tenant_).ok());
  now_ = now_.load() + seconds(59);
  EXPECT_EQ(outcome(wrapped), "ok");
  EXPECT_EQ(outcome(other_, theirs), "ok");
  now_ = now_.load() + seconds(1);
  EXPECT_EQ(outcome(wrapped), "key/disabled") << "a use does not make it younger";
  EXPECT_EQ(outcome(other_, theirs), "ok");
}

TEST_F(KeyCacheTest, WhatTheProviderSaysOfOneKeyEndsAllOfTheTenant) {
  const WrappedKey first = wrapped_elsewhere(tenant_);
  const WrappedKey second = wrapped_elsewhere(tenant_);
  const WrappedKey theirs = wrapped_elsewhere(other_);
  ASSERT_EQ(outcome(first) + outcome(other_, theirs), "okok");
  ASSERT_TRUE(elsewhere_->disable(tenant_).ok());
  EXPECT_EQ(outcome(first), "ok");
  EXPECT_EQ(outcome(second), "key/disabled");
  EXPECT_EQ(outcome(first), "key/disabled");
  EXPECT_EQ(keys_->counts().entries, 1u) << "the other tenant's stays";
  ASSERT_TRUE(elsewhere_->enable(tenant_).ok());
  ASSERT_EQ(outcome(first), "ok");
  ASSERT_TRUE(elsewhere_->disable(tenant_).ok());
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kDisabled);
  EXPECT_EQ(outcome(first), "key/disabled");
}

TEST_F(KeyCacheTest, DisablingAndSchedulingHereEndAtOnce) {
  const WrappedKey wrapped = wrapped_elsewhere(tenant_);
  ASSERT_EQ(outcome(wrapped), "ok");
  ASSERT_TRUE(keys_->disable(tenant_).ok());
  EXPECT_EQ(outcome(wrapped), "key/disabled");
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  ASSERT_EQ(outcome(wrapped), "ok");
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, Timestamp::now()).ok());
  EXPECT_EQ(outcome(wrapped), "key/destroyed");
  EXPECT_EQ(keys_->counts().entries, 0u);
}

TEST_F(KeyCacheTest, AnUnwrapThatWasUnderWayIsNotRememberedAfterDisabling) {
  const WrappedKey wrapped = wrapped_elsewhere(tenant_);
  gate_->shut();
  std::thread slow([&] { EXPECT_EQ(outcome(wrapped), "ok"); });
  gate_->wait_for_one_inside();
  ASSERT_TRUE(keys_->disable(tenant_).ok());
  gate_->let_go();
  slow.join();
  EXPECT_EQ(outcome(wrapped), "key/disabled");
}

TEST_F(KeyCacheTest, EntriesAndUsesAreBounded) {
  start({.max_entries = 2, .max_uses = 3});
  const WrappedKey a = wrapped_elsewhere(tenant_);
  const WrappedKey b = wrapped_elsewhere(tenant_);
  const WrappedKey c = wrapped_elsewhere(tenant_);
  for (const WrappedKey* wrapped : {&a, &b, &a, &c, &a}) ASSERT_EQ(outcome(*wrapped), "ok");
  EXPECT_EQ(keys_->counts().entries, 2u);
  EXPECT_EQ(keys_->counts().misses, 3u) << "b, used longest ago, made room for c";
  ASSERT_EQ(outcome(b), "ok");
  EXPECT_EQ(keys_->counts().misses, 4u);
  for (int use = 0; use < 3; ++use) ASSERT_EQ(outcome(b), "ok");
  EXPECT_EQ(keys_->counts().misses, 4u);
  ASSERT_EQ(outcome(b), "ok");
  EXPECT_EQ(keys_->counts().misses, 5u) << "three uses, then the provider again";
}

TEST_F(KeyCacheTest, FailuresAreNotRemembered) {
  const WrappedKey wrapped = wrapped_elsewhere(tenant_);
  ASSERT_TRUE(elsewhere_->disable(tenant_).ok());
  EXPECT_EQ(outcome(wrapped), "key/disabled");
  ASSERT_TRUE(elsewhere_->enable(tenant_).ok());
  EXPECT_EQ(outcome(wrapped), "ok");
}

TEST_F(KeyCacheTest, ThreadsShareIt) {
  start({.max_entries = 3, .max_uses = 5});
  std::vector<DataKey> keys;
  for (int i = 0; i < 6; ++i) keys.push_back(*elsewhere_->generate_data_key(tenant_, kRows));
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 100; ++round) {
        const DataKey& key = keys[static_cast<std::size_t>(i + round) % keys.size()];
        const auto opened = keys_->unwrap(tenant_, kRows, key.wrapped);
        if (!opened.ok() || !constant_time_equal(opened->view(), key.plaintext.view())) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_LE(keys_->counts().entries, 3u);
}

TEST_F(KeyCacheTest, SettingsOutsideOfTheirBoundsAreRefused) {
  for (const KeyCacheSettings& bad :
       {KeyCacheSettings{.max_entries = 0}, KeyCacheSettings{.max_entries = 65'537},
        KeyCacheSettings{.max_age = seconds(0)}, KeyCacheSettings{.max_age = seconds(3601)},
        KeyCacheSettings{.max_uses = 0}}) {
    const auto made = CachingKeyService::create(open(), bad);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace oa
