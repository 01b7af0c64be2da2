// What every ObjectStore driver must do. A driver's test includes this once and says
//   INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreConformance, testing::Values(StoreFactory{"local",
//   &make}));
// where `make` gives a fresh, empty storage for each test.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "oa/objects/object_store.h"
#include "oa/objects/version_repair.h"

namespace oa {

/// One storage; removed with it. open() may be called several times, also in a forked process.
class StorageUnderTest {
 public:
  virtual ~StorageUnderTest() = default;
  virtual std::unique_ptr<ObjectStore> open() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StorageUnderTest>()> make;
};
inline void PrintTo(const StoreFactory& factory, std::ostream* out) { *out << factory.name; }

class ObjectStoreConformance : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    storage_ = GetParam().make();
    store_ = storage_->open();
  }

  ObjectKey key(std::string name, RetentionClass retention_class = RetentionClass::kRows) const {
    return {tenant_, retention_class, std::move(name)};
  }
  static Result<VersionId> put_in(ObjectStore& store, const ObjectKey& key, std::string_view text) {
    OA_ASSIGN(const auto writer, store.put(key));
    OA_TRY(writer->write(as_bytes(text)));
    return writer->commit();
  }
  VersionId put(const ObjectKey& key, std::string_view text) { return *put_in(*store_, key, text); }
  std::string get(const ObjectKey& key, const VersionId& version) {
    return std::string(as_text(*read_all(**store_->get(key, version), 1 << 26)));
  }
  std::vector<std::string> names(std::string_view after = "", std::size_t limit = 1000,
                                 RetentionClass retention_class = RetentionClass::kRows) {
    std::vector<std::string> found;
    const auto listed = *store_->list(tenant_, retention_class, after, limit);
    for (const auto& version : listed) found.push_back(version.key.name);
    return found;
  }

  std::unique_ptr<StorageUnderTest> storage_;
  std::unique_ptr<ObjectStore> store_;
  const TenantId tenant_ = TenantId::random();
};

using Names = std::vector<std::string>;

TEST_P(ObjectStoreConformance, WhatIsPutIsThereForEveryoneAndAfterReopening) {
  const VersionId version = put(key("a/b"), "content");
  EXPECT_EQ(get(key("a/b"), version), "content");
  store_ = storage_->open();
  EXPECT_EQ(get(key("a/b"), version), "content");
  const ObjectVersion head = *store_->head(key("a/b"));
  EXPECT_EQ(head.key, key("a/b"));
  EXPECT_EQ(head.version, version);
  EXPECT_EQ(head.size_bytes, 7u);
  EXPECT_LT(std::abs(head.created_at.unix_us - Timestamp::now().unix_us), 60'000'000);
}

TEST_P(ObjectStoreConformance, AnEmptyObjectIsAnObject) {
  const VersionId version = put(key("empty"), "");
  EXPECT_EQ(get(key("empty"), version), "");
  EXPECT_EQ(store_->head(key("empty"))->size_bytes, 0u);
}

TEST_P(ObjectStoreConformance, VersionsStayAndSortByCreation) {
  std::vector<VersionId> made;
  for (int i = 0; i < 20; ++i) made.push_back(put(key("a"), "content " + std::to_string(i)));
  EXPECT_TRUE(std::ranges::is_sorted(made));
  const auto listed = *store_->list_versions(key("a"));
  ASSERT_EQ(listed.size(), made.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(listed[i].version, made[i]);
    EXPECT_EQ(listed[i].size_bytes, i < 10 ? 9u : 10u);
    EXPECT_EQ(get(key("a"), made[i]), "content " + std::to_string(i));
  }
  EXPECT_EQ(store_->head(key("a"))->version, made.back());
  EXPECT_EQ(names(), Names{"a"});
}

TEST_P(ObjectStoreConformance, NothingIsVisibleBeforeCommitOrWithoutIt) {
  {
    const auto writer = *store_->put(key("a/b/c"));
    ASSERT_TRUE(writer->write(Bytes(3 << 20, 1)).ok());
    EXPECT_EQ(store_->head(key("a/b/c")).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(names(), Names{});
  }
  EXPECT_EQ(store_->list_versions(key("a/b/c"))->size(), 0u);
  EXPECT_EQ(names(), Names{});
}

TEST_P(ObjectStoreConformance, AWriterEndsWithItsCommit) {
  const auto writer = *store_->put(key("a"));
  ASSERT_TRUE(writer->write(as_bytes("once")).ok());
  const VersionId version = *writer->commit();
  EXPECT_EQ(writer->write(as_bytes("more")).error().code, ErrorCode::kPreconditionFailed);
  EXPECT_EQ(writer->commit().error().code, ErrorCode::kPreconditionFailed);
  EXPECT_EQ(get(key("a"), version), "once");
  EXPECT_EQ(store_->list_versions(key("a"))->size(), 1u);
}

TEST_P(ObjectStoreConformance, RangesAreRead) {
  Bytes content(3'000'000);
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<std::uint8_t>(i / 256 + i);
  const auto source = *store_->get(key("a"), put(key("a"), as_text(content)));
  EXPECT_EQ(source->size(), content.size());
  for (const auto& [offset, length] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 1}, {0, 3'000'000}, {1'234'567, 100'000}, {2'999'999, 1}, {3'000'000, 0}}) {
    Bytes out(length);
    ASSERT_TRUE(source->read_at(offset, out).ok());
    EXPECT_TRUE(
        std::equal(out.begin(), out.end(), content.begin() + static_cast<std::ptrdiff_t>(offset)));
  }
  Bytes out(2);
  EXPECT_FALSE(source->read_at(2'999'999, out).ok());
}

TEST_P(ObjectStoreConformance, WhatIsOpenCanBeReadWhileNewVersionsCome) {
  const auto source = *store_->get(key("a"), put(key("a"), "old"));
  put(key("a"), "a longer new one");
  EXPECT_EQ(as_text(*read_all(*source, 100)), "old");
}

TEST_P(ObjectStoreConformance, MissingThingsAreNotFound) {
  const VersionId version = put(key("a"), "x");
  EXPECT_EQ(store_->head(key("b")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->get(key("b"), version).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->remove(key("b"), version).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->list_versions(key("b"))->size(), 0u);
  EXPECT_EQ(store_->list(TenantId::random(), RetentionClass::kRows, "", 10)->size(), 0u);
  for (const std::string bad : {"", "x", "../a", "../../../../etc/passwd", "0"}) {
    EXPECT_EQ(store_->get(key("a"), {bad}).error().code, ErrorCode::kNotFound) << bad;
    EXPECT_EQ(store_->remove(key("a"), {bad}).error().code, ErrorCode::kNotFound) << bad;
  }
  EXPECT_EQ(get(key("a"), version), "x");
}

TEST_P(ObjectStoreConformance, BadNamesAreRefusedEverywhere) {
  for (const std::string& bad :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."),
        std::string(".."), std::string("a/../b"), std::string(".a"), std::string("a/.b"),
        std::string("a b"), std::string("a@"), std::string("ä"), std::string("a\0b", 3),
        std::string(513, 'a'), std::string(201, 'a')}) {
    EXPECT_EQ(store_->put(key(bad)).error().code, ErrorCode::kInvalidArgument) << bad;
    EXPECT_EQ(store_->head(key(bad)).error().code, ErrorCode::kInvalidArgument) << bad;
    EXPECT_EQ(store_->get(key(bad), {"x"}).error().code, ErrorCode::kInvalidArgument) << bad;
    EXPECT_EQ(store_->list_versions(key(bad)).error().code, ErrorCode::kInvalidArgument) << bad;
    EXPECT_EQ(store_->remove(key(bad), {"x"}).error().code, ErrorCode::kInvalidArgument) << bad;
  }
}

TEST_P(ObjectStoreConformance, TheLongestNamesWork) {
  std::string name =
      std::string(200, 'a') + "/" + std::string(200, 'b') + "/" + std::string(110, 'c');
  ASSERT_EQ(name.size(), 512u);
  EXPECT_EQ(get(key(name), put(key(name), "x")), "x");
  EXPECT_EQ(names(), Names{name});
}

TEST_P(ObjectStoreConformance, ANameCanBeTheBeginningOfAnother) {
  Names all = {"a", "a-b", "a.b", "a/b", "a/b/c", "a/b-", "a0", "a/B", "A", "a_", "0", "z/z/z/z"};
  for (const std::string& name : all) put(key(name), name);
  std::ranges::sort(all);
  EXPECT_EQ(names(), all);
  for (const std::string& name : all)
    EXPECT_EQ(get(key(name), store_->head(key(name))->version), name);
}

TEST_P(ObjectStoreConformance, ListsPageByNameWithoutGapOrRepeat) {
  Names all;
  for (int i = 0; i < 40; ++i) {
    for (const char* const between : {"/", "-"}) {
      std::string name("d");
      name.append(std::to_string(i % 7)).append(between).append(std::to_string(i));
      all.push_back(name);
    }
  }
  for (const std::string& name : all) put(key(name), name);
  put(key("d3/3"), "a second version is no second entry");
  std::ranges::sort(all);
  for (const std::size_t limit : {1u, 7u, 80u, 1000u}) {
    Names paged;
    for (Names page = names("", limit); !page.empty(); page = names(paged.back(), limit)) {
      ASSERT_LE(page.size(), limit);
      paged.insert(paged.end(), page.begin(), page.end());
    }
    EXPECT_EQ(paged, all) << limit;
  }
  EXPECT_EQ(names("", 0), Names{});
  EXPECT_EQ(names("d3/", 1), Names{"d3/10"});
  EXPECT_EQ(names("d2~", 1), Names{"d3-10"});
  EXPECT_EQ(names("zzz"), Names{});
}

TEST_P(ObjectStoreConformance, TenantsAndClassesAreApart) {
  const VersionId version = put(key("a"), "x");
  const ObjectKey other_tenant{TenantId::random(), RetentionClass::kRows, "a"};
  EXPECT_EQ(store_->get(other_tenant, version).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->get(key("a", RetentionClass::kWal), version).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(names("", 10, RetentionClass::kWal), Names{});
  for (const auto retention_class : {RetentionClass::kOriginals, RetentionClass::kArchives,
                                     RetentionClass::kWal, RetentionClass::kLedger}) {
    put(key("in-" + std::string(to_text(retention_class)), retention_class), "x");
    EXPECT_EQ(names("", 10, retention_class), Names{"in-" + std::string(to_text(retention_class))});
  }
}

TEST_P(ObjectStoreConformance, RemovingTakesOneVersion) {
  const VersionId first = put(key("a/b"), "first");
  const VersionId second = put(key("a/b"), "second");
  put(key("a/c"), "neighbour");
  ASSERT_TRUE(store_->remove(key("a/b"), second).ok());
  EXPECT_EQ(store_->remove(key("a/b"), second).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->get(key("a/b"), second).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->head(key("a/b"))->version, first);
  ASSERT_TRUE(store_->remove(key("a/b"), first).ok());
  EXPECT_EQ(store_->head(key("a/b")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(names(), Names{"a/c"});
  const VersionId third = put(key("a/b"), "third");
  EXPECT_EQ(get(key("a/b"), third), "third");
  EXPECT_LT(second, third);
}

TEST_P(ObjectStoreConformance, AVersionIsRestoredUnderItsName) {
  VersionRepair* const repair = repair_of(*store_);
  ASSERT_NE(repair, nullptr);
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{300'000}}) {
    const ObjectKey object = key("restored/" + std::to_string(size));
    const VersionId before = put(object, "before");
    const VersionId damaged = put(object, std::string(size, 'x'));
    const VersionId gone = put(object, std::string(size, 'y'));
    const VersionId after = put(object, "after");
    ASSERT_TRUE(store_->remove(object, gone).ok());
    for (const auto& [version, letter] : {std::pair{damaged, 'a'}, std::pair{gone, 'b'}}) {
      const std::string text(size, letter);
      const MemorySource bytes{Bytes(text.begin(), text.end())};
      for (int twice = 0; twice < 2; ++twice) {
        const Status restored = repair->restore_version(object, version, bytes, nullptr);
        ASSERT_TRUE(restored.ok()) << restored.error().message << restored.error().cause;
        EXPECT_EQ(get(object, version), text);
      }
    }
    std::vector<VersionId> versions;
    const auto listed = *store_->list_versions(object);
    for (const auto& version : listed) versions.push_back(version.version);
    EXPECT_EQ(versions, (std::vector{before, damaged, gone, after}));
    EXPECT_EQ(store_->head(object)->version, after);
    EXPECT_EQ(get(object, before) + get(object, after), "beforeafter");
    ASSERT_TRUE(store_->remove(object, damaged).ok());
    EXPECT_EQ(store_->get(object, damaged).error().code, ErrorCode::kNotFound);
  }
}

TEST_P(ObjectStoreConformance, ARestoreThatCannotBeChangesNothing) {
  VersionRepair* const repair = repair_of(*store_);
  const ObjectKey entry = key("2026/1", RetentionClass::kLedger);
  const VersionId version = put(entry, std::string(200'000, 'x'));
  const MemorySource same_size{Bytes(200'000, 'z')};
  const std::atomic<bool> cancelled = true;
  EXPECT_EQ(repair->restore_version(entry, version, same_size, &cancelled).error().code,
            ErrorCode::kCancelled);
  for (const char* const bad : {"", "x", "../../tenant", "00000000000000000000"}) {
    EXPECT_EQ(repair->restore_version(entry, {bad}, same_size, nullptr).error().code,
              ErrorCode::kNotFound)
        << bad;
  }
  EXPECT_EQ(repair->restore_version(key("a b"), version, same_size, nullptr).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(get(entry, version), std::string(200'000, 'x'));
  EXPECT_EQ(store_->list_versions(entry)->size(), 1u);
  ASSERT_TRUE(repair->restore_version(entry, version, same_size, nullptr).ok());
  EXPECT_EQ(get(entry, version), std::string(200'000, 'z'));
}

TEST_P(ObjectStoreConformance, TheLedgerIsWriteOnceWhereTheStoreSaysSo) {
  const ObjectKey entry = key("2026/1", RetentionClass::kLedger);
  const VersionId version = put(entry, "erased");
  if (store_->capabilities().write_once) {
    EXPECT_EQ(store_->remove(entry, version).error().code, ErrorCode::kPermissionDenied);
  }
  put(entry, "another version hides none");
  EXPECT_EQ(get(entry, version), "erased");
}

TEST_P(ObjectStoreConformance, WritersAtOnceEachMakeAVersion) {
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 15; ++i) {
        const auto version =
            put_in(*store_, key("same"), std::to_string(thread) + "/" + std::to_string(i));
        if (!version.ok() || !store_->get(key("same"), *version).ok()) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  std::vector<std::string> contents;
  const auto versions = *store_->list_versions(key("same"));
  for (const auto& version : versions) contents.push_back(get(key("same"), version.version));
  std::ranges::sort(contents);
  EXPECT_EQ(std::ranges::unique(contents).begin(), contents.end());
  EXPECT_EQ(contents.size(), 60u);
}

TEST_P(ObjectStoreConformance, WritersAndRemoversOfNeighboursDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      const ObjectKey mine = key("deep/er/" + std::to_string(thread % 2) + "/x");
      for (int i = 0; i < 30; ++i) {
        const auto version = put_in(*store_, mine, "x");
        if (!version.ok() || !store_->remove(mine, *version).ok()) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(names(), Names{});
}

TEST_P(ObjectStoreConformance, TwoProcessesShareOneStorage) {
  std::vector<pid_t> children;
  for (int child = 0; child < 2; ++child) {
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      const auto store = storage_->open();
      for (int i = 0; i < 20; ++i) {
        if (!put_in(*store, key("shared"), "x").ok()) _exit(1);
        if (!put_in(*store, key("own-" + std::to_string(child) + "-" + std::to_string(i)), "y")
                 .ok())
          _exit(2);
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(store_->list_versions(key("shared"))->size(), 40u);
  EXPECT_EQ(names().size(), 41u);
}

}  // namespace oa
