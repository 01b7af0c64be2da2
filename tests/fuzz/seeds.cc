// Writes the inputs that fuzzing starts from: parts of archives that the library itself wrote.
// usage: oa_fuzz_seeds FOLDER (then FOLDER/<target>/* exist)
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "entry_layout.h"
#include "frame.h"
#include "fuzz_input.h"
#include "index.h"
#include "manifest_codec.h"
#include "oa/archive/writer.h"
#include "oa/crypto/seal.h"
#include "signed_archive.h"
#include "tar.h"

namespace oa::fuzz {

using namespace archive;

namespace {

std::filesystem::path root;

void seed(const std::string& target, const std::string& name, ByteView bytes) {
  std::filesystem::create_directories(root / target);
  std::ofstream file(root / target / name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

Bytes tagged(std::uint8_t tag, ByteView rest) {
  Bytes out{tag};
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

using Contents = std::vector<std::pair<std::string, Bytes>>;

Bytes write_archive(const Contents& contents) {
  const Manifest manifest = empty_manifest();
  WriterOptions options;
  options.archive_id = manifest.archive_id;
  options.snapshot_time = manifest.snapshot_time;
  options.threads = 1;
  MemorySink sink;
  const auto writer = *ArchiveWriter::create(options, signing_key(), sink);
  for (const auto& [path, content] : contents) writer->add(path, content).value();
  OA_ASSERT(writer->finish(manifest.content).ok());
  return sink.take();
}

// Packs to some kilobytes, and not so well that it would be stored as it is.
Bytes large_content() {
  Bytes content(kLargeEntry + 700);
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (i < 3000) state = state * 1664525 + 1013904223;
    content[i] = i < 3000 ? static_cast<std::uint8_t>(state >> 24) : content[i - 3000];
  }
  return content;
}

std::vector<Contents> archives() {
  const Bytes small = bytes_of(R"({"format":{"kind":"report","version":1},"name":"Sales"})");
  return {{},
          {{"a", {1, 2, 3}}},
          {{"audit/events.ndjson", {}},
           {"workspaces/w/metadata.json", small},
           {"workspaces/w/reports/\xc3\xa9t\xc3\xa9.json", small}},
          {{"a/" + std::string(90, 'x') + "/" + std::string(60, 'y'), small},
           {"b" + std::string(150, 'z'), small}},
          {{"large", large_content()}, {"small", small}}};
}

// The frames and pages of an archive, each to the target that reads it.
void seed_parts(const std::string& name, ByteView file) {
  for (int part = 0; file.size() >= 9; ++part) {
    const auto magic = read_le<std::uint32_t>(file);
    const std::string part_name = name + "-" + std::to_string(part);
    if (magic == kZstdMagic) {
      // The rest is the frame and more, so only the last one, of known form, is taken.
      const std::size_t size = raw_frame_size(read_le<std::uint32_t>(file.subspan(5)));
      if (size <= file.size() && raw_frame_blocks(file.first(size))) {
        if (size < 20000) seed("frame", part_name, tagged(0, file.first(size)));
        seed("manifest", part_name, tagged('f', file.first(size)));
        file = file.subspan(size);
        continue;
      }
      file = file.subspan(1);
      while (file.size() >= 4 && (read_le<std::uint32_t>(file) & 0xFFFFFFF0) != 0x184D2A50 &&
             read_le<std::uint32_t>(file) != kZstdMagic)
        file = file.subspan(1);
      continue;
    }
    const std::size_t size = kSkippableHeaderSize + read_le<std::uint32_t>(file.subspan(4));
    const auto payload = file.subspan(kSkippableHeaderSize, size - kSkippableHeaderSize);
    if (magic == kIndexPageMagic) seed("index_page", part_name, payload);
    if (magic == kIndexPageMagic) seed("frame", part_name, tagged(0, file.first(size)));
    if (magic == kIndexRootMagic) seed("index_root", part_name, payload);
    if (magic == kSeekTableMagic) seed("seek_table", part_name, file.first(size));
    file = file.subspan(size);
  }
}

Bytes entry(std::string_view path, std::string_view content, std::uint8_t deviations = 0) {
  Bytes out{static_cast<std::uint8_t>(path.size()), deviations};
  append_le(out, static_cast<std::uint16_t>(content.size()));
  out.insert(out.end(), path.begin(), path.end());
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Bytes section(std::initializer_list<std::uint8_t> head, std::initializer_list<Bytes> parts = {}) {
  Bytes out(head);
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

void seed_signed_archives() {
  const Bytes manifest = bytes_of(encode_manifest(empty_manifest()));
  const Bytes newer = [&] {
    Manifest changed = empty_manifest();
    changed.format_minor = 7;
    return bytes_of(encode_manifest(changed));
  }();
  const auto put = [&](const std::string& name, std::vector<Bytes> sections) {
    sections.insert(sections.begin(), manifest);
    seed("signed_archive", name, join_sections(sections));
  };
  const Bytes abc =
      section({kFrameSection, kEntries}, {entry("a", "1"), entry("b/c", "22"), entry("d", "")});
  put("none", {});
  put("one-page", {abc});
  put("two-pages",
      {abc, section({kPageSection}), section({kFrameSection, kEntries}, {entry("e", "x")})});
  put("two-frames", {abc, section({kFrameSection, kEntries}, {entry("e", "x"), entry("f", "")})});
  for (std::uint8_t i = 0; i < 8; ++i) {
    const auto deviation = static_cast<std::uint8_t>(i < 4 ? 1 << i : 16 | (i - 3) << 5);
    put("deviation-" + std::to_string(i),
        {section({kFrameSection, kEntries},
                 {entry("a", "1"), entry("b", "2", deviation), entry("c", "3")})});
  }
  put("explicit-page", {abc, section({kPageSection, 0, 0x80, 4, 0, 1, 1, 'a'})});
  put("stored-bytes", {section({kFrameSection, kStoredBytes, 4, 0, 0, 0, 0x28, 0xb5, 0x2f, 0xfd,
                                0x20, 4, 33, 0, 0, 1, 2, 3, 4}),
                       section({kPageSection, 0, 0, 0, 1, 4, 'a'})});
  // The header of a large entry, its chunk, and an entry behind it.
  Bytes header;
  append_tar_header(header, "a", kLargeEntry + 512,
                    static_cast<std::uint64_t>(empty_manifest().snapshot_time.unix_seconds()));
  put("large", {section({kFrameSection, kStoredTar}, {header}),
                section({kFrameSection, kFilled, 0, 2, 0x10, 0, 'x'}),
                section({kPageSection, 1, 0, 0, 1, 0x80, 0x84, 0x40, 'a'})});
  put("other-signer", {abc, section({kChoiceSection, kSignWithOther})});
  put("no-signature", {abc, section({kChoiceSection, kNoSignature})});
  put("own-totals", {abc, section({kChoiceSection, kKeepTotals})});
  put("own-digests", {abc, section({kChoiceSection, kKeepDigests})});
  put("root-edit", {abc, section({kRootSection, 16, 0, 0, 1})});
  put("edited", {abc, section({kEditSection, 40, 0, 0, 1})});
  seed("signed_archive", "newer", join_sections({newer, abc}));
}

void seed_texts() {
  Manifest manifest = empty_manifest();
  manifest.content.tenant =
      *JsonText::parse(R"({"name":"\u00c9x","teams":[{"id":1,"x":-0.5}],"plan":null})");
  const std::string text = encode_manifest(manifest);
  const std::string signature =
      signing_key().sign(Blake2b::of(as_bytes(text)),
                         trusted_comment(manifest.archive_id, kManifestPath, text.size()));
  seed("manifest", "text", tagged('t', as_bytes(text)));
  seed("manifest", "sections",
       tagged('s', join_sections({bytes_of(text), bytes_of(signature), {9, 0, 0, 0, 1}})));
  manifest.format_minor = 3;
  seed("manifest", "newer", tagged('t', as_bytes(encode_manifest(manifest))));
  seed("json", "manifest", as_bytes(text));
  seed("json", "numbers",
       as_bytes("[0,-0,-0.0,1e21,1e-7,123456789012345678901,1.5,-9223372036854775808,"
                "18446744073709551615,1e308,4.9e-324,0.1]"));
  const std::string zeros(400, '0');
  seed("json", "large", as_bytes("1" + zeros + "e-50"));
  seed("json", "small", as_bytes("0." + zeros + "1e50"));
  seed("json", "exact", as_bytes("1" + zeros + "e-390"));
  seed("json", "names", as_bytes(R"({"a\u001b[2J\u007f":1,"\u00e9":2})"));
  seed("json", "strings",
       as_bytes(R"(["\ud83d\ude00","\u0000","\b\f\n\r\t\"\\\/","é",{"a":{"b":[[[]]]}}])"));
  seed("signature", "file",
       tagged('v', as_bytes(signing_key().sign(Blake2b::of({}), "archive=x size=0"))));
  seed("signature", "sections",
       tagged('s', join_sections({bytes_of("archive=x\ty"), {1, 2}, {130, 0, 1}})));
  seed("signature", "key", tagged('k', as_bytes(signing_key().public_key().base64())));
  seed("signature", "key-file", tagged('k', as_bytes(signing_key().public_key().file_text())));
}

void seed_tar() {
  for (const auto& path : {std::string("a"), "d/" + std::string(120, 'x'), std::string(120, 'y')}) {
    Bytes plain;
    append_tar_file(plain, path, bytes_of("content"), 1776332531);
    seed("tar", "header-" + std::to_string(path.size() + path[0]), tagged(0, plain));
    Bytes written(17, 1);
    written.insert(written.end(), path.begin(), path.end());
    seed("tar", "write-" + std::to_string(path.size() + path[0]), written);
  }
  for (std::uint8_t frame = 0; frame < 2; ++frame) {
    for (const std::uint8_t what : {0, 1, 2, 3})
      seed("pack", "edit-" + std::to_string(frame * 4 + what),
           Bytes{static_cast<std::uint8_t>(6 | frame), what, 0, 0, 8, 'p', 'a', 't', 'h', 0, 0, 0,
                 0, 0, 0, 0});
    seed("pack", "genuine-" + std::to_string(frame), Bytes{static_cast<std::uint8_t>(2 | frame)});
  }
  std::string wide(1, 'w');
  while (wide.size() < 1500) wide += "\xc3\xa9";
  for (const auto& path : {std::string(120, 'y'), wide}) {
    Bytes plain{4};
    append_tar_file(plain, path, bytes_of("content"), 1776332531);
    seed("pack", "pax-" + std::to_string(path.size()), plain);
  }
}

void seed_frames_and_seals() {
  const Bytes text =
      bytes_of("some text that repeats, some text that repeats, some text that repeats");
  seed("frame", "compress", tagged(1, text));
  seed("frame", "compress-much", Bytes{1, 200, 'a', 'b'});
  FrameCompressor compressor(3);
  seed("frame", "compressed", tagged(0, *compressor.compress(text)));
  Bytes named{2, 0, static_cast<std::uint8_t>(text.size()), 0};
  const Bytes frame = *compressor.compress(text);
  named.insert(named.end(), frame.begin(), frame.end());
  seed("frame", "compressed-named", named);
  for (std::uint8_t size = 0; size < 10; ++size) {
    for (std::uint8_t what = 0; what < 7; ++what)
      seed("seal", "edit-" + std::to_string(size * 7 + what),
           Bytes{1, size, 0, 1, what, 7, 1, 0, 3, 0, 2, 1, 0, 9, 9, 0, 1, 0, 1});
  }
  MemorySink sink;
  const SecretBytes key = SecretBytes::copy_of(Bytes(kDataKeySize, 3));
  const auto writer = *SealWriter::create(sink, {"local:x:1", Bytes(60, 9)}, key, "another");
  writer->write(text).value();
  writer->finish().value();
  seed("seal", "sealed", tagged(0, sink.bytes()));
}

}  // namespace
}  // namespace oa::fuzz

int main(int count, char** arguments) {
  using namespace oa::fuzz;
  if (count != 2) {
    std::fprintf(stderr, "usage: oa_fuzz_seeds FOLDER\n");
    return 2;
  }
  root = arguments[1];
  int number = 0;
  for (const auto& contents : archives()) {
    const std::string name = "written-" + std::to_string(number++);
    const oa::Bytes file = write_archive(contents);
    seed("archive", name, file);
    seed_parts(name, file);
  }
  seed_signed_archives();
  seed_texts();
  seed_tar();
  seed_frames_and_seals();
  return 0;
}
