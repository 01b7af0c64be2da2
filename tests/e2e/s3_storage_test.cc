// `oa-backup storage …` on a bucket of a real S3 server, over the documented configuration.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <sstream>
#include <thread>

#include "oa/objects/bucket_configuration.h"
#include "rgw_testkit.h"
#include "s3_bucket.h"
#include "testkit/archive_tool.h"
#include "testkit/service.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using rgw::Gateway;

constexpr int kStorageStatus = 8;

class S3Storage : public testing::Test {
 protected:
  S3Storage() {
    store_ = Gateway::shared().fresh_store();
    store_.bucket = Gateway::shared().make_bucket(true, true);
    store_.prefix = "cell-1/";
    testkit::write_file(scratch_ / "s3.json",
                        R"({"access_key_id":"AKTEST","secret_access_key":"SKTEST"})");
    fs::permissions(scratch_ / "s3.json", fs::perms(0600));
    json::object objects{{"kind", "s3"},
                         {"endpoint", Gateway::shared().url()},
                         {"region", "default"},
                         {"bucket", store_.bucket},
                         {"prefix", store_.prefix},
                         {"credentials_file", scratch_ / "s3.json"},
                         {"ledger_lock", {{"mode", "governance"}, {"days", 1}}}};
    testkit::write_file(scratch_ / "oa.json",
                        json::serialize(json::object{{"objects", std::move(objects)}}));
    admin_ = BucketAdmin::open(store_).value();
  }
  testkit::Finished oa(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(),
                     {"--data", scratch_ / "data", "--config", scratch_ / "oa.json", "--json"});
    return testkit::oa(std::move(arguments));
  }
  static json::value document(const testkit::Finished& done) {
    const auto parsed = parse_json(done.out);
    EXPECT_TRUE(parsed.ok()) << done.out << done.err;
    return parsed.ok() ? *parsed : json::value(json::object());
  }
  // What is worse than a note, and of which bucket.
  static std::vector<std::string> wrong(const json::value& document) {
    std::vector<std::string> found;
    for (const auto& finding : document.at("findings").as_array())
      if (finding.at("level") != "note")
        found.emplace_back(finding.at("aspect").as_string());
    return found;
  }
  // A raw PUT over each stored version that is one object.
  std::size_t write_over_everything() {
    const auto client = aws::Client::open(store_.connection).value();
    S3Bucket bucket(aws::Client::open(store_.connection).value(), store_);
    std::size_t written = 0;
    const auto natives = bucket.list_all(store_.prefix + "objects/").value();
    for (const auto& native : natives) {
      const Bytes junk(native.size_bytes, 0x5a);
      const auto answer = client->send(
          {.method = "PUT", .path = "/" + store_.bucket + "/" + native.key, .body = junk});
      EXPECT_TRUE(answer.ok() && answer->ok());
      ++written;
    }
    return written;
  }

  testkit::Scratch scratch_;
  S3Settings store_;
  std::unique_ptr<BucketAdmin> admin_;
};
using Names = std::vector<std::string>;

TEST_F(S3Storage, ABucketIsCheckedAndMended) {
  auto done = oa({"storage", "check"});
  EXPECT_EQ(done.status, kStorageStatus);
  EXPECT_EQ(document(done).at("code"), "object_store/drift");
  EXPECT_EQ(wrong(document(done)), (Names{"lifecycle", "public-access", "replication"}));
  done = oa({"storage", "apply"});
  EXPECT_NE(done.status, 0);
  EXPECT_NE(done.err.find("--yes"), std::string::npos);
  EXPECT_TRUE(admin_->read()->lifecycle.value.empty());  // nothing was done
  done = oa({"storage", "apply", "--yes"});
  EXPECT_EQ(document(done).at("changes").as_array().size(), 2u);
  // No command can say where another region is.
  EXPECT_EQ(wrong(document(done)), Names{"replication"});
  EXPECT_EQ(document(oa({"storage", "apply", "--yes"})).at("changes").as_array().size(), 0u);

  ASSERT_TRUE(admin_->put_lifecycle({"<Rule><ID>cheap</ID><Filter><Prefix></Prefix></Filter><Status>"
                                     "Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>"})
                  .ok());
  done = oa({"storage", "check"});
  EXPECT_EQ(done.status, kStorageStatus);
  EXPECT_EQ(wrong(document(done)), (Names{"lifecycle", "lifecycle", "replication"}));
  EXPECT_NE(done.out.find("cheap"), std::string::npos);
  EXPECT_EQ(wrong(document(oa({"storage", "apply", "--yes"}))), Names{"replication"});
}

TEST_F(S3Storage, WhatWasWrittenOverIsRepairedAndServedMeanwhile) {
  testkit::Service service(scratch_, "service",
                           {"up", "--demo", "--rows", "300", "--config", scratch_ / "oa.json",
                            "--operator-port", "0"});
  const std::string operators(service.document().at("operator_address").as_string());
  const std::string token = testkit::contents_of(scratch_ / "data/operator.token");
  const auto ask = [&](const std::string& method, const std::string& path) {
    return testkit::run({"curl", "-s", "-m", "20", "-X", method, "-H",
                         "Authorization: Bearer " + token.substr(0, token.find('\n')),
                         operators + path})
        .out;
  };
  ASSERT_EQ(oa({"archive", "create", "--tenant", "Demo", "--rows"}).status, 0);
  auto scrubbed = document(oa({"storage", "scrub", "--all"}));
  EXPECT_GT(scrubbed.at("verified_versions").as_int64(), 1);
  EXPECT_EQ(scrubbed.at("coverage").at("verified_share").to_number<double>(), 1.0);

  const std::size_t damaged = write_over_everything();
  ASSERT_GT(damaged, 1u);
  const auto done = oa({"storage", "scrub", "--all"});
  EXPECT_EQ(done.status, 0) << done.out << done.err;
  scrubbed = document(done);
  EXPECT_EQ(scrubbed.at("repaired").as_array().size(), damaged);
  EXPECT_EQ(scrubbed.at("damaged").as_array().size(), 0u);
  const auto covered = document(oa({"storage", "coverage"}));
  EXPECT_EQ(covered.at("damaged").as_int64(), 0);
  // The beginning of the ledger of erasures is of no tenant, so that no table counts it.
  EXPECT_EQ(covered.at("repaired").as_int64(), static_cast<std::int64_t>(damaged) - 1);
  EXPECT_GE(covered.at("records").as_int64(), 2);

  const auto status = parse_json(ask("POST", "/v1/operator/storage/check")).value();
  EXPECT_FALSE(status.at("bucket").at("checked_at").is_null()) << json::serialize(status);
  EXPECT_GT(status.at("bucket").at("findings").as_array().size(), 0u);
  EXPECT_GT(status.at("alarms").as_array().size(), 0u);
  const std::string metrics = ask("GET", "/metrics");
  EXPECT_NE(metrics.find("oa_storage{what=\"verified_share\"} 1"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("oa_storage_alarm{alarm=\"bucket-drift\"} 1"), std::string::npos);
  EXPECT_NE(metrics.find("what=\"bucket-sweep\""), std::string::npos);
  EXPECT_EQ(service.stop(), 0);
}

}  // namespace
}  // namespace oa
