// Every vector in tests/vectors/archive ends as vectors.json says, releases no byte that nobody
// verified, and makes the reader use little memory. With OA_ACCEPT_VECTORS=1 the files are written
// anew instead.
#include "archive_vectors.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>

#include "entry_layout.h"

// The peak of what this process holds on the heap by `new`, which is where the reader's buffers
// are.
namespace {

std::atomic<std::size_t> held_bytes{0}, peak_bytes{0};

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t now = held_bytes += malloc_usable_size(memory);
  for (std::size_t peak = peak_bytes; now > peak && !peak_bytes.compare_exchange_weak(peak, now);) {
  }
  return memory;
}

void uncounted(void* memory) {
  if (memory != nullptr) held_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }
void* operator new[](std::size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }
void operator delete(void* memory) noexcept { uncounted(memory); }
void operator delete[](void* memory) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncounted(memory); }
void operator delete[](void* memory, std::size_t) noexcept { uncounted(memory); }

namespace oa::archive {
namespace {

constexpr std::size_t kMaxPeak = std::size_t{64} << 20;

std::filesystem::path folder() { return OA_VECTORS_FOLDER; }

std::string file_name(const ArchiveVector& vector) { return vector.name + ".oa-archive"; }

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& path, ByteView bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  OA_ASSERT(out.flush().good());
}

// One vector a line, so that a difference between two versions of the list can be read.
std::string list_of(const std::vector<ArchiveVector>& vectors) {
  std::string text =
      "{\"trusted_key\":\"" + test_key(1).public_key().base64() + "\",\"vectors\":[\n";
  for (const auto& vector : vectors) {
    const json::object object{
        {"file", file_name(vector)},
        {"scenario", vector.scenario},
        {"open", vector.open},
        {"verify", vector.verify},
        {"every_signature", vector.every_signature},
        {"releases", vector.signer_lies ? "what the signed index says" : "what the signer put in"}};
    text.append(canonical_json(object)).append(&vector == &vectors.back() ? "\n" : ",\n");
  }
  return text + "]}\n";
}

std::string outcome(const Status& status) {
  return status.ok() ? "ok" : std::string(error_info(status.error().code).name);
}

// What an attempt to read an entry released.
struct Release {
  Bytes bytes;
  bool complete = false;
};

class Reading {
 public:
  Reading(const ArchiveVector& vector, const ArchiveReader& reader)
      : vector_(vector), reader_(reader) {
    for (const auto& entry : vector.forgery.entries) signed_[entry.path] = entry.content;
  }

  void run() {
    // What the listing gave before it failed counts as well.
    const Status listed = reader_.for_each("", [&](const EntryInfo& info) {
      listed_[info.path] = info;
      return Status();
    });
    if (vector_.verify == "ok") {
      EXPECT_TRUE(listed.ok());
    }
    for (const auto& [path, info] : listed_) check_listed(info);
    std::map<std::string, bool> paths;
    for (const auto& [path, content] : signed_) paths[path] = true;
    for (const auto& [path, info] : listed_) paths[path] = true;
    for (const auto& [path, unused] : paths) {
      MemorySink sink;
      const bool copied = reader_.copy(path, sink).ok();
      check_released(path, {sink.take(), copied});
      const auto read = reader_.read(path, std::size_t{16} << 20);
      if (read.ok()) check_released(path, {*read, true});
      const auto info = reader_.stat(path);
      if (info.ok()) check_listed(*info);
      if (vector_.verify == "ok") {
        EXPECT_TRUE(copied && read.ok() && info.ok()) << path;
      }
    }
  }

 private:
  void check_listed(const EntryInfo& info) {
    EXPECT_TRUE(is_valid_path(info.path)) << "a path that could lead out of a folder was listed";
    if (vector_.signer_lies) return;
    ASSERT_TRUE(signed_.contains(info.path)) << info.path;
    EXPECT_EQ(info.size, signed_[info.path].size());
    EXPECT_EQ(info.digest, Blake2b::of(signed_[info.path]));
  }

  void check_released(const std::string& path, const Release& release) {
    if (release.bytes.empty() && !release.complete) return;
    const auto found = reader_.stat(path);
    ASSERT_TRUE(found.ok()) << path << " was released but is not in the index";
    const EntryInfo& info = *found;
    EXPECT_LE(release.bytes.size(), info.size);
    if (release.complete) {
      EXPECT_EQ(release.bytes.size(), info.size);
      EXPECT_EQ(Blake2b::of(release.bytes), info.digest) << path;
    }
    EXPECT_TRUE(release.complete || is_large(info.size))
        << "a part of a small entry was released: " << path;
    if (vector_.signer_lies && !is_large(info.size))
      return;  // its digest is all there is to hold against it
    const Bytes& content = signed_[path];
    ASSERT_LE(release.bytes.size(), content.size());
    EXPECT_TRUE(std::equal(release.bytes.begin(), release.bytes.end(), content.begin())) << path;
    EXPECT_TRUE(!release.complete || release.bytes.size() == content.size()) << path;
  }

  const ArchiveVector& vector_;
  const ArchiveReader& reader_;
  Contents signed_;
  std::map<std::string, EntryInfo> listed_;
};

class VectorTest : public testing::Test {
 public:
  explicit VectorTest(const ArchiveVector& vector) : vector_(vector) {}

  void TestBody() override {
    const std::string stored = read_file(folder() / file_name(vector_));
    {
      const Bytes made = vector_.forgery.make();
      ASSERT_TRUE(as_text(made) == stored) << "OA_ACCEPT_VECTORS=1 writes the files anew";
    }
    const Bytes bytes(stored.begin(), stored.end());
    const std::size_t before = held_bytes;
    peak_bytes = before;
    const MemorySource source(bytes);
    const auto reader = ArchiveReader::open(source, trust_key(1));
    const auto verify = [&](bool every_signature) -> Status {
      if (!reader.ok()) return reader.error();
      OA_TRY((*reader)->verify({every_signature, 2}, no_progress()));
      return {};
    };
    EXPECT_EQ(outcome(reader.ok() ? Status() : Status(reader.error())), vector_.open);
    expect(verify(false), vector_.verify);
    expect(verify(true), vector_.every_signature);
    EXPECT_LE(peak_bytes - before, kMaxPeak);
    if (reader.ok()) Reading(vector_, **reader).run();
  }

 private:
  static void expect(const Status& status, const std::string& wanted) {
    EXPECT_EQ(outcome(status), wanted) << (status.ok() ? "" : status.error().message);
  }
  const ArchiveVector& vector_;
};

class ListTest : public testing::Test {
 public:
  explicit ListTest(const std::vector<ArchiveVector>& vectors) : vectors_(vectors) {}
  void TestBody() override {
    EXPECT_TRUE(read_file(folder() / "vectors.json") == list_of(vectors_))
        << "OA_ACCEPT_VECTORS=1 writes it anew";
    std::size_t files = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder()))
      files += file.path().extension() == ".oa-archive";
    EXPECT_EQ(files, vectors_.size());
  }

 private:
  const std::vector<ArchiveVector>& vectors_;
};

int accept(const std::vector<ArchiveVector>& vectors) {
  std::filesystem::create_directories(folder());
  for (const auto& file : std::filesystem::directory_iterator(folder()))
    std::filesystem::remove(file.path());
  for (const auto& vector : vectors)
    write_file(folder() / file_name(vector), vector.forgery.make());
  write_file(folder() / "vectors.json", as_bytes(list_of(vectors)));
  return 0;
}

}  // namespace
}  // namespace oa::archive

int main(int argc, char** argv) {
  using namespace oa::archive;
  testing::InitGoogleTest(&argc, argv);
  static const std::vector<ArchiveVector> vectors = archive_vectors();
  if (const char* accepts = std::getenv("OA_ACCEPT_VECTORS"); accepts != nullptr && *accepts == '1')
    return accept(vectors);
  testing::RegisterTest("vectors", "list", nullptr, nullptr, __FILE__, __LINE__,
                        [] { return static_cast<testing::Test*>(new ListTest(vectors)); });
  for (const auto& vector : vectors) {
    testing::RegisterTest(
        "vectors", vector.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [&vector] { return static_cast<testing::Test*>(new VectorTest(vector)); });
  }
  return RUN_ALL_TESTS();
}
