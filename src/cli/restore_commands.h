// Commands over restores, from the plan to the undo.
#pragma once

#include "asset_commands.h"
#include "oa/restore/differences.h"

namespace oa::cli {

/// What these commands are told; each uses some of it.
struct RestoreOptions {
  std::string tenant;
  std::string archive;  // file or id
  std::string restore;  // id
  TrustOptions trust;
  bool all = false;
  std::vector<std::string> assets;   // KIND:ID or KIND:ID=MODE
  std::vector<std::string> choices;  // KIND:ID=MODE
  std::string mode = "overwrite";
  bool with_roles = false;
  bool leave_out_blocked = false;
  bool discard_edits = false;
  bool differences = false;
  bool dry_run = false;
  bool yes = false;
  std::string plan_hash;  // that is approved
  std::string as;         // id or e-mail; empty: the operator
  std::string action, kind;
  std::uint64_t limit = 50;   // of `list` and `show`
  std::uint64_t lines = 200;  // of a plan, for people
};

Status run_restore_plan(const Context& context, const RestoreOptions& options);
Status run_restore_apply(const Context& context, const RestoreOptions& options);
/// Plan, show, ask, apply.
Status run_restore_run(const Context& context, const RestoreOptions& options);
Status run_restore_undo(const Context& context, const RestoreOptions& options);
Status run_restore_list(const Context& context, const RestoreOptions& options);
Status run_restore_show(const Context& context, const RestoreOptions& options);
Status run_restore_sweep(const Context& context, const RestoreOptions& options);

void add_restore_commands(CLI::App& app, RestoreOptions& options, const AddCommand& add);

/// Shows plans to people and to scripts. Differences are shown of all overwritten assets when asked
/// for, and by itself of few.
class PlanPrinter {
 public:
  PlanPrinter(const Context& context, const restore::Engine& engine, const RestoreOptions& options)
      : context_(context), engine_(engine), options_(options) {}
  /// For people; nothing when JSON was asked for. Blocked lines and those that change something
  /// come first when not all are shown. `more` says how to see the rest.
  Status show(const restore::PreparedRestore& prepared, const std::string& tenant,
              const std::string& more);
  /// How many lines that change something, or are blocked, show() had no room for.
  std::size_t unseen() const { return unseen_; }
  /// Before the plan is applied, when document() comes afterwards: there is nothing to compare with
  /// any more then.
  Status keep_differences(const restore::PreparedRestore& prepared);
  /// The one JSON document, item by item: `members` besides `plan` and `plan_hash`.
  Status document(const restore::PreparedRestore& prepared, json::object members);

 private:
  bool with_differences(const restore::Plan& plan) const;
  std::vector<const restore::PlanItem*> chosen_lines(const restore::Plan& plan);
  void show_lines(const restore::PreparedRestore& prepared, const std::string& more);
  Status each_difference(
      const restore::PreparedRestore& prepared,
      const std::function<void(const restore::PlanItem&, const restore::ItemDifferences&)>& use);
  const Context& context_;
  const restore::Engine& engine_;
  const RestoreOptions& options_;
  std::size_t quiet_ = 0, unseen_ = 0;         // lines left out
  std::optional<std::vector<JsonText>> kept_;  // differences of the overwritten items, in order
};

}  // namespace oa::cli
