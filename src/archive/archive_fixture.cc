#include "archive_fixture.h"

#include <gtest/gtest.h>

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

}  // namespace oa::archive
