#include "ole2_reader.h"

#include <algorithm>

namespace oa::workbooks {
namespace {

constexpr std::size_t kHeaderBytes = 512;
constexpr std::size_t kHeaderTableSectors = 109;
constexpr std::size_t kEntryBytes = 128;
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kSmallStreamBytes = 4096;
constexpr std::size_t kSmallSectorBytes = 64;
constexpr std::uint32_t kMaxSector = 0xFFFFFFFA;
constexpr std::uint8_t kStream = 2;
constexpr std::uint8_t kRoot = 5;

Error damaged(std::string cause) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", "The workbook is damaged")
      .with_hint("Open it in a spreadsheet program, save it as .xlsx and import that")
      .with_cause(std::move(cause));
}

std::uint32_t u32(ByteView bytes, std::size_t at) {
  return read_le<std::uint32_t>(bytes.subspan(at));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

Result<Ole2File> Ole2File::open(const RangedSource& file) {
  Ole2File ole2(file);
  OA_TRY(ole2.load());
  return ole2;
}

Status Ole2File::load() {
  if (file_->size() < kHeaderBytes) return damaged("no header");
  Bytes header(kHeaderBytes);
  OA_TRY(file_->read_at(0, header));
  const auto shift = read_le<std::uint16_t>(ByteView(header).subspan(30));
  if (shift != 9 && shift != 12) return damaged("unknown sector size");
  sector_bytes_ = std::size_t{1} << shift;
  first_small_table_ = u32(header, 60);
  OA_TRY(load_table(header));
  return load_directory(u32(header, 48));
}

// The allocation table: its sectors are listed in the header and, past those, in a chain of
// sectors.
Status Ole2File::load_table(ByteView header) {
  const std::uint64_t sectors = file_->size() / sector_bytes_ + 1;
  const std::uint64_t most = sectors / (sector_bytes_ / 4) + 1;  // sectors that the table can have
  std::vector<std::uint32_t> table;
  for (std::size_t i = 0; i < kHeaderTableSectors; ++i) table.push_back(u32(header, 76 + 4 * i));
  std::uint32_t list = u32(header, 68);
  for (std::uint64_t i = 0; list < kMaxSector && i <= most; ++i) {
    OA_ASSIGN(const Bytes sector, read_sector(list));
    for (std::size_t at = 0; at + 8 <= sector.size(); at += 4) table.push_back(u32(sector, at));
    list = u32(sector, sector.size() - 4);
  }
  for (const std::uint32_t number : table) {
    if (number >= kMaxSector) continue;
    if (next_.size() > sectors + sector_bytes_) return damaged("table too long");
    OA_ASSIGN(const Bytes sector, read_sector(number));
    for (std::size_t at = 0; at < sector.size(); at += 4) next_.push_back(u32(sector, at));
  }
  return {};
}

Status Ole2File::load_directory(std::uint32_t first_sector) {
  OA_ASSIGN(const Bytes directory, read_chain(first_sector, kMaxDirectoryBytes));
  for (std::size_t at = 0; at + kEntryBytes <= directory.size(); at += kEntryBytes) {
    const ByteView bytes = ByteView(directory).subspan(at, kEntryBytes);
    Entry entry;
    const std::size_t units =
        std::min<std::size_t>(read_le<std::uint16_t>(bytes.subspan(64)), 64) / 2;
    for (std::size_t i = 0; i + 1 < units; ++i) {
      const auto unit = read_le<std::uint16_t>(bytes.subspan(2 * i));
      entry.name += unit < 0x80 ? static_cast<char>(unit) : '?';
    }
    entry.first_sector = u32(bytes, 116);
    entry.bytes = u32(bytes, 120);
    if (bytes[66] == kRoot) small_streams_ = entry;
    if (bytes[66] == kStream) entries_.push_back(std::move(entry));
  }
  return {};
}

const Ole2File::Entry* Ole2File::find(std::string_view name) const {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return std::ranges::equal(entry.name, name, {}, lower, lower);
  });
  return found == entries_.end() ? nullptr : &*found;
}

// The last sector of a file may be cut; it is filled up with zeros.
Result<Bytes> Ole2File::read_sector(std::uint32_t sector) const {
  const std::uint64_t offset = (std::uint64_t{sector} + 1) * sector_bytes_;
  if (offset >= file_->size()) return damaged("sector past the end");
  Bytes bytes(sector_bytes_);
  const auto count = std::min<std::uint64_t>(sector_bytes_, file_->size() - offset);
  OA_TRY(file_->read_at(offset, std::span(bytes).first(count)));
  return bytes;
}

Result<Bytes> Ole2File::read_chain(std::uint32_t first_sector, std::uint64_t most_bytes) const {
  Bytes chain;
  std::uint64_t sectors = 0;
  for (std::uint32_t sector = first_sector; sector < kMaxSector && chain.size() < most_bytes;) {
    if (sector >= next_.size() || ++sectors > next_.size()) return damaged("chain of sectors");
    OA_ASSIGN(const Bytes bytes, read_sector(sector));
    chain.insert(chain.end(), bytes.begin(), bytes.end());
    sector = next_[sector];
  }
  if (chain.size() > most_bytes) chain.resize(most_bytes);
  return chain;
}

Result<Bytes> Ole2File::read(std::string_view name) const {
  const Entry* entry = find(name);
  OA_ASSERT(entry != nullptr);
  if (entry->bytes > file_->size()) return damaged("stream longer than the file");
  if (entry->bytes < kSmallStreamBytes) return read_small(*entry);
  OA_ASSIGN(Bytes bytes, read_chain(entry->first_sector, entry->bytes));
  if (bytes.size() < entry->bytes) return damaged("stream cut");
  return bytes;
}

Result<Bytes> Ole2File::read_small(const Entry& entry) const {
  OA_ASSIGN(const Bytes table, read_chain(first_small_table_, file_->size()));
  OA_ASSIGN(const Bytes streams, read_chain(small_streams_.first_sector, file_->size()));
  Bytes bytes;
  for (std::uint32_t sector = entry.first_sector; bytes.size() < entry.bytes;) {
    const std::uint64_t at = std::uint64_t{sector} * kSmallSectorBytes;
    if (at + kSmallSectorBytes > streams.size() || std::uint64_t{sector} * 4 + 4 > table.size())
      return damaged("chain of small sectors");
    const ByteView piece = ByteView(streams).subspan(at, kSmallSectorBytes);
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    sector = u32(table, std::size_t{sector} * 4);
  }
  bytes.resize(entry.bytes);
  return bytes;
}

}  // namespace oa::workbooks
