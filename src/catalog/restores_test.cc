#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "oa/catalog/repositories.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

RestoreRecord planned_restore() {
  RestoreRecord record;
  record.id = RestoreId::random();
  record.archive_id = ArchiveId::random();
  record.content_hash = "ab";
  record.source = JsonText::of(json::object{{"kind", "stored"}});
  record.request = JsonText::of(json::object{{"mode", "fork"}});
  record.plan = JsonText::of(json::object{{"notes", json::array{}}});
  record.plan_hash = "cd";
  record.summary = JsonText::of(json::object{{"create", 2}});
  record.item_count = 2;
  record.created_by = UserId::random();
  record.created_at = Timestamp{30};
  return record;
}

TEST(Restores, ARecordFromItsPlanToItsUndo) {
  auto tx = begin(new_tenant());
  RestoreRecord restore = planned_restore();
  ASSERT_OK(Restores(tx).put(restore));
  EXPECT_EQ(Restores(tx).get(restore.id).value(), restore);
  restore.state = RestoreState::kUndone;
  restore.approved_by = UserId::random();
  restore.approved_at = Timestamp{35};
  restore.applied_at = Timestamp{40};
  restore.undo_archive = RowsObject{"undo/x", "v1"};
  restore.undone_by = RestoreId::random();
  restore.last_failure = "storage/full";
  ASSERT_OK(Restores(tx).put(restore));
  EXPECT_EQ(Restores(tx).lock(restore.id).value(), restore);
  EXPECT_EQ(Restores(tx).list(10).value(), std::vector{restore});
  EXPECT_TRUE(Restores(tx).in_state(RestoreState::kApplying).value().empty());
  EXPECT_EQ(Restores(tx).in_state(RestoreState::kUndone).value().size(), 1u);
  EXPECT_EQ(Restores(tx).undoable_before(Timestamp{41}).value().size(), 1u);
  EXPECT_TRUE(Restores(tx).undoable_before(Timestamp{40}).value().empty());
  EXPECT_EQ(code_of(Restores(tx).get(RestoreId::random())), ErrorCode::kNotFound);
  RestoreRecord undo = planned_restore();
  undo.kind = RestoreKind::kUndo;
  undo.undoes = restore.id;
  undo.state = RestoreState::kApplied;
  ASSERT_OK(Restores(tx).put(undo));
  undo.id = RestoreId::random();
  EXPECT_EQ(code_of(Restores(tx).put(undo)), ErrorCode::kConflict);
}

TEST(Restores, TheItemsOfAPlanInTheirOrder) {
  auto tx = begin(new_tenant());
  const RestoreRecord restore = planned_restore();
  ASSERT_OK(Restores(tx).put(restore));
  std::vector<RestoreItem> items;
  for (std::uint64_t n = 0; n < 6; ++n) {
    const char* action = n % 2 == 0 ? "create" : "overwrite";
    items.push_back({n, n < 3 ? "dataset" : "report", Uuid::random(), Uuid::random(), action,
                     "name " + std::to_string(n), JsonText::of(json::object{{"n", n}})});
  }
  ASSERT_OK(Restores(tx).add_items(restore.id, [&](const Restores::AddItem& add) -> Status {
    for (const auto& item : items) OA_TRY(add(item));
    return {};
  }));
  Restores restores(tx);
  EXPECT_EQ(restores.items(restore.id, {}, 100).value(), items);
  EXPECT_EQ(restores.items(restore.id, 3, 1).value(), std::vector{items[4]});
  EXPECT_EQ(restores.items(restore.id, {}, 100, {"overwrite", {}, {}}).value().size(), 3u);
  EXPECT_EQ(restores.items(restore.id, {}, 100, {"create", "report", {}}).value(),
            std::vector{items[4]});
  EXPECT_EQ(restores.items(restore.id, {}, 100, {{}, {}, items[5].target_id}).value(),
            std::vector{items[5]});
  ASSERT_OK(restores.remove_items(restore.id));
  EXPECT_TRUE(restores.items(restore.id, {}, 100).value().empty());
}

TEST(Restores, OnlyOneOfATenantRunsAtATime) {
  const TenantId tenant = new_tenant();
  auto other = begin(new_tenant());
  auto second = begin(tenant);
  {
    auto first = begin(tenant);
    EXPECT_TRUE(first.try_queue_for_restore().value());
    EXPECT_FALSE(second.try_queue_for_restore().value());
    EXPECT_TRUE(other.try_queue_for_restore().value());
  }
  bool free = false;  // the server notices a closed connection a moment later
  for (int tries = 0; tries < 500 && !free; ++tries) {
    free = second.try_queue_for_restore().value();
    if (!free) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(free);
}

}  // namespace
}  // namespace oa::catalog
