#include "storage_status.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>

#include "oa/durability/replication.h"

namespace oa::cli {
namespace {

// Asks each bucket once; seconds at most.
json::value answer(S3Store* bucket) {
  if (bucket == nullptr) return nullptr;
  const Status seen = bucket->look();
  return json::object{
      {"answers", seen.ok()},
      {"code", seen.ok() ? json::value(nullptr) : json::value(error_info(seen.error().code).name)}};
}

std::string told(const json::value& answer) {
  if (answer.is_null()) return "-";
  if (answer.at("answers").as_bool()) return "answers";
  return std::string(answer.at("code").as_string());
}

void tell_replication(const Context& context, const json::object& replication) {
  const auto line = [&](const std::string& name, const std::string& value) {
    context.output.line(fmt::format("{:<26} {}", name, value));
  };
  const auto text = [](const json::value& value) {
    return value.is_string() ? std::string(value.as_string()) : std::string("-");
  };
  const auto& lag = replication.at("lag_seconds");
  line("state", text(replication.at("state")));
  line("lag", lag.is_double() ? fmt::format("{:.1f} s", lag.as_double()) : "-");
  line("last canary there", text(replication.at("canary_at")));
  line("last looked at", text(replication.at("looked_at")));
  for (const auto& alarm : replication.at("alarms").as_array())
    line(text(alarm.at("severity")), text(alarm.at("code")) + ": " + text(alarm.at("message")));
  for (const auto& fault : replication.at("faults").as_array())
    line("fault",
         fmt::format("{}/{}/{} {}: {}", text(fault.at("tenant")), text(fault.at("class")),
                     text(fault.at("name")), text(fault.at("version")), text(fault.at("message"))));
}

Status run_storage_status(const Context& context) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  json::object document{{"bucket", answer(instance->bucket())},
                        {"replica", answer(instance->replica())},
                        {"replication", nullptr}};
  bool critical = false;
  for (const char* side : {"bucket", "replica"}) {
    const auto& one = document.at(side);
    critical = critical || (one.is_object() && !one.at("answers").as_bool());
    context.output.line(fmt::format("{:<26} {}", side, told(one)));
  }
  if (instance->replica() != nullptr) {
    OA_ASSIGN(const auto state, durability::read_replication(instance->database()));
    json::object replication = durability::to_json(state, Timestamp::now());
    critical = critical || replication.at("state") == "at-risk";
    tell_replication(context, replication);
    document["replication"] = std::move(replication);
  }
  context.output.document(document);
  // For scripts that watch: 0 when all is well.
  if (critical) context.exit_status = 6;
  return {};
}

}  // namespace

void add_storage_status(CLI::App& storage, const AddCommand& add) {
  add(&storage, "status",
      "Buckets and replica: what answers, how far behind, what is false (status 6)",
      "oa-backup storage status --json", run_storage_status);
}

}  // namespace oa::cli
