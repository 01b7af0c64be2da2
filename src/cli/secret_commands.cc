#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "asset_commands.h"
#include "oa/base/io.h"
#include "oa/datasets/secrets.h"

namespace oa::cli {
namespace {

constexpr std::size_t kMaxPayloadBytes = std::size_t{256} << 10;
const datasets::Actor kOperator{"operator", std::nullopt, "", {}};

Error too_long() {
  return make_error(ErrorCode::kLimitExceeded, "secret",
                    "the value is longer than " + format_size(kMaxPayloadBytes));
}

// Into guarded memory at once, whatever it comes from.
Result<SecretBytes> read_payload(const std::string& file) {
  if (file != "-") {
    OA_ASSIGN(const auto source, FileSource::open(file));
    if (source->size() > kMaxPayloadBytes) return too_long();
    SecretBytes payload(source->size());
    OA_TRY(source->read_at(0, payload.mutable_view()));
    return payload;
  }
  SecretBytes buffer(kMaxPayloadBytes + 1);
  std::size_t size = 0;
  while (size < buffer.size()) {
    const auto room = buffer.mutable_view().subspan(size);
    const ssize_t count = ::read(STDIN_FILENO, room.data(), room.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error(errno, "secret", "cannot read standard input");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > kMaxPayloadBytes) return too_long();
  return SecretBytes::copy_of(buffer.view().first(size));
}

json::object to_json(const datasets::SecretInfo& secret) {
  json::object object{{"id", secret.id.str()},
                      {"name", secret.name},
                      {"kind", catalog::to_text(secret.kind)},
                      {"created_at", secret.created_at.rfc3339()},
                      {"rotated_at", nullptr},
                      {"expires_at", nullptr}};
  if (secret.rotated_at) object["rotated_at"] = secret.rotated_at->rfc3339();
  if (secret.expires_at) object["expires_at"] = secret.expires_at->rfc3339();
  return object;
}

datasets::SecretStore store_of(const OpenTenant& opened) {
  return {opened.instance->database(), opened.instance->keys(), opened.tenant.id};
}

}  // namespace

Status run_secret_put(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto kind, catalog::parse_text<catalog::SecretKind>(options.kind));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto payload, read_payload(options.file));
  OA_ASSIGN(const auto secret, store_of(opened).put(options.name, kind, payload, kOperator));
  context.output.document(to_json(secret));
  context.output.line(fmt::format("secret {} kept under the tenant's key", secret.name));
  return {};
}

Status run_secret_rotate(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto payload, read_payload(options.file));
  OA_ASSIGN(const auto secret, store_of(opened).rotate(options.name, payload, kOperator));
  context.output.document(to_json(secret));
  context.output.line(fmt::format("secret {} has another value; the old one is gone", secret.name));
  return {};
}

Status run_secret_list(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto secrets, store_of(opened).list());
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& secret : secrets) {
    items.push_back(to_json(secret));
    rows.push_back({secret.name, std::string(catalog::to_text(secret.kind)),
                    secret.created_at.rfc3339(),
                    secret.rotated_at ? secret.rotated_at->rfc3339() : "never"});
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"name", "kind", "created", "rotated"}, rows,
                       "no secrets yet; keep one with `oa-backup secret put NAME`");
  return {};
}

Status run_secret_remove(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_TRY(store_of(opened).remove(options.name, options.force, kOperator));
  context.output.document(json::object{{"removed", options.name}});
  context.output.line(fmt::format("secret {} removed", options.name));
  return {};
}

Status run_secret_rewrap(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto count, store_of(opened).rewrap_all(kOperator));
  context.output.document(json::object{{"rewrapped", count}});
  context.output.line(fmt::format("{} secrets sealed anew", count));
  return {};
}

}  // namespace oa::cli
