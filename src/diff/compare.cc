#include "oa/diff/compare.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <tuple>

#include "entry_pair.h"
#include "oa/archive/entry_paths.h"
#include "people.h"
#include "spread.h"

namespace oa::diff {
namespace {

using archive::EntryInfo;
using archive::EntryKind;

// Tenant and people, what is in workspaces, the audit chain, files.
int group_of(AssetKind kind) {
  switch (kind) {
    case AssetKind::kTenant:
    case AssetKind::kTeam:
    case AssetKind::kUser:
      return 0;
    case AssetKind::kWorkspace:
    case AssetKind::kDataset:
    case AssetKind::kReport:
    case AssetKind::kAlert:
      return 1;
    case AssetKind::kAudit:
      return 2;
    case AssetKind::kFile:
      return 3;
  }
  return 3;
}

bool listed_before(const AssetChange& a, const AssetChange& b) {
  const auto key = [](const AssetChange& c) {
    return std::make_tuple(group_of(c.kind), c.workspace, c.kind, std::string_view(c.id));
  };
  return key(a) < key(b);
}

std::string name_of(AssetKind kind, const json::value& record) {
  const auto* object = record.if_object();
  const auto* name = object == nullptr
                         ? nullptr
                         : object->if_contains(kind == AssetKind::kUser ? "email" : "name");
  const auto* text = name == nullptr ? nullptr : name->if_string();
  return text == nullptr ? std::string() : cut(*text);
}

// One walk over both sides.
class Comparer {
 public:
  Comparer(const Listing& before, Passage& after, const Limits& limits, Progress& progress)
      : before_(before), after_(after), limits_(limits), progress_(progress) {}

  Result<Comparison> run() {
    agree_on_scope();
    progress_.begin("comparing", 0, "entries");
    OA_TRY(fill_page());
    OA_ASSIGN(const Facts after_facts,
              after_.walk([&](const PassingEntry& entry) { return pass(entry); }));
    while (at_ < page_.size()) OA_TRY(skip_one());
    OA_TRY(finish_workspace());
    const Facts before_facts = before_.facts();
    OA_TRY(compare_tenants(before_facts, after_facts));
    OA_TRY(compare_people());
    OA_TRY(compare_audit(before_facts, after_facts));
    std::sort(result_.changes.begin(), result_.changes.end(), listed_before);
    return std::move(result_);
  }

 private:
  void agree_on_scope() {
    const Scope before = before_.scope(), after = after_.scope();
    minors_ = {before.format_minor, after.format_minor};
    result_.rows_compared = before.rows && after.rows;
    result_.audit_compared = before.audit && after.audit;
    result_.workspaces = before.workspaces.has_value() ? before.workspaces : after.workspaces;
    if (!before.workspaces.has_value() || !after.workspaces.has_value()) return;
    std::erase_if(*result_.workspaces,
                  [&](WorkspaceId id) { return !after.workspaces->contains(id); });
  }

  // --- the merge ---

  Status fill_page() {
    at_ = 0;
    OA_ASSIGN(page_, before_.list_after(last_path_));
    if (!page_.empty()) last_path_ = page_.back().path;
    return {};
  }

  Status advance() {
    if (++at_ < page_.size()) return {};
    return fill_page();
  }

  // The entry that only the side before has.
  Status skip_one() {
    const EntryPair pair(before_, &page_[at_], nullptr, minors_);
    OA_TRY(entry(pair));
    return advance();
  }

  Status pass(const PassingEntry& passing) {
    while (at_ < page_.size() && page_[at_].path < passing.path) OA_TRY(skip_one());
    const bool both = at_ < page_.size() && page_[at_].path == passing.path;
    const EntryPair pair(before_, both ? &page_[at_] : nullptr, &passing, minors_);
    OA_TRY(entry(pair));
    return both ? advance() : Status();
  }

  Status entry(const EntryPair& pair) {
    progress_.update(++seen_);
    if (progress_.cancelled())
      return make_error(ErrorCode::kCancelled, "diff", "cancelled; nothing was changed");
    const auto ref = archive::parse_entry_path(pair.path());
    const bool is_audit = pair.path() == archive::kAuditPath;
    if (is_audit && !result_.audit_compared) return {};
    if (!ref.has_value()) {
      OA_ASSIGN(const bool equal, pair.equal());
      if (equal) return {};
      return is_audit ? note_audit(pair) : file(pair);
    }
    if (result_.workspaces.has_value() && !result_.workspaces->contains(ref->workspace)) return {};
    if (ref->kind == EntryKind::kRows && !result_.rows_compared) return {};
    if (workspace_ != ref->workspace) OA_TRY(finish_workspace());
    workspace_ = ref->workspace;
    OA_ASSIGN(const bool equal, pair.equal());
    return equal ? same_entry(*ref, pair) : differing_entry(*ref, pair);
  }

  Status same_entry(const archive::EntryRef& ref, const EntryPair& pair) {
    if (ref.kind != EntryKind::kWorkspace) return {};
    same_documents_.push_back(pair.path());
    if (pending_.empty()) return {};
    // Only for the names of datasets whose model or rows differ.
    OA_ASSIGN(const auto documents, pair.documents(limits_.max_document_bytes));
    const auto spread =
        documents.before.has_value() ? spread_workspace(*documents.before) : std::nullopt;
    if (!spread.has_value()) return {};
    return datasets(spread->datasets, spread->datasets);
  }

  Status differing_entry(const archive::EntryRef& ref, const EntryPair& pair) {
    switch (ref.kind) {
      case EntryKind::kWorkspace:
        return workspace_document(ref, pair);
      case EntryKind::kModel: {
        OA_ASSIGN(auto field, pair.text_field("model", limits_.max_document_bytes));
        pending_[ref.id.str()].push_back(std::move(field));
        return {};
      }
      case EntryKind::kRows: {
        OA_ASSIGN(auto field, pair.content_field("rows"));
        pending_[ref.id.str()].push_back(std::move(field));
        return {};
      }
      case EntryKind::kReport:
        return document(AssetKind::kReport, ref, pair);
      case EntryKind::kAlert:
        return document(AssetKind::kAlert, ref, pair);
    }
    return {};
  }

  // --- documents ---

  Status document(AssetKind kind, const archive::EntryRef& ref, const EntryPair& pair) {
    OA_ASSIGN(const auto documents, pair.documents(limits_.max_document_bytes));
    return document(kind, ref.id.str(), ref.workspace, pair, documents);
  }

  Status document(AssetKind kind, std::string id, std::optional<WorkspaceId> workspace,
                  const EntryPair& pair, const EntryPair::Documents& documents) {
    AssetChange change{kind, std::move(id), {}, workspace, pair.change(), {}, 0};
    if (documents.after.has_value()) change.name = name_of(kind, *documents.after);
    if (change.name.empty() && documents.before.has_value())
      change.name = name_of(kind, *documents.before);
    if (change.change == Change::kChanged) {
      if (documents.before.has_value() && documents.after.has_value()) {
        change.fields = compare_json(*documents.before, *documents.after);
        if (change.fields.empty() && documents.migrated) return {};
      }
      if (change.fields.empty()) {  // no JSON, or the same written in another way
        OA_ASSIGN(auto field, pair.content_field("content"));
        change.fields.push_back(std::move(field));
      }
    }
    return add(std::move(change));
  }

  Status file(const EntryPair& pair) {
    EntryPair::Documents documents;
    if (pair.path().ends_with(".json") && pair.change() == Change::kChanged) {
      OA_ASSIGN(documents, pair.documents(limits_.max_document_bytes));
    }
    return document(AssetKind::kFile, cut(pair.path()), std::nullopt, pair, documents);
  }

  Status workspace_document(const archive::EntryRef& ref, const EntryPair& pair) {
    OA_ASSIGN(const auto documents, pair.documents(limits_.max_document_bytes));
    std::optional<Spread> before, after;
    if (documents.before.has_value()) before = spread_workspace(*documents.before);
    if (documents.after.has_value()) after = spread_workspace(*documents.after);
    const bool whole =
        before.has_value() == pair.has_before() && after.has_value() == pair.has_after();
    if (!whole)
      return document(AssetKind::kWorkspace, ref.id.str(), ref.workspace, pair, documents);
    static const ById kNone;
    OA_TRY(datasets(before.has_value() ? before->datasets : kNone,
                    after.has_value() ? after->datasets : kNone));
    if (before.has_value()) people_.add(People::Side::kBefore, *before);
    if (after.has_value()) people_.add(People::Side::kAfter, *after);
    json::value old_own, new_own;
    if (before.has_value()) old_own = std::move(before->own);
    if (after.has_value()) new_own = std::move(after->own);
    return record(AssetKind::kWorkspace, ref.id.str(), ref.workspace,
                  before.has_value() ? &old_own : nullptr, after.has_value() ? &new_own : nullptr,
                  {});
  }

  // Records of both sides, with what was found out about models and rows.
  Status datasets(const ById& before, const ById& after) {
    std::set<std::string> ids;
    for (const auto& [id, dataset] : before) ids.insert(id);
    for (const auto& [id, dataset] : after) ids.insert(id);
    for (const auto& id : ids) {
      const auto old_record = before.find(id), new_record = after.find(id);
      auto fields = pending_.extract(id);
      OA_TRY(record(AssetKind::kDataset, id, workspace_,
                    old_record == before.end() ? nullptr : &old_record->second,
                    new_record == after.end() ? nullptr : &new_record->second,
                    fields.empty() ? std::vector<FieldChange>() : std::move(fields.mapped())));
    }
    return {};
  }

  // What is left are models and rows of datasets that no record names.
  Status finish_workspace() {
    for (auto& [id, fields] : pending_) {
      const auto all = [&, &list = fields](FieldChangeKind kind) {
        return std::all_of(list.begin(), list.end(),
                           [&](const FieldChange& field) { return field.kind == kind; });
      };
      const Change change = all(FieldChangeKind::kAdded)     ? Change::kAdded
                            : all(FieldChangeKind::kRemoved) ? Change::kRemoved
                                                             : Change::kChanged;
      if (change != Change::kChanged) fields.clear();
      OA_TRY(add({AssetKind::kDataset, id, {}, workspace_, change, std::move(fields), 0}));
    }
    pending_.clear();
    return {};
  }

  // One record of a document that holds several; `more` are fields that stand elsewhere.
  Status record(AssetKind kind, const std::string& id, std::optional<WorkspaceId> workspace,
                const json::value* before, const json::value* after,
                std::vector<FieldChange> more) {
    AssetChange change{kind, cut(id), {}, workspace, Change::kChanged, {}, 0};
    change.name = name_of(kind, after != nullptr ? *after : *before);
    if (before == nullptr || after == nullptr) {
      change.change = before == nullptr ? Change::kAdded : Change::kRemoved;
      return add(std::move(change));
    }
    change.fields = compare_json(*before, *after);
    std::move(more.begin(), more.end(), std::back_inserter(change.fields));
    return change.fields.empty() ? Status() : add(std::move(change));
  }

  Status add(AssetChange change) {
    if (result_.changes.size() >= limits_.max_changes) {
      return make_error(ErrorCode::kLimitExceeded, "diff",
                        "more than " + std::to_string(limits_.max_changes) + " assets differ")
          .with_hint("compare archives of some workspaces (`archive create --workspace`)");
    }
    if (change.fields.size() > limits_.max_fields) {
      change.fields_left_out = change.fields.size() - limits_.max_fields;
      change.fields.resize(limits_.max_fields);
    }
    result_.changes.push_back(std::move(change));
    return {};
  }

  // --- what belongs to no workspace ---

  Status compare_tenants(const Facts& before, const Facts& after) {
    const json::value old_tenant = before.tenant.value(), new_tenant = after.tenant.value();
    auto old_parts = spread_tenant(old_tenant), new_parts = spread_tenant(new_tenant);
    json::object old_own{{"tenant", old_tenant}}, new_own{{"tenant", new_tenant}};
    if (old_parts.has_value() && new_parts.has_value()) {
      if (before.tenant == after.tenant) {
        people_.settle(*old_parts);
      } else {
        people_.add(People::Side::kBefore, *old_parts);
        people_.add(People::Side::kAfter, *new_parts);
      }
      old_own = std::move(old_parts->own);
      new_own = std::move(new_parts->own);
    }
    old_own["id"] = before.tenant_id.str();
    new_own["id"] = after.tenant_id.str();
    auto fields = compare_json(old_own, new_own);
    if (fields.empty()) return {};
    return add({AssetKind::kTenant, before.tenant_id.str(), name_of(AssetKind::kTenant, new_own),
                std::nullopt, Change::kChanged, std::move(fields), 0});
  }

  Status compare_people() {
    // Somebody who left one workspace can still stand in another, whose document did not change.
    for (const auto& path : same_documents_) {
      if (!people_.unsettled()) break;
      const auto bytes = before_.read(path, limits_.max_document_bytes);
      if (!bytes.ok() && bytes.error().code != ErrorCode::kLimitExceeded) return bytes.error();
      if (!bytes.ok()) continue;
      const auto value = parse_json(as_text(*bytes));
      const auto parts = value.ok() ? spread_workspace(*value) : std::nullopt;
      if (parts.has_value()) people_.settle(*parts);
    }
    return people_.emit(result_.workspaces.has_value(),
                        [&](AssetKind kind, const std::string& id, const json::value* before,
                            const json::value* after) {
                          return record(kind, id, std::nullopt, before, after, {});
                        });
  }

  Status note_audit(const EntryPair& pair) {
    audit_ = AssetChange{AssetKind::kAudit, archive::kAuditPath, {}, {}, pair.change(), {}, 0};
    if (audit_->change != Change::kChanged) return {};
    OA_ASSIGN(auto field, pair.content_field("content"));
    audit_->fields.push_back(std::move(field));
    return {};
  }

  Status compare_audit(const Facts& before, const Facts& after) {
    if (!audit_.has_value()) return {};
    const auto events = [](const Facts& facts) {
      const auto found = facts.counts.find("audit_events");
      return found == facts.counts.end() ? std::nullopt
                                         : std::optional(std::to_string(found->second));
    };
    auto old_count = events(before), new_count = events(after);
    if (audit_->change == Change::kChanged && old_count != new_count && old_count && new_count) {
      audit_->fields.insert(audit_->fields.begin(),
                            {"events", FieldChangeKind::kChanged, old_count, new_count});
    }
    return add(std::move(*audit_));
  }

  const Listing& before_;
  Passage& after_;
  const Limits& limits_;
  Progress& progress_;
  Comparison result_;
  FormatMinors minors_;
  std::vector<EntryInfo> page_;  // of the side before, gone through up to at_
  std::size_t at_ = 0;
  std::string last_path_;
  std::uint64_t seen_ = 0;
  std::optional<WorkspaceId> workspace_;                     // that the walk is in
  std::map<std::string, std::vector<FieldChange>> pending_;  // of its datasets, by id
  std::vector<std::string> same_documents_;  // workspaces' documents, equal on both sides
  People people_;
  std::optional<AssetChange> audit_;
};

}  // namespace

std::string_view to_text(AssetKind kind) {
  switch (kind) {
    case AssetKind::kTenant:
      return "tenant";
    case AssetKind::kTeam:
      return "team";
    case AssetKind::kUser:
      return "user";
    case AssetKind::kWorkspace:
      return "workspace";
    case AssetKind::kDataset:
      return "dataset";
    case AssetKind::kReport:
      return "report";
    case AssetKind::kAlert:
      return "alert";
    case AssetKind::kAudit:
      return "audit";
    case AssetKind::kFile:
      return "file";
  }
  return {};
}

std::string_view to_text(Change change) {
  switch (change) {
    case Change::kAdded:
      return "added";
    case Change::kRemoved:
      return "removed";
    case Change::kChanged:
      return "changed";
  }
  return {};
}

Result<Comparison> compare(const Listing& before, Passage& after, const Limits& limits,
                           Progress& progress) {
  return Comparer(before, after, limits, progress).run();
}

}  // namespace oa::diff
