#include "oa/catalog/repositories.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

ArchiveRecord archive_of(std::int64_t created_us) {
  ArchiveRecord archive;
  archive.id = ArchiveId::random();
  archive.object_name = archive.id.str();
  archive.object_version = "v1";
  archive.created_at = {created_us};
  return archive;
}

TEST(Archives, ComeBackAsTheyWereAddedNewestFirst) {
  TenantTransaction tx = begin(new_tenant());
  User user;
  user.id = UserId::random();
  ASSERT_OK(Users(tx).put({&user, 1}));
  ArchiveRecord archive;
  archive.id = ArchiveId::random();
  archive.snapshot_time = {5};
  archive.object_name = "archives/one";
  archive.object_version = "v1";
  archive.size_bytes = 77;
  archive.with_audit = true;
  archive.counts = JsonText::parse(R"({"reports":3})").value();
  archive.content_hash = "abcd";
  archive.signer = "RWQ";
  archive.created_by = user.id;
  archive.created_at = {10};
  ASSERT_OK(Archives(tx).add(archive));
  ArchiveRecord newer = archive;
  newer.id = ArchiveId::random();
  newer.created_by.reset();
  newer.created_at = {20};
  ASSERT_OK(Archives(tx).add(newer));
  const auto archives = Archives(tx).list().value();
  ASSERT_EQ(archives.size(), 2u);
  EXPECT_EQ(archives[0].id, newer.id);
  EXPECT_FALSE(archives[0].created_by.has_value());
  const auto got = Archives(tx).get(archive.id).value();
  EXPECT_EQ(got.snapshot_time, archive.snapshot_time);
  EXPECT_EQ(got.object_version, "v1");
  EXPECT_EQ(got.size_bytes, 77u);
  EXPECT_FALSE(got.with_rows);
  EXPECT_TRUE(got.with_audit);
  EXPECT_EQ(got.counts, archive.counts);
  EXPECT_EQ(got.signer, "RWQ");
  EXPECT_EQ(got.created_by, archive.created_by);
  EXPECT_EQ(code_of(Archives(tx).get(ArchiveId::random())), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Archives(tx).add(archive)), ErrorCode::kConflict);
}

TEST(Archives, ARemovedOneIsGoneAndNoOther) {
  const TenantId tenant = new_tenant();
  const ArchiveRecord kept = archive_of(10), gone = archive_of(20);
  TenantTransaction tx = begin(tenant);
  ASSERT_OK(Archives(tx).add(kept));
  ASSERT_OK(Archives(tx).add(gone));
  ASSERT_OK(tx.commit());
  TenantTransaction other = begin(new_tenant());
  EXPECT_EQ(code_of(Archives(other).remove(gone.id)), ErrorCode::kNotFound);
  TenantTransaction after = begin(tenant);
  ASSERT_OK(Archives(after).remove(gone.id));
  EXPECT_EQ(code_of(Archives(after).remove(gone.id)), ErrorCode::kNotFound);
  const auto left = Archives(after).list().value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].id, kept.id);
}

}  // namespace
}  // namespace oa::catalog
