#include "instance_testkit.h"

#include <sys/stat.h>

#include <filesystem>

namespace oa::instance {
namespace {

class SharedInstance : public testing::Environment {
 public:
  void SetUp() override {
    char path[] = "/tmp/oa-instance-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    ASSERT_EQ(chmod(path, 0711), 0);
    folder_ = path;
    Settings settings;
    settings.data_folder = folder_ + "/data";
    settings.create = true;
    auto opened = Instance::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().message << opened.error().cause;
    instance_ = std::move(opened).value();
  }
  void TearDown() override {
    instance_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string folder_;
  std::unique_ptr<Instance> instance_;
};

auto* const shared =
    static_cast<SharedInstance*>(testing::AddGlobalTestEnvironment(new SharedInstance));

}  // namespace

Instance& shared_instance() { return *shared->instance_; }

catalog::User a_user(const std::string& email, bool owner, bool active) {
  catalog::User user;
  user.id = UserId::random();
  user.email = email;
  user.owner = owner;
  user.active = active;
  return user;
}

UserId add_user(TenantId tenant, const std::string& email, bool owner, bool active) {
  const auto user = a_user(email, owner, active);
  auto transaction = shared_instance().database().begin(tenant);
  EXPECT_TRUE(catalog::Users(*transaction).put({&user, 1}).ok());
  EXPECT_TRUE(transaction->commit().ok());
  return user.id;
}

std::vector<AuditEvent> audit_of(TenantId tenant) {
  std::vector<AuditEvent> events;
  auto transaction = shared_instance().database().begin(tenant, catalog::Isolation::kSnapshot);
  EXPECT_TRUE(catalog::Audit(*transaction)
                  .for_each([&](const AuditEvent& event) {
                    events.push_back(event);
                    return Status();
                  })
                  .ok());
  return events;
}

}  // namespace oa::instance
