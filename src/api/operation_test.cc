#include "operation.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <ostream>

namespace oa::api {
namespace {

// An operation as it is called and who may call it.
struct Line {
  std::string method, path, right, scope;
  bool idempotent = false;
  bool operator==(const Line&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Line& line) {
    return out << line.method << ' ' << line.path << ' ' << line.right << ' ' << line.scope
               << (line.idempotent ? " once" : "");
  }
};
using Lines = std::map<std::string, Line>;  // by operation id

// What the pipeline knows of rights; who may in a workspace is a handler's matter.
std::string right_in_table(const Operation& operation) {
  if (std::holds_alternative<PublicHandler>(operation.handler)) return "public";
  switch (operation.right) {
    case Right::kAnybody:
      return "anybody";
    case Right::kBackup:
      return "backup";
    case Right::kOwner:
      return "owner";
  }
  return {};
}

std::string right_in_contract(const std::string& right) {
  return right == "member" || right == "reader" || right == "editor" || right == "concerned" ? "anybody"
                                                                                          : right;
}

bool takes_key(const YAML::Node& operation) {
  for (const auto& parameter : operation["parameters"])
    if (parameter["$ref"] && parameter["$ref"].as<std::string>().ends_with("/IdempotencyKey"))
      return true;
  return false;
}

Lines lines_of_contract() {
  Lines lines;
  const YAML::Node document = YAML::LoadFile(OA_CONTRACT);
  for (const auto& path : document["paths"]) {
    for (const auto& entry : path.second) {
      const YAML::Node operation = entry.second;
      if (!operation.IsMap() || operation["tags"][0].as<std::string>() == "service") continue;
      auto method = entry.first.as<std::string>();
      for (char& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      lines[operation["operationId"].as<std::string>()] = {
          method, path.first.as<std::string>(),
          right_in_contract(operation["x-right"].as<std::string>()),
          operation["x-scope"].as<std::string>(""), takes_key(operation)};
    }
  }
  return lines;
}

TEST(Operations, AreThoseOfTheContract) {
  Lines lines;
  for (const auto& operation : operations()) {
    const auto right = right_in_table(operation);
    const Line line{std::string(operation.method), std::string(operation.path), right,
                    right == "public" ? "" : std::string(accounts::to_text(operation.scope)),
                    operation.takes_key()};
    EXPECT_TRUE(lines.emplace(operation.id, line).second) << operation.id;
  }
  const Lines contract = lines_of_contract();
  EXPECT_GT(contract.size(), 40U);
  for (const auto& [id, line] : contract) {
    const auto found = lines.find(id);
    ASSERT_NE(found, lines.end()) << id << " is not served";
    EXPECT_EQ(found->second, line) << id;
  }
  for (const auto& [id, line] : lines) EXPECT_TRUE(contract.contains(id)) << id;
}

TEST(Operations, EveryPostOfACallerTakesAnIdempotencyKey) {
  for (const auto& [id, line] : lines_of_contract())
    EXPECT_EQ(line.idempotent, line.method == "POST" && line.right != "public") << id;
}

std::string found(std::string_view method, const std::vector<std::string>& path) {
  const auto route = find_operation(method, path);
  if (route.ok()) return std::string(route->operation->id);
  return std::string(error_info(route.error().code).name) + " " + route.error().cause;
}

TEST(Operations, AreFoundByMethodAndPath) {
  EXPECT_EQ(found("GET", {"v1", "me"}), "me");
  EXPECT_EQ(found("HEAD", {"v1", "me"}), "me");
  EXPECT_EQ(found("POST", {"v1", "me"}), "request/method-not-allowed GET, HEAD");
  EXPECT_EQ(found("PUT", {"v1", "archives"}), "request/method-not-allowed GET, POST, HEAD");
  EXPECT_EQ(found("GET", {"v1", "nothing"}), "resource/not-found ");
  EXPECT_EQ(found("GET", {"v1", "me", "more"}), "resource/not-found ");
  EXPECT_EQ(found("GET", {}), "resource/not-found ");
  const auto route = find_operation("GET", {"v1", "archives", "an id"});
  ASSERT_TRUE(route.ok());
  EXPECT_EQ(route->path.find("archive_id")->second, "an id");
}

TEST(Operations, WhatIsSpeltOutGoesBeforeAParameter) {
  EXPECT_EQ(found("GET", {"v1", "archives", "estimate"}), "estimateArchive");
  EXPECT_EQ(found("DELETE", {"v1", "archives", "estimate"}), "request/method-not-allowed GET, HEAD");
  EXPECT_EQ(found("POST", {"v1", "archives", "from-upload"}), "receiveArchive");
  EXPECT_EQ(found("GET", {"v1", "archives", "from-upload"}), "request/method-not-allowed POST");
}

TEST(Operations, AHeadOfItsOwnGoesBeforeThatOfGet) {
  EXPECT_EQ(found("HEAD", {"v1", "uploads", "x"}), "uploadOffset");
  EXPECT_EQ(found("GET", {"v1", "uploads", "x"}), "getUpload");
}

}  // namespace
}  // namespace oa::api
