#include "oa/backup/archive_rewriting.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "oa/archive/entry_paths.h"
#include "oa/archive/format_version.h"
#include "oa/archive/writer.h"
#include "oa/audit/chain_sink.h"
#include "oa/catalog/portable.h"
#include "oa/privacy/erased_user.h"
#include "oa/privacy/mentions.h"

namespace oa::backup {
namespace {

constexpr const char* kOp = "archive.rewrite";
constexpr std::size_t kMaxDocumentBytes = std::size_t{64} << 20;

// Every entry but rows and the audit chain, in the order of the archive.
Status for_each_entry(const archive::ArchiveReader& reader,
                      const std::function<Status(const archive::EntryInfo&)>& visit) {
  for (std::string after;;) {
    OA_ASSIGN(const auto page, reader.list_after(after));
    if (page.empty()) return {};
    for (const auto& entry : page) OA_TRY(visit(entry));
    after = page.back().path;
  }
}

Result<Bytes> read_document(const archive::ArchiveReader& reader, const std::string& path,
                            archive::EntryKind kind) {
  OA_ASSIGN(Bytes bytes, reader.read(path, kMaxDocumentBytes));
  return archive::migrated(kind, reader.manifest().format_minor, std::move(bytes));
}

// The values that the archive has of those who were erased.
class Values {
 public:
  explicit Values(const Tombstones& erased) : erased_(erased) {}

  void add(const std::vector<catalog::User>& users) {
    for (const auto& user : users) {
      const auto found = erased_.find(user.id);
      if (found == erased_.end() || privacy::is_erased(user)) continue;
      if (seen_.insert(user.id).second) people_.push_back(privacy::values_of(user, found->second));
    }
  }
  Status read(const archive::ArchiveReader& reader) {
    OA_ASSIGN(const auto tenant, catalog::tenant_from_portable(reader.manifest().content.tenant));
    add(tenant.users);
    return for_each_entry(reader, [&](const archive::EntryInfo& entry) -> Status {
      const auto ref = archive::parse_entry_path(entry.path);
      if (!ref.has_value() || ref->kind != archive::EntryKind::kWorkspace) return {};
      OA_ASSIGN(const Bytes bytes, read_document(reader, entry.path, ref->kind));
      OA_ASSIGN(const auto document, catalog::workspace_from_portable(as_text(bytes)));
      add(document.users);
      return {};
    });
  }
  const std::vector<privacy::PersonValues>& people() const { return people_; }

 private:
  const Tombstones& erased_;
  std::set<UserId> seen_;
  std::vector<privacy::PersonValues> people_;
};

class Rewriting {
 public:
  Rewriting(const archive::ArchiveReader& reader, const Tombstones& erased,
            const std::vector<privacy::PersonValues>& people, archive::ArchiveWriter& writer,
            Progress& progress)
      : reader_(reader), erased_(erased), people_(people), writer_(writer), progress_(progress) {}

  Status copy_entries() {
    progress_.begin("writing without the erased", reader_.manifest().entry_count, "entries");
    return for_each_entry(reader_, [&](const archive::EntryInfo& entry) -> Status {
      if (progress_.cancelled())
        return make_error(ErrorCode::kCancelled, kOp, "cancelled; the archive is as it was");
      OA_TRY(copy(entry));
      progress_.update(++done_);
      return {};
    });
  }

  Result<archive::ManifestInput> manifest(std::size_t people) const {
    archive::ManifestInput input = reader_.manifest().content;
    OA_ASSIGN(auto tenant, catalog::tenant_from_portable(input.tenant));
    blank(tenant.users);
    leave(tenant.teams);
    for (auto& team : tenant.teams) privacy::remove_mentions(team, people_);
    input.tenant = catalog::to_portable(tenant);
    json::value options = input.options.value();
    options.as_object()["rewritten"] =
        json::object{{"at", Timestamp::now().rfc3339()},
                     {"reason", "erasure"},
                     {"people", people},
                     {"content_hash", to_hex(reader_.manifest().content_hash)}};
    input.options = JsonText::of(options.as_object());
    return input;
  }

 private:
  Status copy(const archive::EntryInfo& entry) {
    if (entry.path == archive::kAuditPath) return copy_audit();
    const auto ref = archive::parse_entry_path(entry.path);
    if (!ref.has_value() || ref->kind == archive::EntryKind::kRows)
      return writer_.add_stream(entry.path, entry.size,
                                [&](ByteSink& out) { return reader_.copy(entry.path, out); });
    OA_ASSIGN(const Bytes bytes, read_document(reader_, entry.path, ref->kind));
    OA_ASSIGN(const std::string text, rewritten(ref->kind, as_text(bytes)));
    return writer_.add(entry.path, Bytes(text.begin(), text.end()));
  }

  Result<std::string> rewritten(archive::EntryKind kind, std::string_view text) const {
    switch (kind) {
      case archive::EntryKind::kWorkspace:
        return workspace(text);
      case archive::EntryKind::kReport: {
        OA_ASSIGN(auto report, catalog::report_from_portable(text));
        privacy::remove_mentions(report, people_);
        revoke(report.grants);
        return catalog::to_portable(report);
      }
      case archive::EntryKind::kAlert: {
        OA_ASSIGN(auto alert, catalog::alert_from_portable(text));
        privacy::remove_mentions(alert, people_);
        return catalog::to_portable(alert);
      }
      case archive::EntryKind::kModel:
        return privacy::without_mentions(text, people_);
      case archive::EntryKind::kRows:
        break;
    }
    OA_ASSERT(false);
  }

  Result<std::string> workspace(std::string_view text) const {
    OA_ASSIGN(auto document, catalog::workspace_from_portable(text));
    blank(document.users);
    leave(document.teams);
    revoke(document.workspace.roles);
    privacy::remove_mentions(document.workspace, people_);
    for (auto& team : document.teams) privacy::remove_mentions(team, people_);
    for (auto& dataset : document.datasets) privacy::remove_mentions(dataset, people_);
    return catalog::to_portable(document);
  }

  void blank(std::vector<catalog::User>& users) const {
    for (auto& user : users) {
      if (erased_.contains(user.id)) user = privacy::erased_user(user.id, user.created_at);
    }
  }
  void leave(std::vector<catalog::Team>& teams) const {
    for (auto& team : teams)
      std::erase_if(team.members, [&](UserId member) { return erased_.contains(member); });
  }
  void revoke(std::vector<catalog::RoleGrant>& grants) const {
    std::erase_if(grants, [&](const catalog::RoleGrant& grant) {
      return grant.kind == catalog::PrincipalKind::kUser &&
             erased_.contains(UserId(grant.principal));
    });
  }

  // Passes redacted lines on, counting on the first way: tar wants the size before the bytes.
  Status copy_audit() {
    CountingSink size;
    OA_TRY(write_audit(size));
    return writer_.add_stream(archive::kAuditPath, size.count(),
                              [&](ByteSink& out) { return write_audit(out); });
  }
  Status write_audit(ByteSink& out) const {
    const RedactingSink::Redact redact = [&](AuditEvent& event) {
      privacy::redact(event, people_);
    };
    RedactingSink sink(out, redact);
    OA_TRY(reader_.copy(archive::kAuditPath, sink));
    return sink.finish();
  }

  // Lines of the chain in, lines of the chain out.
  class RedactingSink final : public ByteSink {
   public:
    using Redact = std::function<void(AuditEvent&)>;
    RedactingSink(ByteSink& out, const Redact& redact) : out_(out), redact_(redact) {}
    Status write(ByteView bytes) override {
      std::string_view rest = as_text(bytes);
      for (std::size_t end = rest.find('\n'); end != std::string_view::npos;
           end = rest.find('\n')) {
        open_ += rest.substr(0, end);
        OA_TRY(line());
        rest.remove_prefix(end + 1);
      }
      open_ += rest;
      if (open_.size() > AuditChainSink::kMaxLineBytes)
        return make_error(ErrorCode::kArchiveLimit, kOp, "a line of the audit chain is too long");
      return {};
    }
    Status finish() { return open_.empty() ? Status() : line(); }

   private:
    Status line() {
      OA_ASSIGN(AuditEvent event, audit_from_json(open_));
      redact_(event);
      open_ = audit_to_json(event) + "\n";
      OA_TRY(out_.write(as_bytes(open_)));
      open_.clear();
      return {};
    }
    ByteSink& out_;
    const Redact& redact_;
    std::string open_;
  };

  const archive::ArchiveReader& reader_;
  const Tombstones& erased_;
  const std::vector<privacy::PersonValues>& people_;
  archive::ArchiveWriter& writer_;
  Progress& progress_;
  std::uint64_t done_ = 0;
};

NewAuditEvent event_of(const catalog::ArchiveRecord& before, const catalog::ArchiveRecord& after,
                       std::size_t people) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.action = "backup.archive.rewrite";
  event.resource_type = "archive";
  event.resource_id = before.id.str();
  event.detail = JsonText::of(json::object{{"content_hash", after.content_hash},
                                           {"content_hash_before", before.content_hash},
                                           {"people", people}});
  return event;
}

Status replace_record(catalog::Database& database, TenantId tenant,
                      const catalog::ArchiveRecord& before, const catalog::ArchiveRecord& after,
                      std::size_t people) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  catalog::Archives archives(transaction);
  OA_ASSIGN(const auto now, archives.get(before.id));
  if (now.content_hash != before.content_hash || now.object_version != before.object_version)
    return make_error(ErrorCode::kPreconditionFailed, kOp, "the archive was replaced meanwhile");
  OA_TRY(archives.remove(before.id));
  OA_TRY(archives.add(after));
  const NewAuditEvent event = event_of(before, after, people);
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

}  // namespace

Result<bool> holds_erased(const archive::ArchiveReader& reader, const Tombstones& erased) {
  Values values(erased);
  OA_TRY(values.read(reader));
  return !values.people().empty();
}

Result<catalog::ArchiveRecord> rewrite_archive(catalog::Database& database, SealedObjects& objects,
                                               const SigningKey& signer, TenantId tenant,
                                               const catalog::ArchiveRecord& record,
                                               const archive::ArchiveReader& reader,
                                               const Tombstones& erased, Progress& progress) {
  progress.begin("looking for the erased", 0, "");
  Values values(erased);
  OA_TRY(values.read(reader));
  const std::size_t people = values.people().size();

  catalog::ArchiveRecord after = record;
  after.object_name = record.id.str() + "/" + Uuid::random().str();
  OA_ASSIGN(auto sink,
            objects.create({tenant, RetentionClass::kArchives, after.object_name}));
  archive::WriterOptions options;
  options.archive_id = reader.manifest().archive_id;
  options.snapshot_time = reader.manifest().snapshot_time;
  OA_ASSIGN(auto writer, archive::ArchiveWriter::create(options, signer, *sink));
  Rewriting rewriting(reader, erased, values.people(), *writer, progress);
  OA_TRY(rewriting.copy_entries());
  OA_ASSIGN(const auto manifest, rewriting.manifest(people));
  OA_ASSIGN(const auto summary, writer->finish(manifest));
  OA_ASSIGN(const auto version, sink->commit());
  after.object_version = version.value;
  after.size_bytes = summary.archive_bytes;
  after.content_hash = to_hex(summary.manifest.content_hash);
  after.signer = signer.public_key().fingerprint();
  after.verification.reset();
  const Status replaced = replace_record(database, tenant, record, after, people);
  const auto& gone = replaced.ok() ? record : after;
  const auto removed = objects.remove({tenant, RetentionClass::kArchives, gone.object_name},
                                      VersionId{gone.object_version});
  OA_TRY(replaced);
  if (!removed.ok() && removed.error().code != ErrorCode::kNotFound) return removed.error();
  return after;
}

}  // namespace oa::backup
