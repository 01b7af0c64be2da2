// How an import runs: progress, cancelling, failing streams, what it leaves on the disk.
#include <atomic>
#include <thread>

#include "analytics_testkit.h"

namespace oa::analytics {
namespace {

std::string big_csv(std::size_t size) {
  std::string text = "n,x,city\n";
  for (std::size_t i = 0; text.size() < size; ++i)
    text += std::to_string(i) + "," + std::to_string(i) + ".25,Quito\n";
  return text;
}

class RecordedProgress : public Progress {
 public:
  void begin(std::string_view step, std::uint64_t total, std::string_view unit) override {
    EXPECT_EQ(std::this_thread::get_id(), owner_);
    steps_.push_back(std::string(step) + " " + std::to_string(total) + " " + std::string(unit));
    done_ = 0;
  }
  void update(std::uint64_t done) override {
    EXPECT_EQ(std::this_thread::get_id(), owner_);
    EXPECT_GE(done, done_);
    done_ = done;
    if (steps_.back().starts_with(cancel_in_)) cancelled_ = true;
  }
  bool cancelled() const override { return cancelled_; }

  std::vector<std::string> steps_;
  std::uint64_t done_ = 0;
  std::string cancel_in_ = "never";
  bool cancelled_ = false;

 private:
  std::thread::id owner_ = std::this_thread::get_id();
};

// Fails once it is asked for bytes from `from` on.
class TrickySource final : public RangedSource {
 public:
  TrickySource(std::string_view text, std::uint64_t from)
      : bytes_(Bytes(text.begin(), text.end())), from_(from) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    if (offset + out.size() > from_)
      return make_error(ErrorCode::kIo, "test.read", "The disk is on strike");
    return bytes_.read_at(offset, out);
  }

 private:
  MemorySource bytes_;
  std::uint64_t from_;
};

class FullStore final : public ObjectStore {
 public:
  FullStore(ObjectStore& store, std::uint64_t room) : store_(store), room_(room) {}
  Result<std::unique_ptr<ObjectWriter>> put(const ObjectKey& key) override {
    OA_ASSIGN(auto writer, store_.put(key));
    return std::unique_ptr<ObjectWriter>(new Writer(std::move(writer), room_));
  }
  Result<std::unique_ptr<RangedSource>> get(const ObjectKey& key,
                                            const VersionId& version) override {
    return store_.get(key, version);
  }
  Result<ObjectVersion> head(const ObjectKey& key) override { return store_.head(key); }
  Result<std::vector<ObjectVersion>> list(TenantId tenant, RetentionClass retention,
                                          std::string_view after, std::size_t limit) override {
    return store_.list(tenant, retention, after, limit);
  }
  Result<std::vector<ObjectVersion>> list_versions(const ObjectKey& key) override {
    return store_.list_versions(key);
  }
  Status remove(const ObjectKey& key, const VersionId& version) override {
    return store_.remove(key, version);
  }
  StoreCapabilities capabilities() const override { return store_.capabilities(); }

 private:
  class Writer final : public ObjectWriter {
   public:
    Writer(std::unique_ptr<ObjectWriter> writer, std::uint64_t room)
        : writer_(std::move(writer)), room_(room) {}
    Status write(ByteView bytes) override {
      if (bytes.size() > room_) return make_error(ErrorCode::kDiskFull, "test.write", "No room");
      room_ -= bytes.size();
      return writer_->write(bytes);
    }
    Result<VersionId> commit() override { return writer_->commit(); }

   private:
    std::unique_ptr<ObjectWriter> writer_;
    std::uint64_t room_;
  };
  ObjectStore& store_;
  std::uint64_t room_;
};

class RunTest : public ImportTest {};

TEST_F(RunTest, ReportsItsStepsInOrder) {
  const std::string text = big_csv(std::size_t{12} << 20);
  RecordedProgress progress;
  ASSERT_TRUE(import_csv(*objects_, csv_of(text), target_, {}, progress).ok());
  ASSERT_EQ(progress.steps_.size(), 2u);
  EXPECT_EQ(progress.steps_[1], "import " + std::to_string(text.size()) + " bytes");
  EXPECT_EQ(progress.done_, text.size());
}

TEST_F(RunTest, CancelledInAnyStepLeavesNothing) {
  const std::string text = big_csv(std::size_t{40} << 20) + "007,x,y\n";
  for (const char* step : {"look", "import", "inspect"}) {
    RecordedProgress progress;
    progress.cancel_in_ = step;
    const auto imported = import_csv(*objects_, csv_of(text), target_, {}, progress);
    ASSERT_FALSE(imported.ok()) << step;
    EXPECT_EQ(imported.error().code, ErrorCode::kCancelled) << step;
    EXPECT_TRUE(progress.steps_.back().starts_with(step)) << progress.steps_.back();
    expect_nothing_stored();
  }
}

TEST_F(RunTest, InterruptStopsAStatementThatReadsNothing) {
  class AtOnce : public Progress {
   public:
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void update(std::uint64_t) override {}
    bool cancelled() const override { return ++asked_ > 2; }
    mutable int asked_ = 0;
  } progress;
  const auto sandbox = *Sandbox::create(nullptr, nullptr);
  const auto answer = sandbox->run(
      "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b", progress);
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
}

TEST_F(RunTest, ErrorOfTheSourceComesThrough) {
  const std::string text = big_csv(std::size_t{40} << 20);
  for (const std::uint64_t from :
       {std::uint64_t{0}, std::uint64_t{1} << 20, std::uint64_t{33} << 20}) {
    const auto imported =
        import_csv(*objects_, TrickySource(text, from), target_, {}, no_progress());
    ASSERT_FALSE(imported.ok());
    EXPECT_EQ(imported.error().code, ErrorCode::kIo);
    expect_nothing_stored();
  }
}

TEST_F(RunTest, FullDiskComesThrough) {
  for (const std::uint64_t room : {0u, 4096u}) {
    FullStore full(*store_, room);
    SealedObjects objects(full, *keys_);
    const auto imported = import_csv(objects, csv_of(big_csv(1 << 20)), target_, {}, no_progress());
    ASSERT_FALSE(imported.ok());
    EXPECT_EQ(imported.error().code, ErrorCode::kDiskFull);
    expect_nothing_stored();
  }
}

TEST_F(RunTest, WithoutAKeyNothingIsWritten) {
  target_.tenant = TenantId::random();
  EXPECT_EQ(import("a\n1\n").error().code, ErrorCode::kNotFound);
}

TEST_F(RunTest, FailedImportLeavesTheVersionBefore) {
  const auto before = import("a\n1\n");
  ASSERT_TRUE(before.ok());
  ASSERT_FALSE(import("a\n1,2\n").ok());
  EXPECT_EQ(store_->list_versions(target_)->size(), 1u);
  EXPECT_EQ(select(before->version, "a"), (Rows{{"1"}}));
}

TEST_F(RunTest, WideRowsFitIntoTheMemoryOfTheSandbox) {
  for (const int columns : {60, 200, 201, 2000}) {
    std::string header, row;
    for (int i = 0; i < columns; ++i) {
      header += (i == 0 ? "c" : ",c") + std::to_string(i);
      row += (i == 0 ? "value of some length " : ",value of some length ") + std::to_string(i);
    }
    std::string text = header + "\n";
    const std::uint64_t rows = (std::uint64_t{60} << 20) / row.size();
    for (std::uint64_t i = 0; i < rows; ++i) text += row + std::to_string(i) + "\n";
    const auto imported = import(text);
    ASSERT_TRUE(imported.ok()) << columns << imported.error().message;
    EXPECT_EQ(imported->rows.row_count, rows);
    EXPECT_EQ(imported->rows.columns.size(), static_cast<std::size_t>(columns));
  }
}

TEST_F(RunTest, ImportsSideBySide) {
  const std::string text = big_csv(std::size_t{2} << 20);
  const MemorySource csv = csv_of(text);
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      ObjectKey key = target_;
      key.name = "datasets/" + std::to_string(i) + ".parquet";
      if (import_csv(*objects_, csv, key, {}, no_progress()).ok()) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
}

TEST_F(RunTest, ColumnNamesThatLookLikeSql) {
  const std::string bait = folder_ + "/bait";
  const auto imported =
      import("a'); COPY (SELECT 1) TO '" + bait + "'; --,\"b\"\"q\",'c':'VARCHAR'}\n1,2,3\n");
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(imported->rows.columns[0].name, "a'); COPY (SELECT 1) TO '" + bait + "'; --");
  EXPECT_EQ(describe_rows(*objects_, target_, imported->version)->columns, imported->rows.columns);
  EXPECT_FALSE(std::filesystem::exists(bait));
}

TEST_F(RunTest, NoPlaintextReachesTheDisk) {
  const std::string canary = "canary-51f0c2-plaintext";
  std::string text = "id," + canary + "-name\n";
  for (int i = 0; i < 200000; ++i)
    text += std::to_string(i) + "," + canary + std::to_string(i % 97) + "\n";
  ASSERT_TRUE(import(text).ok());
  ASSERT_FALSE(import(text + "1,2,3\n").ok());
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const Bytes bytes = *read_file(entry.path(), std::uint64_t{1} << 30);
    EXPECT_EQ(as_text(bytes).find(canary), std::string_view::npos) << entry.path();
    EXPECT_EQ(as_text(bytes).find("PAR1"), std::string_view::npos) << entry.path();
  }
  EXPECT_GE(files, 3u) << "keys, root key and one version";
  for (const char* folder : {".", ".tmp", "/tmp/.tmp"}) {
    // DuckDB's own choices of a temporary folder.
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
      EXPECT_FALSE(entry.path().filename().string().starts_with("duckdb_temp")) << entry.path();
    }
  }
}

}  // namespace
}  // namespace oa::analytics
