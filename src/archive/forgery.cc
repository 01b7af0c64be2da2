#include "forgery.h"

#include <algorithm>

#include "archive_fixture.h"
#include "entry_layout.h"
#include "frame.h"
#include "manifest_codec.h"
#include "manifest_frame.h"
#include "seek_table.h"
#include "tar.h"

namespace oa::archive {
namespace {

constexpr std::size_t kChecksumAt = 148, kTypeAt = 156;

std::uint64_t forged_mtime() {
  return static_cast<std::uint64_t>(test_options().snapshot_time.unix_seconds());
}

// A path of which minisign's format allows a trusted comment.
std::string signable(std::string path) {
  for (char& c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return path;
}

// The plain bytes of one content frame, and what of the index goes with it.
struct Draft {
  Bytes plain;
  bool begins_page = false;
  std::vector<std::pair<std::size_t, std::size_t>> small = {};  // entry and offset of its content
  std::optional<std::size_t> large = {};                        // entry that ends with this chunk
};

// Lays entries out in frames as the format says.
class Layout {
 public:
  explicit Layout(const Forgery& forgery) : forgery_(forgery) {}

  std::vector<Draft> run() {
    drafts_.emplace_back();
    for (std::size_t i = 0; i < forgery_.entries.size(); ++i) add(i);
    if (drafts_.back().plain.empty() && drafts_.back().small.empty()) drafts_.pop_back();
    return std::move(drafts_);
  }

 private:
  Bytes& plain() { return drafts_.back().plain; }

  void add(std::size_t index) {
    const ForgedEntry& entry = forgery_.entries[index];
    if (entry.begins != Begins::kBehind)
      drafts_.push_back({.plain = {}, .begins_page = entry.begins == Begins::kOnNewPage});
    const bool large = is_large(entry.content.size());
    const std::size_t header = plain().size();
    if (entry.in_tar) append_header(entry);
    if (large) return add_large(index);
    drafts_.back().small.emplace_back(index, entry.in_tar ? plain().size() : header);
    if (entry.in_tar) {
      plain().insert(plain().end(), entry.content.begin(), entry.content.end());
      add_tail(entry);
    } else if (entry.with_signature && !entry.signature_file.empty()) {
      append_tar_file(plain(), signature_path(entry.path), as_bytes(entry.signature_file),
                      forged_mtime());
    }
  }

  void add_large(std::size_t index) {
    const ForgedEntry& entry = forgery_.entries[index];
    const ByteView content(entry.content);
    for (std::size_t at = 0; at < content.size(); at += entry.chunk_size) {
      const auto chunk = content.subspan(at, std::min(entry.chunk_size, content.size() - at));
      drafts_.push_back({.plain = Bytes(chunk.begin(), chunk.end())});
    }
    drafts_.back().large = index;
    drafts_.emplace_back();
    add_tail(entry);
  }

  void append_header(const ForgedEntry& entry) {
    Bytes header;
    append_tar_header(header, entry.tar_path.empty() ? entry.path : entry.tar_path,
                      entry.content.size(), forged_mtime());
    header[kTypeAt] = static_cast<std::uint8_t>(
        entry.type == '0' ? header[kTypeAt] : static_cast<unsigned char>(entry.type));
    if (entry.type != '0') fit_tar_checksum(header, 0);
    if (entry.edit_header) entry.edit_header(header);
    plain().insert(plain().end(), header.begin(), header.end());
  }

  void add_tail(const ForgedEntry& entry) {
    append_padding(plain(), entry.content.size());
    if (!entry.with_signature) return;
    if (entry.signature_in_new_frame) drafts_.emplace_back();
    std::string file = entry.signature_file;
    if (file.empty()) {
      file = test_key(entry.signed_by_other ? 2 : 1)
                 .sign(Blake2b::of(entry.content),
                       trusted_comment(test_options().archive_id,
                                       signable(entry.signature_of.value_or(entry.path)),
                                       entry.content.size()));
    }
    if (entry.edit_signature_file) entry.edit_signature_file(file);
    append_tar_file(plain(), signature_path(entry.path), as_bytes(file), forged_mtime());
  }

  const Forgery& forgery_;
  std::vector<Draft> drafts_;
};

ForgedPart page_part(IndexBuilder& index, const std::function<void(Bytes&)>& edit) {
  Bytes frame = *index.finish_page();
  if (edit) {
    Bytes payload(frame.begin() + kSkippableHeaderSize, frame.end());
    edit(payload);
    frame.clear();
    append_skippable_header(frame, kIndexPageMagic, payload.size());
    frame.insert(frame.end(), payload.begin(), payload.end());
  }
  return {PartKind::kPage, std::move(frame)};
}

// Content frames and pages.
ForgedParts content_parts(const Forgery& forgery, IndexBuilder& index) {
  auto drafts = Layout(forgery).run();
  if (forgery.edit_plain && !drafts.empty()) forgery.edit_plain(drafts.front().plain);
  if (forgery.with_bare_frame) drafts.emplace_back();
  ForgedParts parts;
  bool frames = false, first_page = true;
  const auto end_page = [&] {
    if (!frames) return;
    parts.push_back(page_part(index, first_page ? forgery.edit_page : nullptr));
    first_page = frames = false;
  };
  const auto info_of = [&](const ForgedEntry& entry) {
    EntryInfo info{entry.index_path.empty() ? entry.path : entry.index_path, entry.content.size(),
                   Blake2b::of(entry.content)};
    if (forgery.edit_entry) forgery.edit_entry(info);
    return info;
  };
  for (const Draft& draft : drafts) {
    if (draft.begins_page) end_page();
    const bool compress = forgery.compress && &draft == &drafts.front();
    Bytes frame = compress
                      ? forgery.compress(draft.plain)
                      : *FrameCompressor(test_options().compression_level).compress(draft.plain);
    FrameRecord record;
    record.stored_size = static_cast<std::uint32_t>(frame.size());
    record.plain_size = static_cast<std::uint32_t>(draft.plain.size());
    record.digest = blake3(frame);
    if (forgery.edit_frame) forgery.edit_frame(record);
    index.add_frame(record, false);
    frames = true;
    for (auto [i, offset] : draft.small) {
      EntryInfo info = info_of(forgery.entries[i]);
      if (forgery.edit_place) forgery.edit_place(info, offset);
      if (forgery.entries[i].in_index) index.add_small(info, offset);
    }
    if (draft.large) index.add_large(info_of(forgery.entries[*draft.large]));
    parts.push_back({PartKind::kContent, std::move(frame), draft.plain.size()});
  }
  end_page();
  return parts;
}

// The root that fits these parts.
IndexRoot fitting_root(const ForgedParts& parts, IndexBuilder& index) {
  Limits unlimited;
  unlimited.max_entries = unlimited.max_entry_bytes = UINT64_MAX;
  const Bytes frame = index.finish_root();
  const auto pages = std::ranges::count(parts, PartKind::kPage, &ForgedPart::kind);
  IndexRoot root;
  root.entry_count = index.entry_count();
  root.content_bytes = index.content_bytes();
  const auto built = decode_index_root(ByteView(frame).subspan(kSkippableHeaderSize), unlimited);
  root.pages.resize(static_cast<std::size_t>(pages));
  std::uint64_t at = 0;
  std::size_t page = 0;
  for (const auto& part : parts) {
    if (part.kind == PartKind::kPage) {
      const auto payload = ByteView(part.bytes).subspan(kSkippableHeaderSize);
      PageRecord& record = root.pages[page];
      record.offset = at;
      record.payload_size = static_cast<std::uint32_t>(payload.size());
      record.digest = blake3(payload);
      if (built.ok() && page < built->pages.size())
        record.first_path = built->pages[page].first_path;
      ++page;
    }
    at += part.bytes.size();
  }
  root.root_offset = at;
  return root;
}

RawFrame last_frame(const Forgery& forgery, const Manifest& manifest) {
  std::string text = encode_manifest(manifest);
  if (forgery.edit_manifest_text) forgery.edit_manifest_text(text);
  std::string signature =
      test_key(forgery.key)
          .sign(Blake2b::of(as_bytes(text)),
                trusted_comment(manifest.archive_id, kManifestPath, text.size()));
  if (forgery.edit_signature) forgery.edit_signature(signature);
  RawFrame frame = manifest_frame(text, signature, forged_mtime());
  if (!forgery.edit_last_plain) return frame;
  Bytes plain = *decode_raw_frame(frame.frame());
  forgery.edit_last_plain(plain);
  RawFrame edited(plain.size());
  edited.append(plain);
  return edited;
}

}  // namespace

void fit_tar_checksum(Bytes& bytes, std::size_t block_at) {
  const std::span block = std::span(bytes).subspan(block_at, kTarBlock);
  unsigned sum = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i)
    sum += i >= kChecksumAt && i < kChecksumAt + 8 ? ' ' : block[i];
  for (std::size_t i = 6; i-- > 0; sum >>= 3)
    block[kChecksumAt + i] = static_cast<std::uint8_t>('0' + (sum & 7));
}

Bytes joined(const ForgedParts& parts) {
  Bytes out;
  for (const auto& part : parts) out.insert(out.end(), part.bytes.begin(), part.bytes.end());
  return out;
}

void fit_seek_table(ForgedParts& parts) {
  SeekTable table;
  for (const auto& part : parts) {
    if (part.kind != PartKind::kSeekTable) table.add(part.bytes.size(), part.plain_size);
  }
  parts.back().bytes = table.encode();
}

ForgedParts Forgery::parts() const {
  IndexBuilder index;
  ForgedParts parts = content_parts(*this, index);
  if (edit_signed_parts) edit_signed_parts(parts);
  IndexRoot root = fitting_root(parts, index);
  if (edit_root) edit_root(root);
  Bytes payload = encode_index_root(root);
  if (edit_root_payload) edit_root_payload(payload);
  Bytes root_frame;
  append_skippable_header(root_frame, kIndexRootMagic, payload.size());
  root_frame.insert(root_frame.end(), payload.begin(), payload.end());
  parts.push_back({PartKind::kRoot, std::move(root_frame)});

  Manifest manifest{kFormatMajor,
                    kForgedMinor,
                    test_options().archive_id,
                    test_options().snapshot_time,
                    test_manifest(),
                    test_key(1).public_key(),
                    root.entry_count,
                    root.content_bytes,
                    index.finish_content_hash(),
                    blake3(payload)};
  if (edit_manifest) edit_manifest(manifest);
  const RawFrame last = last_frame(*this, manifest);
  parts.push_back({PartKind::kManifest, last.frame(), last.plain_size()});
  parts.push_back({PartKind::kSeekTable, {}});
  fit_seek_table(parts);
  if (edit_parts) edit_parts(parts);
  return parts;
}

Bytes Forgery::make() const {
  Bytes file = joined(parts());
  if (edit_file) edit_file(file);
  return file;
}

}  // namespace oa::archive
