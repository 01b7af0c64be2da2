#include "oa/wal/sealed_wal.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <fstream>

#include "wal_testkit.h"

namespace oa::wal {
namespace {

namespace fs = std::filesystem;

const SegmentSize kSize = SegmentSize::of(1 << 20).value();
const ClusterIdentity kCluster{7'000'000'000'000'000'001, kSize};
constexpr Timeline kFirst{1}, kSecond{2};
constexpr Lsn kStart{5 << 20};

SegmentName segment(std::uint64_t number, Timeline timeline = kFirst) {
  return {timeline, number, kSize};
}

// Bytes that tell where they belong.
Bytes wal_bytes(Lsn from, std::size_t length) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint64_t at = from.value + i;
    bytes[i] = static_cast<std::uint8_t>((at * 0x9E3779B97F4A7C15u) >> 56 | 1);
  }
  return bytes;
}

Status add(SealedWal& log, Lsn from, std::size_t length, Timeline timeline = kFirst) {
  return log.append(timeline, from, wal_bytes(from, length));
}

struct Content {
  SegmentExtent extent;
  Bytes bytes;
};

Result<Content> content(SealedWal& log, const SegmentName& name) {
  MemorySink sink;
  OA_ASSIGN(const SegmentExtent extent, log.read(name, sink));
  return Content{extent, sink.take()};
}

Bytes slurp(const fs::path& path) { return read_file(path, 64 << 20).value(); }

void spill(const fs::path& path, ByteView bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

class SealedWalTest : public testing::Test {
 protected:
  SealedWalTest() : log_(cell_.open()) { log_->bind(kCluster).value(); }
  void reopen() {
    log_.reset();
    log_ = cell_.open();
  }
  fs::path part(const SegmentName& name, int number = 0) const {
    char suffix[16];
    snprintf(suffix, sizeof suffix, ".%08x", number);
    return cell_.log_folder() + "/" + name.str() + suffix;
  }
  // The segment holds exactly what was received from its begin on, and says how much that is.
  void expect_prefix(const SegmentName& name, std::size_t length, bool finished = false) {
    const auto read = content(*log_, name);
    ASSERT_OK(read);
    Bytes expected = wal_bytes(name.begin(), length);
    expected.resize(kSize.bytes());
    EXPECT_EQ(read->extent.durable_bytes, length);
    EXPECT_EQ(read->extent.finished, finished);
    EXPECT_TRUE(read->bytes == expected);
  }

  Cell cell_;
  std::unique_ptr<SealedWal> log_;
};

TEST_F(SealedWalTest, GivesBackWhatCameAndZerosBehindIt) {
  ASSERT_OK(add(*log_, kStart, 1000));
  ASSERT_OK(add(*log_, {kStart.value + 1000}, 1));
  expect_prefix(segment(5), 1001);
  EXPECT_EQ(log_->end_of(kFirst).value(), Lsn{kStart.value + 1001});
  EXPECT_EQ(log_->end_of(kSecond).value(), std::nullopt);
}

TEST_F(SealedWalTest, GoesOnOverSegmentsInOneCall) {
  ASSERT_OK(add(*log_, kStart, (5 << 20) / 2));
  expect_prefix(segment(5), 1 << 20, true);
  expect_prefix(segment(6), 1 << 20, true);
  expect_prefix(segment(7), 1 << 19);
  const auto listed = log_->list();
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 3u);
  EXPECT_TRUE((*listed)[0].finished && (*listed)[1].finished && !(*listed)[2].finished);
  std::uint64_t sum = 0;
  for (const auto& each : *listed) sum += each.stored_bytes;
  EXPECT_EQ(log_->stored_bytes().value(), sum);
  EXPECT_GT(sum, (5u << 20) / 2);
}

TEST_F(SealedWalTest, GoesOnInAnotherPartAfterItWasOpenedAgain) {
  ASSERT_OK(add(*log_, kStart, 300));
  reopen();
  EXPECT_EQ(log_->end_of(kFirst).value(), Lsn{kStart.value + 300});
  ASSERT_OK(add(*log_, {kStart.value + 300}, 200));
  EXPECT_TRUE(fs::exists(part(segment(5), 1)));
  expect_prefix(segment(5), 500);
  reopen();
  ASSERT_OK(add(*log_, {kStart.value + 500}, (1 << 20) - 500));
  reopen();
  expect_prefix(segment(5), 1 << 20, true);
  ASSERT_OK(add(*log_, segment(6).begin(), 10));
  expect_prefix(segment(6), 10);
}

TEST_F(SealedWalTest, TakesBytesOnlyWhereTheLogEnds) {
  EXPECT_EQ(code_of(add(*log_, {kStart.value + 1}, 10)), ErrorCode::kConflict);
  ASSERT_OK(add(*log_, kStart, 100));
  for (const std::uint64_t offset : {0u, 99u, 101u, 5000u})
    EXPECT_EQ(code_of(add(*log_, {kStart.value + offset}, 10)), ErrorCode::kConflict) << offset;
  ASSERT_OK(add(*log_, {kStart.value + 100}, (1 << 20) - 100));
  EXPECT_EQ(code_of(add(*log_, kStart, 10)), ErrorCode::kConflict);
  expect_prefix(segment(5), 1 << 20, true);
}

TEST_F(SealedWalTest, BelongsToOneCluster) {
  ASSERT_OK(log_->bind(kCluster));
  EXPECT_EQ(code_of(log_->bind({1, kSize})), ErrorCode::kConflict);
  EXPECT_EQ(code_of(log_->bind({kCluster.system_identifier, SegmentSize()})), ErrorCode::kConflict);
  reopen();
  EXPECT_EQ(log_->cluster().value(), kCluster);
  Cell other;
  const auto unbound = other.open();
  EXPECT_EQ(code_of(add(*unbound, kStart, 1)), ErrorCode::kPreconditionFailed);
}

TEST_F(SealedWalTest, KeepsHistories) {
  const std::string text = "1\t0/500100\tno recovery target specified\n";
  ASSERT_OK(log_->put_history(kSecond, as_bytes(text)));
  ASSERT_OK(log_->put_history(kSecond, as_bytes(text)));
  EXPECT_EQ(code_of(log_->put_history(kSecond, as_bytes("1\t0/500108\tother\n"))),
            ErrorCode::kConflict);
  EXPECT_EQ(as_text(log_->read_history(kSecond).value()), text);
  EXPECT_EQ(code_of(log_->read_history({3})), ErrorCode::kNotFound);
  ASSERT_OK(log_->put_history({3}, as_bytes(text)));
  EXPECT_EQ(log_->histories().value(), (std::vector{kSecond, Timeline{3}}));
  // A history under another timeline's name does not open.
  fs::copy_file(cell_.log_folder() + "/00000003.history", cell_.log_folder() + "/00000004.history");
  EXPECT_FALSE(log_->read_history({4}).ok());
}

TEST_F(SealedWalTest, KeepsWhichTimelineLedWhen) {
  EXPECT_TRUE(log_->leads().value().empty());
  for (const std::uint32_t timeline : {1u, 1u, 2u, 1u, 1u, 3u})
    ASSERT_OK(log_->note_lead({Timestamp{1'000 + timeline}, {timeline}}));
  reopen();
  const auto leads = log_->leads().value();
  std::vector<std::uint32_t> timelines;
  for (const auto& lead : leads) timelines.push_back(lead.timeline.value);
  EXPECT_EQ(timelines, (std::vector<std::uint32_t>{1, 2, 1, 3}));
  EXPECT_EQ(leads[1].at, Timestamp{1'002});
  // A damaged one is no guess, and none that hinders what is received.
  fs::resize_file(cell_.log_folder() + "/leads", fs::file_size(cell_.log_folder() + "/leads") - 1);
  EXPECT_EQ(code_of(log_->leads()), ErrorCode::kSealCorrupt);
  ASSERT_OK(add(*log_, kStart, 10));
  ASSERT_OK(log_->note_lead({Timestamp{2'000}, {3}}));
  EXPECT_EQ(log_->leads().value().size(), 1u);
  EXPECT_TRUE(fs::exists(cell_.log_folder() + "/leads.damaged"));
  EXPECT_EQ(code_of(cell_.open(Access::kRead)->note_lead({Timestamp{1}, {9}})),
            ErrorCode::kPreconditionFailed);
}

TEST_F(SealedWalTest, KeepsTimelinesApart) {
  ASSERT_OK(add(*log_, kStart, 900));
  ASSERT_OK(add(*log_, kStart, 400, kSecond));
  EXPECT_EQ(log_->timelines().value(), (std::vector{kFirst, kSecond}));
  EXPECT_EQ(log_->end_of(kFirst).value(), Lsn{kStart.value + 900});
  EXPECT_EQ(log_->end_of(kSecond).value(), Lsn{kStart.value + 400});
  expect_prefix(segment(5), 900);
  expect_prefix(segment(5, kSecond), 400);
}

TEST_F(SealedWalTest, HasOneWriterAndReadersBesideIt) {
  const auto second = open_local_wal(cell_.log_folder(), cell_.keys(), cell_.id, Access::kWrite);
  EXPECT_EQ(code_of(second), ErrorCode::kBusy);
  const auto reader = cell_.open(Access::kRead);
  ASSERT_OK(add(*log_, kStart, 100));
  ASSERT_OK(content(*reader, segment(5)));
  EXPECT_EQ(code_of(add(*reader, {kStart.value + 100}, 1)), ErrorCode::kPreconditionFailed);
  EXPECT_EQ(reader->end_of(kFirst).value(), Lsn{kStart.value + 100});
}

TEST_F(SealedWalTest, TellsAGapFromALostEnd) {
  ASSERT_OK(add(*log_, kStart, 100));
  ASSERT_OK(add(*log_, segment(8).begin(), 2 << 20));
  // Never received.
  EXPECT_EQ(code_of(content(*log_, segment(5))), ErrorCode::kWalMissing);
  expect_prefix(segment(8), 1 << 20, true);
  // Received, and cut off afterwards.
  const Bytes whole = slurp(part(segment(8)));
  spill(part(segment(8)), ByteView(whole).first(whole.size() / 2));
  EXPECT_EQ(code_of(content(*log_, segment(8))), ErrorCode::kSealCorrupt);
}

TEST_F(SealedWalTest, RemovesWhatTheRepositoryHasAndNothingElse) {
  ASSERT_OK(add(*log_, kStart, (7 << 20) / 2));
  const auto all_but_six = [](const SegmentName& name) -> Result<bool> { return name.number != 6; };
  // Segment 7 ends behind the limit.
  const auto freed = log_->remove_before(segment(7).begin(), all_but_six);
  ASSERT_OK(freed);
  EXPECT_GT(*freed, 1u << 20);
  EXPECT_EQ(code_of(content(*log_, segment(5))), ErrorCode::kNotFound);
  for (const std::uint64_t kept : {6u, 7u}) expect_prefix(segment(kept), 1 << 20, true);
  const auto archived = [](const SegmentName&) -> Result<bool> { return true; };
  ASSERT_OK(log_->remove_before({~0ull}, archived));
  expect_prefix(segment(8), 1 << 19);
  ASSERT_OK(add(*log_, {segment(8).begin().value + (1 << 19)}, 7));
  expect_prefix(segment(8), (1 << 19) + 7);
  const auto unknown = [](const SegmentName&) -> Result<bool> {
    return make_error(ErrorCode::kRepositoryUnavailable, "test", "away");
  };
  ASSERT_OK(add(*log_, {segment(8).begin().value + (1 << 19) + 7}, 1 << 20));
  EXPECT_EQ(code_of(log_->remove_before({~0ull}, unknown)), ErrorCode::kRepositoryUnavailable);
  expect_prefix(segment(8), 1 << 20, true);
}

TEST_F(SealedWalTest, GoesOnAfterADiskWasFull) {
  ASSERT_OK(add(*log_, kStart, 1000));
  // In a child, since the limit stays: a file cannot grow past 8 KiB, which cuts a frame in two.
  log_.reset();
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const auto log = cell_.open();
    const rlimit limit{8192, 8192};
    if (!add(*log, {kStart.value + 1000}, 1000).ok() || setrlimit(RLIMIT_FSIZE, &limit) != 0)
      _exit(2);
    _exit(add(*log, {kStart.value + 2000}, 50'000).ok() ? 3 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  log_ = cell_.open();
  ASSERT_EQ(fs::file_size(part(segment(5), 1)), 8192u);
  EXPECT_EQ(log_->end_of(kFirst).value(), Lsn{kStart.value + 2000});
  ASSERT_OK(add(*log_, {kStart.value + 2000}, 50'000));
  expect_prefix(segment(5), 52'000);
}

// Every file of a small log, every byte of it, flipped: an error, or the log without its last
// frame.
TEST_F(SealedWalTest, NeverGivesWrongBytesWhateverByteIsFlipped) {
  for (int i = 0; i < 6; ++i) {
    ASSERT_OK(add(*log_, {kStart.value + 20 * static_cast<unsigned>(i)}, 20));
    if (i == 2) reopen();
  }
  log_.reset();
  const auto reader = cell_.open(Access::kRead);
  std::size_t errors = 0, shorter = 0;
  for (const int number : {0, 1}) {
    const fs::path path = part(segment(5), number);
    const Bytes whole = slurp(path);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const std::uint8_t mask : {0x01, 0x80}) {
        Bytes damaged = whole;
        damaged[at] ^= mask;
        spill(path, damaged);
        const auto read = content(*reader, segment(5));
        if (!read.ok()) {
          ++errors;
          continue;
        }
        // Only the very last frame can look as if it had never been written whole.
        ASSERT_EQ(read->extent.durable_bytes, 100u) << number << " " << at;
        ASSERT_EQ(number, 1);
        ASSERT_GE(at, whole.size() - 48);
        Bytes expected = wal_bytes(kStart, 100);
        expected.resize(kSize.bytes());
        ASSERT_TRUE(read->bytes == expected);
        ++shorter;
      }
    }
    spill(path, whole);
  }
  EXPECT_EQ(shorter, 2u * 48);
  EXPECT_GT(errors, 400u);
}

TEST_F(SealedWalTest, MayBeShortAtItsEndAndNowhereElse) {
  for (unsigned i = 0; i < 4; ++i) ASSERT_OK(add(*log_, {kStart.value + 50 * i}, 50));
  const fs::path path = part(segment(5));
  const Bytes whole = slurp(path);
  const std::size_t header = whole.size() - 4 * 78;
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    spill(path, ByteView(whole).first(length));
    const auto read = content(*log_, segment(5));
    if (length < header) {
      EXPECT_FALSE(read.ok()) << length;
    } else {
      ASSERT_OK(read);
      EXPECT_EQ(read->extent.durable_bytes, (length - header) / 78 * 50) << length;
    }
  }
}

TEST_F(SealedWalTest, DetectsFramesThatAreMovedDoubledOrTakenOut) {
  for (unsigned i = 0; i < 4; ++i) ASSERT_OK(add(*log_, {kStart.value + 50 * i}, 50));
  const fs::path path = part(segment(5));
  const Bytes whole = slurp(path);
  const auto header = static_cast<std::ptrdiff_t>(whole.size() - 4 * 78);
  const auto frame = [&](std::ptrdiff_t i) {
    const auto begin = whole.begin() + header + 78 * i;
    return Bytes(begin, begin + 78);
  };
  const auto with = [&](const std::vector<int>& order) {
    Bytes bytes(whole.begin(), whole.begin() + header);
    for (const int i : order) {
      const Bytes each = frame(i);
      bytes.insert(bytes.end(), each.begin(), each.end());
    }
    spill(path, bytes);
    return content(*log_, segment(5));
  };
  EXPECT_EQ(code_of(with({1, 0, 2, 3})), ErrorCode::kSealCorrupt);
  EXPECT_EQ(code_of(with({0, 1, 3, 2})), ErrorCode::kSealCorrupt);
  EXPECT_EQ(code_of(with({0, 2, 3})), ErrorCode::kSealCorrupt);
  EXPECT_EQ(code_of(with({1, 2, 3})), ErrorCode::kSealCorrupt);
  EXPECT_EQ(code_of(with({0, 0, 1, 2, 3})), ErrorCode::kSealCorrupt);
  const auto doubled = with({0, 1, 2, 3, 3});
  ASSERT_OK(doubled);
  EXPECT_EQ(doubled->extent.durable_bytes, 200u);
  EXPECT_EQ(with({0, 1, 2, 3})->extent.durable_bytes, 200u);
}

TEST_F(SealedWalTest, DetectsFilesThatAreSwapped) {
  ASSERT_OK(add(*log_, kStart, 100));
  reopen();
  ASSERT_OK(add(*log_, {kStart.value + 100}, 100));
  ASSERT_OK(add(*log_, segment(9).begin(), 200));
  ASSERT_OK(add(*log_, kStart, 100, kSecond));
  const auto read_with = [&](const fs::path& target, const fs::path& source) {
    const Bytes original = slurp(target);
    spill(target, slurp(source));
    const auto name = SegmentName::parse(target.filename().string().substr(0, 24), kSize).value();
    const auto code = code_of(content(*log_, name));
    spill(target, original);
    return code;
  };
  EXPECT_EQ(read_with(part(segment(9)), part(segment(5))), ErrorCode::kSealCorrupt);
  EXPECT_EQ(read_with(part(segment(5, kSecond)), part(segment(5))), ErrorCode::kSealCorrupt);
  EXPECT_EQ(read_with(part(segment(5), 0), part(segment(5), 1)), ErrorCode::kSealCorrupt);
  // Taken out.
  const fs::path first = part(segment(5), 0);
  const Bytes original = slurp(first);
  fs::remove(first);
  EXPECT_EQ(code_of(content(*log_, segment(5))), ErrorCode::kSealCorrupt);
  spill(first, original);
  // Another cell's, with the very same bytes received at the same place.
  Cell other;
  const auto foreign = other.open();
  ASSERT_OK(foreign->bind(kCluster));
  ASSERT_OK(add(*foreign, kStart, 100));
  spill(first, slurp(other.log_folder() + "/" + first.filename().string()));
  EXPECT_EQ(code_of(content(*log_, segment(5))), ErrorCode::kKeyWrong);
}

TEST_F(SealedWalTest, HasNothingReadableOnTheDisk) {
  const std::string marker = "account number 12345678";
  Bytes bytes = wal_bytes(kStart, 100);
  bytes.insert(bytes.end(), marker.begin(), marker.end());
  ASSERT_OK(log_->append(kFirst, kStart, bytes));
  ASSERT_OK(log_->put_history(kSecond, as_bytes(marker)));
  for (const auto& entry : fs::recursive_directory_iterator(cell_.log_folder())) {
    const Bytes content = slurp(entry.path());
    EXPECT_EQ(as_text(content).find(marker), std::string_view::npos) << entry.path();
    EXPECT_EQ(static_cast<unsigned>(entry.status().permissions()) & 037, 0u) << entry.path();
  }
  // Sealed or not, nobody else comes near it unless somebody opens the folder to a group.
  EXPECT_EQ(static_cast<unsigned>(fs::status(cell_.log_folder()).permissions()) & 0777, 0700u);
}

TEST_F(SealedWalTest, SetsADamagedEndAsideAndGoesOn) {
  ASSERT_OK(add(*log_, kStart, (1 << 20) + 100));
  ASSERT_OK(log_->put_history(kSecond, as_bytes("1\t0/600000\tx\n")));
  reopen();
  EXPECT_EQ(log_->set_aside_damaged(kFirst).value(), std::nullopt);
  const auto flip = [](const fs::path& path, std::size_t at) {
    Bytes bytes = slurp(path);
    bytes[std::min(at, bytes.size() - 1)] ^= 1;
    spill(path, bytes);
  };
  flip(part(segment(6)), 50);
  flip(part(segment(5)), 0);
  flip(cell_.log_folder() + "/00000002.history", 200);
  const auto listed = log_->list();
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 2u);
  for (const auto& stored : *listed) EXPECT_TRUE(stored.damaged && !stored.finished);
  // Without the key nothing can be said, and nothing is touched.
  ASSERT_OK(cell_.keys().disable(cell_.id));
  EXPECT_FALSE(log_->set_aside_damaged(kFirst).ok());
  ASSERT_OK(cell_.keys().enable(cell_.id));
  EXPECT_EQ(code_of(cell_.open(Access::kRead)->set_aside_damaged(kFirst)),
            ErrorCode::kPreconditionFailed);
  EXPECT_EQ(log_->set_aside_damaged(kFirst).value(), segment(6));
  EXPECT_TRUE(fs::exists(part(segment(6)).string() + ".damaged"));
  // The damaged segment before it hinders nobody.
  ASSERT_OK(add(*log_, segment(6).begin(), (1 << 20) + 100));
  expect_prefix(segment(6), 1 << 20, true);
  EXPECT_FALSE(content(*log_, segment(5)).ok());
  ASSERT_OK(log_->put_history(kSecond, as_bytes("1\t0/600000\tx\n")));
  EXPECT_TRUE(
      std::ranges::equal(log_->read_history(kSecond).value(), as_bytes("1\t0/600000\tx\n")));
  ASSERT_OK(log_->remove_before(segment(7).begin(), [](const SegmentName&) { return true; }));
  EXPECT_FALSE(fs::exists(part(segment(6)).string() + ".damaged"));
}

TEST_F(SealedWalTest, IsShreddedWithItsKey) {
  ASSERT_OK(add(*log_, kStart, 100));
  ASSERT_OK(cell_.keys().disable(cell_.id));
  EXPECT_EQ(code_of(content(*log_, segment(5))), ErrorCode::kKeyDisabled);
  ASSERT_OK(cell_.keys().enable(cell_.id));
  expect_prefix(segment(5), 100);
}

}  // namespace
}  // namespace oa::wal
