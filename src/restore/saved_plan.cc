// Plans as the catalog keeps them.
#include "saved_plan.h"

#include <boost/json.hpp>

#include "oa/restore/engine.h"
#include "read_live.h"

namespace oa::restore {
namespace {

constexpr std::size_t kBatch = 2000;
constexpr std::string_view kRowsNotKept = "rows_not_kept";

json::value undo_request_json(const UndoRequest& request) {
  return json::object{{"restore_id", request.id.str()},
                      {"undoes", request.undoes.str()},
                      {"discard_edits", request.discard_edits},
                      {"leave_out_blocked", request.leave_out_blocked}};
}

Result<UndoRequest> undo_request_from(const catalog::RestoreRecord& record) {
  const json::value value = record.request.value();
  ObjectReader reader(value, "request");
  UndoRequest request;
  request.id = reader.id<RestoreId>("restore_id");
  request.undoes = reader.id<RestoreId>("undoes");
  request.discard_edits = reader.boolean("discard_edits");
  request.leave_out_blocked = reader.boolean("leave_out_blocked");
  OA_TRY(reader.finish());
  request.requested_by = record.created_by;
  return request;
}

json::object counts_json(const Plan& plan) {
  json::object counts;
  for (const auto& [action, count] : count_actions(plan)) counts[to_text(action)] = count;
  return counts;
}

catalog::RestoreItem record_of(const PlanItem& item, std::uint64_t ordinal) {
  return {ordinal,
          std::string(to_text(item.source.kind)),
          item.source.id,
          item.target_id,
          std::string(to_text(item.action)),
          item.name,
          JsonText::of(to_json(item))};
}

Status check_unapplied(const Result<catalog::RestoreRecord>& existing) {
  if (!existing.ok()) {
    return existing.error().code == ErrorCode::kNotFound ? Status() : Status(existing.error());
  }
  if (existing->state == catalog::RestoreState::kPlanned) return {};
  return make_error(ErrorCode::kConflict, "restore.plan",
                    "this restore is " + std::string(to_text(existing->state)) +
                        "; its plan stays as it is")
      .with_hint("make a new plan");
}

}  // namespace

void note_rows_not_kept(catalog::RestoreRecord& record, std::size_t datasets) {
  if (datasets == 0) return;
  json::object summary = record.summary.value().as_object();
  summary[kRowsNotKept] = datasets;
  record.summary = JsonText::of(summary);
}

std::size_t rows_not_kept(const catalog::RestoreRecord& record) {
  const json::value summary = record.summary.value();
  const auto* datasets = summary.as_object().if_contains(kRowsNotKept);
  return datasets == nullptr ? 0 : json::value_to<std::size_t>(*datasets);
}

Status append_event(catalog::TenantTransaction& transaction, std::string_view action,
                    const catalog::RestoreRecord& record, const std::optional<UserId>& by,
                    Timestamp when) {
  NewAuditEvent event;
  event.ts = when;
  event.actor_type = by.has_value() ? "user" : "operator";
  if (by.has_value()) event.actor_id = by->uuid();
  event.action = action;
  event.resource_type = "restore";
  event.resource_id = record.id.str();
  json::object detail = record.summary.value().as_object();
  detail["kind"] = to_text(record.kind);
  detail["archive_id"] = record.archive_id.str();
  detail["plan_hash"] = record.plan_hash;
  const json::value header = record.plan.value();
  if (const auto* signer = header.as_object().if_contains("signer")) detail["signer"] = *signer;
  if (record.undoes.has_value()) detail["undoes"] = record.undoes->str();
  event.detail = JsonText::of(detail);
  return catalog::Audit(transaction).append({&event, 1});
}

Result<Plan> load_plan(catalog::TenantTransaction& transaction,
                       const catalog::RestoreRecord& record) {
  OA_ASSIGN(Plan plan, plan_from_header(record.plan.value()));
  std::optional<std::uint64_t> after;
  for (;;) {
    OA_ASSIGN(const auto items, catalog::Restores(transaction).items(record.id, after, kBatch));
    for (const auto& item : items) {
      OA_ASSIGN(auto read, item_from_json(item.document.value()));
      plan.items.push_back(std::move(read));
    }
    if (items.size() < kBatch) return plan;
    after = items.back().ordinal;
  }
}

Result<catalog::RestoreRecord> save_plan(const Engine& engine, const PreparedRestore& prepared,
                                         const ArchiveSource& source,
                                         catalog::RestorePurpose purpose) {
  const Plan& plan = prepared.plan;
  catalog::RestoreRecord record;
  record.id = plan.id;
  record.kind = plan.kind;
  record.archive_id = plan.archive_id;
  record.content_hash = plan.content_hash;
  record.source = source;
  record.request =
      JsonText::of(prepared.undo == nullptr ? to_json(prepared.request)
                                            : undo_request_json(prepared.undo->request));
  record.plan = JsonText::of(header_json(plan));
  record.plan_hash = prepared.hash;
  record.summary = JsonText::of(counts_json(plan));
  record.item_count = plan.items.size();
  record.created_by = plan.requested_by;
  record.created_at = Timestamp::now();
  record.undoes = plan.undoes;
  record.purpose = purpose;
  OA_ASSIGN(auto transaction, engine.database.begin(engine.tenant));
  catalog::Restores restores(transaction);
  OA_TRY(check_unapplied(restores.lock(plan.id)));
  OA_TRY(restores.put(record));
  OA_TRY(restores.remove_items(plan.id));
  OA_TRY(restores.add_items(plan.id, [&](const catalog::Restores::AddItem& add) -> Status {
    std::uint64_t ordinal = 0;
    for (const auto& item : plan.items) OA_TRY(add(record_of(item, ordinal++)));
    return {};
  }));
  const bool compare = purpose == catalog::RestorePurpose::kCompare;
  OA_TRY(append_event(transaction, compare ? "backup.archive.compare" : "backup.restore.plan", record, record.created_by,
                      record.created_at));
  OA_TRY(transaction.commit());
  return record;
}

Result<PreparedRestore> reopen_plan(const Engine& engine, const catalog::RestoreRecord& record,
                                    const archive::ArchiveReader* reader, Progress& progress) {
  PreparedRestore prepared;
  if (record.kind == catalog::RestoreKind::kUndo) {
    OA_ASSIGN(const auto request, undo_request_from(record));
    OA_ASSIGN(prepared, prepare_undo(engine, request, progress));
  } else {
    OA_ASSERT(reader != nullptr);
    if (to_hex(reader->manifest().content_hash) != record.content_hash) {
      return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                        "this is not the archive that the plan was made from")
          .with_hint("give the archive " + record.archive_id.str());
    }
    OA_ASSIGN(auto request, request_from_json(record.request.value()));
    OA_ASSIGN(prepared, prepare_restore(engine, *reader, request, progress));
  }
  if (prepared.hash == record.plan_hash) return prepared;
  OA_ASSIGN(auto snapshot, engine.database.begin(engine.tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const Plan saved, load_plan(snapshot, record));
  return changed_since(saved.items, prepared.plan.items);
}

}  // namespace oa::restore
