#include <CLI/CLI.hpp>

#include "restore_commands.h"

namespace oa::cli {
namespace {

class Binder {
 public:
  Binder(CLI::App& app, RestoreOptions& options, const AddCommand& add)
      : options_(options), add_(add) {
    group_ = app.add_subcommand("restore", "Plan restores, apply them and take them back");
    group_->require_subcommand(1);
    group_->fallthrough();
  }

  void making() {
    auto* plan = command(
        "plan", "Show what a restore would do, and keep the plan to be applied",
        "oa-backup restore plan demo.oa-archive --tenant Demo --asset report:ID --mode fork",
        run_restore_plan);
    selection(plan);
    auto* run = command("run", "Plan, show, ask and apply",
                        "oa-backup restore run demo.oa-archive --tenant Demo --asset report:ID",
                        run_restore_run);
    selection(run);
    run->add_flag("--dry-run", options_.dry_run, "Show the plan and stop; nothing is kept");
    yes(run);
    auto* apply = command("apply", "Apply a plan that was kept",
                          "oa-backup restore apply RESTORE --tenant Demo --plan-hash HASH",
                          run_restore_apply);
    restore(apply);
    apply->add_option("--plan-hash", options_.plan_hash,
                      "The hash of the plan that you looked at: approves it without asking");
    apply->add_option("--archive", options_.archive, "The archive's file, where it was moved to");
    archive_cli::add_trust_options(*apply, options_.trust);
    differences(apply);
    lines(apply);
    yes(apply);
    person(apply);
  }

  void looking() {
    auto* undo = command("undo", "Take a restore back, or an undo",
                         "oa-backup restore undo RESTORE --tenant Demo", run_restore_undo);
    restore(undo);
    undo->add_flag("--discard-edits", options_.discard_edits,
                   "Take back also what was edited since");
    undo->add_flag("--leave-out-blocked", options_.leave_out_blocked,
                   "Take back the rest when something is blocked");
    undo->add_flag("--dry-run", options_.dry_run, "Show the plan and stop; nothing is kept");
    differences(undo);
    lines(undo);
    yes(undo);
    person(undo);
    auto* list = command("list", "List restores, newest first",
                         "oa-backup restore list --tenant Demo", run_restore_list);
    limit(tenant(list));
    auto* show = command("show", "Show a restore and the lines of its plan",
                         "oa-backup restore show RESTORE --tenant Demo --action overwrite",
                         run_restore_show);
    restore(show);
    show->add_option("--action", options_.action, "Only lines of this action")
        ->check(CLI::IsMember(
            {"create", "overwrite", "fork", "skip", "identical", "blocked", "remove"}));
    show->add_option("--kind", options_.kind, "Only lines of this kind")
        ->check(CLI::IsMember({"workspace", "dataset", "report", "alert"}));
    show->add_option("--asset", options_.assets, "KIND:ID, archived or restored")->take_last();
    limit(show);
    tenant(command("sweep", "Remove what interrupted restores and old undo archives left",
                   "oa-backup restore sweep --tenant Demo", run_restore_sweep));
  }

 private:
  CLI::App* command(const std::string& name, const std::string& what, const std::string& example,
                    Status (*run)(const Context&, const RestoreOptions&)) {
    return add_(group_, name, what, example, [this_options = &options_, run](const Context& c) {
      return run(c, *this_options);
    });
  }

  CLI::App* tenant(CLI::App* command) {
    command->add_option("--tenant", options_.tenant, "Tenant, by name or id")->required();
    return command;
  }

  void restore(CLI::App* command) {
    command->add_option("restore", options_.restore, "Id of the restore")->required();
    tenant(command);
  }

  void yes(CLI::App* command) { command->add_flag("--yes", options_.yes, "Apply without asking"); }

  void person(CLI::App* command) {
    command->add_option("--as", options_.as,
                        "Id or e-mail of who asks or approves; else the operator");
  }

  void differences(CLI::App* command) {
    command->add_flag("--differences", options_.differences,
                      "Show each field that changes, of however many assets");
  }

  void lines(CLI::App* command) {
    command->add_option("--limit", options_.lines, "Show people at most so many lines of the plan")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
  }

  void limit(CLI::App* command) {
    command->add_option("--limit", options_.limit, "At most so many lines")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
  }

  void selection(CLI::App* command) {
    command
        ->add_option("archive", options_.archive, "Archive file, or the id of an archive in store")
        ->required();
    tenant(command);
    command->add_flag("--all", options_.all, "Everything in the archive");
    command
        ->add_option("--asset", options_.assets,
                     "KIND:ID or KIND:ID=MODE; a workspace stands for all in it; may be repeated")
        ->take_all();
    command
        ->add_option("--mode", options_.mode,
                     "What to do with an id that exists: overwrite, fork or skip")
        ->capture_default_str();
    command
        ->add_option("--choose", options_.choices,
                     "KIND:ID=MODE: another mode for this asset of the selection; may be repeated")
        ->take_all();
    command->add_flag("--with-roles", options_.with_roles,
                      "Restore workspace roles and shares of reports too");
    command->add_flag("--leave-out-blocked", options_.leave_out_blocked,
                      "Restore the rest when something is blocked");
    archive_cli::add_trust_options(*command, options_.trust);
    differences(command);
    lines(command);
    person(command);
  }

  CLI::App* group_ = nullptr;
  RestoreOptions& options_;
  const AddCommand& add_;
};

}  // namespace

void add_restore_commands(CLI::App& app, RestoreOptions& options, const AddCommand& add) {
  Binder binder(app, options, add);
  binder.making();
  binder.looking();
}

}  // namespace oa::cli
