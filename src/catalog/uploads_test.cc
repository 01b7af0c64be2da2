#include "oa/catalog/uploads.h"

#include "test_cluster.h"

namespace oa::catalog {
namespace {

UploadRecord upload_of(std::uint64_t length, std::int64_t created_us) {
  UploadRecord record;
  record.id = UploadId::random();
  record.created_by = UserId::random();
  record.file_name = "tenant.oa-archive";
  record.length_bytes = length;
  record.created_at = {created_us};
  record.expires_at = {created_us + 100};
  return record;
}

TEST(Uploads, ComeBackNewestFirstAndGoWithTheirParts) {
  TenantTransaction tx = begin(new_tenant());
  Uploads uploads(tx);
  const UploadRecord older = upload_of(10, 1), newer = upload_of(20, 2);
  ASSERT_OK(uploads.add(older));
  ASSERT_OK(uploads.add(newer));
  EXPECT_EQ(uploads.list().value(), (std::vector{newer, older}));
  EXPECT_EQ(uploads.get(older.id).value(), older);
  EXPECT_EQ(uploads.expired(Timestamp{101}).value(), std::vector{older});
  EXPECT_TRUE(uploads.expired(Timestamp{100}).value().empty());
  EXPECT_EQ(uploads.list(newer.created_by).value(), std::vector{newer});
  EXPECT_TRUE(uploads.list(UserId::random()).value().empty());
  const auto usage = uploads.lock_usage(older.created_by).value();
  EXPECT_EQ(usage.tenant.uploads, 2u);
  EXPECT_EQ(usage.tenant.length_bytes, 30u);
  EXPECT_EQ(usage.person.uploads, 1u);
  EXPECT_EQ(usage.person.length_bytes, 10u);
  const std::vector<UploadPart> parts{{0, 4, "v1"}, {4, 3, "v2"}};
  ASSERT_OK(uploads.append(older.id, 0, 0, parts, Timestamp{500}));
  ASSERT_OK(uploads.remove(older.id));
  EXPECT_TRUE(uploads.parts(older.id).value().empty());
  EXPECT_EQ(code_of(uploads.get(older.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(uploads.remove(older.id)), ErrorCode::kNotFound);
}

TEST(Uploads, PartsCountOnlyBehindWhatThereIs) {
  const TenantId tenant = new_tenant();
  const UploadRecord record = upload_of(10, 1);
  {
    TenantTransaction tx = begin(tenant);
    ASSERT_OK(Uploads(tx).add(record));
    const std::vector<UploadPart> first{{0, 4, "v1"}, {4, 3, "v2"}};
    ASSERT_OK(Uploads(tx).append(record.id, 0, 0, first, Timestamp{500}));
    ASSERT_OK(tx.commit());
  }
  for (const std::uint64_t offset : {0, 4, 8}) {
    TenantTransaction tx = begin(tenant);
    const std::vector<UploadPart> part{{offset, 1, "v3"}};
    EXPECT_EQ(code_of(Uploads(tx).append(record.id, 0, offset, part, {})), ErrorCode::kConflict);
  }
  {
    TenantTransaction tx = begin(tenant);
    const std::vector<UploadPart> beyond{{7, 4, "v3"}};
    EXPECT_EQ(code_of(Uploads(tx).append(record.id, 0, 7, beyond, {})),
              ErrorCode::kInvalidArgument);
  }
  TenantTransaction other = begin(new_tenant());
  const std::vector<UploadPart> rest{{7, 3, "v3"}};
  EXPECT_EQ(code_of(Uploads(other).append(record.id, 0, 7, rest, {})), ErrorCode::kConflict);
  EXPECT_EQ(code_of(Uploads(other).get(record.id)), ErrorCode::kNotFound);
  TenantTransaction tx = begin(tenant);
  ASSERT_OK(Uploads(tx).append(record.id, 0, 7, rest, Timestamp{600}));
  const auto whole = Uploads(tx).get(record.id).value();
  EXPECT_TRUE(whole.whole());
  EXPECT_EQ(whole.expires_at, Timestamp{600});
  EXPECT_EQ(Uploads(tx).part_count(record.id).value(), 3u);
  EXPECT_EQ(Uploads(tx).parts(record.id).value(),
            (std::vector<UploadPart>{{0, 4, "v1"}, {4, 3, "v2"}, {7, 3, "v3"}}));
}

using std::chrono::milliseconds;

TEST(Uploads, OneAtATimeChangesAnUpload) {
  TenantTransaction tx = begin(new_tenant());
  Uploads uploads(tx);
  const UploadRecord record = upload_of(10, 1), other = upload_of(10, 2);
  ASSERT_OK(uploads.add(record));
  ASSERT_OK(uploads.add(other));
  const auto first = uploads.take(record.id, milliseconds(60'000)).value();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(uploads.take(record.id, milliseconds(60'000)).value(), std::nullopt);
  EXPECT_NE(uploads.take(other.id, milliseconds(60'000)).value(), std::nullopt);
  ASSERT_OK(uploads.release(record.id, *first));
  const auto second = uploads.take(record.id, milliseconds(60'000)).value();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(code_of(uploads.release(record.id, *first)), ErrorCode::kConflict);
  EXPECT_EQ(uploads.take(record.id, milliseconds(60'000)).value(), std::nullopt);
  EXPECT_EQ(code_of(uploads.take(UploadId::random(), milliseconds(1))), ErrorCode::kNotFound);
}

TEST(Uploads, WhoIsSilentLosesItAndAddsNothing) {
  TenantTransaction tx = begin(new_tenant());
  Uploads uploads(tx);
  const UploadRecord record = upload_of(10, 1);
  ASSERT_OK(uploads.add(record));
  const std::vector<UploadPart> part{{0, 4, "v1"}};
  const auto silent = uploads.take(record.id, milliseconds(0)).value();
  const auto next = uploads.take(record.id, milliseconds(0)).value();
  ASSERT_TRUE(silent.has_value());
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(code_of(uploads.hold(record.id, *silent, milliseconds(1))), ErrorCode::kConflict);
  EXPECT_EQ(code_of(uploads.append(record.id, *silent, 0, part, {})), ErrorCode::kConflict);
  // Nobody took it meanwhile, so it holds it again.
  ASSERT_OK(uploads.hold(record.id, *next, milliseconds(60'000)));
  EXPECT_EQ(uploads.take(record.id, milliseconds(0)).value(), std::nullopt);
  ASSERT_OK(uploads.append(record.id, *next, 0, part, {}));
}

}  // namespace
}  // namespace oa::catalog
