// The check of a pack frame against the index: it passes the bytes that were written and no others.
#include <algorithm>

#include "entry_layout.h"
#include "fuzz_input.h"
#include "index_cursor.h"
#include "oa/archive/writer.h"
#include "pack_check.h"
#include "signed_archive.h"

namespace oa::archive {
namespace {

// An archive of two pack frames with a large entry between them.
Bytes write_archive() {
  const Manifest manifest = fuzz::empty_manifest();
  WriterOptions options;
  options.archive_id = manifest.archive_id;
  options.snapshot_time = manifest.snapshot_time;
  options.threads = 1;
  MemorySink sink;
  const auto writer = *ArchiveWriter::create(options, fuzz::signing_key(), sink);
  for (const auto& [path, size] : {std::pair<std::string, std::size_t>{"a", 3},
                                   {"b/" + std::string(120, 'n'), 600},
                                   {"c/" + std::string(100, 'p') + "/name", 0},
                                   {"m", kLargeEntry + 1},
                                   {"z", 512}}) {
    writer->add(path, Bytes(size, 'x')).value();
  }
  OA_ASSERT(writer->finish(manifest.content).ok());
  return sink.take();
}

struct Genuine {
  MemorySource source{write_archive()};
  std::unique_ptr<ArchiveFile> file = *ArchiveFile::open(source, {});
  std::shared_ptr<const IndexPage> page = *file->page(0);
  PackExpectation first{page, 0, std::nullopt, 0, 3, page->entries[3].info};
  PackExpectation last{page, 2, page->entries[3].info, 4, 5, std::nullopt};
};

void check(const ArchiveFile& file, const PackExpectation& expected, ByteView plain) {
  const Bytes& genuine = **file.pack_frame(expected.page->frames[expected.frame]);
  const bool same = std::ranges::equal(plain, genuine);
  const Status status = check_pack(file, expected, plain, true);
  OA_ASSERT(fuzz::accepted(status) == same);
  if (!same) OA_ASSERT(fuzz::is_archive_refusal(status.error().code));
  const Status quick = check_pack(file, expected, plain, false);
  OA_ASSERT(quick.ok() || !same);
}

// Gives every block that looks like a header the checksum that it then needs.
void mend_checksums(Bytes& plain) {
  constexpr std::size_t kChecksumAt = 148, kMagicAt = 257;
  for (std::size_t at = 0; at + kTarBlock <= plain.size(); at += kTarBlock) {
    const auto block = std::span(plain).subspan(at, kTarBlock);
    if (as_text(block.subspan(kMagicAt, 5)) != "ustar") continue;
    unsigned sum = 8 * ' ';
    for (std::size_t i = 0; i < kTarBlock; ++i)
      sum += i >= kChecksumAt && i < kChecksumAt + 8 ? 0u : block[i];
    for (std::size_t i = 6; i-- > 0; sum >>= 3)
      block[kChecksumAt + i] = static_cast<std::uint8_t>('0' + (sum & 7));
  }
}

// Edits: what (u8), place (u16), then bits to change, bytes to put in, or a size to cut or repeat.
Bytes edited(Bytes plain, IndexCursor& edits) {
  while (edits.left() > 0) {
    const auto what = edits.fixed<std::uint8_t>();
    const std::size_t place = edits.fixed<std::uint16_t>() % (plain.size() + 1);
    const auto at = plain.begin() + static_cast<std::ptrdiff_t>(place);
    const auto argument = edits.fixed<std::uint8_t>();
    if (what % 4 == 0 && at != plain.end()) *at ^= argument;
    if (what % 4 == 1) {
      const auto text = edits.bytes(std::min<std::size_t>(argument, edits.left()));
      std::copy_n(text.begin(), std::min(text.size(), plain.size() - place), at);
    }
    if (what % 4 == 2)
      plain.erase(at, at + std::min<std::ptrdiff_t>(argument * 64, plain.end() - at));
    if (what % 4 == 3 && plain.size() < 65536) {
      const Bytes piece(at, at + std::min<std::ptrdiff_t>(argument * 64, plain.end() - at));
      plain.insert(at, piece.begin(), piece.end());
    }
  }
  return plain;
}

}  // namespace
}  // namespace oa::archive

// First byte: bit 0 which frame, bit 1 edits of the genuine bytes, bit 2 mended checksums.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oa::archive;
  static const Genuine genuine;
  IndexCursor input(oa::ByteView(data, size));
  const auto what = input.fixed<std::uint8_t>();
  const auto& expected = (what & 1) == 0 ? genuine.first : genuine.last;
  oa::Bytes plain;
  if ((what & 2) == 0) {
    const auto rest = input.bytes(input.left());
    plain.assign(rest.begin(), rest.end());
  } else {
    plain = edited(**genuine.file->pack_frame(expected.page->frames[expected.frame]), input);
  }
  if ((what & 4) != 0) mend_checksums(plain);
  check(*genuine.file, expected, plain);
  return 0;
}
