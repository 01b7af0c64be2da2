// What every KeyService must do (key_service_conformance.cc). A provider's test says
//   INSTANTIATE_TEST_SUITE_P(Local, KeyServiceConformance, testing::Values(KeysFactory{"local",
//   &make}));
// where `make` gives a provider without keys for each test.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <functional>
#include <memory>
#include <string>

#include "oa/keys/key_service.h"

namespace oa {

/// What holds the keys; removed with it. open() may be called several times, also in a forked
/// process.
class KeysUnderTest {
 public:
  virtual ~KeysUnderTest() = default;
  virtual std::unique_ptr<KeyService> open() = 0;
  /// Returns when it is later than `when` for the provider.
  virtual void wait_until_after(Timestamp when) = 0;
};

struct KeysFactory {
  std::string name;
  std::function<std::unique_ptr<KeysUnderTest>()> make;
};
inline void PrintTo(const KeysFactory& factory, std::ostream* out) { *out << factory.name; }

class KeyServiceConformance : public testing::TestWithParam<KeysFactory> {
 protected:
  static constexpr auto kRows = KeyPurpose::kRows;

  void SetUp() override {
    under_test_ = GetParam().make();
    keys_ = under_test_->open();
    ASSERT_TRUE(keys_->create_tenant_key(tenant_).ok());
  }

  static std::string name(ErrorCode code) { return std::string(error_info(code).name); }
  static std::string outcome(const Status& status) {
    return status.ok() ? "ok" : name(status.error().code);
  }
  template <class T>
  static std::string error_of(const Result<T>& result) {
    return result.ok() ? "ok" : name(result.error().code);
  }
  // Hex of the data key, or the name of the error.
  static std::string opened(KeyService& keys, TenantId tenant, const WrappedKey& wrapped,
                            KeyPurpose purpose = kRows) {
    const auto key = keys.unwrap(tenant, purpose, wrapped);
    return key.ok() ? to_hex(key->view()) : name(key.error().code);
  }
  std::string opened(const WrappedKey& wrapped, KeyPurpose purpose = kRows) {
    return opened(*keys_, tenant_, wrapped, purpose);
  }
  DataKey generate(KeyPurpose purpose = kRows) {
    return *keys_->generate_data_key(tenant_, purpose);
  }
  // As early as the provider can destroy a key, and a little.
  Timestamp soon() const {
    const std::chrono::microseconds shortest = keys_->destruction_window().shortest;
    return {Timestamp::now().unix_us + shortest.count() + 200'000};
  }
  void expect_unusable(const std::string& code, const DataKey& key) {
    EXPECT_EQ(opened(key.wrapped), code);
    EXPECT_EQ(error_of(keys_->generate_data_key(tenant_, kRows)), code);
    EXPECT_EQ(error_of(keys_->rewrap(tenant_, kRows, key.wrapped)), code);
    EXPECT_EQ(outcome(keys_->rotate(tenant_)), code);
  }
  static int status_of(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::unique_ptr<KeysUnderTest> under_test_;
  std::unique_ptr<KeyService> keys_;
  const TenantId tenant_ = TenantId::random();
};

}  // namespace oa
