// The scrub of a local store: every kind of damage, and where repairs come from.
#include "scrub_testkit.h"

namespace oa::durability {
namespace {

namespace fs = std::filesystem;

class LocalScrub : public ScrubTest {
 protected:
  LocalScrub() {
    store_ = open_local_store(folder()).value();
    replica_ = open_local_store(scratch_.path() + "/replica").value();
  }
  std::string folder() const { return scratch_.path() + "/objects"; }
  std::string file(const std::string& name, const VersionId& version,
                   const std::string& root) const {
    return scratch_.path() + "/" + root + "/" + tenant_.str() + "/rows/" + name + "@/" +
           version.value;
  }
  void write_file(const std::string& path, const Bytes& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  void flip(const std::string& name, const VersionId& version, std::uint64_t at,
            const std::string& root = "objects") {
    auto& store = root == "objects" ? *store_ : *replica_;
    Bytes bytes = stored(store, key(name), version);
    bytes[at] ^= 1;
    write_file(file(name, version, root), bytes);
  }
};

TEST_F(LocalScrub, EveryVersionIsVerifiedOnceAndCounted) {
  std::uint64_t bytes = 0;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65'536},
                                 std::size_t{65'537}, std::size_t{3'000'000}}) {
    for (int version = 0; version < 2; ++version)
      bytes += stored(*store_, key("o" + std::to_string(size)),
                      put("o" + std::to_string(size), noise(size)))
                   .size();
  }
  EXPECT_EQ(covered().share(), 1);  // of nothing that is known
  const auto first = scrub(false);
  EXPECT_EQ(first.verified_versions, 10u);
  EXPECT_EQ(first.verified_bytes, bytes);
  EXPECT_TRUE(first.complete);
  EXPECT_TRUE(first.damaged.empty() && first.repaired.empty() && first.troubles.empty());
  const auto now = covered();
  EXPECT_EQ(now.totals.bytes, bytes);
  EXPECT_EQ(now.share(), 1);
  EXPECT_FALSE(now.behind());
  EXPECT_EQ(scrub(false).verified_versions, 0u);  // nothing is due
  EXPECT_EQ(scrub(true).verified_versions, 10u);
  // Half of the time later all of it is due, and once the time is over nothing of it counts.
  const Timestamp later{Timestamp::now().unix_us + std::int64_t{31} * 86'400'000'000};
  const auto then = coverage(database(), tenant_, kScrubDays, later).value();
  EXPECT_EQ(then.share(), 0);
  EXPECT_TRUE(then.behind());
}

TEST_F(LocalScrub, DamageOfEveryKindIsRepairedFromTheReplica) {
  const Bytes content = noise(200'000);
  const VersionId version = put("a", content), newer = put("a", noise(10));
  const Bytes whole = stored(*store_, key("a"), version);
  replicate("a", version);
  replicate("a", newer);
  const std::string path = file("a", version, "objects");
  const Bytes longer = [&] {
    Bytes more = whole;
    more.push_back(0);
    return more;
  }();
  std::vector<Bytes> damages = {{}, Bytes(whole.begin(), whole.end() - 1), longer};
  for (const std::size_t at : {std::size_t{0}, std::size_t{5}, std::size_t{12}, std::size_t{40},
                               std::size_t{60}, std::size_t{100}, std::size_t{70'000},
                               whole.size() - 1}) {
    damages.push_back(whole);
    damages.back()[at] ^= 1;
  }
  for (std::size_t i = 0; i < damages.size(); ++i) {
    write_file(path, damages[i]);
    const auto result = scrub();
    ASSERT_EQ(result.repaired.size(), 1u) << i;
    EXPECT_EQ(result.repaired[0].object.version, version.value);
    EXPECT_EQ(result.repaired[0].from, "replica");
    EXPECT_TRUE(result.damaged.empty() && result.troubles.empty());
    EXPECT_EQ(stored(*store_, key("a"), version), whole) << i;
    EXPECT_EQ(store_->list_versions(key("a"))->size(), 2u);
    EXPECT_EQ(covered().share(), 1);
  }
  EXPECT_EQ(covered().totals.repaired, 1u);
}

TEST_F(LocalScrub, WhatTheCatalogNamesAndIsNotThereComesBack) {
  const VersionId version = put("a", noise(1000));
  replicate("a", version);
  name_by_dataset("a", version);
  const Bytes whole = stored(*store_, key("a"), version);
  // Before anybody listed it: only the catalog knows of it.
  ASSERT_TRUE(store_->remove(key("a"), version).ok());
  const auto result = scrub();
  ASSERT_EQ(result.repaired.size(), 1u);
  EXPECT_EQ(result.repaired[0].code, "resource/not-found");
  EXPECT_EQ(stored(*store_, key("a"), version), whole);
}

TEST_F(LocalScrub, WhatCannotBeRepairedNamesWhoNeedsIt) {
  const VersionId gone = put("a", noise(1000)), rotten = put("b", noise(100'000)),
                  spare = put("c", noise(10));
  const DatasetId dataset = name_by_dataset("a", gone);
  ASSERT_TRUE(store_->remove(key("a"), gone).ok());
  flip("b", rotten, 500);
  auto result = scrub(true, false);
  ASSERT_EQ(result.damaged.size(), 2u);
  EXPECT_TRUE(result.repaired.empty());
  const auto known = damage();
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known[0].object.name, "a");
  EXPECT_EQ(known[0].code, "resource/not-found");
  ASSERT_TRUE(known[0].holder.has_value());
  EXPECT_EQ(known[0].holder->kind, "dataset");
  EXPECT_EQ(known[0].holder->id, dataset.uuid());
  EXPECT_NE(describe(known[0]).find(dataset.str()), std::string::npos);
  EXPECT_NE(describe(known[0]).find(tenant_.str()), std::string::npos);
  EXPECT_EQ(known[1].code, "storage/seal-corrupt");
  EXPECT_FALSE(known[1].holder.has_value());
  const auto now = covered();
  EXPECT_EQ(now.totals.damaged, 2u);
  EXPECT_EQ(now.totals.verified_versions, 1u);
  EXPECT_LT(now.share(), 0.01);
  // What its owner removes is no damage any more.
  ASSERT_TRUE(store_->remove(key("b"), rotten).ok());
  result = scrub(true, false);
  EXPECT_EQ(result.gone, 1u);
  EXPECT_EQ(damage().size(), 1u);
  EXPECT_TRUE(store_->get(key("c"), spare).ok());
}

TEST_F(LocalScrub, ACopyThatIsDamagedOrOfAnotherVersionRepairsNothing) {
  const VersionId first = put("a", noise(100'000)), second = put("a", noise(100'000));
  const VersionId lone = put("b", noise(100'000));
  for (const auto& [name, version] : {std::pair{"a", first}, {"a", second}, {"b", lone}})
    replicate(name, version);
  const Bytes rotten_before = stored(*store_, key("b"), lone);
  ASSERT_TRUE(scrub().damaged.empty());
  flip("b", lone, 70'000);
  flip("b", lone, 90'000, "replica");
  // The replica says that the first version is the second: whole, of this object, and wrong.
  write_file(file("a", second, "replica"), stored(*store_, key("a"), first));
  flip("a", second, 70'000);
  const auto result = scrub();
  EXPECT_EQ(result.damaged.size(), 2u);
  EXPECT_TRUE(result.repaired.empty());
  Bytes rotten = rotten_before;
  rotten[70'000] ^= 1;
  EXPECT_EQ(stored(*store_, key("b"), lone), rotten);  // left as it is
  // Once the replica is whole again, so is the version.
  write_file(file("b", lone, "replica"), rotten_before);
  EXPECT_EQ(scrub().repaired.size(), 1u);
  EXPECT_EQ(stored(*store_, key("b"), lone), rotten_before);
}

TEST_F(LocalScrub, AVersionInThePlaceOfAnotherIsFound) {
  const VersionId first = put("a", noise(1000)), second = put("a", noise(1000));
  replicate("a", first);
  replicate("a", second);
  const Bytes whole = stored(*store_, key("a"), second);
  ASSERT_EQ(scrub().verified_versions, 2u);
  write_file(file("a", second, "objects"), stored(*store_, key("a"), first));
  ASSERT_EQ(scrub().repaired.size(), 1u);
  EXPECT_EQ(stored(*store_, key("a"), second), whole);
}

TEST_F(LocalScrub, ALockedTenantIsNotDamagedAndAShreddedOneDoesNotCount) {
  const VersionId version = put("a", noise(1000));
  replicate("a", version);
  ASSERT_EQ(scrub().verified_versions, 1u);
  ASSERT_TRUE(keys_->disable(tenant_).ok());
  auto result = scrub();
  EXPECT_EQ(result.locked, 1u);
  EXPECT_TRUE(result.damaged.empty() && result.troubles.empty());
  EXPECT_EQ(covered().totals.locked, 1u);
  // A damaged name of its key looks like a key that is not there.
  flip("a", version, 12);
  EXPECT_EQ(scrub().locked, 1u);
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  result = scrub();
  EXPECT_EQ(result.repaired.size(), 1u);
  EXPECT_EQ(covered().totals.locked, 0u);
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, Timestamp::now()).ok());
  EXPECT_TRUE(scrub().damaged.empty());
  const auto now = covered();
  EXPECT_EQ(now.totals.shredded, 1u);
  EXPECT_EQ(now.totals.versions, 0u);
  EXPECT_EQ(now.share(), 1);
}

TEST_F(LocalScrub, WhatWasStoppedGoesOnWhereItStopped) {
  for (int i = 0; i < 20; ++i) put("o" + std::to_string(i), noise(50'000));
  class Stops final : public Progress {
   public:
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void update(std::uint64_t done) override { done_ = done; }
    bool cancelled() const override { return done_ > 6 * 50'000; }

   private:
    std::uint64_t done_ = 0;
  } stops;
  ScrubSettings settings;
  settings.bytes_per_second = 0;
  const ScrubParts parts{database(), *keys_, *store_, nullptr};
  EXPECT_EQ(durability::scrub(parts, {&tenant_, 1}, settings, stops).error().code,
            ErrorCode::kCancelled);
  EXPECT_EQ(covered().totals.verified_versions, 6u);
  settings.at_most = std::chrono::seconds(0);
  auto result = durability::scrub(parts, {&tenant_, 1}, settings, no_progress()).value();
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.verified_versions, 0u);
  settings.at_most.reset();
  result = durability::scrub(parts, {&tenant_, 1}, settings, no_progress()).value();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.verified_versions, 14u);
}

TEST_F(LocalScrub, TheRateIsKept) {
  for (int i = 0; i < 4; ++i) put("o" + std::to_string(i), noise(250'000));
  ScrubSettings settings;
  settings.bytes_per_second = 2'000'000;
  const ScrubParts parts{database(), *keys_, *store_, nullptr};
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(durability::scrub(parts, {&tenant_, 1}, settings, no_progress()).ok());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took.count(), 0.49);
}

TEST_F(LocalScrub, WhatAReaderMeetsIsRepairedNext) {
  const VersionId version = put("a", noise(100'000));
  put("b", noise(100'000));
  replicate("a", version);
  ASSERT_EQ(scrub().verified_versions, 2u);
  const Bytes whole = stored(*store_, key("a"), version);
  flip("a", version, 1000);
  EXPECT_EQ(scrub(false).verified_versions, 0u);  // not due
  SealedObjects sealed(*store_, *keys_);
  Bytes part(10);
  EXPECT_FALSE((*sealed.open(key("a"), version))->read_at(0, part).ok());
  ASSERT_OK(suspect_damage(database()));
  EXPECT_EQ(scrub(false).repaired.size(), 1u);
  EXPECT_EQ(stored(*store_, key("a"), version), whole);
}

}  // namespace
}  // namespace oa::durability
