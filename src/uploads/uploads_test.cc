#include "oa/uploads/uploads.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "oa/archive/reader.h"
#include "oa/archive/writer.h"
#include "oa/crypto/hash.h"
#include "oa/crypto/sha1.h"
#include "testkit/scratch.h"
#include "uploads_testkit.h"

namespace oa::uploads {
namespace {

constexpr std::uint64_t kLength = 3 * kPartBytes + 777;

class UploadsTest : public testing::Test {
 protected:
  UploadRecord create(std::uint64_t length = kLength) {
    return must(uploads_.create({length, "tenant.oa-archive", std::nullopt}));
  }
  // What `from` to `to` holds, in one append.
  Result<std::uint64_t> send(UploadId id, std::uint64_t from, std::uint64_t to,
                             std::optional<Checksum> checksum = std::nullopt) {
    OA_ASSIGN(auto append, uploads_.append(id, from, std::move(checksum)));
    OA_TRY(append->write(bytes_at(from, static_cast<std::size_t>(to - from))));
    return append->finish();
  }
  std::uint64_t offset_of(UploadId id) { return must(uploads_.get(id)).offset_bytes; }
  void expect_content(UploadId id, std::uint64_t length = kLength) {
    const auto source = must(uploads_.open(id));
    ASSERT_EQ(source->size(), length);
    EXPECT_TRUE(must(read_all(*source, length)) == bytes_at(0, static_cast<std::size_t>(length)));
  }
  std::vector<ObjectVersion> stored() {
    return must(
        instance_.objects().store().list(tenant_, RetentionClass::kArchives, "uploads/", 1000));
  }
  void expire(UploadId id) {
    auto transaction = must(instance_.database().begin(tenant_));
    catalog::Uploads uploads(transaction);
    const auto record = must(uploads.get(id));
    const auto fence = must(uploads.take(id, std::chrono::milliseconds(0)));
    must(uploads.append(id, *fence, record.offset_bytes, {},
                        Timestamp{Timestamp::now().unix_us - 1}));
    must(transaction.commit());
  }

  instance::Instance& instance_ = shared_instance();
  const TenantId tenant_ = new_tenant();
  Uploads uploads_{instance_.database(), instance_.objects(), tenant_, small_parts()};
};

TEST_F(UploadsTest, ArrivesInPiecesOfAnySize) {
  const auto upload = create();
  EXPECT_EQ(upload.file_name, "tenant.oa-archive");
  EXPECT_FALSE(upload.whole());
  std::uint64_t at = 0;
  for (const std::uint64_t to :
       {std::uint64_t{1}, std::uint64_t{500}, kPartBytes + 500, 3 * kPartBytes, kLength}) {
    EXPECT_EQ(must(send(upload.id, at, to)), to);
    EXPECT_EQ(offset_of(upload.id), to);
    at = to;
  }
  EXPECT_TRUE(must(uploads_.get(upload.id)).whole());
  expect_content(upload.id);
  ASSERT_EQ(must(uploads_.list()).size(), 1u);
  EXPECT_EQ(must(uploads_.sweep(Timestamp::now())).objects, 0u);
}

TEST_F(UploadsTest, ReadsAnyStretchOfIt) {
  const auto upload = create();
  must(send(upload.id, 0, 100));
  must(send(upload.id, 100, kLength));
  const auto source = must(uploads_.open(upload.id));
  for (const std::uint64_t from : {std::uint64_t{0}, std::uint64_t{99}, std::uint64_t{100},
                                   kPartBytes + 99, kLength - 1, kLength}) {
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, 2 * kPartBytes, kLength - from}) {
      if (from + size > kLength) continue;
      Bytes found(static_cast<std::size_t>(size));
      must(source->read_at(from, found));
      EXPECT_TRUE(found == bytes_at(from, found.size())) << from << " " << size;
    }
  }
}

TEST_F(UploadsTest, NothingAndOneByteAreUploadsToo) {
  const auto nothing = create(0);
  EXPECT_TRUE(nothing.whole());
  expect_content(nothing.id, 0);
  const auto byte = create(1);
  EXPECT_EQ(must(must(uploads_.append(byte.id, 0))->finish()), 0u);
  EXPECT_EQ(must(send(byte.id, 0, 1)), 1u);
  expect_content(byte.id, 1);
}

// What a broken connection leaves: the sender goes on behind all that arrived.
TEST_F(UploadsTest, WhatArrivedBeforeAConnectionBrokeCounts) {
  const auto upload = create();
  {
    const auto append = must(uploads_.append(upload.id, 0));
    must(append->write(bytes_at(0, kPartBytes + 10)));
    EXPECT_EQ(offset_of(upload.id), kPartBytes);  // already
  }
  EXPECT_EQ(offset_of(upload.id), kPartBytes + 10);
  must(send(upload.id, kPartBytes + 10, kLength));
  expect_content(upload.id);
}

TEST_F(UploadsTest, AnotherOffsetIsRefusedAndTheRightOneNamed) {
  const auto upload = create();
  must(send(upload.id, 0, 1000));
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{999}, std::uint64_t{1001}}) {
    const auto append = uploads_.append(upload.id, wrong);
    ASSERT_EQ(code_of(append), ErrorCode::kUploadOffset);
    EXPECT_NE(append.error().message.find("1000"), std::string::npos) << append.error().message;
  }
}

TEST_F(UploadsTest, OneAppendAtATime) {
  const auto upload = create();
  auto first = must(uploads_.append(upload.id, 0));
  must(first->write(bytes_at(0, 10)));
  // Whoever else serves the same database is told, too.
  Uploads others(instance_.database(), instance_.objects(), tenant_, small_parts());
  for (Uploads* server : {&uploads_, &others}) {
    EXPECT_EQ(code_of(server->append(upload.id, 0)), ErrorCode::kUploadInUse);
    EXPECT_EQ(code_of(server->remove(upload.id)), ErrorCode::kUploadInUse);
  }
  EXPECT_EQ(must(others.sweep(Timestamp{upload.expires_at.unix_us + 1})).uploads, 0u);
  EXPECT_EQ(offset_of(upload.id), 0u);
  EXPECT_EQ(must(first->finish()), 10u);
  EXPECT_EQ(must(send(upload.id, 10, kLength)), kLength);
  expect_content(upload.id);
}

// As when its connection went silent, and the sender comes back over another.
TEST_F(UploadsTest, ASilentAppendIsTakenOverAndAddsNothing) {
  Limits limits = small_parts();
  limits.lease = std::chrono::milliseconds(1);
  Uploads hasty(instance_.database(), instance_.objects(), tenant_, limits);
  const auto upload = create();
  const auto silent = must(hasty.append(upload.id, 0));
  must(silent->write(bytes_at(7, 100)));
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(must(send(upload.id, 0, kPartBytes)), kPartBytes);
  EXPECT_EQ(code_of(silent->write(bytes_at(107, 100))), ErrorCode::kConflict);
  EXPECT_EQ(code_of(silent->finish()), ErrorCode::kConflict);
  must(send(upload.id, kPartBytes, kLength));
  expect_content(upload.id);
}

TEST_F(UploadsTest, AnAppendThatLostItsHoldAddsNothing) {
  const auto upload = create();
  Limits limits = small_parts();
  limits.lease = std::chrono::milliseconds(3'600'000);  // so that it does not look
  Uploads patient(instance_.database(), instance_.objects(), tenant_, limits);
  const auto lost = must(patient.append(upload.id, 0));
  must(lost->write(bytes_at(7, 100)));
  {
    auto transaction = must(instance_.database().begin(tenant_));
    must(catalog::Uploads(transaction)
             .hold(upload.id, 1, std::chrono::milliseconds(0)));  // its time is over
    must(transaction.commit());
  }
  const auto next = must(uploads_.append(upload.id, 0));
  EXPECT_EQ(code_of(lost->finish()), ErrorCode::kConflict);
  EXPECT_EQ(offset_of(upload.id), 0u);
  // What it left is no part of the upload, and is not swept while somebody is writing.
  EXPECT_EQ(must(uploads_.sweep(Timestamp::now())).objects, 0u);
  EXPECT_EQ(must(next->finish()), 0u);
  EXPECT_EQ(must(uploads_.sweep(Timestamp::now())).objects, 1u);
}

Checksum sha256_of(ByteView bytes) {
  const auto digest = Sha256::of(bytes);
  return {ChecksumAlgorithm::kSha256, Bytes(digest.begin(), digest.end())};
}
Checksum sha1_of(ByteView bytes) {
  const auto digest = Sha1::of(bytes);
  return {ChecksumAlgorithm::kSha1, Bytes(digest.begin(), digest.end())};
}

TEST_F(UploadsTest, AChecksumThatMatchesCounts) {
  const auto upload = create();
  constexpr std::uint64_t kMiddle = 2 * kPartBytes + 5;
  EXPECT_EQ(must(send(upload.id, 0, kMiddle, sha256_of(bytes_at(0, kMiddle)))), kMiddle);
  EXPECT_EQ(must(send(upload.id, kMiddle, kLength, sha1_of(bytes_at(kMiddle, kLength - kMiddle)))),
            kLength);
  expect_content(upload.id);
}

TEST_F(UploadsTest, WithAnotherChecksumNothingIsKept) {
  const auto upload = create();
  must(send(upload.id, 0, 10));
  const auto before = stored().size();
  for (const auto& wrong : {sha256_of({}), sha1_of({})}) {
    const auto sent = send(upload.id, 10, kLength, wrong);
    ASSERT_EQ(code_of(sent), ErrorCode::kUploadChecksum);
    EXPECT_FALSE(sent.error().hint.empty());
    EXPECT_EQ(offset_of(upload.id), 10u);
    EXPECT_EQ(stored().size(), before);
  }
  {
    const auto dropped = must(uploads_.append(upload.id, 10, sha256_of(bytes_at(10, 100))));
    must(dropped->write(bytes_at(10, 2 * kPartBytes)));
  }
  EXPECT_EQ(offset_of(upload.id), 10u);
  EXPECT_EQ(stored().size(), before);
  Checksum short_one = sha256_of({});
  short_one.digest.pop_back();
  EXPECT_EQ(code_of(uploads_.append(upload.id, 10, short_one)), ErrorCode::kInvalidArgument);
  must(send(upload.id, 10, kLength));
  expect_content(upload.id);
}

TEST_F(UploadsTest, ChecksumAlgorithmsHaveNames) {
  for (const auto algorithm : {ChecksumAlgorithm::kSha1, ChecksumAlgorithm::kSha256})
    EXPECT_EQ(must(parse_checksum_algorithm(to_text(algorithm))), algorithm);
  EXPECT_EQ(code_of(parse_checksum_algorithm("md5")), ErrorCode::kInvalidArgument);
}

TEST_F(UploadsTest, MoreThanDeclaredIsRefusedAndNothingOfItTaken) {
  const auto upload = create(100);
  const auto append = must(uploads_.append(upload.id, 0));
  must(append->write(bytes_at(0, 90)));
  EXPECT_EQ(code_of(append->write(bytes_at(90, 11))), ErrorCode::kLimitExceeded);
  EXPECT_EQ(must(append->finish()), 90u);
}

TEST_F(UploadsTest, LimitsHold) {
  Limits limits = small_parts();
  limits.max_length_bytes = 1000;
  limits.max_total_bytes = 1500;
  limits.max_uploads = 3;
  limits.max_parts = 2;
  Uploads small(instance_.database(), instance_.objects(), tenant_, limits);
  const auto create_of = [&](std::uint64_t length) { return small.create({length, "f", {}}); };
  EXPECT_EQ(code_of(create_of(1001)), ErrorCode::kLimitExceeded);
  const auto upload = must(create_of(1000));
  EXPECT_EQ(code_of(create_of(501)), ErrorCode::kLimitExceeded);
  must(create_of(499));
  must(create_of(1));
  EXPECT_EQ(code_of(create_of(0)), ErrorCode::kLimitExceeded);  // the fourth
  for (std::uint64_t at = 0; at < 2; ++at) {
    const auto append = must(small.append(upload.id, at));
    must(append->write(bytes_at(at, 1)));
    must(append->finish());
  }
  const auto third = must(small.append(upload.id, 2));
  EXPECT_EQ(code_of(third->write(bytes_at(2, 1))), ErrorCode::kLimitExceeded);
  EXPECT_EQ(code_of(third->finish()), ErrorCode::kLimitExceeded);
}

TEST_F(UploadsTest, OnePersonLeavesRoomForOthers) {
  Limits limits = small_parts();
  limits.max_total_bytes = 200;
  limits.max_bytes_of_person = 100;
  limits.max_uploads = 5;
  limits.max_uploads_of_person = 2;
  Uploads small(instance_.database(), instance_.objects(), tenant_, limits);
  const UserId ada = UserId::random(), bob = UserId::random(), eve = UserId::random();
  const auto create_of = [&](std::uint64_t length, std::optional<UserId> user) {
    return small.create({length, "f", user});
  };
  const auto too_long = create_of(101, ada);
  ASSERT_EQ(code_of(too_long), ErrorCode::kLimitExceeded);
  EXPECT_NE(too_long.error().message.find("a person has"), std::string::npos);
  EXPECT_NE(too_long.error().hint.find("abandon others"), std::string::npos);
  const auto first = must(create_of(99, ada));
  must(create_of(1, ada));
  EXPECT_EQ(code_of(create_of(0, ada)), ErrorCode::kLimitExceeded);  // the third
  must(small.remove(first.id));
  EXPECT_EQ(code_of(create_of(100, ada)), ErrorCode::kLimitExceeded);
  must(create_of(99, ada));
  must(create_of(50, bob));
  EXPECT_EQ(must(small.list(ada)).size(), 2u);
  EXPECT_EQ(must(small.list(bob)).size(), 1u);
  EXPECT_TRUE(must(small.list(eve)).empty());
  EXPECT_EQ(must(small.list()).size(), 3u);
  // Together they have no more than the tenant.
  EXPECT_EQ(code_of(create_of(51, eve)), ErrorCode::kLimitExceeded);
  EXPECT_EQ(code_of(create_of(51, std::nullopt)), ErrorCode::kLimitExceeded);
  must(create_of(50, std::nullopt));
}

TEST_F(UploadsTest, FileNamesAreShortText) {
  for (const std::string& name :
       {std::string(256, 'x'), std::string("a\nb"), std::string("\xff"), std::string("a\0b", 3)}) {
    EXPECT_EQ(code_of(uploads_.create({1, name, {}})), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(must(uploads_.create({1, "Übersicht.tar.zst", {}})).file_name, "Übersicht.tar.zst");
  EXPECT_EQ(must(uploads_.create({1, std::string(255, 'x'), {}})).file_name.size(), 255u);
}

TEST_F(UploadsTest, OfAnotherTenantNothingIsFound) {
  const auto upload = create();
  must(send(upload.id, 0, kLength));
  Uploads stranger(instance_.database(), instance_.objects(), new_tenant(), small_parts());
  EXPECT_EQ(code_of(stranger.get(upload.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(stranger.append(upload.id, 0)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(stranger.open(upload.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(stranger.remove(upload.id)), ErrorCode::kNotFound);
  EXPECT_TRUE(must(stranger.list()).empty());
  must(stranger.sweep(Timestamp{upload.expires_at.unix_us + 1}));
  expect_content(upload.id);
}

TEST_F(UploadsTest, OnlyWholeOnesAreOpened) {
  const auto upload = create();
  must(send(upload.id, 0, kLength - 1));
  EXPECT_EQ(code_of(uploads_.open(upload.id)), ErrorCode::kPreconditionFailed);
  EXPECT_EQ(code_of(uploads_.open(UploadId::random())), ErrorCode::kNotFound);
}

TEST_F(UploadsTest, AnAbandonedOneIsGoneWithItsObjects) {
  const auto upload = create(), other = create();
  must(send(upload.id, 0, kLength));
  must(send(other.id, 0, kLength));
  const auto before = stored().size();
  must(uploads_.remove(upload.id));
  EXPECT_EQ(stored().size(), before / 2);
  EXPECT_EQ(code_of(uploads_.get(upload.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(uploads_.remove(upload.id)), ErrorCode::kNotFound);
  expect_content(other.id);
}

TEST_F(UploadsTest, TimeRunsAnewWithEveryAppend) {
  const auto hours = [&](UploadId id) {
    const auto left = must(uploads_.get(id)).expires_at.unix_us - Timestamp::now().unix_us;
    return static_cast<double>(left) / 3.6e9;
  };
  const auto upload = create();
  EXPECT_NEAR(hours(upload.id), kUntouchedHours, 0.1);
  EXPECT_EQ(must(must(uploads_.append(upload.id, 0))->finish()), 0u);
  EXPECT_NEAR(hours(upload.id), kUntouchedHours, 0.1);
  must(send(upload.id, 0, 10));
  EXPECT_NEAR(hours(upload.id), kUnfinishedHours, 0.1);
  must(send(upload.id, 10, kLength));
  EXPECT_NEAR(hours(upload.id), kWholeHours, 0.1);
}

TEST_F(UploadsTest, AnExpiredOneIsGoneAndIsSwept) {
  const auto upload = create(), kept = create();
  must(send(upload.id, 0, kLength));
  must(send(kept.id, 0, kLength));
  expire(upload.id);
  EXPECT_EQ(code_of(uploads_.get(upload.id)), ErrorCode::kGone);
  EXPECT_EQ(code_of(uploads_.append(upload.id, kLength)), ErrorCode::kGone);
  EXPECT_EQ(code_of(uploads_.open(upload.id)), ErrorCode::kGone);
  EXPECT_EQ(must(uploads_.list()).size(), 1u);
  const auto swept = must(uploads_.sweep(Timestamp::now()));
  EXPECT_EQ(swept.uploads, 1u);
  EXPECT_EQ(swept.objects, 0u);
  EXPECT_EQ(code_of(uploads_.get(upload.id)), ErrorCode::kNotFound);
  EXPECT_EQ(stored().size(), 4u);
  expect_content(kept.id);
}

// What a process leaves that dies while it removes an upload.
TEST_F(UploadsTest, ObjectsWithoutAnUploadAreSwept) {
  const auto upload = create(), kept = create();
  must(send(upload.id, 0, kLength));
  must(send(kept.id, 0, kLength));
  {
    auto transaction = must(instance_.database().begin(tenant_));
    must(catalog::Uploads(transaction).remove(upload.id));
    must(transaction.commit());
  }
  EXPECT_EQ(must(uploads_.sweep(Timestamp::now())).objects, 4u);
  EXPECT_EQ(stored().size(), 4u);
  expect_content(kept.id);
}

// Nothing that was sent can be read on the disk, and what is changed there is noticed.
TEST_F(UploadsTest, PartsAreSealedAndVerified) {
  const auto upload = create();
  must(send(upload.id, 0, kLength));
  const std::string folder = instance_.data_folder() + "/objects/" + tenant_.str();
  const Bytes sent = bytes_at(kPartBytes, 32);
  EXPECT_TRUE(testkit::files_with(folder, std::string(sent.begin(), sent.end())).empty());
  std::string second;
  for (const auto& file : testkit::files_below(folder)) {
    if (file.find(fmt::format("{:013}@", kPartBytes)) != std::string::npos) second = file;
  }
  ASSERT_FALSE(second.empty());
  std::filesystem::permissions(second, std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  const std::string whole = testkit::contents_of(second);
  std::string changed = whole;
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  const auto read_second = [&] {
    Bytes out(kPartBytes);
    return must(uploads_.open(upload.id))->read_at(kPartBytes, out);
  };
  for (const auto& content : {changed, whole.substr(0, whole.size() / 2), std::string()}) {
    std::ofstream(second, std::ios::binary | std::ios::trunc) << content;
    EXPECT_EQ(code_of(read_second()), ErrorCode::kSealCorrupt) << content.size();
  }
  std::filesystem::remove(second);
  EXPECT_EQ(code_of(read_second()), ErrorCode::kSealCorrupt);
  Bytes first(10);
  must(must(uploads_.open(upload.id))->read_at(0, first));
}

TEST_F(UploadsTest, AnArchiveIsReadWhereItWasUploaded) {
  const auto signer = must(instance_.signing_key(tenant_));
  MemorySink archive;
  archive::WriterOptions options;
  options.archive_id = ArchiveId::random();
  auto writer = must(archive::ArchiveWriter::create(options, signer, archive));
  const WorkspaceId home = WorkspaceId::random();
  const std::string path =
      "workspaces/" + home.str() + "/datasets/" + DatasetId::random().str() + "/rows.parquet";
  const Bytes rows = bytes_at(0, 5 * kPartBytes);
  must(writer->add(path, rows));
  must(writer->add("workspaces/" + home.str() + "/metadata.json", {'{', '}'}));
  archive::ManifestInput input;
  input.tenant_id = tenant_;
  must(writer->finish(input));

  const auto upload = create(archive.bytes().size());
  for (std::size_t at = 0; at < archive.bytes().size();) {
    const auto append = must(uploads_.append(upload.id, at));
    const auto piece = ByteView(archive.bytes())
                           .subspan(at)
                           .first(std::min<std::size_t>(100'000, archive.bytes().size() - at));
    must(append->write(piece));
    at = static_cast<std::size_t>(must(append->finish()));
  }
  const auto source = must(uploads_.open(upload.id));
  const auto reader = must(archive::ArchiveReader::open(*source, {{signer.public_key()}, false}));
  EXPECT_EQ(reader->manifest().archive_id, options.archive_id);
  must(reader->verify({}, no_progress()));
  EXPECT_TRUE(must(reader->read(path, rows.size())) == rows);
}

}  // namespace
}  // namespace oa::uploads
