// Where the root key comes from, and everything that must not open a key store.
#include "root_key.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>

#include "keys_testkit.h"
#include "oa/base/io.h"

namespace oa {
namespace {

class RootKeyTest : public KeyStoreTest {
 protected:
  void put(const std::string& path, const Bytes& bytes) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << as_text(bytes);
  }
};

TEST_F(RootKeyTest, CreateMakesAPrivateKeyFileAndAPrivateStoreWhateverTheUmask) {
  const mode_t before = umask(0);
  create();
  umask(before);
  for (const std::string& path : {store_, root_.key_file}) {
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << path;
  }
  EXPECT_EQ(std::filesystem::file_size(root_.key_file), 32u);
}

TEST_F(RootKeyTest, CreateUsesAnExistingKeyFileAndNeverReplacesAStore) {
  create();
  const Bytes root_key = *read_file(root_.key_file, 100);
  const Bytes store = *read_file(store_, 1 << 20);
  EXPECT_EQ(LocalKeyService::create(store_, root_).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(*read_file(store_, 1 << 20), store);
  ASSERT_TRUE(LocalKeyService::create(store_ + "2", root_).ok());
  EXPECT_EQ(*read_file(root_.key_file, 100), root_key);
}

TEST_F(RootKeyTest, AMissingStoreOrKeyFileIsNeverMadeByOpen) {
  EXPECT_EQ(open_error(root_), ErrorCode::kKeyStoreMissing);
  create();
  std::filesystem::rename(root_.key_file, folder_ + "/elsewhere");
  const auto opened = LocalKeyService::open(store_, root_);
  EXPECT_EQ(opened.error().code, ErrorCode::kKeyStoreMissing);
  EXPECT_FALSE(opened.error().hint.empty());
  EXPECT_FALSE(std::filesystem::exists(root_.key_file));
  std::filesystem::rename(folder_ + "/elsewhere", root_.key_file);
  EXPECT_TRUE(LocalKeyService::open(store_, root_).ok());
}

TEST_F(RootKeyTest, AStoreThatVanishesWhileOpenIsMissing) {
  const auto keys = create();
  const TenantId tenant = TenantId::random();
  ASSERT_TRUE(keys->create_tenant_key(tenant).ok());
  std::filesystem::remove(store_);
  EXPECT_EQ(keys->describe(tenant).error().code, ErrorCode::kKeyStoreMissing);
  EXPECT_EQ(keys->rotate(tenant).error().code, ErrorCode::kKeyStoreMissing);
  EXPECT_FALSE(std::filesystem::exists(store_));
}

TEST_F(RootKeyTest, AKeyFileThatOthersCanAccessIsRefused) {
  create();
  for (const mode_t mode : {0640u, 0604u, 0620u, 0601u}) {
    ASSERT_EQ(chmod(root_.key_file.c_str(), mode), 0);
    EXPECT_EQ(open_error(root_), ErrorCode::kPermissionDenied);
    EXPECT_EQ(LocalKeyService::create(store_ + "2", root_).error().code,
              ErrorCode::kPermissionDenied);
  }
  ASSERT_EQ(chmod(root_.key_file.c_str(), 0400), 0);
  EXPECT_TRUE(LocalKeyService::open(store_, root_).ok());
}

TEST_F(RootKeyTest, AnotherKeyFileDoesNotOpen) {
  create();
  put(root_.key_file, Bytes(32, 1));
  EXPECT_EQ(open_error(root_), ErrorCode::kKeyWrong);
  put(root_.key_file, Bytes(31, 1));
  EXPECT_EQ(open_error(root_), ErrorCode::kKeyWrong);
  std::filesystem::remove(root_.key_file);
  std::filesystem::create_directory(root_.key_file);
  EXPECT_EQ(open_error(root_), ErrorCode::kKeyWrong);
}

TEST_F(RootKeyTest, APassphraseOpensItsStoreAndNoOtherDoes) {
  const TenantId tenant = TenantId::random();
  {
    const auto keys = *LocalKeyService::create(store_, with_passphrase("correct horse"));
    ASSERT_TRUE(keys->create_tenant_key(tenant).ok());
  }
  EXPECT_TRUE(
      (*LocalKeyService::open(store_, with_passphrase("correct horse")))->describe(tenant).ok());
  EXPECT_EQ(open_error(with_passphrase("correct hors")), ErrorCode::kKeyWrong);
  EXPECT_EQ(open_error(root_), ErrorCode::kKeyWrong) << "a key file for a store with a passphrase";
  EXPECT_FALSE(std::filesystem::exists(root_.key_file));
}

TEST_F(RootKeyTest, APassphraseDoesNotOpenAStoreWithAKeyFile) {
  create();
  EXPECT_EQ(open_error(with_passphrase("guess")), ErrorCode::kKeyWrong);
}

TEST_F(RootKeyTest, ExactlyOneSourceIsTaken) {
  RootKeySource both = with_passphrase("p");
  both.key_file = root_.key_file;
  EXPECT_EQ(LocalKeyService::create(store_, both).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(LocalKeyService::create(store_, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(LocalKeyService::create(store_, with_passphrase("")).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(store_));
}

TEST_F(RootKeyTest, EveryDamagedByteAndEveryTruncationOfTheStoreIsRefused) {
  ASSERT_TRUE(create()->create_tenant_key(TenantId::random()).ok());
  const Bytes good = *read_file(store_, 1 << 20);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes damaged = good;
    damaged[i] ^= 1;
    put(store_, damaged);
    const ErrorCode code = open_error(root_);
    EXPECT_TRUE(code == ErrorCode::kSealCorrupt || code == ErrorCode::kKeyWrong) << i;
    put(store_, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i)));
    const ErrorCode cut = open_error(root_);
    EXPECT_TRUE(cut == ErrorCode::kSealCorrupt || cut == ErrorCode::kKeyWrong) << i;
  }
  put(store_, good);
  EXPECT_TRUE(LocalKeyService::open(store_, root_).ok());
}

}  // namespace
}  // namespace oa
