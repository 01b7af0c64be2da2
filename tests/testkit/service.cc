#include "testkit/service.h"

#include <boost/json.hpp>

#include <csignal>
#include <stdexcept>

#include "oa/base/ids.h"
#include "testkit/archive_tool.h"

namespace oa::testkit {
namespace {

std::string text(const json::value& value) { return std::string(value.as_string()); }

json::value curl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"curl", "-sS", "--fail-with-body"});
  const Finished answer = run(arguments);
  if (answer.status != 0) throw std::runtime_error(arguments.back() + " " + answer.out + answer.err);
  return answer.out.empty() ? json::value() : parse_json(answer.out).value();
}

}  // namespace

Service::Service(const Scratch& scratch, const std::string& name,
                 std::vector<std::string> arguments, const std::string& folder) {
  const std::string out = scratch / (name + ".json"), err = scratch / (name + ".err");
  std::vector<std::string> argv{"sh", "-c", "exec \"$0\" \"$@\" >" + out + " 2>" + err, OA_BACKUP};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  argv.insert(argv.end(), {"--data", scratch / folder, "--json", "--port", "0"});
  process_.emplace(argv);
  for (int tries = 0; tries < 600 && contents_of(out).empty(); ++tries)
    if (process_->wait(100)) break;
  auto document = parse_json(contents_of(out));
  if (!document.ok()) throw std::runtime_error(name + " does not come up: " + contents_of(err));
  document_ = std::move(document).value();
  address_ = text(document_.at("address"));
}

int Service::stop() {
  process_->send(SIGTERM);
  return process_->wait(60'000) ? process_->status() : -1;
}

std::string demo_token(const Scratch& scratch, const Service& service, const std::string& scopes) {
  const std::string jar = scratch / "cookies", body = scratch / "body.json";
  const auto& demo = service.document().at("demo");
  write_file(body, json::serialize(json::object{{"organisation", demo.at("organisation")},
                                                {"email", demo.at("emails").at(0)},
                                                {"password", demo.at("password")}}));
  const auto me = curl({"--cookie-jar", jar, "--json", "@" + body,
                        service.address() + "/v1/auth/sign-in"});
  const auto made = curl({"--cookie", jar, "-H", "X-CSRF-Token: " + text(me.at("csrf_token")),
                          "--json", R"({"name":"t","scopes":)" + scopes + "}",
                          service.address() + "/v1/tokens"});
  return text(made.at("token"));
}

json::value call_api(const Service& service, const std::string& token, const std::string& method,
                     const std::string& path, const std::string& body) {
  std::vector<std::string> arguments{"-X", method, "-H", "Authorization: Bearer " + token};
  if (method == "POST")
    arguments.insert(arguments.end(), {"-H", "Idempotency-Key: " + Uuid::random().str()});
  if (!body.empty()) arguments.insert(arguments.end(), {"--json", body});
  arguments.push_back(service.address() + path);
  return curl(std::move(arguments));
}

}  // namespace oa::testkit
