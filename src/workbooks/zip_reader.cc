#include "oa/workbooks/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <optional>

namespace oa::workbooks {
namespace {

constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{16} << 20;
constexpr std::uint64_t kMaxEntries = 10'000;
constexpr std::uint64_t kSmallEntryBytes = std::uint64_t{16} << 20;
constexpr std::size_t kPackedPieceBytes = std::size_t{64} << 10;

constexpr std::size_t kEndBytes = 22;  // of the end record without its comment
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::uint16_t kExtra64 = 1;
constexpr std::uint16_t kEncryptedFlag = 1;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;

Error damaged(std::string cause) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", "The workbook is damaged")
      .with_hint("Open it in a spreadsheet program, save it again as .xlsx and import that")
      .with_cause(std::move(cause));
}

Error too_large() {
  return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                    "The workbook expands to more than an import takes")
      .with_hint("Save the table alone, or as CSV, and import that");
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Result<Bytes> read_range(const RangedSource& file, std::uint64_t offset, std::uint64_t count) {
  if (offset > file.size() || count > file.size() - offset) return damaged("range past the end");
  Bytes bytes(count);
  OA_TRY(file.read_at(offset, bytes));
  return bytes;
}

struct Directory {
  std::uint64_t offset = 0, bytes = 0, entries = 0;
};

bool has_signature(ByteView bytes, std::uint32_t signature) {
  return bytes.size() >= 4 && read_le<std::uint32_t>(bytes) == signature;
}

// The zip64 end record, which stands for what the end record has no room for.
Result<Directory> find_directory64(const RangedSource& file, std::uint64_t end_offset) {
  if (end_offset < kLocatorBytes) return damaged("no zip64 locator");
  OA_ASSIGN(const Bytes locator, read_range(file, end_offset - kLocatorBytes, kLocatorBytes));
  if (!has_signature(locator, 0x07064b50)) return damaged("no zip64 locator");
  OA_ASSIGN(const Bytes end,
            read_range(file, read_le<std::uint64_t>(ByteView(locator).subspan(8)), kEnd64Bytes));
  if (!has_signature(end, 0x06064b50)) return damaged("no zip64 end record");
  const ByteView at(end);
  return Directory{.offset = read_le<std::uint64_t>(at.subspan(48)),
                   .bytes = read_le<std::uint64_t>(at.subspan(40)),
                   .entries = read_le<std::uint64_t>(at.subspan(32))};
}

Result<Directory> find_directory(const RangedSource& file) {
  const std::uint64_t tail = std::min<std::uint64_t>(file.size(), kEndBytes + 0xFFFF);
  OA_ASSIGN(const Bytes bytes, read_range(file, file.size() - tail, tail));
  for (std::size_t back = kEndBytes; back <= bytes.size(); ++back) {
    const ByteView end = ByteView(bytes).last(back);
    if (!has_signature(end, 0x06054b50)) continue;
    if (read_le<std::uint16_t>(end.subspan(20)) != back - kEndBytes) continue;
    Directory found{.offset = read_le<std::uint32_t>(end.subspan(16)),
                    .bytes = read_le<std::uint32_t>(end.subspan(12)),
                    .entries = read_le<std::uint16_t>(end.subspan(10))};
    const bool is64 =
        found.offset == 0xFFFFFFFF || found.bytes == 0xFFFFFFFF || found.entries == 0xFFFF;
    if (!is64) return found;
    return find_directory64(file, file.size() - back);
  }
  return damaged("no end record");
}

// Sizes and offset that stand as all ones are, in this order, in the zip64 extra field.
Status read_extra64(ByteView extra, ZipEntry& entry) {
  while (extra.size() >= 4) {
    const auto id = read_le<std::uint16_t>(extra);
    const std::size_t size = read_le<std::uint16_t>(extra.subspan(2));
    extra = extra.subspan(4);
    if (size > extra.size()) break;
    if (id == kExtra64) {
      ByteView field = extra.first(size);
      for (std::uint64_t* value : {&entry.bytes, &entry.packed_bytes, &entry.header_offset}) {
        if (*value != 0xFFFFFFFF) continue;
        if (field.size() < 8) return damaged("zip64 field too short");
        *value = read_le<std::uint64_t>(field);
        field = field.subspan(8);
      }
      return {};
    }
    extra = extra.subspan(size);
  }
  return {};
}

Result<ZipEntry> take_entry(ByteView& directory) {
  if (directory.size() < kCentralBytes || !has_signature(directory, 0x02014b50))
    return damaged("no directory entry");
  ZipEntry entry;
  entry.encrypted = (read_le<std::uint16_t>(directory.subspan(8)) & kEncryptedFlag) != 0;
  entry.method = read_le<std::uint16_t>(directory.subspan(10));
  entry.crc = read_le<std::uint32_t>(directory.subspan(16));
  entry.packed_bytes = read_le<std::uint32_t>(directory.subspan(20));
  entry.bytes = read_le<std::uint32_t>(directory.subspan(24));
  entry.header_offset = read_le<std::uint32_t>(directory.subspan(42));
  const std::size_t name = read_le<std::uint16_t>(directory.subspan(28));
  const std::size_t extra = read_le<std::uint16_t>(directory.subspan(30));
  const std::size_t comment = read_le<std::uint16_t>(directory.subspan(32));
  directory = directory.subspan(kCentralBytes);
  if (name + extra + comment > directory.size()) return damaged("directory entry cut");
  entry.name = as_text(directory.first(name));
  OA_TRY(read_extra64(directory.subspan(name, extra), entry));
  directory = directory.subspan(name + extra + comment);
  return entry;
}

class EntryStream final : public ZipStream {
 public:
  EntryStream(const RangedSource& file, const ZipEntry& entry, std::uint64_t begin)
      : file_(file), entry_(entry), at_(begin), packed_left_(entry.packed_bytes) {
    crc_ = crc32(0, nullptr, 0);
  }
  ~EntryStream() override {
    if (started_) inflateEnd(&inflate_);
  }

  Status start() {
    if (entry_.method == kStored) return {};
    // Raw deflate.
    if (inflateInit2(&inflate_, -MAX_WBITS) != Z_OK)
      return make_error(ErrorCode::kBusy, "analytics.import", "There is no memory left");
    started_ = true;
    return {};
  }

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    // One byte past what the entry declares, so that more is seen to be more.
    const std::uint64_t left = entry_.bytes - given_ + 1;
    const auto room = out.first(std::min<std::uint64_t>(out.size(), left));
    OA_ASSIGN(const std::size_t count, started_ ? unpack(room) : copy(room));
    given_ += count;
    if (given_ > entry_.bytes) return damaged("more bytes than declared");
    crc_ = crc32_z(crc_, out.data(), count);
    if (count > 0) return count;
    if (given_ != entry_.bytes || crc_ != entry_.crc) return damaged("wrong size or checksum");
    return std::size_t{0};
  }

  std::uint64_t position() const override { return entry_.packed_bytes - packed_left_; }

 private:
  Result<ByteView> next_packed(std::size_t most) {
    packed_.resize(std::min<std::uint64_t>(packed_left_, most));
    OA_TRY(file_.read_at(at_, packed_));
    at_ += packed_.size();
    packed_left_ -= packed_.size();
    return ByteView(packed_);
  }

  Result<std::size_t> copy(std::span<std::uint8_t> out) {
    OA_ASSIGN(const ByteView bytes, next_packed(std::min(out.size(), kPackedPieceBytes)));
    std::ranges::copy(bytes, out.begin());
    return bytes.size();
  }

  Result<std::size_t> unpack(std::span<std::uint8_t> out) {
    inflate_.next_out = out.data();
    inflate_.avail_out = static_cast<uInt>(out.size());
    while (inflate_.avail_out > 0 && !ended_) {
      if (inflate_.avail_in == 0 && packed_left_ > 0) {
        OA_ASSIGN(const ByteView bytes, next_packed(kPackedPieceBytes));
        inflate_.next_in = packed_.data();
        inflate_.avail_in = static_cast<uInt>(bytes.size());
      }
      const int result = inflate(&inflate_, Z_NO_FLUSH);
      ended_ = result == Z_STREAM_END;
      if (!ended_ && result != Z_OK) return damaged("deflate data are not valid");
    }
    return out.size() - inflate_.avail_out;
  }

  const RangedSource& file_;
  const ZipEntry entry_;
  std::uint64_t at_;
  std::uint64_t packed_left_;
  std::uint64_t given_ = 0;
  uLong crc_ = 0;
  Bytes packed_;
  z_stream inflate_{};
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace

Result<ZipArchive> ZipArchive::open(const RangedSource& file, const ZipLimits& limits) {
  OA_ASSIGN(const Directory directory, find_directory(file));
  if (directory.entries > kMaxEntries || directory.bytes > kMaxDirectoryBytes) {
    return make_error(ErrorCode::kLimitExceeded, "analytics.import",
                      "The workbook has more parts than an import takes");
  }
  OA_ASSIGN(const Bytes bytes, read_range(file, directory.offset, directory.bytes));
  ZipArchive archive(file, limits);
  ByteView rest(bytes);
  std::uint64_t expanded = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    OA_ASSIGN(ZipEntry entry, take_entry(rest));
    if (entry.bytes > limits.max_expanded_bytes - expanded) return too_large();
    expanded += entry.bytes;
    archive.entries_.push_back(std::move(entry));
  }
  return archive;
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  auto found = std::ranges::find(entries_, name, &ZipEntry::name);
  if (found == entries_.end()) {
    found = std::ranges::find_if(
        entries_, [&](const ZipEntry& entry) { return same_ignoring_case(entry.name, name); });
  }
  return found == entries_.end() ? nullptr : &*found;
}

Result<std::unique_ptr<ZipStream>> ZipArchive::read(const ZipEntry& entry) const {
  if (entry.encrypted) {
    return make_error(ErrorCode::kImportRejected, "analytics.import", "The workbook is encrypted")
        .with_hint("Save it without a password and import that");
  }
  if (entry.method != kStored && entry.method != kDeflated) return damaged("unknown method");
  if (entry.bytes > kSmallEntryBytes && entry.bytes / limits_.max_expansion > entry.packed_bytes)
    return too_large();
  OA_ASSIGN(const Bytes local, read_range(*file_, entry.header_offset, kLocalBytes));
  if (!has_signature(local, 0x04034b50)) return damaged("no local header");
  const std::uint64_t begin = entry.header_offset + kLocalBytes +
                              read_le<std::uint16_t>(ByteView(local).subspan(26)) +
                              read_le<std::uint16_t>(ByteView(local).subspan(28));
  if (begin > file_->size() || entry.packed_bytes > file_->size() - begin)
    return damaged("entry past the end");
  auto stream = std::make_unique<EntryStream>(*file_, entry, begin);
  OA_TRY(stream->start());
  return std::unique_ptr<ZipStream>(std::move(stream));
}

}  // namespace oa::workbooks
