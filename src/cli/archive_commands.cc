#include <fmt/format.h>

#include <boost/json.hpp>

#include "commands.h"
#include "oa/backup/archive_creator.h"
#include "oa/backup/archive_removal.h"
#include "oa/base/io.h"
#include "oa/catalog/repositories.h"
#include "oa/reports/probes.h"

namespace oa::cli {
namespace {

constexpr int kDifferentStatus = 6;  // the archive's, as of one whose content differs

json::object to_json(const catalog::ArchiveRecord& record) {
  return {{"id", record.id.str()},
          {"snapshot_time", record.snapshot_time.rfc3339()},
          {"created_at", record.created_at.rfc3339()},
          {"size_bytes", record.size_bytes},
          {"rows", record.with_rows},
          {"audit", record.with_audit},
          {"counts", record.counts.value()},
          {"content_hash", record.content_hash},
          {"signer_fingerprint", record.signer}};
}

// The instance is opened only when an archive or a signer has to be looked up in it.
struct Opened {
  std::unique_ptr<instance::Instance> instance;
  std::optional<catalog::Tenant> tenant;
  NamedArchive archive;
};

Result<Opened> open(const Context& context, const ArchiveOptions& options) {
  Opened opened;
  if (!options.tenant.empty()) {
    OA_ASSIGN(opened.instance, open_instance(context.options, false));
    OA_ASSIGN(opened.tenant, opened.instance->database().find_tenant(options.tenant));
  }
  OA_ASSIGN(opened.archive, open_archive(options.read.archive, opened.instance.get(),
                                         opened.tenant.has_value() ? &*opened.tenant : nullptr,
                                         options.read.trust));
  return opened;
}

Status save(const RangedSource& source, const std::string& path) {
  OA_ASSIGN(auto file, AtomicFileSink::create(path, false, 0600));
  OA_TRY(copy_all(source, *file));
  return file->commit();
}

Error not_an_id() {
  return make_error(ErrorCode::kInvalidArgument, "archive.delete",
                    "an archive in store is named by its id")
      .with_hint("`oa-backup archive list --tenant NAME` shows the tenant's archives");
}

std::string summary_of(const catalog::ArchiveRecord& record) {
  return fmt::format("archive {} of {}: {}, {}, {}", record.id.str(),
                     record.snapshot_time.rfc3339(), format_size(record.size_bytes),
                     record.with_rows ? "with rows" : "no rows", record.counts.str());
}

}  // namespace

Status run_archive_create(const Context& context, const ArchiveCreateOptions& options) {
  // Tried first: an archive that cannot be saved where it was asked for is not made.
  std::unique_ptr<AtomicFileSink> file;
  if (!options.output.empty()) {
    OA_ASSIGN(file, AtomicFileSink::create(options.output, false, 0600));
  }
  backup::ArchiveRequest request;
  request.with_rows = options.rows;
  request.with_audit = options.audit;
  for (const auto& id : options.workspaces) {
    OA_ASSIGN(const auto workspace, WorkspaceId::parse(id));
    request.workspaces.push_back(workspace);
  }
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  OA_ASSIGN(const auto signer, instance->signing_key(tenant.id));
  OA_ASSIGN(const auto record,
            backup::create_archive(instance->database(), instance->objects(), signer, tenant.id,
                                   request, context.progress));
  if (!options.output.empty()) {
    const ObjectKey key{tenant.id, RetentionClass::kArchives, record.object_name};
    OA_ASSIGN(const auto source, instance->objects().open(key, VersionId{record.object_version}));
    OA_TRY(copy_all(*source, *file));
    OA_TRY(file->commit());
  }
  auto document = to_json(record);
  if (!options.output.empty()) document["file"] = options.output;
  context.output.document(document);
  context.output.line(fmt::format("archive {} made: {}, {}", record.id.str(),
                                  format_size(record.size_bytes), record.counts.str()));
  if (!options.output.empty()) {
    context.output.line(
        fmt::format("  saved as {}; whoever holds the file can read it, so keep it in a safe place",
                    options.output));
  }
  return {};
}

Status run_archive_list(const Context& context, const std::string& tenant_name) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(tenant_name));
  OA_ASSIGN(auto transaction, instance->database().begin(tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto records, catalog::Archives(transaction).list());
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& record : records) {
    items.push_back(to_json(record));
    rows.push_back({record.id.str(), record.snapshot_time.rfc3339(), format_size(record.size_bytes),
                    record.with_rows ? "rows" : "no rows",
                    record.with_audit ? "audit" : "no audit"});
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"id", "snapshot", "size", "rows", "audit"}, rows,
                       "no archives yet; make one with `oa-backup archive create --tenant NAME`");
  return {};
}

Status run_archive_read(const Context& context, const archive_cli::ReadCommand& command,
                        const ArchiveOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  return command.run(*opened.archive.reader, options.read, context.output, context.progress);
}

Status run_archive_probe(const Context& context, const ArchiveOptions& options) {
  if (options.tenant.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "archive.probe",
                      "say in which tenant the reports are to be opened")
        .with_hint("add --tenant NAME");
  }
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(const auto probes,
            reports::probes_from_json(opened.archive.reader->manifest().content.probes));
  OA_ASSIGN(auto snapshot,
            opened.instance->database().begin(opened.tenant->id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto results, reports::compare_probes(snapshot, opened.instance->objects(),
                                                        probes, {}, context.progress));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  std::size_t same = 0;
  for (const auto& result : results) {
    same += result.state == reports::ProbeState::kSame;
    items.push_back(json::object{{"report_id", result.report.str()},
                                 {"name", result.name},
                                 {"state", reports::to_text(result.state)}});
    rows.push_back({result.report.str(), std::string(reports::to_text(result.state)), result.name});
  }
  context.output.document(
      json::object{{"data", std::move(items)}, {"same", same}, {"taken_at", probes.now.rfc3339()}});
  context.output.table({"report", "shows", "name"}, rows,
                       "the archive has no digests of reports; those made with --rows have");
  if (same != results.size()) context.exit_status = kDifferentStatus;
  return {};
}

Status run_archive_delete(const Context& context, const ArchiveDeleteOptions& options) {
  const auto id = ArchiveId::parse(options.id);
  if (!id.ok()) return not_an_id();
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  catalog::ArchiveRecord record;
  {
    OA_ASSIGN(auto snapshot, instance->database().begin(tenant.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(record, catalog::Archives(snapshot).get(*id));
  }
  if (!options.yes) {
    context.output.line(summary_of(record));
    OA_TRY(confirm(context.output, tenant, "to delete this archive for good",
                   make_error(ErrorCode::kInvalidArgument, "archive.delete",
                              "nobody is there to confirm; this would go: " + summary_of(record))
                       .with_hint("add --yes")));
  }
  OA_TRY(backup::remove_archive(instance->database(), instance->objects(), tenant.id, *id,
                                std::nullopt));
  context.output.document(json::object{{"deleted", to_json(record)}});
  context.output.line(fmt::format("archive {} deleted", record.id.str()));
  return {};
}

Status run_archive_sweep(const Context& context, const std::string& tenant_name) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(tenant_name));
  OA_ASSIGN(const auto removed, backup::sweep_archives(instance->database(), instance->objects(),
                                                       tenant.id, Timestamp::now()));
  context.output.document(json::object{{"objects_removed", removed}});
  context.output.line(fmt::format("{} objects of unfinished or deleted archives removed", removed));
  return {};
}

Status run_archive_download(const Context& context, const ArchiveOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_TRY(save(*opened.archive.source, options.read.output));
  context.output.document(
      json::object{{"file", options.read.output}, {"bytes", opened.archive.source->size()}});
  context.output.line(fmt::format(
      "saved as {} ({}); whoever holds the file can read it, so keep it in a safe place",
      options.read.output, format_size(opened.archive.source->size())));
  return {};
}

}  // namespace oa::cli
