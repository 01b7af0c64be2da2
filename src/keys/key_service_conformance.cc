#include "key_service_conformance.h"

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "oa/crypto/seal.h"

namespace oa {

TEST_P(KeyServiceConformance, DataKeysAreFreshAndOpenHereAndAfterReopening) {
  const DataKey key = generate();
  EXPECT_EQ(key.plaintext.size(), kDataKeySize);
  EXPECT_EQ(opened(key.wrapped), to_hex(key.plaintext.view()));
  const DataKey other = generate();
  EXPECT_FALSE(constant_time_equal(key.plaintext.view(), other.plaintext.view()));
  EXPECT_NE(key.wrapped.blob, other.wrapped.blob);
  EXPECT_EQ(key.wrapped.key_id, other.wrapped.key_id);
  keys_ = under_test_->open();
  EXPECT_EQ(opened(key.wrapped), to_hex(key.plaintext.view()));
}

TEST_P(KeyServiceConformance, AWrappedKeyFitsASealHeaderAndIsNotTheKey) {
  const DataKey key = generate();
  EXPECT_LE(key.wrapped.key_id.size(), 255u);
  EXPECT_LE(key.wrapped.blob.size(), 4096u);
  const auto plain = key.plaintext.view();
  EXPECT_EQ(
      std::search(key.wrapped.blob.begin(), key.wrapped.blob.end(), plain.begin(), plain.end()),
      key.wrapped.blob.end());
}

TEST_P(KeyServiceConformance, AWrappedKeyIsBoundToItsPurpose) {
  for (const auto purpose :
       {KeyPurpose::kRows, KeyPurpose::kOriginals, KeyPurpose::kArchives, KeyPurpose::kSecrets,
        KeyPurpose::kSigning, KeyPurpose::kWal, KeyPurpose::kLedger, KeyPurpose::kRepository}) {
    const DataKey key = generate(purpose);
    EXPECT_EQ(opened(key.wrapped, purpose), to_hex(key.plaintext.view()));
    const auto another = purpose == KeyPurpose::kWal ? KeyPurpose::kRows : KeyPurpose::kWal;
    EXPECT_EQ(opened(key.wrapped, another), name(ErrorCode::kKeyWrong));
    EXPECT_EQ(error_of(keys_->rewrap(tenant_, another, key.wrapped)), name(ErrorCode::kKeyWrong));
  }
}

TEST_P(KeyServiceConformance, AWrappedKeyIsBoundToItsTenant) {
  const TenantId other = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(other).ok());
  const WrappedKey mine = generate().wrapped;
  const WrappedKey theirs = keys_->generate_data_key(other, kRows)->wrapped;
  const std::string wrong = name(ErrorCode::kKeyWrong);
  EXPECT_EQ(opened(*keys_, other, mine), wrong);
  EXPECT_EQ(error_of(keys_->rewrap(other, kRows, mine)), wrong);
  EXPECT_EQ(opened(*keys_, other, {theirs.key_id, mine.blob}), wrong);
  EXPECT_EQ(opened(*keys_, other, {mine.key_id, theirs.blob}), wrong);
}

TEST_P(KeyServiceConformance, AChangedBlobOrKeyIdDoesNotOpen) {
  const WrappedKey good = generate().wrapped;
  const std::string wrong = name(ErrorCode::kKeyWrong);
  for (std::size_t at = 0; at < good.blob.size(); at += 7) {
    Bytes damaged = good.blob;
    damaged[at] ^= 0x40;
    EXPECT_EQ(opened({good.key_id, damaged}), wrong) << at;
  }
  Bytes longer = good.blob;
  longer.push_back(0);
  Bytes shorter = good.blob;
  shorter.pop_back();
  for (const Bytes& blob : {longer, shorter, Bytes(), Bytes(1), Bytes(10'000)})
    EXPECT_EQ(opened({good.key_id, blob}), wrong) << blob.size();
  for (const std::string& id :
       {std::string(), good.key_id + "1", good.key_id.substr(1), std::string("local:x:1"),
        std::string("aws-kms:"), good.key_id.substr(0, good.key_id.size() - 1),
        std::string("pkcs11:" + tenant_.str() + ":99999999999")}) {
    EXPECT_EQ(opened({id, good.blob}), wrong) << id;
  }
}

TEST_P(KeyServiceConformance, AnUnknownTenantIsNotFound) {
  const TenantId unknown = TenantId::random();
  const std::string not_found = name(ErrorCode::kNotFound);
  EXPECT_EQ(error_of(keys_->describe(unknown)), not_found);
  EXPECT_EQ(error_of(keys_->generate_data_key(unknown, kRows)), not_found);
  EXPECT_EQ(outcome(keys_->rotate(unknown)), not_found);
  EXPECT_EQ(outcome(keys_->disable(unknown)), not_found);
  EXPECT_EQ(outcome(keys_->enable(unknown)), not_found);
  EXPECT_EQ(outcome(keys_->schedule_destroy(unknown, soon())), not_found);
  EXPECT_EQ(outcome(keys_->cancel_destroy(unknown)), not_found);
}

TEST_P(KeyServiceConformance, ATenantHasOneKey) {
  EXPECT_EQ(outcome(keys_->create_tenant_key(tenant_)), name(ErrorCode::kAlreadyExists));
  const TenantKeyInfo info = *keys_->describe(tenant_);
  EXPECT_EQ(info.tenant, tenant_);
  EXPECT_EQ(info.state, KeyState::kEnabled);
  EXPECT_EQ(info.current_version, 1u);
  EXPECT_LT(std::abs(info.created_at.unix_us - Timestamp::now().unix_us), 60'000'000);
}

TEST_P(KeyServiceConformance, RotationKeepsOldWrapsAndRewrapMovesThem) {
  const DataKey key = generate();
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  EXPECT_EQ(keys_->describe(tenant_)->current_version, 3u);
  EXPECT_EQ(opened(key.wrapped), to_hex(key.plaintext.view()));
  const WrappedKey moved = *keys_->rewrap(tenant_, kRows, key.wrapped);
  EXPECT_NE(moved.key_id, key.wrapped.key_id) << "progress is seen by the id";
  EXPECT_EQ(moved.key_id, generate().wrapped.key_id);
  EXPECT_EQ(opened(moved), to_hex(key.plaintext.view()));
  EXPECT_EQ(opened({key.wrapped.key_id, moved.blob}), name(ErrorCode::kKeyWrong));
  EXPECT_EQ(opened({moved.key_id, key.wrapped.blob}), name(ErrorCode::kKeyWrong));
}

TEST_P(KeyServiceConformance, ADisabledKeyDoesNothingUntilItIsEnabled) {
  const DataKey key = generate();
  const TenantId bystander = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(bystander).ok());
  const DataKey theirs = *keys_->generate_data_key(bystander, kRows);
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(keys_->disable(tenant_).ok()) << "also when it is";
    EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kDisabled);
    expect_unusable(name(ErrorCode::kKeyDisabled), key);
    EXPECT_EQ(opened(*keys_, bystander, theirs.wrapped), to_hex(theirs.plaintext.view()));
    keys_ = under_test_->open();
  }
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kEnabled);
  EXPECT_EQ(opened(key.wrapped), to_hex(key.plaintext.view()));
}

TEST_P(KeyServiceConformance, DestructionThatIsPendingCanBeCancelled) {
  const DataKey key = generate();
  const std::string conflict = name(ErrorCode::kConflict);
  EXPECT_EQ(outcome(keys_->cancel_destroy(tenant_)), conflict);
  const Timestamp when{soon().unix_us + 3'600'000'000};
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, when).ok());
  for (int round = 0; round < 2; ++round) {
    const TenantKeyInfo info = *keys_->describe(tenant_);
    EXPECT_EQ(info.state, KeyState::kPendingDestruction);
    EXPECT_GE(info.destroy_at, Timestamp{when.unix_us - 2'000'000});
    EXPECT_LE(info.destroy_at.unix_us, when.unix_us + 86'400'000'000);
    expect_unusable(name(ErrorCode::kKeyDisabled), key);
    EXPECT_EQ(outcome(keys_->disable(tenant_)), conflict);
    EXPECT_EQ(outcome(keys_->enable(tenant_)), conflict);
    EXPECT_EQ(outcome(keys_->schedule_destroy(tenant_, when)), conflict);
    EXPECT_EQ(outcome(keys_->create_tenant_key(tenant_)), name(ErrorCode::kAlreadyExists));
    keys_ = under_test_->open();
  }
  ASSERT_TRUE(keys_->cancel_destroy(tenant_).ok());
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kEnabled);
  EXPECT_EQ(opened(key.wrapped), to_hex(key.plaintext.view()));
  EXPECT_EQ(outcome(keys_->cancel_destroy(tenant_)), conflict);

  ASSERT_TRUE(keys_->disable(tenant_).ok());
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, when).ok());
  ASSERT_TRUE(keys_->cancel_destroy(tenant_).ok());
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kDisabled) << "it was disabled before";
}

TEST_P(KeyServiceConformance, ADestroyedKeyStaysDestroyed) {
  const TenantId bystander = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(bystander).ok());
  const DataKey key = generate();
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  const DataKey newer = generate();
  const DataKey theirs = *keys_->generate_data_key(bystander, kRows);
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, soon()).ok());
  under_test_->wait_until_after(keys_->describe(tenant_)->destroy_at);
  const std::string destroyed = name(ErrorCode::kKeyDestroyed);
  for (int round = 0; round < 2; ++round) {
    expect_unusable(destroyed, key);
    EXPECT_EQ(opened(newer.wrapped), destroyed);
    EXPECT_EQ(error_of(keys_->describe(tenant_)), destroyed);
    EXPECT_EQ(outcome(keys_->cancel_destroy(tenant_)), destroyed);
    EXPECT_EQ(outcome(keys_->enable(tenant_)), destroyed);
    EXPECT_EQ(outcome(keys_->disable(tenant_)), destroyed);
    EXPECT_EQ(outcome(keys_->schedule_destroy(tenant_, soon())), destroyed);
    EXPECT_EQ(outcome(keys_->create_tenant_key(tenant_)), destroyed);
    EXPECT_EQ(opened(*keys_, bystander, theirs.wrapped), to_hex(theirs.plaintext.view()));
    keys_ = under_test_->open();
  }
}

TEST_P(KeyServiceConformance, AMomentThatTheProviderCannotKeepIsRefused) {
  const DestructionWindow window = keys_->destruction_window();
  const std::int64_t now_s = Timestamp::now().unix_seconds();
  constexpr std::int64_t kTwoDays = 2 * 86'400;
  const std::string refused = name(ErrorCode::kInvalidArgument);
  if (window.shortest.count() > kTwoDays) {
    const Timestamp early{(now_s + window.shortest.count() - kTwoDays) * 1'000'000};
    EXPECT_EQ(outcome(keys_->schedule_destroy(tenant_, early)), refused);
  }
  if (window.longest != std::chrono::seconds::max()) {
    const Timestamp late{(now_s + window.longest.count() + kTwoDays) * 1'000'000};
    EXPECT_EQ(outcome(keys_->schedule_destroy(tenant_, late)), refused);
  }
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kEnabled);
}

TEST_P(KeyServiceConformance, TwoServicesSeeEachOthersChanges) {
  const auto other = under_test_->open();
  const DataKey key = generate();
  ASSERT_TRUE(other->disable(tenant_).ok());
  EXPECT_EQ(opened(key.wrapped), name(ErrorCode::kKeyDisabled));
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  ASSERT_TRUE(other->rotate(tenant_).ok());
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  EXPECT_EQ(other->describe(tenant_)->current_version, 3u);
  const DataKey newer = generate();
  EXPECT_EQ(opened(*other, tenant_, newer.wrapped), to_hex(newer.plaintext.view()));
}

TEST_P(KeyServiceConformance, ThreadsShareOneService) {
  std::mutex mutex;
  std::set<std::string> failures;  // guarded by mutex
  const auto note = [&](const std::string& failure) {
    const std::lock_guard lock(mutex);
    failures.insert(failure);
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        const auto key = keys_->generate_data_key(tenant_, KeyPurpose::kWal);
        if (!key.ok()) {
          note(key.error().message + " " + key.error().cause);
          continue;
        }
        const auto again = keys_->unwrap(tenant_, KeyPurpose::kWal, key->wrapped);
        if (!again.ok()) {
          note(again.error().message + " " + again.error().cause);
        } else if (!constant_time_equal(again->view(), key->plaintext.view())) {
          note("another key");
        }
        if (i != 0 || round % 7 != 0) continue;
        if (const Status rotated = keys_->rotate(tenant_); !rotated.ok())
          note(rotated.error().message + " " + rotated.error().cause);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, std::set<std::string>{});
  EXPECT_EQ(keys_->describe(tenant_)->current_version, 4u);
}

TEST_P(KeyServiceConformance, OfTwoProcessesThatMakeOneKeyOneWinsAndBothUseIt) {
  std::vector<TenantId> shared(6);
  for (TenantId& tenant : shared) tenant = TenantId::random();
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const auto keys = under_test_->open();
      int made = 0;
      for (const TenantId& tenant : shared) {
        const Status created = keys->create_tenant_key(tenant);
        if (created.ok()) ++made;
        if (!created.ok() && created.error().code != ErrorCode::kAlreadyExists) _exit(100);
        const auto key = keys->generate_data_key(tenant, kRows);
        if (!key.ok() || opened(*keys, tenant, key->wrapped) != to_hex(key->plaintext.view()))
          _exit(101);
      }
      _exit(made);
    }
    children.push_back(child);
  }
  const int first = status_of(children[0]);
  const int second = status_of(children[1]);
  EXPECT_EQ(first + second, static_cast<int>(shared.size())) << first << " and " << second;
  for (const TenantId& tenant : shared) EXPECT_TRUE(keys_->describe(tenant).ok());
}

}  // namespace oa
