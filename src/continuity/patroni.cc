#include "oa/continuity/patroni.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>

#include "oa/base/json.h"

namespace oa::continuity {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kOp = "patroni";
constexpr std::size_t kMaxAnswer = 1 << 20;
constexpr std::size_t kMaxUrl = 512;
constexpr std::size_t kMaxMembers = 1000;
constexpr std::size_t kMaxSwitches = 100'000;
constexpr long kUnauthorized = 401, kForbidden = 403, kFirstRefusal = 400, kFirstFailure = 500;
constexpr auto kPoll = std::chrono::milliseconds(200);

struct EndCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t collect(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > kMaxAnswer) return 0;  // ends the request
  body.append(bytes, size * count);
  return size * count;
}

Error unavailable(std::string cause) {
  return make_error(ErrorCode::kDatabaseUnavailable, kOp, "no node of the Patroni cluster answers")
      .with_hint("see that Patroni runs and that its REST API can be reached from here")
      .with_cause(std::move(cause));
}

Error not_understood(std::string cause) {
  return make_error(ErrorCode::kDatabase, kOp, "an answer of Patroni is not understood")
      .with_hint("this program works with Patroni 3")
      .with_cause(std::move(cause));
}

bool on_this_machine(std::string_view url) {
  for (const char* start : {"http://127.0.0.1:", "http://[::1]:", "http://localhost:"})
    if (url.starts_with(start)) return true;
  return false;
}

Result<PatroniMember> parse_member(const json::value& value) {
  ObjectReader reader(value, "member");
  PatroniMember member;
  member.name = reader.text("name");
  member.role = reader.text("role");
  member.state = reader.text("state");
  member.host = reader.optional_text("host").value_or("");
  const std::uint64_t port = reader.optional_unsigned("port").value_or(0);
  const std::uint64_t timeline = reader.optional_unsigned("timeline").value_or(0);
  const auto* pending = reader.find("pending_restart");
  member.pending_restart = pending != nullptr && pending->is_bool() && pending->as_bool();
  // "unknown" while it is not.
  if (const auto* lag = reader.find("lag");
      lag != nullptr && lag->is_int64() && lag->as_int64() >= 0)
    member.lag_bytes = static_cast<std::uint64_t>(lag->as_int64());
  if (const auto read = reader.finish(true);
      !read.ok() || port > UINT16_MAX || timeline > UINT32_MAX)
    return not_understood(read.ok() ? "port or timeline" : read.error().message);
  member.port = static_cast<std::uint16_t>(port);
  member.timeline = {static_cast<std::uint32_t>(timeline)};
  return member;
}

// [timeline, end, reason, moment, leader]; the last two may be missing.
Result<PatroniSwitch> parse_switch(const json::value& value) {
  const auto* fields = value.if_array();
  if (fields == nullptr || fields->size() < 3 || !(*fields)[0].is_int64() ||
      !(*fields)[1].is_int64() || !(*fields)[2].is_string())
    return not_understood("history");
  PatroniSwitch one;
  one.timeline = {static_cast<std::uint32_t>((*fields)[0].as_int64())};
  one.end = {static_cast<std::uint64_t>((*fields)[1].as_int64())};
  one.reason = (*fields)[2].as_string().c_str();
  if (fields->size() > 3 && (*fields)[3].is_string()) {
    const auto at = Timestamp::parse((*fields)[3].as_string().c_str());
    if (at.ok()) one.at = *at;
  }
  return one;
}

}  // namespace

const PatroniMember* PatroniCluster::leader() const {
  const auto found = std::ranges::find(members, "leader", &PatroniMember::role);
  return found == members.end() ? nullptr : &*found;
}

Result<Patroni> Patroni::open(PatroniSettings settings) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  for (const auto& url : settings.urls) {
    if ((!url.starts_with("https://") && !url.starts_with("http://")) || url.size() > kMaxUrl ||
        url.ends_with('/') || url.find('@') != url.npos)
      return make_error(ErrorCode::kInvalidArgument, kOp,
                        "not the address of a Patroni node: " + url)
          .with_hint("write it as https://HOST:PORT");
    if (!settings.user.empty() && url.starts_with("http://") && !on_this_machine(url))
      return make_error(ErrorCode::kInvalidArgument, kOp,
                        "the password would go over the network in the clear: " + url)
          .with_hint("use https");
  }
  if (settings.urls.empty())
    return make_error(ErrorCode::kInvalidArgument, kOp, "no address of a Patroni node");
  return Patroni(std::move(settings));
}

Result<Patroni::Answer> Patroni::ask_node(const std::string& url, const std::string& method,
                                          const std::string& path, const std::string& body) {
  const std::unique_ptr<CURL, EndCurl> curl(curl_easy_init());
  if (curl == nullptr) return make_error(ErrorCode::kInternal, kOp, "libcurl does not start");
  const std::unique_ptr<curl_slist, FreeHeaders> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"));
  Answer answer;
  const std::string address = url + path, password(as_text(settings_.password.view()));
  const auto set = [&](CURLoption option, auto value) {
    return curl_easy_setopt(curl.get(), option, value) == CURLE_OK;
  };
  bool good = set(CURLOPT_URL, address.c_str()) && set(CURLOPT_CUSTOMREQUEST, method.c_str()) &&
              set(CURLOPT_PROTOCOLS_STR, "http,https") && set(CURLOPT_NOSIGNAL, 1L) &&
              set(CURLOPT_PROXY, "") && set(CURLOPT_FOLLOWLOCATION, 0L) &&
              set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.timeout.count())) &&
              set(CURLOPT_HTTPHEADER, headers.get()) && set(CURLOPT_WRITEFUNCTION, &collect) &&
              set(CURLOPT_WRITEDATA, &answer.body);
  if (!settings_.ca_file.empty()) 
    good = good && set(CURLOPT_CAINFO, settings_.ca_file.c_str()) &&
           set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (!settings_.user.empty())
    good = good && set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC)) &&
           set(CURLOPT_USERNAME, settings_.user.c_str()) && set(CURLOPT_PASSWORD, password.c_str());
  if (!body.empty()) good = good && set(CURLOPT_COPYPOSTFIELDS, body.c_str());
  if (!good) return make_error(ErrorCode::kInternal, kOp, "libcurl refuses a setting");
  if (const auto code = curl_easy_perform(curl.get()); code != CURLE_OK)
    return unavailable(curl_easy_strerror(code));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

// The next node is asked when one does not answer, or cannot.
Result<Patroni::Answer> Patroni::ask(const std::string& method, const std::string& path,
                                     const std::string& body) {
  Result<Answer> last = unavailable("");
  for (std::size_t tried = 0; tried < settings_.urls.size(); ++tried) {
    const std::size_t node = (first_ + tried) % settings_.urls.size();
    last = ask_node(settings_.urls[node], method, path, body);
    if (!last.ok() || last->status >= kFirstFailure) continue;
    first_ = node;
    return last;
  }
  if (last.ok()) return unavailable(fmt::format("HTTP {}", last->status));
  return last;
}

Result<Patroni::Answer> Patroni::ask_well(const std::string& method, const std::string& path,
                                          const std::string& body) {
  OA_ASSIGN(Answer answer, ask(method, path, body));
  if (answer.status == kUnauthorized || answer.status == kForbidden)
    return make_error(ErrorCode::kPermissionDenied, kOp, "Patroni refuses user or password")
        .with_hint("see restapi: authentication in its configuration");
  if (answer.status >= kFirstRefusal)
    return make_error(ErrorCode::kInvalidArgument, kOp, "Patroni refuses what it was told")
        .with_cause(fmt::format("HTTP {} {}", answer.status, answer.body.substr(0, 300)));
  return answer;
}

Result<PatroniCluster> Patroni::cluster() {
  OA_ASSIGN(const Answer answer, ask_well("GET", "/cluster", ""));
  const auto parsed = parse_json(answer.body);
  if (!parsed.ok()) return not_understood(parsed.error().message);
  ObjectReader reader(*parsed, "cluster");
  PatroniCluster cluster;
  const auto* pause = reader.find("pause");
  cluster.paused = pause != nullptr && pause->is_bool() && pause->as_bool();
  const auto& members = reader.array("members");
  if (const auto read = reader.finish(true); !read.ok() || members.size() > kMaxMembers)
    return not_understood("members");
  for (const auto& member : members) {
    OA_ASSIGN(PatroniMember one, parse_member(member));
    cluster.members.push_back(std::move(one));
  }
  return cluster;
}

Result<std::vector<PatroniSwitch>> Patroni::history() {
  OA_ASSIGN(const Answer answer, ask_well("GET", "/history", ""));
  const auto parsed = parse_json(answer.body);
  if (!parsed.ok() || !parsed->is_array() || parsed->as_array().size() > kMaxSwitches)
    return not_understood("history");
  std::vector<PatroniSwitch> switches;
  for (const auto& line : parsed->as_array()) {
    OA_ASSIGN(PatroniSwitch one, parse_switch(line));
    switches.push_back(std::move(one));
  }
  return switches;
}

Result<std::string> Patroni::configuration() {
  OA_ASSIGN(const Answer answer, ask_well("GET", "/config", ""));
  const auto parsed = parse_json(answer.body);
  if (!parsed.ok()) return not_understood(parsed.error().message);
  return canonical_json(*parsed);
}

Result<std::string> Patroni::system_identifier() {
  OA_ASSIGN(const Answer answer, ask("GET", "/patroni", ""));
  const auto parsed = parse_json(answer.body);
  if (!parsed.ok()) return not_understood(parsed.error().message);
  ObjectReader reader(*parsed, "node");
  std::string identifier = reader.text("database_system_identifier");
  if (const auto read = reader.finish(true); !read.ok()) return not_understood(read.error().message);
  return identifier;
}

Result<Patroni::Configured> Patroni::configure(const PatroniArchiving& archiving) {
  json::object parameters{{"archive_mode", "on"},
                          {"archive_timeout", archiving.archive_timeout_s},
                          {"archive_command", archiving.archive_command}};
  if (archiving.max_slot_wal_keep_mb.has_value())
    parameters["max_slot_wal_keep_size"] = fmt::format("{}MB", *archiving.max_slot_wal_keep_mb);
  const json::object change{
      {"postgresql", json::object{{"parameters", parameters}}},
      {"slots", json::object{{archiving.slot, json::object{{"type", "physical"}}}}}};
  OA_ASSIGN(const Answer changed, ask_well("PATCH", "/config", canonical_json(change)));
  const auto configuration = parse_json(changed.body);
  if (!configuration.ok()) return not_understood(configuration.error().message);
  OA_ASSIGN(const Answer node, ask("GET", "/patroni", ""));
  const auto parsed = parse_json(node.body);
  if (!parsed.ok() || !parsed->is_object()) return not_understood("state of a node");
  const auto* pending = parsed->as_object().if_contains("pending_restart");
  return Configured{canonical_json(*configuration),
                    pending != nullptr && pending->is_bool() && pending->as_bool()};
}

Status Patroni::unconfigure(const PatroniArchiving& archiving) {
  const json::object parameters{{"archive_mode", nullptr},
                                {"archive_timeout", nullptr},
                                {"archive_command", nullptr},
                                {"max_slot_wal_keep_size", nullptr}};
  const json::object change{{"postgresql", json::object{{"parameters", parameters}}},
                            {"slots", json::object{{archiving.slot, nullptr}}}};
  OA_TRY(ask_well("PATCH", "/config", canonical_json(change)));
  return {};
}

Status Patroni::switchover(const std::string& to, std::chrono::milliseconds timeout) {
  OA_ASSIGN(const PatroniCluster before, cluster());
  if (before.leader() == nullptr) return unavailable("no leader");
  const json::object request{{"leader", before.leader()->name}, {"candidate", to}};
  // It answers when it is over, so by then the request may have timed out.
  const auto asked = ask_well("POST", "/switchover", canonical_json(request));
  if (!asked.ok() && asked.error().code != ErrorCode::kDatabaseUnavailable) return asked.error();
  for (const auto deadline = Clock::now() + timeout; Clock::now() < deadline;) {
    const auto now = cluster();
    if (now.ok() && now->leader() != nullptr && now->leader()->name == to &&
        now->leader()->state == "running")
      return {};
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kTimeout, kOp, "the switchover does not come to its end");
}

Result<std::string> Patroni::primary_conninfo() {
  OA_ASSIGN(const PatroniCluster now, cluster());
  std::string hosts, ports;
  for (const auto& member : now.members) {
    if (member.host.empty()) continue;
    if (member.host.find_first_of(" ,'\\") != std::string::npos) return not_understood("host");
    hosts += (hosts.empty() ? "" : ",") + member.host;
    ports += fmt::format("{}{}", ports.empty() ? "" : ",", member.port);
  }
  if (hosts.empty()) return unavailable("no member tells its address");
  return fmt::format("host={} port={} target_session_attrs=read-write", hosts, ports);
}

}  // namespace oa::continuity
