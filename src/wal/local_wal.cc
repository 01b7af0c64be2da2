// The sealed log in a folder:
//   lock                              held by the process that writes
//   cluster                           sealed: whose log it is
//   <segment>.<part, 8 hex digits>    the log itself
//   <timeline>.history                sealed
//   leads                             sealed: which timeline was received when
//   <either>.damaged                  set aside, no longer read
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <ranges>

#include "descriptor.h"
#include "oa/wal/sealed_wal.h"
#include "part_reader.h"
#include "part_writer.h"

namespace oa::wal {
namespace {

constexpr const char *kClusterFile = "cluster", *kClusterContext = "wal-cluster";
constexpr const char *kLeadsFile = "leads", *kLeadsContext = "wal-leads";
constexpr std::size_t kMaxLeads = 4096, kLeadSize = 12;
constexpr std::string_view kPartialMark = ".partial";  // of AtomicFileSink
constexpr std::string_view kDamagedMark = ".damaged";
constexpr std::size_t kMaxSealedFile = kMaxHistorySize + 64 * 1024;

// Parts of the segments in a folder, as far as they are listed.
using Parts = std::map<SegmentName, std::vector<std::uint32_t>>;

Parts::const_iterator newest_of(Timeline timeline, const Parts& all) {
  auto newest = all.end();
  for (auto at = all.begin(); at != all.end(); ++at)
    if (at->first.timeline == timeline) newest = at;
  return newest;
}

struct FolderCloser {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

Result<std::vector<std::string>> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, FolderCloser> opened(::opendir(folder.c_str()));
  if (opened == nullptr) return errno_error(errno, "wal.list", "cannot open the folder " + folder);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(opened.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  if (errno != 0) return errno_error(errno, "wal.list", "cannot read the folder " + folder);
  return names;
}

Status sync_folder(const std::string& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.valid() && ::fsync(opened.get()) == 0) return {};
  return errno_error(errno, "wal.sync", "cannot make " + folder + " durable");
}

Error not_at_end(const std::string& what) {
  return make_error(ErrorCode::kConflict, "wal.append", what);
}

// What does not open under a key that opens the rest of the log.
bool is_damage(const Error& error) {
  return error.code == ErrorCode::kSealCorrupt || error.code == ErrorCode::kKeyWrong;
}

std::string history_context(Timeline timeline) { return "wal-history:" + history_name(timeline); }

class LocalWal final : public SealedWal {
 public:
  LocalWal(std::string folder, KeyService& keys, TenantId cell, Descriptor lock)
      : folder_(std::move(folder)), keys_(keys), cell_(cell), lock_(std::move(lock)) {}

  Result<std::optional<ClusterIdentity>> cluster() override;
  Status bind(const ClusterIdentity& cluster) override;
  Status append(Timeline timeline, Lsn start, ByteView bytes) override;
  Status put_history(Timeline timeline, ByteView file) override;
  Result<std::vector<StoredSegment>> list() override;
  Result<std::optional<Lsn>> end_of(Timeline timeline) override;
  Result<std::optional<SegmentName>> set_aside_damaged(Timeline timeline) override;
  Result<std::vector<Timeline>> timelines() override;
  Result<SegmentExtent> read(const SegmentName& segment, ByteSink& out) override;
  Result<Bytes> read_history(Timeline timeline) override;
  Result<std::vector<Timeline>> histories() override;
  Status note_lead(const Lead& lead) override;
  Result<std::vector<Lead>> leads() override;
  Result<std::uint64_t> remove_before(
      Lsn limit, const std::function<Result<bool>(const SegmentName&)>& archived) override;
  Result<std::uint64_t> stored_bytes() override;
  Status sweep();

 private:
  Result<ClusterIdentity> bound();
  Result<Parts> parts();
  Result<PartReader> open_part(const SegmentName& segment, std::uint32_t number);
  Result<SegmentExtent> scan(const SegmentName& segment, const std::vector<std::uint32_t>& numbers,
                             const std::function<Status(ByteView)>& visit);
  Result<SegmentExtent> extent(const SegmentName& segment,
                               const std::vector<std::uint32_t>& numbers);
  Status check_end(const SegmentName& segment, const Parts& all);
  Result<bool> is_whole(const SegmentName& segment, const Parts& all);
  Status open_current(const SegmentName& segment, std::uint32_t offset);
  Status append_piece(ByteView piece);
  Status put_sealed(const std::string& name, const std::string& context, ByteView content,
                    bool replace = false);
  Result<SecretBytes> get_sealed(const std::string& name, const std::string& context);
  Status check_writable() const;
  Status set_aside(const std::string& name) const;
  Result<std::uint64_t> remove_set_aside(const SegmentName& segment) const;
  std::uint64_t size_of(const std::string& name) const;

  const std::string folder_;
  KeyService& keys_;
  const TenantId cell_;
  const Descriptor lock_;  // none: opened for reading

  std::mutex cluster_mutex_;
  std::optional<ClusterIdentity> cluster_;
  std::mutex write_mutex_;
  std::optional<PartWriter> current_;
};

Status LocalWal::check_writable() const {
  if (lock_.valid()) return {};
  return make_error(ErrorCode::kPreconditionFailed, "wal.append", "the log is open for reading");
}

Status LocalWal::put_sealed(const std::string& name, const std::string& context, ByteView content,
                            bool replace) {
  OA_ASSIGN(const Bytes sealed, seal_value(keys_, cell_, KeyPurpose::kWal, context, content));
  OA_ASSIGN(const auto sink, AtomicFileSink::create(folder_ + "/" + name, replace, kSealedMode));
  OA_TRY(sink->write(sealed));
  return sink->commit();
}

Result<SecretBytes> LocalWal::get_sealed(const std::string& name, const std::string& context) {
  OA_ASSIGN(const Bytes sealed, read_file(folder_ + "/" + name, kMaxSealedFile));
  return unseal_value(keys_, cell_, KeyPurpose::kWal, context, sealed);
}

Result<std::optional<ClusterIdentity>> LocalWal::cluster() {
  const std::lock_guard guard(cluster_mutex_);
  if (cluster_) return cluster_;
  const auto stored = get_sealed(kClusterFile, kClusterContext);
  if (!stored.ok() && stored.error().code == ErrorCode::kNotFound)
    return std::optional<ClusterIdentity>();
  if (!stored.ok()) return stored.error();
  if (stored->size() != 12) return log_corrupt(kClusterFile, "it has another length");
  OA_ASSIGN(const SegmentSize size,
            SegmentSize::of(read_le<std::uint32_t>(stored->view().subspan(8))));
  cluster_ = ClusterIdentity{read_le<std::uint64_t>(stored->view()), size};
  return cluster_;
}

Status LocalWal::bind(const ClusterIdentity& cluster) {
  OA_TRY(check_writable());
  OA_ASSIGN(const auto known, this->cluster());
  if (known && *known != cluster) {
    return make_error(ErrorCode::kConflict, "wal.bind",
                      "the log belongs to another database cluster")
        .with_hint("receive this cluster into a folder of its own");
  }
  if (known) return {};
  Bytes content;
  append_le(content, cluster.system_identifier);
  append_le(content, cluster.segment_size.bytes());
  return put_sealed(kClusterFile, kClusterContext, content);
}

Result<ClusterIdentity> LocalWal::bound() {
  OA_ASSIGN(const auto known, cluster());
  if (known) return *known;
  return make_error(ErrorCode::kPreconditionFailed, "wal", "the log belongs to no cluster yet");
}

Result<Parts> LocalWal::parts() {
  OA_ASSIGN(const auto known, cluster());
  Parts found;
  if (!known) return found;
  OA_ASSIGN(const auto names, names_in(folder_));
  for (const auto& name : names) {
    const auto part = PartName::parse(name, known->segment_size);
    if (part) found[part->segment].push_back(part->number);
  }
  for (auto& [segment, numbers] : found) std::ranges::sort(numbers);
  return found;
}

Result<PartReader> LocalWal::open_part(const SegmentName& segment, std::uint32_t number) {
  OA_ASSIGN(const ClusterIdentity cluster, bound());
  const PartName name{segment, number};
  return PartReader::open(folder_ + "/" + name.str(), name, keys_, cell_, cluster);
}

Result<SegmentExtent> LocalWal::scan(const SegmentName& segment,
                                     const std::vector<std::uint32_t>& numbers,
                                     const std::function<Status(ByteView)>& visit) {
  PartEnd end;
  for (std::uint32_t expected = 0; const std::uint32_t number : numbers) {
    OA_ASSIGN(PartReader part, open_part(segment, number));
    if (number != expected++ || part.header().start != end.offset || end.finished)
      return log_corrupt(segment.str(), "its parts do not fit together");
    OA_ASSIGN(end, part.read(visit));
  }
  return SegmentExtent{end.offset, end.offset == segment.size.bytes()};
}

// Without reading the content when there is a finish mark.
Result<SegmentExtent> LocalWal::extent(const SegmentName& segment,
                                       const std::vector<std::uint32_t>& numbers) {
  OA_ASSIGN(PartReader last, open_part(segment, numbers.back()));
  OA_ASSIGN(const bool finished, last.ends_with_mark());
  if (finished) return SegmentExtent{segment.size.bytes(), true};
  return scan(segment, numbers, [](ByteView) { return Status(); });
}

Result<bool> LocalWal::is_whole(const SegmentName& segment, const Parts& all) {
  const auto found = all.find(segment);
  if (found == all.end()) return false;
  OA_ASSIGN(const SegmentExtent known, extent(segment, found->second));
  return known.finished;
}

// A segment that is not whole must be the newest of its timeline.
Status LocalWal::check_end(const SegmentName& segment, const Parts& all) {
  const auto later = all.upper_bound(segment);
  if (later == all.end() || later->first.timeline != segment.timeline) return {};
  if (later->first == segment.next()) {
    OA_ASSIGN(const PartReader successor, open_part(later->first, later->second.front()));
    if (successor.header().continues) return log_corrupt(segment.str(), "its end is missing");
  }
  return make_error(ErrorCode::kWalMissing, "wal.read",
                    "the end of " + segment.str() + " was never received")
      .with_hint("it can only come from the repository; a moment before it can be restored");
}

Result<SegmentExtent> LocalWal::read(const SegmentName& segment, ByteSink& out) {
  OA_ASSIGN(const Parts all, parts());
  const auto found = all.find(segment);
  if (found == all.end())
    return make_error(ErrorCode::kNotFound, "wal.read", "the log has no " + segment.str());
  OA_ASSIGN(const SegmentExtent known,
            scan(segment, found->second, [&](ByteView bytes) { return out.write(bytes); }));
  if (known.finished) return known;
  OA_TRY(check_end(segment, all));
  const Bytes zeros(std::min<std::size_t>(1 << 20, segment.size.bytes() - known.durable_bytes));
  for (std::uint64_t left = segment.size.bytes() - known.durable_bytes; left > 0;) {
    const auto piece = std::min<std::uint64_t>(left, zeros.size());
    OA_TRY(out.write(ByteView(zeros).first(piece)));
    left -= piece;
  }
  return known;
}

Result<std::optional<Lsn>> LocalWal::end_of(Timeline timeline) {
  {
    const std::lock_guard guard(write_mutex_);
    if (current_ && current_->segment().timeline == timeline)
      return std::optional(Lsn{current_->segment().begin().value + current_->offset()});
  }
  OA_ASSIGN(const Parts all, parts());
  const auto newest = newest_of(timeline, all);
  if (newest == all.end()) return std::optional<Lsn>();
  OA_ASSIGN(const SegmentExtent known, extent(newest->first, newest->second));
  return std::optional(Lsn{newest->first.begin().value + known.durable_bytes});
}

Status LocalWal::set_aside(const std::string& name) const {
  const std::string path = folder_ + "/" + name;
  if (::rename(path.c_str(), (path + std::string(kDamagedMark)).c_str()) == 0) return {};
  return errno_error(errno, "wal.set_aside", "cannot rename " + name);
}

Result<std::optional<SegmentName>> LocalWal::set_aside_damaged(Timeline timeline) {
  OA_TRY(check_writable());
  const std::lock_guard guard(write_mutex_);
  if (current_ && current_->segment().timeline == timeline) return std::optional<SegmentName>();
  OA_ASSIGN(const Parts all, parts());
  const auto newest = newest_of(timeline, all);
  if (newest == all.end()) return std::optional<SegmentName>();
  const auto known = extent(newest->first, newest->second);
  if (known.ok()) return std::optional<SegmentName>();
  if (!is_damage(known.error())) return known.error();
  OA_TRY(get_sealed(kClusterFile, kClusterContext));  // the keys are the right ones
  for (const auto number : newest->second) OA_TRY(set_aside(PartName{newest->first, number}.str()));
  OA_TRY(sync_folder(folder_));
  return std::optional(newest->first);
}

// Opens the part that takes the byte at `offset` of `segment`.
Status LocalWal::open_current(const SegmentName& segment, std::uint32_t offset) {
  if (current_ && current_->segment() == segment && current_->offset() == offset) return {};
  current_.reset();
  OA_ASSIGN(const ClusterIdentity cluster, bound());
  OA_ASSIGN(const Parts all, parts());
  PartHeader header{cluster.system_identifier, {segment, 0}, offset, false, {}};
  const auto found = all.find(segment);
  SegmentExtent there;
  if (found != all.end()) {
    OA_ASSIGN(there, extent(segment, found->second));
    header.name.number = found->second.back() + 1;
  }
  if (there.finished || there.durable_bytes != offset || header.name.number >= kMaxParts)
    return not_at_end(segment.str() + " does not end there");
  if (segment.number > 0) {
    const SegmentName before{segment.timeline, segment.number - 1, segment.size};
    const auto whole = is_whole(before, all);
    if (!whole.ok() && !is_damage(whole.error())) return whole.error();
    header.continues = whole.ok() && *whole;  // what is damaged tells it when it is read
  }
  OA_ASSIGN(current_, PartWriter::create(folder_, std::move(header), keys_, cell_));
  return {};
}

Status LocalWal::append_piece(ByteView piece) {
  OA_TRY(current_->append(piece));
  if (current_->offset() != current_->segment().size.bytes()) return {};
  OA_TRY(current_->finish());
  current_.reset();
  return {};
}

Status LocalWal::append(Timeline timeline, Lsn start, ByteView bytes) {
  OA_TRY(check_writable());
  OA_ASSIGN(const ClusterIdentity cluster, bound());
  const std::lock_guard guard(write_mutex_);
  while (!bytes.empty()) {
    const auto segment = SegmentName::containing(timeline, start, cluster.segment_size);
    const std::uint32_t offset = cluster.segment_size.offset(start);
    OA_TRY(open_current(segment, offset));
    const auto piece = bytes.first(std::min<std::size_t>(
        {bytes.size(), kMaxFramePlain, cluster.segment_size.bytes() - offset}));
    const Status appended = append_piece(piece);
    if (!appended.ok()) {
      current_.reset();  // never written again, see PartWriter
      return appended;
    }
    start.value += piece.size();
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

Status LocalWal::put_history(Timeline timeline, ByteView file) {
  OA_TRY(check_writable());
  if (file.size() > kMaxHistorySize)
    return make_error(ErrorCode::kLimitExceeded, "wal.history", "a history of more than 1 MiB");
  const std::lock_guard guard(write_mutex_);
  const auto kept = read_history(timeline);
  if (!kept.ok()) {
    if (is_damage(kept.error()))
      OA_TRY(set_aside(history_name(timeline)));
    else if (kept.error().code != ErrorCode::kNotFound)
      return kept.error();
    return put_sealed(history_name(timeline), history_context(timeline), file);
  }
  if (std::ranges::equal(*kept, file)) return {};
  return make_error(ErrorCode::kConflict, "wal.history",
                    "the cluster began timeline " + std::to_string(timeline.value) +
                        " a second time, and by another way than the one that was received")
      .with_hint("switch over to another node (`patronictl switchover`): that begins a timeline which "
                 "nobody has taken, and the log goes on; then make a full backup");
}

Result<Bytes> LocalWal::read_history(Timeline timeline) {
  OA_ASSIGN(const SecretBytes content,
            get_sealed(history_name(timeline), history_context(timeline)));
  return Bytes(content.view().begin(), content.view().end());
}

Result<std::vector<Timeline>> LocalWal::histories() {
  OA_ASSIGN(const auto names, names_in(folder_));
  std::vector<Timeline> found;
  for (const auto& name : names)
    if (const auto timeline = parse_history_name(name)) found.push_back(*timeline);
  std::ranges::sort(found);
  return found;
}

Result<std::vector<Lead>> LocalWal::leads() {
  const auto stored = get_sealed(kLeadsFile, kLeadsContext);
  if (!stored.ok() && stored.error().code == ErrorCode::kNotFound) return std::vector<Lead>();
  if (!stored.ok()) return stored.error();
  if (stored->size() % kLeadSize != 0) return log_corrupt(kLeadsFile, "it has another length");
  std::vector<Lead> leads;
  for (ByteView rest = stored->view(); !rest.empty(); rest = rest.subspan(kLeadSize)) {
    leads.push_back({Timestamp{static_cast<std::int64_t>(read_le<std::uint64_t>(rest))},
                     Timeline{read_le<std::uint32_t>(rest.subspan(8))}});
  }
  return leads;
}

Status LocalWal::note_lead(const Lead& lead) {
  OA_TRY(check_writable());
  const std::lock_guard guard(write_mutex_);
  auto kept = leads();
  if (!kept.ok() && !is_damage(kept.error())) return kept.error();
  if (!kept.ok()) {
    OA_TRY(get_sealed(kClusterFile, kClusterContext));  // the keys are the right ones
    OA_TRY(set_aside(kLeadsFile));
  }
  std::vector<Lead> all = kept.ok() ? *std::move(kept) : std::vector<Lead>();
  if (!all.empty() && all.back().timeline == lead.timeline) return {};
  all.push_back(lead);
  Bytes content;
  for (const auto& each : all | std::views::drop(all.size() - std::min(all.size(), kMaxLeads))) {
    append_le(content, static_cast<std::uint64_t>(each.at.unix_us));
    append_le(content, each.timeline.value);
  }
  return put_sealed(kLeadsFile, kLeadsContext, content, true);
}

std::uint64_t LocalWal::size_of(const std::string& name) const {
  struct stat info {};
  return ::stat((folder_ + "/" + name).c_str(), &info) == 0
             ? static_cast<std::uint64_t>(info.st_size)
             : 0;  // removed meanwhile
}

Result<std::vector<StoredSegment>> LocalWal::list() {
  OA_ASSIGN(const Parts all, parts());
  std::vector<StoredSegment> segments;
  for (const auto& [segment, numbers] : all) {
    const auto known = extent(segment, numbers);
    if (!known.ok() && known.error().code == ErrorCode::kNotFound) continue;  // removed meanwhile
    if (!known.ok() && !is_damage(known.error())) return known.error();
    StoredSegment& stored = segments.emplace_back(
        StoredSegment{segment, 0, known.ok() && known->finished, !known.ok()});
    for (const auto number : numbers)
      stored.stored_bytes += size_of(PartName{segment, number}.str());
  }
  return segments;
}

Result<std::vector<Timeline>> LocalWal::timelines() {
  OA_ASSIGN(const Parts all, parts());
  std::vector<Timeline> found;
  for (const auto& [segment, numbers] : all)
    if (found.empty() || found.back() != segment.timeline) found.push_back(segment.timeline);
  return found;
}

Result<std::uint64_t> LocalWal::remove_set_aside(const SegmentName& segment) const {
  OA_ASSIGN(const auto names, names_in(folder_));
  std::uint64_t freed = 0;
  for (const auto& name : names) {
    if (!name.starts_with(segment.str()) || !name.ends_with(kDamagedMark)) continue;
    freed += size_of(name);
    if (::unlink((folder_ + "/" + name).c_str()) != 0 && errno != ENOENT)
      return errno_error(errno, "wal.remove", "cannot remove " + name);
  }
  return freed;
}

Result<std::uint64_t> LocalWal::remove_before(
    Lsn limit, const std::function<Result<bool>(const SegmentName&)>& archived) {
  OA_TRY(check_writable());
  OA_ASSIGN(const Parts all, parts());
  std::uint64_t freed = 0;
  for (const auto& [segment, numbers] : all) {
    if (segment.end() > limit || segment == all.rbegin()->first) continue;
    OA_ASSIGN(const bool removable, archived(segment));
    if (!removable) continue;
    const std::lock_guard guard(write_mutex_);
    if (current_ && current_->segment() == segment) continue;
    for (const auto number : numbers) {
      const std::string name = PartName{segment, number}.str();
      const auto size = size_of(name);
      if (::unlink((folder_ + "/" + name).c_str()) != 0 && errno != ENOENT)
        return errno_error(errno, "wal.remove", "cannot remove " + name);
      freed += size;
    }
    OA_ASSIGN(const std::uint64_t aside, remove_set_aside(segment));
    freed += aside;
  }
  if (freed > 0) OA_TRY(sync_folder(folder_));
  return freed;
}

Result<std::uint64_t> LocalWal::stored_bytes() {
  OA_ASSIGN(const Parts all, parts());
  std::uint64_t total = 0;
  for (const auto& [segment, numbers] : all)
    for (const auto number : numbers) total += size_of(PartName{segment, number}.str());
  return total;
}

// Files that a killed writer had not made whole.
Status LocalWal::sweep() {
  OA_ASSIGN(const auto names, names_in(folder_));
  for (const auto& name : names) {
    if (name.find(kPartialMark) == std::string::npos) continue;
    if (::unlink((folder_ + "/" + name).c_str()) != 0 && errno != ENOENT)
      return errno_error(errno, "wal.open", "cannot remove " + name);
  }
  return {};
}

Result<Descriptor> lock_folder(const std::string& folder) {
  const std::string path = folder + "/lock";
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.valid()) return errno_error(errno, "wal.open", "cannot open " + path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  return make_error(ErrorCode::kBusy, "wal.open",
                    "another process receives the write-ahead log into " + folder)
      .with_hint("end it first, or let it do the work");
}

}  // namespace

Result<std::unique_ptr<SealedWal>> open_local_wal(const std::string& folder, KeyService& keys,
                                                  TenantId cell, Access access) {
  Descriptor lock;
  if (access == Access::kWrite) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return errno_error(errno, "wal.open", "cannot make the folder " + folder);
    OA_ASSIGN(lock, lock_folder(folder));
  }
  const bool writing = lock.valid();
  auto log = std::make_unique<LocalWal>(folder, keys, cell, std::move(lock));
  if (writing) OA_TRY(log->sweep());
  // Tells early of a folder that is not there, and of another cell's.
  OA_TRY(names_in(folder));
  OA_TRY(log->cluster());
  return std::unique_ptr<SealedWal>(std::move(log));
}

}  // namespace oa::wal
