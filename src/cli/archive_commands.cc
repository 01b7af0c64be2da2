#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>

#include "commands.h"
#include "oa/backup/archive_creator.h"
#include "oa/base/io.h"
#include "oa/catalog/repositories.h"

namespace oa::cli {
namespace {

namespace fs = std::filesystem;

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

class StdoutSink final : public ByteSink {
 public:
  Status write(ByteView bytes) override {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return {};
    return errno_error(errno, "stdout", "cannot write to standard output");
  }
};

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
  OA_ASSIGN(opened.archive,
            open_archive(options.archive, opened.instance.get(),
                         opened.tenant.has_value() ? &*opened.tenant : nullptr, options.trust));
  return opened;
}

Status save(const RangedSource& source, const std::string& path) {
  OA_ASSIGN(auto file, AtomicFileSink::create(path, false, 0600));
  OA_TRY(copy_all(source, *file));
  return file->commit();
}

Status extract_one(const archive::ArchiveReader& reader, const archive::EntryInfo& entry,
                   const std::string& folder) {
  const fs::path target =
      fs::path(folder) / entry.path;  // the reader admits no path that leaves its folder
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error)
    return errno_error(error.value(), "archive.extract",
                       "cannot make the folder of " + target.string());
  OA_ASSIGN(auto file, AtomicFileSink::create(target.string(), false, 0600));
  OA_TRY(reader.copy(entry.path, *file));
  return file->commit();
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

Status run_archive_verify(const Context& context, const ArchiveOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  const auto& reader = *opened.archive.reader;
  OA_ASSIGN(
      const auto report,
      reader.verify({.every_signature = options.every_signature, .threads = 0}, context.progress));
  const auto& manifest = reader.manifest();
  context.output.document(
      json::object{{"archive_id", manifest.archive_id.str()},
                   {"tenant_id", manifest.content.tenant_id.str()},
                   {"snapshot_time", manifest.snapshot_time.rfc3339()},
                   {"entries", report.entries},
                   {"content_bytes", report.content_bytes},
                   {"archive_bytes", report.archive_bytes},
                   {"signatures_checked", report.signatures_checked},
                   {"content_hash", to_hex(manifest.content_hash)},
                   {"signer", json::object{{"key_id", manifest.signer.key_id()},
                                           {"fingerprint", manifest.signer.fingerprint()}}},
                   {"verified", true}});
  context.output.line(fmt::format("verified: archive {} of {}", manifest.archive_id.str(),
                                  manifest.snapshot_time.rfc3339()));
  context.output.line(fmt::format("  {} entries, {} of content in {}", report.entries,
                                  format_size(report.content_bytes),
                                  format_size(report.archive_bytes)));
  context.output.line(
      fmt::format("  signed by {} ({})", manifest.signer.key_id(), manifest.signer.fingerprint()));
  if (options.every_signature)
    context.output.line(fmt::format("  {} signatures checked", report.signatures_checked));
  return {};
}

Status run_archive_ls(const Context& context, const ArchiveOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  json::array items;
  bool any = false;
  const std::string prefix = options.paths.empty() ? "" : options.paths.front();
  OA_TRY(opened.archive.reader->for_each(prefix, [&](const archive::EntryInfo& entry) -> Status {
    any = true;
    if (context.output.json()) {
      items.push_back(json::object{
          {"path", entry.path}, {"size", entry.size}, {"blake2b", to_hex(entry.digest)}});
    } else {
      context.output.line(fmt::format("{:>12}  {}", entry.size, entry.path));
    }
    return {};
  }));
  if (!any)
    context.output.line(prefix.empty() ? "the archive is empty" : "no entry begins with " + prefix);
  context.output.document(json::object{{"data", std::move(items)}});
  return {};
}

Status run_archive_cat(const Context& context, const ArchiveOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  StdoutSink sink;
  for (const auto& path : options.paths) OA_TRY(opened.archive.reader->copy(path, sink));
  if (std::fflush(stdout) != 0)
    return errno_error(errno, "stdout", "cannot write to standard output");
  return {};
}

Status run_archive_extract(const Context& context, const ArchiveOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  std::error_code error;
  if (fs::exists(options.output, error) &&
      !(fs::is_directory(options.output, error) && fs::is_empty(options.output, error))) {
    return make_error(ErrorCode::kAlreadyExists, "archive.extract",
                      options.output + " exists and is not an empty folder")
        .with_hint("name a new folder with --output");
  }
  const auto& reader = *opened.archive.reader;
  std::uint64_t files = 0, bytes = 0;
  context.progress.begin("extracting", reader.manifest().entry_count, "entries");
  const auto extract = [&](const archive::EntryInfo& entry) -> Status {
    OA_TRY(extract_one(reader, entry, options.output));
    bytes += entry.size;
    context.progress.update(++files);
    if (!context.progress.cancelled()) return {};
    return make_error(ErrorCode::kCancelled, "archive.extract",
                      "cancelled; what was extracted so far is whole");
  };
  for (const auto& prefix : options.paths.empty() ? std::vector<std::string>{""} : options.paths) {
    const std::uint64_t before = files;
    OA_TRY(reader.for_each(prefix, extract));
    if (files == before)
      return make_error(ErrorCode::kNotFound, "archive.extract", "no entry begins with " + prefix);
  }
  context.output.document(
      json::object{{"files", files}, {"bytes", bytes}, {"folder", options.output}});
  context.output.line(fmt::format("{} entries ({}) extracted to {}, each verified", files,
                                  format_size(bytes), options.output));
  return {};
}

Status run_archive_download(const Context& context, const ArchiveOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_TRY(save(*opened.archive.source, options.output));
  context.output.document(
      json::object{{"file", options.output}, {"bytes", opened.archive.source->size()}});
  context.output.line(fmt::format(
      "saved as {} ({}); whoever holds the file can read it, so keep it in a safe place",
      options.output, format_size(opened.archive.source->size())));
  return {};
}

}  // namespace oa::cli
