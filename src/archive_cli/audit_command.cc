#include <fmt/format.h>

#include <boost/json.hpp>

#include "oa/archive/entry_paths.h"
#include "oa/archive_cli/audit.h"
#include "oa/audit/checkpoint.h"
#include "read_commands.h"

namespace oa::archive_cli {
namespace {

constexpr const char* kOp = "archive.audit";
constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

struct Begin {
  AuditMark mark;
  std::optional<PublicKey> signer;  // of the checkpoint that the chain begins behind
};

Result<Begin> begin_of(TenantId tenant, const json::value* checkpoint) {
  if (checkpoint == nullptr) return Begin{audit_begin(tenant), std::nullopt};
  OA_ASSIGN(const auto parsed, checkpoint_from_json(*checkpoint));
  OA_ASSIGN(const PublicKey signer, check_checkpoint(tenant, parsed));
  return Begin{parsed.mark, signer};
}

void print(const AuditChainSink& chain, const Begin& begin, const console::Output& output) {
  output.document(json::object{
      {"valid", true},
      {"events", chain.events()},
      {"redacted_values", chain.redacted_values()},
      {"begins_behind", begin.mark.sequence},
      {"checkpoint_signer", begin.signer.has_value() ? json::value(begin.signer->fingerprint())
                                                     : json::value(nullptr)},
      {"last_hash", to_hex(chain.last().hash)}});
  output.line(fmt::format("the audit chain verifies: {} events, {} values redacted", chain.events(),
                          chain.redacted_values()));
  if (begin.signer.has_value())
    output.line(fmt::format("  events up to {} were removed when their time was over; checkpoint by {}",
                            begin.mark.sequence, begin.signer->fingerprint()));
  output.line("  its last hash is " + to_hex(chain.last().hash));
}

}  // namespace

Result<std::optional<std::uint64_t>> check_audit_chain(const archive::ArchiveReader& reader) {
  const auto found = reader.stat(archive::kAuditPath);
  if (!found.ok() && found.error().code == ErrorCode::kNotFound)
    return std::optional<std::uint64_t>();
  if (!found.ok()) return found.error();
  const auto& content = reader.manifest().content;
  const json::value options = content.options.value();
  // A folder that was packed may have a file of this name that is something else.
  if (options.as_object().contains("packed_from")) return std::optional<std::uint64_t>();
  OA_ASSIGN(const Begin begin,
            begin_of(content.tenant_id, options.as_object().if_contains("audit_checkpoint")));
  AuditChainSink chain(begin.mark);
  OA_TRY(reader.copy(archive::kAuditPath, chain));
  OA_TRY(chain.finish());
  return std::optional(chain.events());
}

Status run_audit(const archive::ArchiveReader& reader, const ReadOptions&,
                 const console::Output& output, Progress& progress) {
  const auto& content = reader.manifest().content;
  const auto found = reader.stat(archive::kAuditPath);
  if (!found.ok() && found.error().code == ErrorCode::kNotFound)
    return make_error(ErrorCode::kNotFound, kOp, "the archive was made without the audit chain")
        .with_hint("make it with --audit");
  if (!found.ok()) return found.error();
  progress.begin("checking the chain", found->size, "bytes");
  const json::value options = content.options.value();
  OA_ASSIGN(const Begin begin,
            begin_of(content.tenant_id, options.as_object().if_contains("audit_checkpoint")));
  AuditChainSink chain(begin.mark);
  OA_TRY(reader.copy(archive::kAuditPath, chain));
  OA_TRY(chain.finish());
  print(chain, begin, output);
  return {};
}

Status run_audit_log(const AuditLogOptions& options, const console::Output& output,
                     Progress& progress) {
  OA_ASSIGN(const auto tenant, TenantId::parse(options.tenant_id));
  std::optional<json::value> checkpoint;
  if (!options.checkpoint_file.empty()) {
    OA_ASSIGN(const Bytes text, read_file(options.checkpoint_file, 64 << 10));
    OA_ASSIGN(checkpoint, parse_json(as_text(text)));
  }
  OA_ASSIGN(const Begin begin,
            begin_of(tenant, checkpoint.has_value() ? &*checkpoint : nullptr));
  OA_ASSIGN(const auto source, FileSource::open(options.file));
  progress.begin("checking the chain", source->size(), "bytes");
  AuditChainSink chain(begin.mark);
  for (std::uint64_t at = 0; at < source->size();) {
    if (progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, source->size() - at));
    Bytes piece(length);
    OA_TRY(source->read_at(at, piece));
    OA_TRY(chain.write(piece));
    at += length;
    progress.update(at);
  }
  OA_TRY(chain.finish());
  print(chain, begin, output);
  return {};
}

}  // namespace oa::archive_cli
