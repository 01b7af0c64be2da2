#include "oa/instance/deployment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "deployment_fields.h"
#include "oa/base/io.h"
#include "oa/base/json.h"
#include "oa/continuity/node.h"
#include "key_settings.h"
#include "object_settings.h"

namespace oa::instance {
namespace {

constexpr const char* kOp = "config";
constexpr std::size_t kMaxBytes = 256 << 10;
constexpr std::size_t kMaxNodes = 32, kMaxDepth = 8;
constexpr const char *kNodeProgram = "/usr/bin/oa-backup", *kNodeFile = "/etc/oa-backup/node.json";

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto end = text.data() + text.size();
  return std::from_chars(text.data(), end, port).ptr == end && port > 0 && port <= UINT16_MAX;
}
bool of_this_machine(std::string_view host) {
  return host == "127.0.0.1" || host == "::1" || host == "localhost";
}
// Of "http://127.0.0.1:8008" and "http://[::1]:8008".
std::string_view host_of(std::string_view url) {
  url.remove_prefix(std::string_view("http://").size());
  url = url.substr(0, url.rfind(':'));
  if (!url.starts_with('[') || !url.ends_with(']')) return url;
  return url.substr(1, url.size() - 2);
}
bool is_name(const std::string& text) {
  return !text.empty() && text.size() < 64 && std::ranges::all_of(text, [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

std::vector<std::string> texts(ObjectReader& reader, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& value : reader.array(name)) {
    const auto* text = value.if_string();
    if (text == nullptr || !is_plain(std::string(*text)))
      reader.fail(name, "holds what is no plain text");
    else
      found.emplace_back(*text);
  }
  if (found.empty() || found.size() > kMaxNodes)
    reader.fail(name, fmt::format("must have 1 to {} entries", kMaxNodes));
  return found;
}

Result<continuity::PatroniSettings> read_rest(const json::value& value) {
  ObjectReader reader(value, "config.cluster.rest");
  continuity::PatroniSettings rest;
  rest.urls = texts(reader, "urls");
  rest.user = reader.optional_text("user").value_or("");
  const std::string password = optional_file(reader, "password_file");
  rest.ca_file = optional_file(reader, "ca_file");
  for (const auto& url : rest.urls)
    if (url.starts_with("http://") && !of_this_machine(host_of(url)))
      reader.fail("urls", "must be https: another machine is at " + url);
  if (rest.user.empty() != password.empty())
    reader.fail("password_file", "goes with user: name both or neither");
  OA_TRY(reader.finish());
  if (!password.empty()) {
    OA_ASSIGN(rest.password, read_secret(password));
  }
  // What is wrong with the addresses themselves.
  continuity::PatroniSettings probe;
  probe.urls = rest.urls;
  probe.user = rest.user;
  const auto opened = continuity::Patroni::open(std::move(probe));
  if (opened.ok()) return rest;
  Error error = opened.error();
  error.message = "config.cluster.rest.urls: " + error.message;
  return error;
}

// "db1:5432", "[::1]:5432"; the port may be missing.
void add_host(ObjectReader& reader, const std::string& text, catalog::ConnectionSettings& settings,
              bool& remote) {
  const auto colon = text.rfind(':');
  const bool bare = colon == text.npos || text.ends_with(']');
  std::string host = bare ? text : text.substr(0, colon);
  const std::string port = bare ? "5432" : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != host.npos)
    host.clear();
  if (host.empty() || host.find_first_of(",/[]") != host.npos || !is_port(port))
    reader.fail("hosts", "holds what is no HOST:PORT: " + text);
  remote = remote || !of_this_machine(host);
  settings.host += (settings.host.empty() ? "" : ",") + host;
  settings.port += (settings.port.empty() ? "" : ",") + port;
}

Result<catalog::ConnectionSettings> read_postgres(const json::value& value) {
  ObjectReader reader(value, "config.cluster.postgres");
  catalog::ConnectionSettings settings;
  settings.port.clear();
  bool remote = false;
  for (const auto& host : texts(reader, "hosts")) add_host(reader, host, settings, remote);
  catalog::ConnectionSettings::Tcp tcp;
  tcp.sslmode = reader.text("sslmode");
  const bool verifies = tcp.sslmode == "verify-ca" || tcp.sslmode == "verify-full";
  if (!verifies && tcp.sslmode != "disable")
    reader.fail("sslmode", "is verify-full, verify-ca or disable");
  if (!verifies && remote)
    reader.fail("sslmode", "must be verify-full or verify-ca: a host is another machine");
  tcp.sslrootcert = optional_file(reader, "sslrootcert");
  if (verifies == tcp.sslrootcert.empty())
    reader.fail("sslrootcert", "goes with verify-full and verify-ca, and with those only");
  tcp.passfile = file_name(reader, "passfile");
  settings.database = reader.optional_text("database").value_or(settings.database);
  if (!is_name(settings.database))
    reader.fail("database", "has 1 to 63 lower-case letters, digits and underscores");
  OA_TRY(reader.finish());
  OA_TRY(check_secret(tcp.passfile));
  settings.tcp = std::move(tcp);
  return settings;
}

Result<continuity::ClusterNode> read_node(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  continuity::ClusterNode node;
  node.member = reader.text("member");
  if (!is_plain(node.member)) reader.fail("member", "is no name of a member");
  node.data_folder = file_name(reader, "data_folder");
  node.socket_folder = file_name(reader, "socket_folder");
  const auto port = reader.optional_unsigned("port").value_or(5432);
  if (port == 0 || port > UINT16_MAX) reader.fail("port", "is no port");
  node.port = std::to_string(port);
  OA_TRY(reader.finish());
  return node;
}

// Where every node has our program, and the file that tells it where the cell is. Both go into a
// command of Postgres' as they are.
Result<std::string> read_archiving(const json::value& value) {
  ObjectReader reader(value, "config.cluster.archiving");
  const std::string program = reader.optional_text("program").value_or(kNodeProgram);
  const std::string file = reader.optional_text("node_file").value_or(kNodeFile);
  for (const auto& [name, path] : {std::pair{"program", &program}, std::pair{"node_file", &file}}) {
    const bool plain = std::ranges::all_of(*path, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '/' || c == '.' || c == '_' || c == '-';
    });
    if (!plain || !path->starts_with('/') || path->size() > 256)
      reader.fail(name, "is no absolute path of letters, digits and ./_-");
  }
  OA_TRY(reader.finish());
  return continuity::node_archive_command(program, file);
}

Result<ClusterDeployment> read_cluster(const json::value& value) {
  ObjectReader reader(value, "config.cluster");
  if (reader.text("kind") != "patroni") reader.fail("kind", "is patroni");
  const json::value rest = reader.object("rest"), postgres = reader.object("postgres");
  const json::value archiving =
      reader.find("archiving") == nullptr ? json::object() : reader.object("archiving");
  const json::array nodes = reader.find("nodes") == nullptr ? json::array() : reader.array("nodes");
  if (nodes.size() > kMaxNodes) reader.fail("nodes", fmt::format("has more than {}", kMaxNodes));
  OA_TRY(reader.finish());
  ClusterDeployment cluster;
  OA_ASSIGN(cluster.rest, read_rest(rest));
  OA_ASSIGN(cluster.postgres, read_postgres(postgres));
  OA_ASSIGN(cluster.archive_command, read_archiving(archiving));
  std::set<std::string> names;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string path = fmt::format("config.cluster.nodes[{}]", i);
    OA_ASSIGN(auto node, read_node(nodes[i], path));
    if (!names.insert(node.member).second)
      return make_error(ErrorCode::kInvalidArgument, kOp, path + ".member is there twice");
    cluster.nodes.push_back(std::move(node));
  }
  return cluster;
}

Result<Deployment> read_document(const std::string& path) {
  OA_ASSIGN(const Bytes text, read_file(path, kMaxBytes));
  OA_TRY(check_nobody_writes(path));
  OA_ASSIGN(const json::value document, parse_json(as_text(text), {kMaxBytes, kMaxDepth}));
  ObjectReader reader(document, "config");
  Deployment deployment;
  const auto *cluster = reader.find("cluster"), *objects = reader.find("objects"),
             *keys = reader.find("keys");
  OA_TRY(reader.finish());
  if (cluster != nullptr) {
    OA_ASSIGN(deployment.cluster, read_cluster(*cluster));
  }
  if (objects != nullptr) {
    OA_ASSIGN(auto places, read_object_settings(*objects));
    deployment.objects = std::move(places.primary);
    deployment.replica = std::move(places.replica);
  }
  if (keys != nullptr) {
    OA_ASSIGN(deployment.keys, read_key_settings(*keys));
  }
  return deployment;
}

}  // namespace

Result<Deployment> read_deployment(const std::string& path) {
  auto deployment = read_document(path);
  if (deployment.ok() || deployment.error().code != ErrorCode::kInvalidArgument) return deployment;
  Error error = std::move(deployment).error();
  error.message = path + ": " + error.message;
  return error;
}

}  // namespace oa::instance
