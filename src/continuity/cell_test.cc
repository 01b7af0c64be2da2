// Whose a cell's folder is, and what happens when it is not there.
#include "oa/continuity/cell.h"

#include <filesystem>

#include "continuity_testkit.h"
#include "oa/keys/local_key_service.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;

class CellFile : public testing::Test {
 protected:
  CellFile() {
    RootKeySource root;
    root.key_file = folder_.path() + "/root.key";
    keys_ = LocalKeyService::create(folder_.path() + "/keystore", root).value();
    settings_.folder = folder_.path() + "/continuity";
    settings_.postgres_folder = folder_.path() + "/postgres";
    settings_.identity_copy = folder_.path() + "/cell.json";
  }
  Result<TenantId> open(bool create = false) {
    settings_.create = create;
    OA_ASSIGN(const auto cell, Cell::open(settings_, *keys_));
    return cell->id();
  }
  std::string own() const { return settings_.folder + "/cell.json"; }

  TestFolder folder_;
  std::unique_ptr<KeyService> keys_;
  CellSettings settings_;
};

TEST_F(CellFile, MadeOnceAndTheSameFromThenOn) {
  EXPECT_FALSE(Cell::exists(settings_));
  EXPECT_EQ(code_of(open()), ErrorCode::kNotFound);
  const auto made = open(true);
  ASSERT_OK(made);
  EXPECT_TRUE(Cell::exists(settings_));
  EXPECT_EQ(open().value(), *made);
  EXPECT_EQ(open(true).value(), *made);
}

TEST_F(CellFile, ComesBackFromItsCopyOrTheCopyFromIt) {
  const TenantId made = open(true).value();
  fs::create_directory(settings_.folder + "/repository");
  ASSERT_TRUE(fs::remove(own()));
  EXPECT_EQ(open().value(), made);
  EXPECT_TRUE(fs::exists(own()));
  ASSERT_TRUE(fs::remove(settings_.identity_copy));
  EXPECT_EQ(open().value(), made);
  EXPECT_TRUE(fs::exists(settings_.identity_copy));
}

TEST_F(CellFile, AFolderThatIsNotMountedIsNotBegunAnew) {
  ASSERT_OK(open(true));
  fs::remove_all(settings_.folder);
  EXPECT_EQ(code_of(open(true)), ErrorCode::kRepositoryUnavailable);
  fs::create_directory(settings_.folder);
  EXPECT_EQ(code_of(open(true)), ErrorCode::kRepositoryUnavailable);
  EXPECT_TRUE(fs::is_empty(settings_.folder));
  ASSERT_TRUE(fs::remove(settings_.identity_copy));  // given up
  ASSERT_OK(open(true));
}

TEST_F(CellFile, BackupsWithoutTheirFileAreNotTakenOver) {
  ASSERT_OK(open(true));
  fs::create_directory(settings_.folder + "/wal");
  fs::remove(own());
  fs::remove(settings_.identity_copy);
  EXPECT_EQ(code_of(open(true)), ErrorCode::kKeyStoreMissing);
  EXPECT_FALSE(fs::exists(own()));
}

TEST_F(CellFile, AnothersBackupsAreRefused) {
  ASSERT_OK(open(true));
  const std::string mine = folder_.path() + "/mine";
  fs::rename(settings_.identity_copy, mine);
  fs::remove_all(settings_.folder);
  ASSERT_OK(open(true));  // another's
  fs::rename(mine, settings_.identity_copy);
  EXPECT_EQ(code_of(open(true)), ErrorCode::kConflict);
}

TEST_F(CellFile, ADamagedOneSaysSo) {
  ASSERT_OK(open(true));
  fs::resize_file(own(), fs::file_size(own()) / 2);
  EXPECT_EQ(code_of(open()), ErrorCode::kSealCorrupt);
}

}  // namespace
}  // namespace oa::continuity
