// An upload whose server is killed, at every step of it.
#include <chrono>
#include <thread>

#include "uploads_testkit.h"

namespace oa::uploads {
namespace {

void wait_until_free(Uploads& uploads, UploadId id, std::uint64_t offset) {
  for (int tries = 0; tries < 500; ++tries) {
    const auto append = uploads.append(id, offset);
    if (append.ok()) return;
    ASSERT_EQ(append.error().code, ErrorCode::kUploadInUse) << append.error().message;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL() << "the upload of a killed process stays in use";
}

TEST(UploadsCrash, KilledAtAnyStepItGoesOnBehindTheLastPart) {
  const TenantId tenant = new_tenant();
  auto& instance = shared_instance();
  Uploads uploads(instance.database(), instance.objects(), tenant, short_lease());
  constexpr std::uint64_t kLength = 4 * kPartBytes + 1000;
  const auto upload = must(uploads.create({kLength, "file", std::nullopt}));
  std::uint64_t offset = 0;
  int kills = 0, remnants = 0;
  for (int kill_at = 1;; ++kill_at) {
    const auto outcome = append_in_child(tenant, upload.id, kill_at);
    ASSERT_EQ(outcome.error, "") << kill_at;
    const auto found = must(uploads.get(upload.id));
    ASSERT_GE(found.offset_bytes, offset) << kill_at;
    offset = found.offset_bytes;
    if (!outcome.killed) break;
    ++kills;
    EXPECT_EQ(offset % kPartBytes, 0u) << kill_at;
    wait_until_free(uploads, upload.id, offset);
    remnants += static_cast<int>(must(uploads.sweep(Timestamp::now())).objects);
  }
  EXPECT_EQ(offset, kLength);
  EXPECT_GE(kills, 8);
  EXPECT_GE(remnants, 1);  // a part that was durable and not counted yet
  const auto source = must(uploads.open(upload.id));
  EXPECT_TRUE(must(read_all(*source, kLength)) == bytes_at(0, kLength));
  EXPECT_EQ(must(uploads.sweep(Timestamp::now())).objects, 0u);
  must(uploads.remove(upload.id));
  EXPECT_TRUE(
      must(instance.objects().store().list(tenant, RetentionClass::kArchives, "", 10)).empty());
}

}  // namespace
}  // namespace oa::uploads
