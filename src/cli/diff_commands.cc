#include <boost/json.hpp>

#include "commands.h"
#include "oa/archive_cli/difference.h"
#include "oa/backup/snapshot_entries.h"
#include "oa/catalog/repositories.h"
#include "oa/crypto/hash_sink.h"

namespace oa::cli {
namespace {

using archive_cli::ComparedSide;

// Passes a snapshot's entries on to a comparison.
class PassingConsumer final : public backup::EntryConsumer {
 public:
  explicit PassingConsumer(const std::function<Status(const diff::PassingEntry&)>& visit)
      : visit_(visit) {}

  Status add(std::string path, Bytes content) override {
    return visit_({std::move(path), content.size(),
                   [&]() -> Result<Blake2bDigest> { return Blake2b::of(content); },
                   [&](std::size_t max_bytes) -> Result<Bytes> {
                     if (content.size() <= max_bytes) return content;
                     return too_large(max_bytes);
                   }});
  }
  Status add_stream(std::string path, std::uint64_t size,
                    const std::function<Status(ByteSink&)>& produce) override {
    return visit_({std::move(path), size,
                   [&]() -> Result<Blake2bDigest> {
                     HashSink sink;
                     OA_TRY(produce(sink));
                     return sink.finish();
                   },
                   [&](std::size_t max_bytes) -> Result<Bytes> {
                     if (size > max_bytes) return too_large(max_bytes);
                     MemorySink sink;
                     OA_TRY(produce(sink));
                     return sink.take();
                   }});
  }

 private:
  static Error too_large(std::size_t max_bytes) {
    return make_error(ErrorCode::kLimitExceeded, "diff",
                      "the entry is larger than " + format_size(max_bytes));
  }
  const std::function<Status(const diff::PassingEntry&)>& visit_;
};

// What a tenant has now, by the walk that makes its archives; nothing of it is stored. Rows are
// hashed only where the archive has rows of the same size. The audit chain always goes on, so it is
// not compared.
class LiveSide final : public diff::Passage {
 public:
  LiveSide(catalog::TenantTransaction& snapshot, SealedObjects& objects,
           const catalog::Tenant& tenant, bool with_rows)
      : snapshot_(snapshot), objects_(objects), tenant_(tenant), with_rows_(with_rows) {}

  diff::Scope scope() const override { return {std::nullopt, with_rows_, false}; }
  Result<diff::Facts> walk(const std::function<Status(const diff::PassingEntry&)>& visit) override {
    backup::ArchiveRequest request;
    request.with_rows = with_rows_;
    PassingConsumer consumer(visit);
    OA_ASSIGN(auto said, backup::walk_snapshot(snapshot_, objects_, tenant_, request, consumer,
                                               no_progress()));
    return diff::Facts{said.tenant_id, std::move(said.tenant), std::move(said.counts)};
  }

 private:
  catalog::TenantTransaction& snapshot_;
  SealedObjects& objects_;
  const catalog::Tenant& tenant_;
  const bool with_rows_;
};

Result<diff::Comparison> compare_with_live(const Context& context, instance::Instance& instance,
                                           const catalog::Tenant& tenant,
                                           const archive::ArchiveReader& reader,
                                           ComparedSide& after) {
  const diff::ArchiveSide before(reader);
  OA_ASSIGN(auto snapshot, instance.database().begin(tenant.id, catalog::Isolation::kSnapshot));
  const std::string now = snapshot.started_at().rfc3339();
  after = {"tenant " + tenant.name + " as it is, " + now,
           {{"live", true}, {"tenant_id", tenant.id.str()}, {"snapshot_time", now}}};
  LiveSide live(snapshot, instance.objects(), tenant, before.scope().rows);
  return diff::compare(before, live, {}, context.progress);
}

Result<diff::Comparison> compare_archives(const Context& context,
                                          const archive::ArchiveReader& before_reader,
                                          const archive::ArchiveReader& after_reader,
                                          ComparedSide& after) {
  const diff::ArchiveSide before(before_reader);
  diff::ArchiveSide after_side(after_reader);
  after = archive_cli::describe(after_reader.manifest());
  return diff::compare(before, after_side, {}, context.progress);
}

}  // namespace

Status run_archive_diff(const Context& context, const DiffOptions& options) {
  if (options.archives.after.empty() && options.tenant.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "archive.diff",
                      "there is nothing to compare the archive with")
        .with_hint("name a second archive, or --tenant NAME for what the tenant has now");
  }
  std::unique_ptr<instance::Instance> instance;
  std::optional<catalog::Tenant> tenant;
  if (!options.tenant.empty()) {
    OA_ASSIGN(instance, open_instance(context.options, false));
    OA_ASSIGN(tenant, instance->database().find_tenant(options.tenant));
  }
  const catalog::Tenant* owner = tenant.has_value() ? &*tenant : nullptr;
  OA_ASSIGN(const auto opened,
            open_archive(options.archives.before, instance.get(), owner, options.archives.trust));
  const auto before = archive_cli::describe(opened.reader->manifest());
  ComparedSide after;
  NamedArchive second;
  diff::Comparison comparison;
  if (options.archives.after.empty()) {
    OA_ASSIGN(comparison, compare_with_live(context, *instance, *tenant, *opened.reader, after));
  } else {
    OA_ASSIGN(second,
              open_archive(options.archives.after, instance.get(), owner, options.archives.trust));
    OA_ASSIGN(comparison, compare_archives(context, *opened.reader, *second.reader, after));
  }
  archive_cli::show_difference(context.output, before, after, comparison);
  if (options.archives.exit_code && !comparison.changes.empty())
    context.exit_status = diff::kDifferentExitStatus;
  return {};
}

}  // namespace oa::cli
