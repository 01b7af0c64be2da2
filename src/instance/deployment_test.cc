#include "oa/instance/deployment.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "instance_testkit.h"

namespace oa::instance {
namespace {

class DeploymentFile : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/oa-deployment-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    folder_ = path;
    write("password", "right\n", 0600);
    write("passfile", "*:*:*:oa_service:x\n", 0600);
    write("ca.pem", "none", 0644);
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  void write(const std::string& name, const std::string& text, mode_t mode) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::trunc) << text;
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }
  static std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    return at == text.npos ? text : text.replace(at, from.size(), to);
  }
  std::string whole() const {
    std::string text = R"({"cluster":{"kind":"patroni",
      "rest":{"urls":["https://db1.example:8008","https://db2.example:8008"],"user":"orch",
              "password_file":"@/password","ca_file":"@/ca.pem"},
      "postgres":{"hosts":["db1.example:5433","db2.example","[::1]:5434"],"sslmode":"verify-full",
                  "sslrootcert":"@/ca.pem","passfile":"@/passfile","database":"cell_one"},
      "archiving":{"program":"/opt/oa/oa-backup"},
      "nodes":[{"member":"n1","data_folder":"/srv/n1/data","socket_folder":"/run/n1","port":5433},
               {"member":"n2","data_folder":"/srv/n2/data","socket_folder":"/run/n2"}]}})";
    for (auto at = text.find('@'); at != text.npos; at = text.find('@'))
      text.replace(at, 1, folder_);
    return text;
  }
  Result<Deployment> read(const std::string& text, mode_t mode = 0644) const {
    write("config.json", text, mode);
    return read_deployment(folder_ + "/config.json");
  }
  // "<code> <message>" of a refusal.
  std::string refusal(const std::string& from, const std::string& to) const {
    const auto read_now = read(replaced(whole(), from, to));
    if (read_now.ok()) return "read";
    const Error& error = read_now.error();
    EXPECT_EQ((error.message + error.hint + error.cause).find("right"), std::string::npos);
    return std::string(error_info(error.code).name) + " " + error.message;
  }
  std::string folder_;
};

TEST_F(DeploymentFile, WhatItSays) {
  const auto deployment = read(whole());
  ASSERT_TRUE(deployment.ok()) << deployment.error().message;
  const auto& cluster = *deployment->cluster;
  EXPECT_EQ(cluster.rest.urls.size(), 2u);
  EXPECT_EQ(as_text(cluster.rest.password.view()), "right");
  EXPECT_EQ(cluster.postgres.host, "db1.example,db2.example,::1");
  EXPECT_EQ(cluster.postgres.port, "5433,5432,5434");
  EXPECT_EQ(cluster.postgres.database, "cell_one");
  ASSERT_EQ(cluster.nodes.size(), 2u);
  EXPECT_EQ(cluster.nodes[0].port, "5433");
  EXPECT_EQ(cluster.nodes[1].port, "5432");
  EXPECT_TRUE(cluster.archive_command.starts_with(
      "/opt/oa/oa-backup archive-wal --node /etc/oa-backup/node.json "))
      << cluster.archive_command;
  const auto text = catalog::connection_string(cluster.postgres, "o'r");
  EXPECT_NE(text.find("user='o\\'r'"), text.npos) << text;
  EXPECT_NE(text.find("target_session_attrs='read-write'"), text.npos) << text;
  EXPECT_NE(text.find("channel_binding='require'"), text.npos) << text;
  EXPECT_EQ(text.find("right"), text.npos);

  const auto local = read(replaced(replaced(whole(), "https://db1.example", "http://127.0.0.1"),
                                   "https://db2.example", "http://[::1]"));
  EXPECT_TRUE(local.ok()) << local.error().message;
  const auto empty = read("{}");
  ASSERT_TRUE(empty.ok());
  EXPECT_FALSE(empty->cluster.has_value());
}

TEST_F(DeploymentFile, EachFieldThatIsWrongIsNamed) {
  const struct {
    const char *from, *to, *says;
  } kCases[] = {
      {"{\"cluster\"", "{\"clusters\"", "config has an unknown member clusters"},
      {"\"kind\":\"patroni\"", "\"kind\":\"stolon\"", "config.cluster.kind is patroni"},
      {"\"kind\":\"patroni\",", "", "config.cluster.kind is missing"},
      {"\"rest\":{", "\"rest\":7,\"x\":{", "config.cluster.rest is not an object"},
      {"\"nodes\":[", "\"node\":[", "config.cluster has an unknown member node"},
      {"[\"https://db1.example:8008\",\"https://db2.example:8008\"]", "[]",
       "config.cluster.rest.urls must have 1 to 32 entries"},
      {"\"https://db1.example:8008\"", "8008", "config.cluster.rest.urls holds"},
      {"\"https://db1.example:8008\"", "\"ftp://db1\"",
       "config.cluster.rest.urls: not the address"},
      {"https://db1", "http://db1", "config.cluster.rest.urls must be https: another machine"},
      {"\"user\":\"orch\",", "", "config.cluster.rest.password_file goes with user"},
      {"\"user\":\"orch\"", "\"user\":5", "config.cluster.rest.user is not a string"},
      {"\"ca_file\":\"", "\"ca_file\":\"x", "config.cluster.rest.ca_file is no absolute path"},
      {"\"ca_file\"", "\"cafile\"", "config.cluster.rest has an unknown member cafile"},
      {"db1.example:5433", "db1.example:99999", "config.cluster.postgres.hosts holds what is no"},
      {"db1.example:5433", "db1,db2:5433", "config.cluster.postgres.hosts holds what is no"},
      {"[::1]:5434", "::1:5434", "config.cluster.postgres.hosts holds what is no"},
      {"verify-full", "require", "config.cluster.postgres.sslmode is verify-full, verify-ca"},
      {"verify-full", "disable", "config.cluster.postgres.sslmode must be verify-full"},
      {"\"sslrootcert\"", "\"sslrootcerts\"", "config.cluster.postgres.sslrootcert goes with"},
      {"\"passfile\"", "\"password\"", "config.cluster.postgres.passfile is missing"},
      {"cell_one", "Cell; DROP", "config.cluster.postgres.database has 1 to 63"},
      {"/opt/oa/", "/opt/o a/", "config.cluster.archiving.program is no absolute path"},
      {"\"program\":\"/opt", "\"node_file\":\"opt", "config.cluster.archiving.node_file is no"},
      {"\"program\"", "\"programs\"", "config.cluster.archiving has an unknown member"},
      {"\"member\":\"n2\"", "\"member\":\"n1\"", "config.cluster.nodes[1].member is there twice"},
      {"\"member\":\"n1\"", "\"member\":\"\"", "config.cluster.nodes[0].member is no name"},
      {"/srv/n1/data", "srv/n1/data", "config.cluster.nodes[0].data_folder is no absolute path"},
      {"/run/n2", "run/n2", "config.cluster.nodes[1].socket_folder is no absolute path"},
      {"\"port\":5433", "\"port\":70000", "config.cluster.nodes[0].port is no port"},
      {"\"port\":5433", "\"ports\":1", "config.cluster.nodes[0] has an unknown member ports"},
  };
  for (const auto& [from, to, says] : kCases) {
    const std::string refused = refusal(from, to);
    EXPECT_TRUE(refused.starts_with("request/invalid ")) << from << " -> " << to << ": " << refused;
    EXPECT_NE(refused.find(says), refused.npos) << from << " -> " << to << ": " << refused;
  }
  EXPECT_EQ(read("{").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_deployment(folder_ + "/none").error().code, ErrorCode::kNotFound);
}

TEST_F(DeploymentFile, WhereKeysAre) {
  write("kms.json", R"({"access_key_id":"AK","secret_access_key":"right"})", 0600);
  write("module.so", "", 0644);
  const auto said = [&](const std::string& keys) {
    std::string text = "{\"keys\":" + keys + "}";
    for (auto at = text.find('@'); at != text.npos; at = text.find('@'))
      text.replace(at, 1, folder_);
    const auto deployment = read(text);
    if (deployment.ok()) return std::string(deployment->keys.has_value() ? "read" : "local");
    EXPECT_EQ((deployment.error().message + deployment.error().hint).find("right"), std::string::npos);
    return deployment.error().message;
  };
  const std::string kms = R"({"provider":"aws-kms","region":"eu-central-1","credentials_file":"@/kms.json"})";
  const std::string token =
      R"({"provider":"pkcs11","module":"@/module.so","token":"t","pin_file":"@/password"})";
  EXPECT_EQ(said(R"({"provider":"local"})"), "local");
  EXPECT_EQ(said(kms), "read");
  EXPECT_EQ(said(token), "read");
  const struct {
    const std::string& whole;
    const char *from, *to, *says;
  } kCases[] = {
      {kms, "aws-kms", "vault", "config.keys.provider is local, aws-kms or pkcs11"},
      {kms, "\"region\"", "\"area\"", "config.keys.region is missing"},
      {kms, "eu-central-1", "", "config.keys: "},
      {kms, "\"region\"", "\"alias_prefix\":\"A B\",\"region\"", "config.keys: "},
      {kms, "\"region\"", "\"endpoint\":\"http://db1.example\",\"region\"", "config.keys: "},
      {kms, "\"region\"", "\"pin\":1,\"region\"", "config.keys has an unknown member pin"},
      {kms, "\"region\"", "\"cache\":{\"max_age_seconds\":0},\"region\"",
       "config.keys.cache.max_age_seconds is 1 to 3600"},
      {kms, "\"region\"", "\"cache\":{\"max_uses\":0},\"region\"", "config.keys.cache.max_uses is 1"},
      {kms, "\"region\"", "\"cache\":{\"max_entries\":70000},\"region\"",
       "config.keys.cache.max_entries is 1 to 65536"},
      {token, "@/module.so", "module.so", "config.keys.module is no absolute path"},
      {token, "\"token\"", "\"tokens\"", "config.keys.token is missing"},
      {token, "@/password", "@/nothing", "/nothing"},
  };
  for (const auto& [whole, from, to, says] : kCases)
    EXPECT_NE(said(replaced(whole, from, to)).find(says), std::string::npos)
        << from << " -> " << to << ": " << said(replaced(whole, from, to));
  EXPECT_NE(said(R"({"provider":"local","region":"x"})").find("config.keys has an unknown member region"),
            std::string::npos);
  write("kms.json", R"({"access_key_id":"AK","secret_access_key":"right"})", 0640);
  EXPECT_NE(said(kms).find("others can get at"), std::string::npos);
  write("password", "right\n", 0604);
  EXPECT_NE(said(token).find("others can get at"), std::string::npos);
  write("password", "right\n", 0600);
  write("module.so", "", 0666);
  EXPECT_NE(said(token).find("others can get at"), std::string::npos);
}

TEST_F(DeploymentFile, SecretsAreTheirOwnersAlone) {
  EXPECT_EQ(read(whole(), 0664).error().code, ErrorCode::kPermissionDenied);
  for (const char* name : {"password", "passfile"}) {
    write(name, "*:*:*:oa_service:right\n", 0640);
    const auto refused = read(whole());
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied) << name;
    EXPECT_NE(refused.error().message.find(name), std::string::npos);
    write(name, "*:*:*:oa_service:right\n", 0600);
  }
  write("password", "\n", 0600);
  EXPECT_EQ(read(whole()).error().code, ErrorCode::kInvalidArgument);
  std::filesystem::remove(folder_ + "/passfile");
  write("password", "right\n", 0600);
  EXPECT_EQ(read(whole()).error().code, ErrorCode::kNotFound);
}

// Of a section `objects` whose replica has `fields`.
class ReplicaFile : public DeploymentFile {
 protected:
  Result<Deployment> with_replica(const std::string& fields) const {
    write("s3.json", R"({"access_key_id":"AK","secret_access_key":"right"})", 0600);
    std::string text = R"({"objects":{"kind":"s3","endpoint":"https://one.example","region":"one",
      "bucket":"first","prefix":"cell/","credentials_file":"@/s3.json","replica":{)" +
                       fields + "}}}";
    for (auto at = text.find('@'); at != text.npos; at = text.find('@'))
      text.replace(at, 1, folder_);
    return read(text);
  }
};

TEST_F(ReplicaFile, IsReadBesideTheBucketAndIsNotTheBucket) {
  const std::string place =
      R"("endpoint":"https://two.example","region":"two","credentials_file":"@/s3.json","bucket":)";
  const auto found = with_replica(place + "\"second\"");
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->objects->bucket, "first");
  EXPECT_EQ(found->replica->bucket, "second");
  EXPECT_EQ(found->replica->prefix, "cell/");
  EXPECT_EQ(found->replica->connection.scope.region, "two");
  for (const auto* each : {&*found->objects, &*found->replica})
    EXPECT_LT(each->connection.connect_timeout, aws::ClientSettings().connect_timeout);
  EXPECT_TRUE(with_replica(place + "\"first\"").ok());  // Ceph's zones have it by the same name
  const auto same = with_replica(
      R"("endpoint":"https://one.example","region":"one","credentials_file":"@/s3.json","bucket":"first")");
  ASSERT_FALSE(same.ok());
  EXPECT_EQ(same.error().code, ErrorCode::kInvalidArgument);
  const auto other_prefix = with_replica(place + R"("second","prefix":"other/")");
  ASSERT_FALSE(other_prefix.ok());
  EXPECT_NE(other_prefix.error().message.find("config.objects.replica"), std::string::npos);
}

}  // namespace
}  // namespace oa::instance
