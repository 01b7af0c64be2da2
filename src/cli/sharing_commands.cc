#include <fmt/format.h>

#include <boost/json.hpp>

#include "asset_commands.h"
#include "oa/catalog/repositories.h"
#include "oa/reports/sharing.h"

namespace oa::cli {
namespace {

const datasets::Actor kOperator{"operator", std::nullopt, "", {}};

Result<Uuid> team_named(catalog::TenantTransaction& transaction, const std::string& name) {
  OA_ASSIGN(const auto teams, catalog::Teams(transaction).list());
  std::optional<Uuid> found;
  for (const auto& team : teams) {
    if (team.id.str() == name) return team.id.uuid();
    if (team.name != name) continue;
    if (found.has_value()) {
      return make_error(ErrorCode::kInvalidArgument, "report.share", "several teams have this name")
          .with_hint("name it by its id");
    }
    found = team.id.uuid();
  }
  if (found.has_value()) return *found;
  return make_error(ErrorCode::kNotFound, "report.share", "no team has this id or name")
      .with_hint("`oa-backup tenant show` lists the teams");
}

Result<reports::Principal> principal_of(catalog::TenantTransaction& transaction,
                                        const std::string& text) {
  constexpr std::string_view kUser = "user:", kTeam = "team:";
  if (text.starts_with(kTeam) && text.size() > kTeam.size()) {
    OA_ASSIGN(const Uuid team, team_named(transaction, text.substr(kTeam.size())));
    return reports::Principal{catalog::PrincipalKind::kTeam, team};
  }
  if (text.starts_with(kUser) && text.size() > kUser.size()) {
    OA_ASSIGN(const UserId user, chosen_user(transaction, text.substr(kUser.size())));
    return reports::Principal{catalog::PrincipalKind::kUser, user.uuid()};
  }
  return make_error(ErrorCode::kInvalidArgument, "report.share",
                    "this is neither a user nor a team")
      .with_hint("say --with user:ada@example.com or --with team:Board");
}

Result<reports::Principal> principal_of(const OpenTenant& opened, const AssetOptions& options) {
  OA_ASSIGN(auto transaction,
            opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
  return principal_of(transaction, options.with);
}

}  // namespace

Status run_report_share(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, ReportId::parse(options.id));
  OA_ASSIGN(const auto role, catalog::parse_text<catalog::Role>(options.role));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto with, principal_of(opened, options));
  OA_TRY(reports::share_report(opened.instance->database(), opened.tenant.id, id, with, role,
                               kOperator));
  context.output.document(json::object{
      {"report", id.str()}, {"principal", with.id.str()}, {"role", catalog::to_text(role)}});
  context.output.line(fmt::format("shared with {} as {}", options.with, catalog::to_text(role)));
  return {};
}

Status run_report_unshare(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, ReportId::parse(options.id));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto with, principal_of(opened, options));
  OA_TRY(
      reports::unshare_report(opened.instance->database(), opened.tenant.id, id, with, kOperator));
  context.output.document(json::object{{"report", id.str()}, {"principal", with.id.str()}});
  context.output.line(fmt::format("not shared with {} any more", options.with));
  return {};
}

}  // namespace oa::cli
