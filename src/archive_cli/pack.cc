#include "oa/archive_cli/pack.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "folder_walk.h"
#include "oa/archive_cli/passphrase.h"
#include "oa/crypto/key_file.h"

namespace oa::archive_cli {
namespace {

namespace fs = std::filesystem;

Error invalid(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, "pack", std::move(message));
}

Result<SigningKey> open_key(const PackOptions& options) {
  OA_ASSIGN(const auto file, SecretKeyFile::read(options.key_file));
  SecretBytes passphrase;
  if (file.encrypted()) {
    OA_ASSIGN(passphrase,
              passphrase_from(options.passphrase_file, "Passphrase of " + options.key_file, false));
  }
  return file.open(passphrase);
}

// An archive in the folder that it is made of would be read while it is written.
Status require_outside(const std::string& file, const std::string& folder) {
  std::error_code error;
  const fs::path inner = fs::canonical(fs::absolute(file).parent_path(), error);
  if (error) return errno_error(error.value(), "pack", "cannot find the folder of " + file);
  const fs::path outer = fs::canonical(folder, error);
  if (error) return errno_error(error.value(), "pack", "cannot open the folder " + folder);
  const auto differ = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  if (differ.first != outer.end()) return {};
  return invalid(file + " would lie in the folder that is packed")
      .with_hint("name a file outside of " + folder);
}

Result<archive::WriterOptions> writer_options(const PackOptions& options) {
  archive::WriterOptions writer;
  writer.compression_level = options.level;
  writer.threads = options.threads;
  writer.archive_id = ArchiveId::random();
  writer.snapshot_time = Timestamp::now();
  if (!options.archive_id.empty()) {
    OA_ASSIGN(writer.archive_id, ArchiveId::parse(options.archive_id));
  }
  if (!options.snapshot_time.empty()) {
    OA_ASSIGN(writer.snapshot_time, Timestamp::parse(options.snapshot_time));
  }
  return writer;
}

void tell(const PackOptions& options, const archive::Summary& summary, const FolderWalk& walk,
          const console::Output& output) {
  const auto& manifest = summary.manifest;
  output.document(
      json::object{{"file", options.file},
                   {"archive_id", manifest.archive_id.str()},
                   {"snapshot_time", manifest.snapshot_time.rfc3339()},
                   {"files", walk.files()},
                   {"content_bytes", walk.bytes()},
                   {"archive_bytes", summary.archive_bytes},
                   {"content_hash", to_hex(manifest.content_hash)},
                   {"empty_folders_left_out", walk.empty_folders()},
                   {"signer", json::object{{"key_id", manifest.signer.key_id()},
                                           {"fingerprint", manifest.signer.fingerprint()}}}});
  output.line(fmt::format("{} made: archive {} of {}", options.file, manifest.archive_id.str(),
                          manifest.snapshot_time.rfc3339()));
  output.line(fmt::format("  {} files, {} of content in {}", walk.files(),
                          format_size(walk.bytes()), format_size(summary.archive_bytes)));
  output.line(
      fmt::format("  signed by {} ({})", manifest.signer.key_id(), manifest.signer.fingerprint()));
  if (walk.empty_folders() > 0) {
    output.line(fmt::format("  {} empty folders are not in it: an archive holds files only",
                            walk.empty_folders()));
  }
}

}  // namespace

Status run_pack(const PackOptions& options, const console::Output& output, Progress& progress) {
  OA_ASSIGN(const auto writer_settings, writer_options(options));
  archive::ManifestInput manifest;
  if (!options.tenant_id.empty()) {
    OA_ASSIGN(manifest.tenant_id, TenantId::parse(options.tenant_id));
  }
  OA_TRY(require_outside(options.file, options.folder));
  OA_ASSIGN(const auto key, open_key(options));
  OA_ASSIGN(const auto file, AtomicFileSink::create(options.file, options.force, 0600));
  OA_ASSIGN(const auto writer, archive::ArchiveWriter::create(writer_settings, key, *file));
  progress.begin("packing", 0, "bytes");
  FolderWalk walk(*writer, progress);
  OA_TRY(walk.keep_out(options.key_file));
  if (!options.passphrase_file.empty()) OA_TRY(walk.keep_out(options.passphrase_file));
  OA_TRY(walk.add_all(options.folder));
  manifest.counts["files"] = walk.files();
  manifest.options = JsonText::of(json::object{{"packed_from", "folder"}});
  OA_ASSIGN(const auto summary, writer->finish(manifest));
  if (progress.cancelled())
    return make_error(ErrorCode::kCancelled, "pack", "cancelled; no archive was made");
  OA_TRY(file->commit());
  tell(options, summary, walk, output);
  return {};
}

}  // namespace oa::archive_cli
