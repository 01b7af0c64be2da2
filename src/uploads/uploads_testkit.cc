#include "uploads_testkit.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa::uploads {
namespace {

constexpr char kMark[] = "--append";
constexpr int kRefused = 3;

std::unique_ptr<instance::Instance> open_instance(const std::string& folder, bool create) {
  instance::Settings settings;
  settings.data_folder = folder;
  settings.create = create;
  return must(instance::Instance::open(settings));
}

class SharedInstance : public testing::Environment {
 public:
  void SetUp() override {
    scratch_ = std::make_unique<testkit::Scratch>();
    instance_ = open_instance(*scratch_ / "data", true);
  }
  void TearDown() override {
    instance_.reset();
    scratch_.reset();
  }
  instance::Instance& instance() { return *instance_; }

 private:
  std::unique_ptr<testkit::Scratch> scratch_;
  std::unique_ptr<instance::Instance> instance_;
};

SharedInstance* const shared = new SharedInstance;  // gtest owns it once the tests begin

// Kills this process at a certain call.
class Steps {
 public:
  explicit Steps(int kill_at) : kill_at_(kill_at) {}
  void step() {
    if (++calls_ == kill_at_) kill(getpid(), SIGKILL);
  }

 private:
  const int kill_at_;
  int calls_ = 0;
};

class SteppingWriter final : public ObjectWriter {
 public:
  SteppingWriter(std::unique_ptr<ObjectWriter> writer, Steps& steps)
      : writer_(std::move(writer)), steps_(steps) {}
  Status write(ByteView bytes) override {
    steps_.step();
    return writer_->write(bytes);
  }
  Result<VersionId> commit() override {
    steps_.step();
    auto version = writer_->commit();
    steps_.step();
    return version;
  }

 private:
  const std::unique_ptr<ObjectWriter> writer_;
  Steps& steps_;
};

class SteppingStore final : public ObjectStore {
 public:
  SteppingStore(ObjectStore& store, Steps& steps) : store_(store), steps_(steps) {}
  Result<std::unique_ptr<ObjectWriter>> put(const ObjectKey& key) override {
    steps_.step();
    OA_ASSIGN(auto writer, store_.put(key));
    return std::unique_ptr<ObjectWriter>(new SteppingWriter(std::move(writer), steps_));
  }
  Result<std::unique_ptr<RangedSource>> get(const ObjectKey& key,
                                            const VersionId& version) override {
    return store_.get(key, version);
  }
  Result<ObjectVersion> head(const ObjectKey& key) override { return store_.head(key); }
  Result<std::vector<ObjectVersion>> list(TenantId tenant, RetentionClass retention_class,
                                          std::string_view after, std::size_t limit) override {
    return store_.list(tenant, retention_class, after, limit);
  }
  Result<std::vector<ObjectVersion>> list_versions(const ObjectKey& key) override {
    return store_.list_versions(key);
  }
  Status remove(const ObjectKey& key, const VersionId& version) override {
    return store_.remove(key, version);
  }
  StoreCapabilities capabilities() const override { return store_.capabilities(); }

 private:
  ObjectStore& store_;
  Steps& steps_;
};

Status append_rest(Uploads& uploads, UploadId id) {
  OA_ASSIGN(const auto record, uploads.get(id));
  OA_ASSIGN(auto append, uploads.append(id, record.offset_bytes));
  for (std::uint64_t at = record.offset_bytes; at < record.length_bytes;) {
    const auto size = std::min<std::uint64_t>(kPartBytes / 3, record.length_bytes - at);
    OA_TRY(append->write(bytes_at(at, static_cast<std::size_t>(size))));
    at += size;
  }
  OA_TRY(append->finish());
  return {};
}

}  // namespace

instance::Instance& shared_instance() { return shared->instance(); }

TenantId new_tenant() {
  return must(shared_instance().provision_tenant("tenant " + Uuid::random().str(),
                                                 catalog::Plan::kGrowth))
      .id;
}

Bytes bytes_at(std::uint64_t offset, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes) {
    std::uint64_t mixed = offset++ * 0x9e3779b97f4a7c15;  // Fibonacci hashing
    mixed ^= mixed >> 29;
    byte = static_cast<std::uint8_t>((mixed * 0xbf58476d1ce4e5b9) >> 56);
  }
  return bytes;
}

Limits small_parts() {
  Limits limits;
  limits.part_bytes = kPartBytes;
  return limits;
}

Limits short_lease() {
  Limits limits = small_parts();
  limits.lease = std::chrono::milliseconds(50);
  return limits;
}

ChildOutcome append_in_child(TenantId tenant, UploadId id, int kill_at) {
  const auto finished = testkit::run({"/proc/self/exe", kMark, shared_instance().data_folder(),
                                      tenant.str(), id.str(), std::to_string(kill_at)});
  if (finished.status == 128 + SIGKILL) return {true, {}};
  if (finished.status == 0) return {};
  if (finished.status == kRefused) return {false, finished.out};
  throw std::runtime_error("the child ended with " + std::to_string(finished.status) + ": " +
                           finished.err);
}

std::optional<int> child_main(int argc, char** argv) {
  if (argc != 6 || std::string_view(argv[1]) != kMark) return std::nullopt;
  try {
    const auto instance = open_instance(argv[2], false);
    Steps steps(std::atoi(argv[5]));
    SteppingStore store(instance->objects().store(), steps);
    SealedObjects objects(store, instance->keys());
    Uploads uploads(instance->database(), objects, must(TenantId::parse(argv[3])), short_lease());
    const Status done = append_rest(uploads, must(UploadId::parse(argv[4])));
    if (done.ok()) return 0;
    std::fputs(std::string(error_info(done.error().code).name).c_str(), stdout);
    return kRefused;
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}

}  // namespace oa::uploads

int main(int argc, char** argv) {
  if (const auto status = oa::uploads::child_main(argc, argv)) return *status;
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(oa::uploads::shared);
  return RUN_ALL_TESTS();
}
