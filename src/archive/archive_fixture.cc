#include "archive_fixture.h"

#include <gtest/gtest.h>

#include "entry_layout.h"
#include "manifest_codec.h"
#include "manifest_frame.h"
#include "seek_table.h"
#include "tar.h"

namespace oa::archive {

SigningKey test_key(std::uint8_t number) {
  return *SigningKey::from_seed(SecretBytes::copy_of(Bytes(SigningKey::kSeedSize, number)));
}

WriterOptions test_options(unsigned threads) {
  WriterOptions options;
  options.archive_id = *ArchiveId::parse("3f1e9c52-7a7b-4c7e-9d43-0d2a8d1c5b10");
  options.snapshot_time = *Timestamp::parse("2026-04-16T09:42:11.134Z");
  options.threads = threads;
  return options;
}

ManifestInput test_manifest() {
  ManifestInput input;
  input.tenant_id = *TenantId::parse("8d0c1b58-1f0e-4f0b-8a53-3d2f6a1f9c11");
  input.tenant = *JsonText::parse(R"({"name":"Example","plan":"growth"})");
  input.counts = {{"reports", 2}, {"datasets", 1}};
  input.options = *JsonText::parse(R"({"audit":true})");
  return input;
}

Bytes noise(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i % 251 + (i >> 14));
  return bytes;
}

Bytes write_archive(const Contents& contents, const WriterOptions& options) {
  const SigningKey key = test_key(1);
  MemorySink sink;
  auto writer = *ArchiveWriter::create(options, key, sink);
  for (const auto& [path, content] : contents) {
    const Status added = writer->add(path, content);
    EXPECT_TRUE(added.ok()) << path;
  }
  const auto summary = writer->finish(test_manifest());
  EXPECT_TRUE(summary.ok());
  EXPECT_EQ(summary->archive_bytes, sink.bytes().size());
  return sink.take();
}

TrustPolicy trust_key(std::uint8_t number) { return {{test_key(number).public_key()}, false}; }

Status open_and_verify(const Bytes& archive, bool every_signature, const Limits& limits,
                       unsigned threads) {
  const MemorySource source(archive);
  OA_ASSIGN(const auto reader, ArchiveReader::open(source, trust_key(1), limits));
  OA_TRY(reader->verify({every_signature, threads}, no_progress()));
  return {};
}

std::string_view refusal(const Bytes& archive, bool every_signature, const Limits& limits) {
  const Status status = open_and_verify(archive, every_signature, limits, 1);
  return status.ok() ? std::string_view() : error_info(status.error().code).name;
}

namespace {

void append_forged_header(Bytes& plain, const ForgedEntry& entry, std::uint64_t mtime) {
  const std::size_t at = plain.size();
  append_tar_header(plain, entry.tar_path.empty() ? entry.path : entry.tar_path,
                    entry.content.size(), mtime);
  if (entry.type == '0') return;
  constexpr std::size_t kChecksumAt = 148, kTypeAt = 156;
  plain[at + kTypeAt] = static_cast<std::uint8_t>(entry.type);
  unsigned sum = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i)
    sum += i >= kChecksumAt && i < kChecksumAt + 8 ? ' ' : plain[at + i];
  for (std::size_t i = 6; i-- > 0; sum >>= 3)
    plain[at + kChecksumAt + i] = static_cast<std::uint8_t>('0' + (sum & 7));
}

std::string forged_signature(const ForgedEntry& entry, const ArchiveId& archive) {
  const auto key = test_key(entry.signed_by_other ? 2 : 1);
  const std::string named = entry.signature_of.value_or(entry.path);
  return key.sign(Blake2b::of(entry.content),
                  trusted_comment(archive, named, entry.content.size()));
}

}  // namespace

Bytes Forgery::make() const {
  const auto options = test_options();
  const auto mtime = static_cast<std::uint64_t>(options.snapshot_time.unix_seconds());
  Bytes plain, out;
  std::vector<std::size_t> offsets;
  for (const auto& entry : entries) {
    const std::size_t header = plain.size();
    if (entry.in_tar) append_forged_header(plain, entry, mtime);
    offsets.push_back(entry.in_tar ? plain.size() : header);
    if (!entry.in_tar) continue;
    plain.insert(plain.end(), entry.content.begin(), entry.content.end());
    append_padding(plain, entry.content.size());
    append_tar_file(plain, signature_path(entry.path),
                    as_bytes(forged_signature(entry, options.archive_id)), mtime);
  }
  if (edit_plain) edit_plain(plain);

  IndexBuilder index;
  SeekTable table;
  const auto add_frame = [&](const Bytes& content, bool entries_begin) {
    const Bytes frame = *FrameCompressor(options.compression_level).compress(content);
    FrameRecord record;
    record.stored_size = static_cast<std::uint32_t>(frame.size());
    record.plain_size = static_cast<std::uint32_t>(content.size());
    record.digest = blake3(frame);
    if (edit_frame) edit_frame(record);
    index.add_frame(record, entries_begin);
    table.add(frame.size(), content.size());
    out.insert(out.end(), frame.begin(), frame.end());
  };
  add_frame(plain, true);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EntryInfo info{entries[i].path, entries[i].content.size(), Blake2b::of(entries[i].content)};
    if (edit_entry) edit_entry(info);
    if (entries[i].in_index) index.add_small(info, offsets[i]);
  }
  if (with_bare_frame) add_frame({}, false);

  const Bytes page = *index.finish_page();
  const Bytes root = index.finish_root();
  Manifest manifest{kFormatMajor,
                    kFormatMinor,
                    options.archive_id,
                    options.snapshot_time,
                    test_manifest(),
                    test_key(1).public_key(),
                    index.entry_count(),
                    index.content_bytes(),
                    index.finish_content_hash(),
                    blake3(ByteView(root).subspan(kSkippableHeaderSize))};
  if (edit_manifest) edit_manifest(manifest);
  std::string text = encode_manifest(manifest);
  if (edit_manifest_text) edit_manifest_text(text);
  std::string signature =
      test_key(key).sign(Blake2b::of(as_bytes(text)),
                         trusted_comment(manifest.archive_id, kManifestPath, text.size()));
  if (edit_signature) edit_signature(signature);
  const RawFrame last = manifest_frame(text, signature, mtime);
  table.add(page.size(), 0);
  table.add(root.size(), 0);
  table.add(last.frame().size(), last.plain_size());
  for (const auto& part : {page, root, last.frame(), table.encode()})
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace oa::archive
