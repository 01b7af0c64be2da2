#include "oa/datasets/secrets.h"

#include "datasets_testkit.h"
#include "oa/crypto/seal.h"
#include "secret_payload.h"

namespace oa::datasets {
namespace {

using catalog::SecretKind;

constexpr char kPayload[] =
    R"({"host":"db.example.com","database":"d","user":"u","password":"canary-one"})";
constexpr char kOther[] =
    R"({"host":"db.example.com","port":6543,"database":"d","user":"u","password":"canary-two","sslmode":"require"})";

class SecretStoreTest : public DatasetsTest {
 protected:
  std::string password_of(const char* name) {
    auto transaction = begin();
    auto credentials = open_postgres(transaction, *keys_, name);
    EXPECT_TRUE(credentials.ok());
    return credentials.ok() ? std::string(as_text(credentials->password.view())) : "";
  }
  catalog::SealedSecret sealed(const char* name) {
    auto transaction = begin();
    return catalog::Secrets(transaction).get(name).value();
  }
  static std::string key_id(const Bytes& sealed_bytes) {
    return read_seal_header(MemorySource(sealed_bytes)).value().key_id;
  }
};

TEST_F(SecretStoreTest, IsToldOfButNeverShown) {
  const auto put = secrets().put("warehouse", SecretKind::kPostgres, secret_of(kPayload), actor());
  ASSERT_OK(put);
  EXPECT_FALSE(put.value().rotated_at.has_value());
  EXPECT_EQ(password_of("warehouse"), "canary-one");
  const Bytes bytes = sealed("warehouse").sealed;
  EXPECT_EQ(as_text(bytes).find("canary"), std::string_view::npos);
  EXPECT_EQ(code_of(secrets().put("warehouse", SecretKind::kPostgres, secret_of(kOther), actor())),
            ErrorCode::kAlreadyExists);
  const auto infos = secrets().list().value();
  ASSERT_EQ(infos.size(), 1u);
  EXPECT_EQ(infos[0].name, "warehouse");
  EXPECT_EQ(infos[0].id, put.value().id);
  EXPECT_EQ(actions(), std::vector<std::string>{"admin.secret.create"});
  EXPECT_TRUE(files_with("canary").empty());
}

TEST_F(SecretStoreTest, RotationLeavesNothingOfTheOldValue) {
  ASSERT_OK(secrets().put("warehouse", SecretKind::kPostgres, secret_of(kPayload), actor()));
  const auto before = sealed("warehouse");
  const auto rotated = secrets().rotate("warehouse", secret_of(kOther), actor());
  ASSERT_OK(rotated);
  EXPECT_TRUE(rotated.value().rotated_at.has_value());
  const auto after = sealed("warehouse");
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.created_at, before.created_at);
  EXPECT_NE(read_seal_header(MemorySource(after.sealed)).value().wrapped_key,
            read_seal_header(MemorySource(before.sealed)).value().wrapped_key);
  EXPECT_EQ(password_of("warehouse"), "canary-two");
  EXPECT_EQ(secrets().list().value().size(), 1u);
  EXPECT_EQ(code_of(secrets().rotate("other", secret_of(kOther), actor())), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(secrets().rotate("warehouse", secret_of("{}"), actor())),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(password_of("warehouse"), "canary-two");
  EXPECT_EQ(actions().back(), "admin.secret.rotate");
}

TEST_F(SecretStoreTest, RewrappingFollowsTheTenantsKey) {
  ASSERT_OK(secrets().put("one", SecretKind::kPostgres, secret_of(kPayload), actor()));
  ASSERT_OK(secrets().put("two", SecretKind::kPostgres, secret_of(kOther), actor()));
  const std::string old_key = key_id(sealed("one").sealed);
  ASSERT_OK(keys_->rotate(tenant_));
  EXPECT_EQ(secrets().rewrap_all(actor()).value(), 2u);
  for (const char* name : {"one", "two"}) {
    EXPECT_NE(key_id(sealed(name).sealed), old_key);
    EXPECT_FALSE(sealed(name).rotated_at.has_value());
  }
  EXPECT_EQ(password_of("one"), "canary-one");
  EXPECT_EQ(password_of("two"), "canary-two");
  EXPECT_EQ(actions().back(), "admin.secret.rewrap");
}

TEST_F(SecretStoreTest, StaysWhileADatasetNamesIt) {
  ASSERT_OK(secrets().put("warehouse", SecretKind::kPostgres, secret_of(kPayload), actor()));
  catalog::Dataset dataset;
  dataset.id = DatasetId::random();
  dataset.workspace_id = workspace_;
  dataset.created_by = user_;
  dataset.source_ref = "warehouse";
  auto transaction = begin();
  ASSERT_OK(catalog::Datasets(transaction).put({&dataset, 1}));
  ASSERT_OK(transaction.commit());
  EXPECT_EQ(code_of(secrets().remove("warehouse", false, actor())), ErrorCode::kConflict);
  EXPECT_EQ(secrets().list().value().size(), 1u);
  ASSERT_OK(secrets().remove("warehouse", true, actor()));
  EXPECT_TRUE(secrets().list().value().empty());
  EXPECT_EQ(code_of(secrets().remove("warehouse", true, actor())), ErrorCode::kNotFound);
  EXPECT_EQ(actions().back(), "admin.secret.delete");
}

TEST_F(SecretStoreTest, PayloadsAreCheckedAndNeverQuoted) {
  const std::pair<SecretKind, const char*> bad[] = {
      {SecretKind::kPostgres, "canary"},
      {SecretKind::kPostgres, "[\"canary\"]"},
      {SecretKind::kPostgres, R"({"host":"h","database":"d","user":"u"})"},
      {SecretKind::kPostgres, R"({"host":"h","database":"d","user":"u","password":7})"},
      {SecretKind::kPostgres, R"({"host":"h","database":"d","user":"u","password":""})"},
      {SecretKind::kPostgres, R"({"host":"/canary","database":"d","user":"u","password":"p"})"},
      {SecretKind::kPostgres, R"({"host":"a,b","database":"d","user":"u","password":"p"})"},
      {SecretKind::kPostgres, R"({"host":"h","port":0,"database":"d","user":"u","password":"p"})"},
      {SecretKind::kPostgres,
       R"({"host":"h","port":"1","database":"d","user":"u","password":"p"})"},
      {SecretKind::kPostgres,
       R"({"host":"h","database":"d","user":"u","password":"p","canary":"x"})"},
      {SecretKind::kPostgres,
       R"({"host":"h","database":"d","user":"u","password":"p","sslmode":"canary"})"},
      {SecretKind::kPostgres,
       R"({"host":"h","database":"d","user":"u","password":"p","ca":"canary"})"},
      {SecretKind::kPostgres, R"({"host":"h","database":"d\u0000","user":"u","password":"p"})"},
      {SecretKind::kCloudKey,
       R"({"provider":"canary","access_key_id":"a","secret_access_key":"s"})"},
      {SecretKind::kCloudKey, R"({"provider":"aws","access_key_id":"canary"})"},
      {SecretKind::kSamlCertificate, R"({"certificate":"canary"})"},
      {SecretKind::kSamlCertificate,
       R"({"certificate":"-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n"})"}};
  for (const auto& [kind, payload] : bad) {
    const auto put = secrets().put("name", kind, secret_of(payload), actor());
    ASSERT_FALSE(put.ok()) << payload;
    EXPECT_EQ(put.error().code, ErrorCode::kInvalidArgument) << payload;
    EXPECT_FALSE(put.error().hint.empty());
    EXPECT_EQ((put.error().message + put.error().hint + put.error().cause).find("canary"),
              std::string::npos)
        << put.error().message << put.error().cause;
  }
  const std::string large =
      R"({"provider":"aws","access_key_id":")" + std::string(300'000, 'x') + "\"}";
  EXPECT_EQ(code_of(secrets().put("name", SecretKind::kCloudKey, secret_of(large), actor())),
            ErrorCode::kInvalidArgument);
  for (const std::string& name :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a\n")})
    EXPECT_EQ(code_of(secrets().put(name, SecretKind::kPostgres, secret_of(kPayload), actor())),
              ErrorCode::kInvalidArgument);
  EXPECT_TRUE(secrets().list().value().empty());
  EXPECT_TRUE(actions().empty());
}

TEST_F(SecretStoreTest, ACertificateTellsUntilWhenItIsValid) {
  const std::string payload =
      canonical_json(json::object{{"certificate", source_cluster().ca_certificate()}});
  const auto put = secrets().put("saml", SecretKind::kSamlCertificate, secret_of(payload), actor());
  ASSERT_OK(put);
  ASSERT_TRUE(put.value().expires_at.has_value());
  const std::int64_t hours =
      (put.value().expires_at->unix_us - Timestamp::now().unix_us) / 3'600'000'000;
  EXPECT_GE(hours, 46);
  EXPECT_LE(hours, 48);
  ASSERT_OK(secrets().put(
      "cloud", SecretKind::kCloudKey,
      secret_of(R"({"provider":"s3","access_key_id":"a","secret_access_key":"s"})"), actor()));
  auto transaction = begin();
  for (const char* name : {"saml", "cloud", "nowhere"})
    EXPECT_EQ(code_of(open_postgres(transaction, *keys_, name)), ErrorCode::kSourceRefused) << name;
}

TEST_F(SecretStoreTest, NoTenantReachesAnothers) {
  ASSERT_OK(secrets().put("warehouse", SecretKind::kPostgres, secret_of(kPayload), actor()));
  const TenantId other = TenantId::random();
  ASSERT_OK(keys_->create_tenant_key(other));
  ASSERT_OK(
      database_->create_tenant({other, "tenant " + other.str(), catalog::Plan::kStarter, {}}));
  SecretStore theirs(*database_, *keys_, other);
  EXPECT_TRUE(theirs.list().value().empty());
  EXPECT_EQ(code_of(theirs.rotate("warehouse", secret_of(kOther), {})), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(theirs.remove("warehouse", true, {})), ErrorCode::kNotFound);
  EXPECT_EQ(theirs.rewrap_all({}).value(), 0u);
  // Even the sealed bytes are of no use to them, under the same id.
  auto transaction = database_->begin(other).value();
  ASSERT_OK(catalog::Secrets(transaction).put(sealed("warehouse")));
  const auto stolen = open_postgres(transaction, *keys_, "warehouse");
  ASSERT_FALSE(stolen.ok());
  EXPECT_NE(stolen.error().code, ErrorCode::kSourceRefused);
  EXPECT_EQ(password_of("warehouse"), "canary-one");
}

}  // namespace
}  // namespace oa::datasets
