#include "signed_archive.h"

#include <algorithm>

#include "entry_layout.h"
#include "frame.h"
#include "fuzz_input.h"
#include "index_cursor.h"
#include "manifest_codec.h"
#include "manifest_frame.h"
#include "page_encoding.h"
#include "seek_table.h"
#include "tar.h"

namespace oa::fuzz {

using namespace archive;

namespace {

constexpr std::size_t kMaxFilled = std::size_t{5} << 20;
constexpr std::size_t kMaxSections = 40;

SigningKey key_of(std::uint8_t number) {
  return *SigningKey::from_seed(SecretBytes::copy_of(Bytes(SigningKey::kSeedSize, number)));
}

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// Puts `value` where the text has the member's value, up to the next ',' or '}'.
void set_member(std::string& text, std::string_view name, std::string_view value) {
  const std::string key = std::string("\"").append(name).append("\":");
  const auto at = text.find(key);
  if (at == std::string::npos) return;
  const auto begin = at + key.size();
  const auto end = std::min(text.find_first_of(",}", begin), text.size());
  text.replace(begin, end - begin, value);
}

std::string quoted(ByteView digest) { return "\"" + to_hex(digest) + "\""; }

// Places (u24) and bits to change.
void edit(std::span<std::uint8_t> bytes, ByteView edits) {
  if (bytes.empty()) return;
  for (; edits.size() >= 4; edits = edits.subspan(4)) {
    const std::size_t place = edits[0] | edits[1] << 8 | edits[2] << 16;
    bytes[place % bytes.size()] ^= edits[3];
  }
}

class Assembly {
 public:
  explicit Assembly(std::string manifest) : text_(std::move(manifest)) {
    const auto decoded = decode_manifest(text_);
    if (!decoded.ok()) return;
    archive_id_ = decoded->archive_id;
    mtime_ = static_cast<std::uint64_t>(decoded->snapshot_time.unix_seconds());
  }

  void section(ByteView bytes) {
    if (bytes.empty()) return;
    const ByteView rest = bytes.subspan(1);
    switch (bytes.front()) {
      case kFrameSection:
        return add_frame(rest);
      case kPageSection:
        return add_page(rest);
      case kRootSection:
        return append(root_edits_, rest);
      case kChoiceSection:
        choices_ = rest.empty() ? 0 : rest.front();
        return;
      case kEditSection:
        return append(edits_, rest);
    }
  }

  SignedArchive finish() {
    if (!frames_.empty()) add_page({});
    root_.root_offset = file_.size();
    Bytes payload = encode_index_root(root_);
    edit(payload, root_edits_);
    Bytes frame;
    append_skippable_header(frame, kIndexRootMagic, payload.size());
    append(frame, payload);
    write(frame, 0);
    complete_manifest(payload);
    const auto& key = (choices_ & kSignWithOther) != 0 ? other_key() : signing_key();
    const std::string signature =
        (choices_ & kNoSignature) != 0
            ? std::string()
            : key.sign(Blake2b::of(as_bytes(text_)),
                       trusted_comment(archive_id_, kManifestPath, text_.size()));
    const RawFrame last = manifest_frame(text_, signature, mtime_);
    write(last.frame(), last.plain_size());
    append(file_, table_.encode());
    SignedArchive out{file_, std::move(file_)};
    edit(out.edited, edits_);
    return out;
  }

 private:
  struct Entry {
    std::string path;
    std::size_t frame = 0, offset = 0, size = 0;
  };

  void write(ByteView frame, std::size_t plain_size) {
    append(file_, frame);
    table_.add(frame.size(), plain_size);
  }

  void complete_manifest(ByteView root_payload) {
    if ((choices_ & kKeepTotals) == 0) {
      set_member(text_, "entry_count", std::to_string(root_.entry_count));
      set_member(text_, "content_bytes", std::to_string(root_.content_bytes));
    }
    if ((choices_ & kKeepDigests) == 0) {
      set_member(text_, "content_hash", quoted(content_hash_.finish()));
      set_member(text_, "index_root", quoted(blake3(root_payload)));
    }
  }

  // Bits of `deviations`: 0 no signature entry, 1 signed by another key, 2 signed for another path,
  // 3 not in the index, 4 the header's type is the byte's upper bits.
  void add_entry(Bytes& plain, std::string_view path, ByteView content, std::uint8_t deviations) {
    const std::size_t header = plain.size();
    append_tar_header(plain, path, content.size(), mtime_);
    if ((deviations & 16) != 0)
      plain[header + 156] = static_cast<std::uint8_t>(deviations >> 5) + '0';
    if ((deviations & 8) == 0)
      entries_.push_back({std::string(path), frames_.size(), plain.size(), content.size()});
    append(plain, content);
    append_padding(plain, content.size());
    if ((deviations & 1) != 0) return;
    const auto& key = (deviations & 2) != 0 ? other_key() : signing_key();
    const std::string_view named = (deviations & 4) != 0 ? "elsewhere" : path;
    const bool fits = is_valid_path(named);  // a comment must be one line
    append_tar_file(plain, signature_path(path),
                    as_bytes(fits ? key.sign(Blake2b::of(content),
                                             trusted_comment(archive_id_, named, content.size()))
                                  : ""),
                    mtime_);
  }

  Bytes plain_of_entries(IndexCursor input) {
    Bytes plain;
    while (input.left() > 0) {
      const auto path_size = input.fixed<std::uint8_t>();
      const auto deviations = input.fixed<std::uint8_t>();
      const auto content_size = input.fixed<std::uint16_t>();
      const auto path = input.bytes(std::min<std::size_t>(path_size, input.left()));
      const auto content = input.bytes(std::min<std::size_t>(content_size, input.left()));
      if (!path.empty()) add_entry(plain, as_text(path), content, deviations);
    }
    return plain;
  }

  void add_frame(ByteView section) {
    IndexCursor input(section);
    const auto form = input.fixed<std::uint8_t>();
    Bytes plain, stored;
    std::uint32_t plain_size = 0;
    if (form == kStoredBytes) {
      plain_size = input.fixed<std::uint32_t>();
      const auto rest = input.bytes(input.left());
      stored.assign(rest.begin(), rest.end());
    } else if (form == kEntries) {
      plain = plain_of_entries(input);
    } else {
      const std::size_t size = form == kFilled ? input.fixed<std::uint32_t>() % kMaxFilled : 0;
      const auto fill = form == kFilled ? input.fixed<std::uint8_t>() : 0;
      const auto rest = input.bytes(input.left());
      plain.assign(rest.begin(), rest.end());
      plain.resize(std::max(plain.size(), size), static_cast<std::uint8_t>(fill));
    }
    if (form != kStoredBytes) {
      plain_size = static_cast<std::uint32_t>(plain.size());
      RawFrame raw(plain.size());
      raw.append(plain);
      static FrameCompressor compressor(1);
      stored = form == kStoredTar ? raw.take() : *compressor.compress(plain);
    }
    frames_.push_back(
        {static_cast<std::uint32_t>(stored.size()), plain_size, blake3(stored), file_.size()});
    write(stored, plain_size);
    plain_.push_back(std::move(plain));
  }

  // The bytes that an entry claims, as far as the frames have them.
  Blake2bDigest digest_of(std::uint64_t frame, std::uint64_t offset, std::uint64_t size) const {
    Blake2b hash;
    for (; frame < plain_.size() && offset <= plain_[frame].size() && size > 0; ++frame) {
      const auto there = std::min<std::uint64_t>(size, plain_[frame].size() - offset);
      hash.update(ByteView(plain_[frame]).subspan(offset, there));
      size -= there;
      offset = 0;
      if (!is_large(size + there)) break;
    }
    return hash.finish();
  }

  void add_raw_entry(std::vector<RawEntry>& raw, std::string& path, std::uint64_t& frame,
                     RawEntry entry) {
    frame += entry.frame_step;
    entry.digest = digest_of(frame, entry.offset, entry.size);
    path = path.substr(0, entry.shared).append(entry.suffix);
    if (raw.empty()) first_path_ = path;
    ++root_.entry_count;
    root_.content_bytes += entry.size;
    add_to_content_hash(content_hash_, {path, entry.size, entry.digest});
    raw.push_back(std::move(entry));
  }

  void add_page(ByteView section) {
    std::vector<RawEntry> raw;
    std::string path;
    std::uint64_t frame = 0;
    IndexCursor input(section);
    while (input.left() > 0) {
      RawEntry entry{input.varint(), input.varint(), input.varint(), 0, {}, {}};
      const auto suffix = input.varint();
      entry.size = input.varint();
      entry.suffix = as_text(input.bytes(std::min<std::uint64_t>(suffix, input.left())));
      add_raw_entry(raw, path, frame, std::move(entry));
    }
    for (const auto& entry : section.empty() ? entries_ : std::vector<Entry>()) {
      const auto shared =
          static_cast<std::size_t>(std::ranges::mismatch(path, entry.path).in1 - path.begin());
      add_raw_entry(
          raw, path, frame,
          {entry.frame - frame, entry.offset, shared, entry.size, entry.path.substr(shared), {}});
    }
    const Bytes payload = encode_raw_page(frames_, raw);
    root_.pages.push_back({file_.size(), static_cast<std::uint32_t>(payload.size()),
                           blake3(payload), std::exchange(first_path_, {})});
    Bytes page;
    append_skippable_header(page, kIndexPageMagic, payload.size());
    append(page, payload);
    write(page, 0);
    frames_.clear();
    plain_.clear();
    entries_.clear();
  }

  std::string text_;
  ArchiveId archive_id_;
  std::uint64_t mtime_ = 0;
  std::uint8_t choices_ = 0;
  Bytes root_edits_, edits_;
  Bytes file_;
  SeekTable table_;
  IndexRoot root_;
  Blake2b content_hash_;
  // Of the page that is being made.
  std::vector<FrameRecord> frames_;
  std::vector<Bytes> plain_;
  std::vector<Entry> entries_;
  std::string first_path_;
};

}  // namespace

const SigningKey& signing_key() {
  static const SigningKey key = key_of(1);
  return key;
}

const SigningKey& other_key() {
  static const SigningKey key = key_of(2);
  return key;
}

Manifest empty_manifest() {
  Manifest manifest;
  manifest.archive_id = *ArchiveId::parse("3f1e9c52-7a7b-4c7e-9d43-0d2a8d1c5b10");
  manifest.snapshot_time = *Timestamp::parse("2026-04-16T09:42:11.134Z");
  manifest.content.tenant_id = *TenantId::parse("8d0c1b58-1f0e-4f0b-8a53-3d2f6a1f9c11");
  manifest.content.counts = {{"reports", 2}};
  manifest.signer = signing_key().public_key();
  return manifest;
}

SignedArchive make_archive(ByteView input) {
  auto sections = split_sections(input);
  sections.resize(std::clamp<std::size_t>(sections.size(), 1, kMaxSections));
  Assembly assembly{std::string(as_text(sections[0]))};
  for (std::size_t i = 1; i < sections.size(); ++i) assembly.section(sections[i]);
  return assembly.finish();
}

}  // namespace oa::fuzz
