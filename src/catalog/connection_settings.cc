#include "oa/catalog/database.h"

namespace oa::catalog {

// A node that lost its power says nothing: after 25 seconds of silence, or 20 without an answer to
// what was sent, the connection is lost.
std::vector<std::pair<std::string, std::string>> connection_parameters(
    const ConnectionSettings& settings, const std::string& role) {
  std::vector<std::pair<std::string, std::string>> parameters = {
      {"host", settings.host}, {"port", settings.port}, {"user", role}};
  if (!settings.tcp.has_value()) return parameters;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) parameters.emplace_back(name, value);
  };
  add("sslmode", settings.tcp->sslmode);
  add("sslrootcert", settings.tcp->sslrootcert);
  add("passfile", settings.tcp->passfile);
  // No server may ask for the password itself, be it verified or not.
  if (settings.tcp->sslmode != "disable") add("channel_binding", "require");
  add("gssencmode", "disable");
  add("target_session_attrs", "read-write");
  add("keepalives", "1");
  add("keepalives_idle", "10");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  add("tcp_user_timeout", "20000");
  return parameters;
}

std::string connection_string(const ConnectionSettings& settings, const std::string& role) {
  std::string text;
  for (const auto& [name, value] : connection_parameters(settings, role)) {
    if (!text.empty()) text += ' ';
    text += name + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') text += '\\';
      text += c;
    }
    text += '\'';
  }
  return text;
}

}  // namespace oa::catalog
