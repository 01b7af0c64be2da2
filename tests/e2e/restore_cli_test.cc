// A restore on the command line, from its plan to its undo, each step a command of its own.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::oa;
using testkit::oa_json;

std::string text(const json::value& value) { return std::string(value.as_string()); }

class RestoreCli : public testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(std::vector<std::string>{OA_BACKUP, "up", "--data", data(), "--port", "0"});
    oa_json({"demo", "--rows", "2000", "--data", data()});
    const auto archives = run({"archive", "list"});
    for (const auto& archive : archives.at("data").as_array()) {
      if (archive.at("rows").as_bool()) archive_ = text(archive.at("id"));
    }
    const auto datasets = run({"dataset", "list"});
    for (const auto& dataset : datasets.at("data").as_array()) {
      if (text(dataset.at("name")) == "support_tickets") dataset_ = text(dataset.at("id"));
    }
    ASSERT_FALSE(dataset_.empty());
  }
  std::string data() const { return scratch_ / "data"; }
  std::vector<std::string> with_tenant(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--tenant", "Demo", "--data", data()});
    return arguments;
  }
  json::value run(const std::vector<std::string>& arguments) {
    return oa_json(with_tenant(arguments));
  }
  testkit::Finished fails(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    return oa(with_tenant(std::move(arguments)));
  }
  // What people read; the exit status is not looked at.
  testkit::Finished shown(std::vector<std::string> arguments) {
    return oa(with_tenant(std::move(arguments)));
  }
  // A shell's script with the command as "$0" "$@", in this instance.
  testkit::Finished shell(const std::string& script, std::vector<std::string> arguments) {
    std::vector<std::string> command{"sh", "-c", script, OA_BACKUP};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return testkit::run(command);
  }
  // The command that a line of the output ends in, run as it stands.
  testkit::Finished pasted(const std::string& out, const std::string& label) {
    const auto begin = out.find(label) + label.size();
    const std::string folder = std::filesystem::path(OA_BACKUP).parent_path();
    return testkit::run({"sh", "-c",
                         "PATH='" + folder + "':$PATH OA_DATA='" + data() + "' " +
                             out.substr(begin, out.find('\n', begin) - begin)});
  }
  std::vector<std::string> restoring(std::vector<std::string> more) const {
    std::vector<std::string> all{"restore", "run", archive_, "--asset", "dataset:" + dataset_};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string model() { return oa(with_tenant({"dataset", "model", dataset_})).out; }
  void edit_model() {
    const std::string file = scratch_ / "model.yaml";
    std::ofstream(file) << model() << "# edited " << ++edits_ << "\n";
    run({"dataset", "model", dataset_, "--save", file});
  }
  json::value planned() {
    return run({"restore", "plan", archive_, "--asset", "dataset:" + dataset_});
  }
  std::size_t restores() {
    const auto list = run({"restore", "list"});
    return list.at("data").as_array().size();
  }

  testkit::Scratch scratch_;
  std::optional<testkit::Running> server_;  // so that commands need not start one each
  std::string archive_, dataset_;
  int edits_ = 0;
};

TEST_F(RestoreCli, APlanIsLookedAtApprovedAppliedAndTakenBack) {
  const std::string archived = model();
  edit_model();
  const std::string edited = model();
  const auto plan = planned();
  const auto& item = plan.at("plan").at("items").at(0);
  EXPECT_EQ(text(item.at("action")), "overwrite");
  EXPECT_TRUE(item.at("newer_here").as_bool());
  EXPECT_NE(text(item.at("differences").at("model")).find("-# edited 1"), std::string::npos);
  EXPECT_EQ(model(), edited) << "a plan changes nothing";
  const std::string id = text(plan.at("restore_id")), hash = text(plan.at("plan_hash"));

  const auto wrong = fails({"restore", "apply", id, "--plan-hash", std::string(64, '0')});
  EXPECT_EQ(wrong.status, 4);
  EXPECT_NE(wrong.err.find("resource/precondition-failed"), std::string::npos) << wrong.err;
  const auto nobody = fails({"restore", "apply", id});
  EXPECT_EQ(nobody.status, 2) << "nobody said yes";
  EXPECT_EQ(model(), edited);

  const auto applied = run({"restore", "apply", id, "--plan-hash", hash});
  EXPECT_EQ(model(), archived);
  const auto shown = run({"restore", "show", id});
  EXPECT_EQ(text(shown.at("state")), "applied");
  EXPECT_EQ(text(shown.at("plan_hash")), hash);
  EXPECT_TRUE(shown.at("undo_archive_kept").as_bool());
  EXPECT_EQ(shown.at("plan").at("items").as_array().size(), 1u);
  const std::size_t before = restores();
  const auto again = run({"restore", "apply", id, "--plan-hash", hash});
  EXPECT_EQ(text(again.at("state")), "applied");
  for (const char* member : {"restore_id", "plan_hash", "applied_at"})
    EXPECT_EQ(again.at(member), applied.at(member)) << member;
  const auto other = fails({"restore", "apply", id, "--plan-hash", std::string(64, '0')});
  EXPECT_EQ(other.status, 4) << "applied, but not that";
  EXPECT_NE(other.err.find("resource/precondition-failed"), std::string::npos) << other.err;
  EXPECT_EQ(restores(), before) << "applied once";

  const auto undone = run({"restore", "undo", id, "--yes"});
  EXPECT_EQ(model(), edited);
  EXPECT_EQ(text(run({"restore", "show", id}).at("state")), "undone");
  EXPECT_EQ(fails({"restore", "undo", id, "--yes"}).status, 4);
  run({"restore", "undo", text(undone.at("restore_id")), "--yes"});
  EXPECT_EQ(model(), archived) << "an undo can be undone";
  EXPECT_EQ(text(run({"restore", "show", id}).at("state")), "applied");
}

TEST_F(RestoreCli, AStalePlanIsRefusedAndNamesWhatChanged) {
  edit_model();
  const auto plan = planned();
  edit_model();
  const std::string now = model();
  const auto refused = fails({"restore", "apply", text(plan.at("restore_id")), "--yes"});
  EXPECT_EQ(refused.status, 4);
  EXPECT_NE(refused.err.find("the dataset " + dataset_ + " was changed"), std::string::npos)
      << refused.err;
  EXPECT_EQ(model(), now);
}

TEST_F(RestoreCli, AnUndoDoesNotLoseWhatWasEditedSince) {
  edit_model();
  const std::string before = model();
  const auto applied = run({"restore", "run", archive_, "--asset", "dataset:" + dataset_, "--yes"});
  edit_model();
  const std::string edited = model();
  const std::string id = text(applied.at("restore_id"));
  const auto refused = fails({"restore", "undo", id, "--yes"});
  EXPECT_EQ(refused.status, 4);
  EXPECT_NE(refused.err.find(dataset_), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("--discard-edits"), std::string::npos) << refused.err;
  EXPECT_EQ(model(), edited);
  const auto plan = run({"restore", "undo", id, "--dry-run"});
  EXPECT_EQ(text(plan.at("plan").at("items").at(0).at("action")), "blocked");
  run({"restore", "undo", id, "--discard-edits", "--yes"});
  EXPECT_EQ(model(), before);
}

TEST_F(RestoreCli, AFilesPlanWantsThatFileAgain) {
  edit_model();
  const std::string file = scratch_ / "a.oa-archive", moved = scratch_ / "b.oa-archive";
  run({"archive", "download", archive_, "--output", file});
  const auto plan =
      run({"restore", "plan", file, "--asset", "dataset:" + dataset_, "--mode", "fork"});
  const std::string id = text(plan.at("restore_id"));
  std::filesystem::rename(file, moved);
  const auto missing = fails({"restore", "apply", id, "--yes"});
  EXPECT_EQ(missing.status, 3) << missing.err;
  const std::string other = scratch_ / "c.oa-archive";
  oa_json(with_tenant({"archive", "create", "--output", other}));
  const auto wrong = fails({"restore", "apply", id, "--yes", "--archive", other});
  EXPECT_EQ(wrong.status, 4);
  EXPECT_NE(wrong.err.find("not the archive that the plan was made from"), std::string::npos)
      << wrong.err;
  run({"restore", "apply", id, "--yes", "--archive", moved});
  EXPECT_EQ(text(run({"restore", "show", id}).at("state")), "applied");
}

TEST_F(RestoreCli, ModesAreChosenByAsset) {
  const auto everything = run({"restore", "run", archive_, "--all", "--mode", "skip", "--choose",
                               "dataset:" + dataset_ + "=fork", "--dry-run"});
  std::size_t forks = 0;
  for (const auto& item : everything.at("plan").at("items").as_array()) {
    const std::string action = text(item.at("action"));
    EXPECT_TRUE(action == "skip" || action == "fork") << action;
    forks += action == "fork" ? 1 : 0;
  }
  EXPECT_EQ(forks, 1u);
  for (const std::string& bad :
       std::vector<std::string>{"dataset:" + dataset_, "dataset:" + dataset_ + "=eat", "x=fork"})
    EXPECT_EQ(fails({"restore", "run", archive_, "--all", "--choose", bad, "--dry-run"}).status, 2);

  const auto nothing = run(restoring({"--mode", "skip", "--yes"}));
  const auto undo = shown({"restore", "undo", text(nothing.at("restore_id")), "--dry-run"});
  const auto told = undo.out.find("nothing to do");
  ASSERT_NE(told, std::string::npos) << undo.out;
  EXPECT_EQ(undo.out.find("nothing to do", told + 1), std::string::npos) << undo.out;
}

TEST_F(RestoreCli, PeopleRestoreWhatTheyMayChange) {
  edit_model();
  const auto people = run({"restore", "run", archive_, "--all", "--with-roles", "--dry-run"});
  ASSERT_TRUE(people.at("plan").at("users").is_array());
  const auto nobody = fails({"restore", "plan", archive_, "--all", "--as", "nobody@demo.example"});
  EXPECT_EQ(nobody.status, 3);
  const auto viewer = run({"restore", "plan", archive_, "--asset", "dataset:" + dataset_, "--as",
                           "user11@demo.example"});
  EXPECT_EQ(text(viewer.at("plan").at("items").at(0).at("action")), "blocked");
  const auto refused = fails({"restore", "apply", text(viewer.at("restore_id")), "--yes"});
  EXPECT_EQ(refused.status, 4) << refused.err;
}

TEST_F(RestoreCli, NamesThatAreNoRestoreAreRefused) {
  EXPECT_EQ(fails({"restore", "show", "abc"}).status, 2);
  const std::string unknown = "01234567-89ab-4def-8123-456789abcdef";
  for (const char* command : {"show", "apply", "undo"})
    EXPECT_EQ(fails({"restore", command, unknown, "--yes"}).status,
              command == std::string("show") ? 2 : 3);
  const auto swept = run({"restore", "sweep"});
  EXPECT_EQ(swept.at("interrupted_restores").as_int64(), 0);
}

TEST_F(RestoreCli, AppliedRestoresTellWhatTheyChanged) {
  const auto lost = [](const json::value& document) {
    const auto& differences = document.at("plan").at("items").at(0).at("differences");
    return differences.as_object().contains("model") ? text(differences.at("model")) : "nothing";
  };
  edit_model();
  const auto applied = run(restoring({"--yes"}));
  EXPECT_NE(lost(applied).find("-# edited 1"), std::string::npos) << lost(applied);
  const auto undone = run({"restore", "undo", text(applied.at("restore_id")), "--yes"});
  EXPECT_NE(lost(undone).find("+# edited 1"), std::string::npos) << lost(undone);
  const auto plan = planned();
  const auto kept = run(
      {"restore", "apply", text(plan.at("restore_id")), "--plan-hash", text(plan.at("plan_hash"))});
  EXPECT_EQ(lost(kept), lost(plan));
  EXPECT_NE(lost(kept), "nothing");
}

TEST_F(RestoreCli, AResultThatCannotBeWrittenDoesNotHideThatItWasApplied) {
  const std::string archived = model();
  edit_model();
  const std::string edited = model();
  const auto check = [&](const std::vector<std::string>& arguments, const std::string& expected) {
    const auto full = shell("exec \"$0\" \"$@\" >/dev/full", with_tenant(arguments));
    EXPECT_EQ(full.status, 8);
    EXPECT_NE(full.err.find("was applied, but its result could not be written"), std::string::npos)
        << full.err;
    EXPECT_NE(full.err.find("do not run it again"), std::string::npos) << full.err;
    EXPECT_EQ(full.err.find("try again"), std::string::npos) << full.err;
    EXPECT_EQ(model(), expected);
    return full.err.substr(full.err.find("the restore ") + 12, 36);
  };
  const std::string id = check(restoring({"--yes"}), archived);
  EXPECT_EQ(text(run({"restore", "show", id}).at("state")), "applied");
  check({"restore", "undo", id, "--yes", "--json"}, edited);
  check({"restore", "apply", text(planned().at("restore_id")), "--yes"}, archived);
  const auto before = restores();
  const auto unread = shell("\"$0\" \"$@\" | true", with_tenant(restoring({"--yes", "--json"})));
  EXPECT_EQ(unread.err, "") << "a reader that went away is no failure";
  EXPECT_EQ(restores(), before + 1);

  const auto imported =
      shell("exec \"$0\" \"$@\" >/dev/full",
            {"tenant", "import", archive_, "--from-tenant", "Demo", "--name", "Copy", "--plan",
             "growth", "--owner", "new@owner.example", "--data", data()});
  EXPECT_EQ(imported.status, 8);
  EXPECT_NE(imported.err.find("--tenant Copy"), std::string::npos) << imported.err;
  EXPECT_NE(imported.err.find("was applied, but"), std::string::npos) << imported.err;
}

TEST_F(RestoreCli, PlansTellAssetsApartAndShowChangesFirst) {
  edit_model();
  const std::vector<std::string> all{"restore", "run", archive_, "--all", "--dry-run"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), all.begin(), all.end());
    return shown(more).out;
  };
  const std::string whole = with({});
  EXPECT_NE(whole.find(dataset_), std::string::npos) << whole;
  EXPECT_NE(whole.find(dataset_ + "  Operations  support_tickets"), std::string::npos) << whole;
  EXPECT_NE(whole.find("identical  report"), std::string::npos) << whole;
  const std::string changes = with({"--limit", "3"});
  EXPECT_NE(changes.find("overwrite  dataset  " + dataset_), std::string::npos) << changes;
  EXPECT_NE(changes.find("that change nothing are left out"), std::string::npos) << changes;
  EXPECT_EQ(changes.find("identical  "), std::string::npos) << changes;
  EXPECT_EQ(changes.find("not shown"), std::string::npos) << changes;

  const std::string forks = with({"--mode", "fork", "--limit", "3"});
  const auto told = forks.find(" lines more CHANGE something");
  ASSERT_NE(told, std::string::npos) << forks;
  EXPECT_EQ(forks.find("restore show"), std::string::npos) << "such a plan is not kept";
  EXPECT_NE(forks.find("--limit "), std::string::npos) << forks;
  EXPECT_NE(forks.find("--with-roles"), std::string::npos) << forks;
  const auto kept = shown({"restore", "plan", archive_, "--all", "--mode", "fork", "--limit", "3"});
  EXPECT_NE(kept.out.find("not shown: oa-backup restore show "), std::string::npos) << kept.out;
  const std::string every =
      pasted(kept.out, "not shown: ").out + pasted(kept.out, "not shown: ").err;
  EXPECT_NE(every.find("fork    alert"), std::string::npos) << every;
  EXPECT_EQ(every.find("lines shown, the plan has"), std::string::npos) << every;
}

TEST_F(RestoreCli, HintsNameWhatTheCommandTakes) {
  edit_model();
  const auto hint = [](const testkit::Finished& finished) {
    const auto error = parse_json(finished.err);
    return error.ok() ? text(error->at("error").at("hint")) : finished.err;
  };
  EXPECT_EQ(hint(fails(restoring({}))), "look at the plan with --dry-run, then add --yes");
  const auto plan = planned();
  EXPECT_NE(hint(fails({"restore", "apply", text(plan.at("restore_id"))})).find("--plan-hash"),
            std::string::npos);
  const auto nobody = hint(fails(restoring({"--as", "nobody", "--yes"})));
  EXPECT_EQ(nobody, "name one with --as ID or --as EMAIL");
  const auto import = oa(
      {"tenant", "import", archive_, "--name", "Copy", "--owner", "a@b.example", "--data", data()});
  EXPECT_EQ(import.status, 2);
  EXPECT_NE(import.err.find("--from-tenant"), std::string::npos) << import.err;
  const std::string file = scratch_ / "a.oa-archive";
  run({"archive", "download", archive_, "--output", file});
  const auto from_file = run({"restore", "plan", file, "--asset", "dataset:" + dataset_});
  std::filesystem::remove(file);
  const auto moved = hint(fails({"restore", "apply", text(from_file.at("restore_id")), "--yes"}));
  EXPECT_NE(moved.find("--archive FILE"), std::string::npos) << moved;

  const std::string id = text(plan.at("restore_id"));
  for (const auto& [option, value] : {std::pair{"--action", "foo"}, {"--kind", "foo"}}) {
    const auto usage = fails({"restore", "show", id, option, value});
    EXPECT_EQ(usage.status, 2) << option;
    EXPECT_NE(usage.err.find("request/invalid"), std::string::npos) << usage.err;
  }
}

TEST_F(RestoreCli, PrintedCommandsWorkAsTheyStand) {
  const std::string file = scratch_ / "a.oa-archive", trap = scratch_ / "trap";
  const std::string name = "it's $(touch " + trap + ") \"q\" \\";
  run({"archive", "download", archive_, "--output", file});
  const auto keys = oa_json({"keys", "list", "Demo", "--data", data()});
  const std::string signer = text(keys.at("data").at(0).at("fingerprint"));
  oa_json({"tenant", "create", name, "--plan", "growth", "--data", data()});
  const auto plan = oa({"restore", "plan", file, "--all", "--with-roles", "--accept-signer", signer,
                        "--tenant", name, "--data", data()});
  ASSERT_EQ(plan.status, 0) << plan.err;
  EXPECT_NE(plan.out.find("users are not here any more"), std::string::npos) << plan.out;
  EXPECT_NE(plan.out.find("the team \"Board\" is made"), std::string::npos) << plan.out;
  const auto applied = pasted(plan.out, "apply it with: ");
  EXPECT_EQ(applied.status, 0) << applied.err;
  const auto undo = pasted(applied.out, "take it back with: ");
  EXPECT_EQ(undo.status, 2) << "nobody says yes";
  EXPECT_NE(undo.out.find("inactive users and 3 teams that the restore made go"), std::string::npos)
      << undo.out;
  EXPECT_FALSE(std::filesystem::exists(trap));
}

TEST_F(RestoreCli, OfTwoImportsOfANameTheLoserIsNotToldToGoOn) {
  const std::string errors = scratch_ / "errors";
  shell("\"$0\" \"$@\" 2>>'" + errors + "' & \"$0\" \"$@\" 2>>'" + errors + "'; wait",
        {"tenant", "import", archive_, "--from-tenant", "Demo", "--name", "Copy", "--plan",
         "growth", "--owner", "new@owner.example", "--data", data()});
  std::ifstream in(errors);
  const std::string told(std::istreambuf_iterator<char>(in), {});
  const auto error = told.find("error: ");
  ASSERT_NE(error, std::string::npos) << "one of them loses";
  EXPECT_EQ(told.find("error: ", error + 1), std::string::npos) << told;
  EXPECT_EQ(told.find("there and blank"), std::string::npos) << told;
}

}  // namespace
}  // namespace oa
