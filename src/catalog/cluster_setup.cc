#include "oa/catalog/cluster_setup.h"

#include <fmt/format.h>

#include <array>

#include "oa/base/assert.h"
#include "passfile.h"
#include "prepare_database.h"
#include "row_reader.h"
#include "scram.h"

namespace oa::catalog {
namespace {

constexpr const char* kOp = "cluster.setup";
constexpr std::string_view kSegmentSize = "16MB";
constexpr std::int64_t kVersion = 15, kVersionUnit = 10'000;
// The role that scratch clusters are entered as.
constexpr const char* kBootstrapRole = "postgres";

Status check_server(Connection& superuser, const std::string& system_identifier) {
  OA_ASSIGN(const Rows rows,
            superuser.query("SELECT s.system_identifier::text, "
                            "current_setting('server_version_num')::bigint, "
                            "current_setting('wal_segment_size'), "
                            "current_setting('is_superuser') = 'on', "
                            "coalesce((SELECT rolsuper FROM pg_catalog.pg_roles "
                            "WHERE rolname = $1), false) FROM pg_control_system() s",
                            {Parameter::of(kBootstrapRole)}));
  RowReader row(rows, 0);
  if (row.text() != system_identifier) {
    return make_error(ErrorCode::kConflict, kOp,
                      "the server that answers is not of the cluster that Patroni runs")
        .with_hint("compare cluster.postgres.hosts with cluster.rest.urls");
  }
  if (row.bigint() / kVersionUnit != kVersion) {
    return make_error(ErrorCode::kUnsupported, kOp, "the cluster is of another version of Postgres")
        .with_hint("this program works with Postgres 15");
  }
  if (row.text() != kSegmentSize) {
    return make_error(ErrorCode::kUnsupported, kOp, "the cluster's log has segments of another size")
        .with_hint("this program works with segments of 16 MB, which initdb makes unless told otherwise");
  }
  if (!row.boolean()) {
    return make_error(ErrorCode::kPermissionDenied, kOp, "the role for the setup is no superuser")
        .with_hint("name one with --superuser");
  }
  if (row.boolean()) return {};
  return make_error(ErrorCode::kUnsupported, kOp, "the cluster has no superuser named postgres")
      .with_hint(
          "what is restored is looked at as that role: make it, without a password and with "
          "NOLOGIN if you like");
}

Result<bool> set_password(Connection& superuser, const ConnectionSettings& settings,
                          const std::string& role) {
  const PassfileKey key{settings.host.substr(0, settings.host.find(',')),
                        settings.port.substr(0, settings.port.find(',')), settings.database, role};
  OA_ASSIGN(const SecretBytes password, password_of(settings.tcp->passfile, key));
  OA_ASSIGN(const Rows rows,
            superuser.query("SELECT coalesce(rolpassword, '') FROM pg_catalog.pg_authid "
                            "WHERE rolname = $1",
                            {Parameter::of(role)}));
  if (rows.count() == 1 && scram_fits(RowReader(rows, 0).text(), password)) return false;
  OA_TRY(superuser.set_password(role, password));
  return true;
}

Result<bool> has_role(Connection& superuser, const std::string& role) {
  OA_ASSIGN(const Rows rows, superuser.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1",
                                             {Parameter::of(role)}));
  return rows.count() == 1;
}

Status check_encoding(Connection& superuser, const std::string& database) {
  OA_ASSIGN(const Rows rows,
            superuser.query("SELECT pg_encoding_to_char(encoding)::text = 'UTF8' AND "
                            "datcollate = 'C.UTF-8' FROM pg_catalog.pg_database WHERE datname = $1",
                            {Parameter::of(database)}));
  if (rows.count() == 1 && RowReader(rows, 0).boolean()) return {};
  return make_error(ErrorCode::kUnsupported, kOp,
                    "the database is there with another encoding or locale: " + database)
      .with_hint("it must be UTF8 with C.UTF-8; name another one as cluster.postgres.database");
}

}  // namespace

Result<std::vector<SetupStep>> set_up_cluster(const ConnectionSettings& settings,
                                              const std::string& superuser,
                                              const std::string& superuser_passfile,
                                              const std::string& system_identifier) {
  OA_ASSERT(settings.tcp.has_value());
  ConnectionSettings maintenance = settings;
  maintenance.database = kMaintenanceDatabase;
  maintenance.tcp->passfile = superuser_passfile;
  OA_ASSIGN(const auto connection, Connection::open(maintenance, superuser));
  OA_TRY(check_server(*connection, system_identifier));
  const std::array<std::string, 5> roles = {settings.owner_role, settings.service_role,
                                            settings.operator_role, settings.replication_role,
                                            settings.backup_role};
  std::vector<SetupStep> steps;
  for (const auto& role : roles) {
    OA_ASSIGN(const bool there, has_role(*connection, role));
    steps.push_back({"role " + role, !there});
  }
  OA_TRY(prepare_roles(*connection));
  for (const auto& role : roles) {
    OA_ASSIGN(const bool changed, set_password(*connection, settings, role));
    steps.push_back({"password of " + role, changed});
  }
  OA_ASSIGN(const bool made, prepare_database(*connection, settings));
  OA_TRY(check_encoding(*connection, settings.database));
  steps.push_back({"database " + settings.database, made});
  return steps;
}

}  // namespace oa::catalog
