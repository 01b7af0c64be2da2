// A Patroni cluster as a cell: its primary dies under load, the whole goes back to a moment, and
// the received log goes on by itself through both.
#include "testkit/patroni_cell.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "oa/base/clock.h"
#include "oa/continuity/trim.h"
#include "oa/keys/local_key_service.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using continuity::Target;
using std::chrono::milliseconds;
using testkit::PatroniCell;
using testkit::PatroniNodes;
using testkit::Writer;
using Rows = std::set<std::int64_t>;

Rows missing_in(const Rows& wanted, const Rows& there) {
  Rows lost;
  std::ranges::set_difference(wanted, there, std::inserter(lost, lost.end()));
  return lost;
}

// The tests of all suites follow each other on one cluster.
class PatroniCells : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (cell_ != nullptr) return;
    class End final : public testing::Environment {
      void TearDown() override { cell_.reset(); }
    };
    testing::AddGlobalTestEnvironment(new End);
    cell_ = std::make_unique<PatroniCell>();
    nodes().start_first();
    auto& repository = cell_->cell(1).repository();
    OA_ASSERT(repository.create_stanza().ok());  // before the archiver has failed thrice and rests
    nodes().start_second();
    cell_->start_receiver();
    OA_ASSERT(PatroniNodes::eventually([] { return cell_->receiver().state().connected; }));
    sql("CREATE TABLE t (n bigint PRIMARY KEY)");
    const auto backup = repository.backup(continuity::BackupType::kFull, no_progress());
    OA_ASSERT(backup.ok());
    while (Timestamp::now() <= backup->restorable_from())
      std::this_thread::sleep_for(milliseconds(50));
  }

  static PatroniNodes& nodes() { return cell_->nodes(); }
  static std::string sql(const std::string& text) {
    return testkit::value(nodes().conninfo(), text);
  }
  // Just now, with no commit at it.
  static Timestamp moment() {
    std::this_thread::sleep_for(milliseconds(20));
    const auto now = Timestamp::now();
    std::this_thread::sleep_for(milliseconds(20));
    return now;
  }
  static void set_synchronous(bool on) {
    const std::string change = fmt::format("{{\"synchronous_mode\": {}}}", on ? "true" : "false");
    const auto patched = testkit::run({"curl", "-sf", "-u", "orch:right", "-X", "PATCH", "-d",
                                       change, nodes().url(1) + "/config"});
    OA_ASSERT(patched.status == 0);
    OA_ASSERT(
        PatroniNodes::eventually([&] { return on ? a_replica_is_in_step() : names().empty(); }));
  }
  static std::string names() { return sql("SHOW synchronous_standby_names"); }
  static bool a_replica_is_in_step() {
    return sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1";
  }
  static int follower() { return 3 - nodes().leader(); }
  static std::int64_t next_row() { return next_row_ += 1'000'000; }

  static inline std::unique_ptr<PatroniCell> cell_;
  static inline std::int64_t next_row_ = 0;
};

TEST_F(PatroniCells, AFailoverLosesNothingWhenSynchronous) {
  set_synchronous(true);
  const int old = nodes().leader();
  Writer writer(nodes().conninfo(), next_row());
  ASSERT_TRUE(PatroniNodes::eventually([&] { return writer.acknowledged().size() > 200; }));
  const Rows known_before = writer.acknowledged();
  const Timestamp before = moment();
  nodes().kill(old);
  const auto killed = std::chrono::steady_clock::now();
  ASSERT_TRUE(PatroniNodes::eventually([&] { return nodes().leader() == 3 - old; }));
  const std::size_t until_then = writer.acknowledged().size();
  ASSERT_TRUE(
      PatroniNodes::eventually([&] { return writer.acknowledged().size() > until_then + 200; }));
  const auto outage = std::chrono::steady_clock::now() - killed;
  const Rows known_after = writer.acknowledged();
  const Timestamp after = moment();
  std::this_thread::sleep_for(milliseconds(200));
  const Rows acknowledged = writer.finish();
  ASSERT_TRUE(cell_->caught_up());
  const Rows now = cell_->rows_now();
  EXPECT_EQ(missing_in(acknowledged, now), Rows());
  EXPECT_FALSE(cell_->receiver().state().gap.has_value());
  EXPECT_EQ(cell_->receiver().state().timeline.value, 2u);
  const Rows at_before = cell_->rows_at(Target::at(before)),
             at_after = cell_->rows_at(Target::at(after));
  EXPECT_EQ(missing_in(known_before, at_before), Rows());
  EXPECT_EQ(missing_in(known_after, at_after), Rows());
  EXPECT_LT(at_before.size(), at_after.size());
  EXPECT_LT(at_after.size(), now.size());
  std::printf("synchronous: %zu rows acknowledged, 0 lost; writes again after %.1f s\n",
              acknowledged.size(), std::chrono::duration<double>(outage).count());
  nodes().start(old);
  ASSERT_TRUE(PatroniNodes::eventually([] { return nodes().streaming(); }));
  ASSERT_TRUE(PatroniNodes::eventually([] { return a_replica_is_in_step(); }));
}

// The replica's part of the stream is held back, so that commits which the primary acknowledged are
// lost for certain; and what the primary had not archived when it died is only in the received log.
TEST_F(PatroniCells, AnAsynchronousFailoverIsRestoredAsItWas) {
  set_synchronous(false);
  const int old = nodes().leader();
  sql("SELECT pg_switch_wal()");
  Writer writer(nodes().conninfo(), next_row());
  ASSERT_TRUE(PatroniNodes::eventually([&] { return writer.acknowledged().size() > 200; }));
  const std::string segment = sql("SELECT pg_walfile_name(pg_current_wal_lsn())");
  const Rows known_before = writer.acknowledged();
  const Timestamp before = moment();
  const pid_t sender =
      std::stoi(sql("SELECT pid FROM pg_stat_replication WHERE application_name = 'n" +
                    std::to_string(3 - old) + "'"));
  kill(sender, SIGSTOP);
  const std::size_t held_back = writer.acknowledged().size();
  ASSERT_TRUE(
      PatroniNodes::eventually([&] { return writer.acknowledged().size() > held_back + 100; }));
  nodes().kill(old);
  kill(sender, SIGKILL);
  const Rows at_death = writer.acknowledged();
  ASSERT_TRUE(PatroniNodes::eventually([&] { return nodes().leader() == 3 - old; }));
  const std::size_t until_then = writer.acknowledged().size();
  ASSERT_TRUE(
      PatroniNodes::eventually([&] { return writer.acknowledged().size() > until_then + 100; }));
  const Rows acknowledged = writer.finish();
  ASSERT_TRUE(cell_->caught_up());
  EXPECT_FALSE(cell_->receiver().state().gap.has_value());

  const Rows now = cell_->rows_now();
  const Rows lost = missing_in(acknowledged, now);
  EXPECT_GE(lost.size(), 100u);
  EXPECT_EQ(missing_in(lost, at_death), Rows());
  EXPECT_EQ(cell_->rows_at(Target::latest()), now);
  EXPECT_EQ(
      testkit::run({"find", cell_->cell_folder() + "/repository", "-name", segment + "-*"}).out,
      "");
  EXPECT_EQ(missing_in(known_before, cell_->rows_at(Target::at(before))), Rows());
  std::printf("asynchronous: %zu rows acknowledged, %zu lost with the primary\n",
              acknowledged.size(), lost.size());
  nodes().start(old);
  ASSERT_TRUE(PatroniNodes::eventually([] { return nodes().streaming(); }));
}

// The blocks of the runbook in docs/operations.md, in order: on which nodes, and what.
struct Step {
  std::string where, script;
};

std::vector<Step> runbook() {
  std::ifstream file(OA_DOCS "/operations.md");
  std::vector<Step> steps;
  bool in_section = false, in_block = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) in_section = line == "## A Patroni cluster back to a moment";
    if (!in_section) continue;
    constexpr std::string_view kFence = "```sh ";
    if (in_block && line == "```") {
      in_block = false;
    } else if (in_block) {
      steps.back().script += line + "\n";
    } else if (line.starts_with(kFence)) {
      steps.push_back({line.substr(kFence.size()), ""});
      in_block = true;
    }
  }
  return steps;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

class Runbook : public PatroniCells {
 protected:
  void SetUp() override {
    bin_ = nodes().scratch() + "/bin";
    fs::create_directory(bin_);
    fs::remove(bin_ + "/oa-backup");
    fs::create_symlink(OA_BACKUP, bin_ + "/oa-backup");
    std::ofstream(bin_ + "/systemctl")
        << "#!/bin/sh\n[ \"$1\" = start ] && exec touch \"$NODE.start\"\n"
           "kill -TERM \"$PATRONI\"\n"  // then until its parent, this test, can see its end
           "until grep -q ') Z ' \"/proc/$PATRONI/stat\"; do sleep 0.1; done\n";
    fs::permissions(bin_ + "/systemctl", fs::perms(0755));
  }
  // With the paths of this test for those of the document.
  void run_step(const Step& step, int node, const std::string& moment) {
    std::string script = step.script;
    for (const auto& [from, to] :
         {std::pair{std::string("/etc/patroni/cell.yml"), nodes().configuration_file(node)},
          {"/var/lib/postgresql/15/main", nodes().data(node)},
          {"/etc/oa-backup/node.json", cell_->node_file()},
          {"2026-11-23T09:41:00Z", moment},
          {" oa-backup bootstrap-node", " " OA_BACKUP " bootstrap-node"}})
      script = replaced(script, from, to);
    const auto done = testkit::run(
        {"env", "PATH=" + bin_ + ":/usr/bin:/bin", "NODE=" + nodes().folder(node),
         "PATRONI=" + std::to_string(nodes().patroni_process(node)), "PGHOST=127.0.0.1",
         "PGPORT=" + std::to_string(nodes().port(node)), "PGUSER=postgres", "PGPASSWORD=a",
         "timeout", "90", "bash", "-euxo", "pipefail", "-c", script});
    ASSERT_EQ(done.status, 0) << step.where << "\n" << done.out << done.err;
    if (script.find("systemctl stop patroni") != std::string::npos) nodes().stop(node);
    if (fs::remove(nodes().folder(node) + ".start")) nodes().start(node);
  }
  void run_steps(const std::vector<Step>& steps, int first, const std::string& moment) {
    for (const auto& step : steps) {
      if (step.where != "first-node") run_step(step, 3 - first, moment);
      if (HasFatalFailure()) return;
      if (step.where != "other-nodes") run_step(step, first, moment);
      if (HasFatalFailure()) return;
    }
  }
  std::string bin_;
};

TEST_F(Runbook, TheClusterGoesBackToAMomentAndForthAgain) {
  nodes().configure(cell_->options("",
                                   "  method: initdb\n  moment:\n    command: none\n"
                                   "    keep_existing_recovery_conf: true\n"));
  const std::int64_t row = next_row();
  sql(fmt::format("INSERT INTO t VALUES ({})", row));
  const Timestamp then = moment();
  const Rows rows_then = cell_->rows_now();
  sql("DELETE FROM t");
  sql(fmt::format("INSERT INTO t VALUES ({})", row + 1));
  const auto steps = runbook();
  const auto back = std::ranges::find(steps, "go-back", &Step::where);
  ASSERT_EQ(back - steps.begin(), 5);
  ASSERT_NE(back, steps.end());
  const int first = nodes().leader();
  run_steps({steps.begin(), back}, first, then.rfc3339());
  if (HasFatalFailure()) return;
  ASSERT_TRUE(PatroniNodes::eventually([] { return nodes().streaming(); })) << nodes().log(first);
  EXPECT_EQ(cell_->rows_now(), rows_then);
  EXPECT_EQ(sql("SHOW archive_mode"), "on");
  sql(fmt::format("INSERT INTO t VALUES ({})", row + 2));
  const auto last = wal::Lsn::parse(sql("SELECT pg_current_wal_flush_lsn()")).value();
  const std::string segment = sql("SELECT pg_walfile_name(pg_switch_wal())");
  ASSERT_TRUE(cell_->caught_up());
  EXPECT_TRUE(cell_->receiver().wait_for(last, milliseconds(1)));
  EXPECT_FALSE(cell_->receiver().state().gap.has_value());
  EXPECT_TRUE(PatroniNodes::eventually([&] {
    return sql("SELECT last_archived_wal >= '" + segment + "' FROM pg_stat_archiver") == "t";
  }));
  // It was the wrong moment.
  std::vector<Step> undo(back, steps.end());
  for (auto& step : undo)
    if (step.where == "go-back") step.where = "every-node";
  run_steps(undo, first, then.rfc3339());
  if (HasFatalFailure()) return;
  ASSERT_TRUE(PatroniNodes::eventually([] { return nodes().streaming(); })) << nodes().log(first);
  EXPECT_EQ(cell_->rows_now(), Rows{row + 1});
  ASSERT_TRUE(cell_->caught_up());
  EXPECT_FALSE(cell_->receiver().state().gap.has_value());
  EXPECT_EQ(cell_->rows_at(Target::at(then)), rows_then);
}

class NodeCommands : public PatroniCells {
 protected:
  void SetUp() override { node_ = nodes().leader(); }
  // "<status> <stderr>"
  std::string refusal(std::vector<std::string> arguments, const std::string& node_file = {}) {
    arguments.insert(arguments.begin() + 1,
                     {"--node", node_file.empty() ? cell_->node_file() : node_file});
    const auto done = cell_->on_node(node_, arguments);
    EXPECT_EQ(done.err.find("Passphrase"), std::string::npos);
    return std::to_string(done.status) + " " + done.err;
  }
  std::string bootstrap(const std::string& to, const std::string& folder,
                        const std::string& node_file = {}) {
    return refusal({"bootstrap-node", "--to", to, "--datadir", folder}, node_file);
  }
  std::string file_for(const std::string& name, const std::string& cell, const std::string& keys) {
    const std::string path = nodes().scratch() + "/" + name;
    std::ofstream(path) << fmt::format("{{\"cell\": \"{}\", \"keys\": \"{}\"}}\n", cell, keys);
    return path;
  }
  void give(const std::string& path) {
    const auto& account = nodes().account();
    if (!account.other) return;
    ASSERT_EQ(testkit::run({"chown", "-R", account.name + ":", path}).status, 0);
  }
  int node_ = 0;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(NodeCommands, ASegmentIsTakenOnceAndGivenBack) {
  const std::string segment = sql("SELECT pg_walfile_name(pg_switch_wal())");
  const std::string path = "pg_wal/" + segment;
  EXPECT_TRUE(PatroniNodes::eventually([&] {
    return sql("SELECT last_archived_wal >= '" + segment + "' FROM pg_stat_archiver") == "t";
  }));
  EXPECT_EQ(refusal({"archive-wal", path}), "0 ");
  const std::string original = testkit::contents_of(nodes().data(node_) + "/" + path);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal({"restore-wal", segment, "pg_wal/RECOVERYXLOG"}), "0 ");
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(took, std::chrono::seconds(5));
  std::printf("restore-wal: %.0f ms a segment\n",
              std::chrono::duration<double, std::milli>(took).count());
  EXPECT_TRUE(testkit::contents_of(nodes().data(node_) + "/pg_wal/RECOVERYXLOG") == original);

  std::vector<std::thread> others;
  std::atomic<int> good = 0;
  for (int i = 0; i < 6; ++i) {
    others.emplace_back([&, i] {
      const std::string target = "pg_wal/RECOVERY" + std::to_string(i);
      const auto done =
          i < 3 ? cell_->on_node(node_,
                                 {"restore-wal", "--node", cell_->node_file(), segment, target})
                : cell_->on_node(node_, {"archive-wal", "--node", cell_->node_file(), path});
      if (done.status == 0) ++good;
    });
  }
  for (auto& other : others) other.join();
  EXPECT_EQ(good, 6);
  for (int i = 0; i < 3; ++i) {
    const std::string target = nodes().data(node_) + "/pg_wal/RECOVERY" + std::to_string(i);
    EXPECT_TRUE(testkit::contents_of(target) == original) << i;
    fs::remove(target);
  }

  // The same name with another content, as of a server that was promoted in two places.
  const std::string other = nodes().folder(node_) + "/other";
  fs::create_directories(other + "/pg_wal");
  fs::copy(nodes().data(node_) + "/PG_VERSION", other + "/PG_VERSION");
  fs::copy(nodes().data(node_) + "/global", other + "/global");
  std::string changed = original;
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  std::ofstream(other + "/" + path) << changed;
  give(other);
  const std::string conflict = refusal({"archive-wal", other + "/" + path});
  EXPECT_TRUE(has(conflict, "resource/conflict")) << conflict;
  EXPECT_EQ(std::ranges::count(conflict, '\n'), 1) << conflict;
  EXPECT_TRUE(has(refusal({"archive-wal", "/etc/passwd"}), "pg_wal"));
  fs::remove_all(other);
  fs::remove(nodes().data(node_) + "/pg_wal/RECOVERYXLOG");
}

TEST_F(NodeCommands, WhatIsNotThereAndWhatIsNotKnown) {
  ASSERT_TRUE(cell_->caught_up());
  const std::string current = sql("SELECT pg_walfile_name(pg_current_wal_lsn())");
  const std::string target = "pg_wal/RECOVERYXLOG";
  // The newest one is not archived: as far as it was received.
  EXPECT_EQ(refusal({"restore-wal", current, target}), "0 ");
  EXPECT_EQ(fs::file_size(nodes().data(node_) + "/" + target), 16u << 20);
  fs::remove(nodes().data(node_) + "/" + target);
  const std::string next = current.substr(0, 16) + "000000FE";
  EXPECT_EQ(refusal({"restore-wal", next, target}), "1 ");
  EXPECT_EQ(refusal({"restore-wal", "00000063.history", target}), "1 ");
  EXPECT_EQ(refusal({"restore-wal", "00000002.history", target}), "0 ");
  fs::remove(nodes().data(node_) + "/" + target);
  EXPECT_TRUE(refusal({"restore-wal", "../../etc/passwd", target}).starts_with("126 "));

  const std::string strange = nodes().scratch() + "/strange-keys";
  fs::create_directory(strange);
  ASSERT_TRUE(LocalKeyService::create(strange + "/keystore", {strange + "/root.key", {}}).ok());
  give(strange);
  const std::string wrong = file_for("wrong.json", cell_->cell_folder(), strange);
  const std::string away =
      file_for("away.json", nodes().scratch() + "/nowhere", cell_->node_keys());
  EXPECT_TRUE(has(refusal({"restore-wal", next, target}, wrong), "[key/wrong]"));
  EXPECT_TRUE(has(refusal({"restore-wal", next, target}, away), "[backup/repository-unavailable]"));
  for (const auto& file : {wrong, away, nodes().scratch() + "/none.json"}) {
    EXPECT_TRUE(refusal({"restore-wal", next, target}, file).starts_with("126 error: ")) << file;
    const std::string kept = refusal({"archive-wal", "pg_wal/" + current}, file);
    EXPECT_FALSE(kept.starts_with("0 ")) << kept;
    EXPECT_LT(std::stoi(kept), 126) << kept;  // above, Postgres would end its archiver
    EXPECT_FALSE(bootstrap("latest", nodes().folder(node_) + "/new", file).starts_with("0 "));
  }
  EXPECT_FALSE(fs::exists(nodes().folder(node_) + "/new"));
}

TEST_F(NodeCommands, ADataFolderIsNotBegunInVain) {
  const std::string folder = nodes().folder(node_) + "/new";
  EXPECT_TRUE(has(bootstrap("latest", nodes().data(node_)), "resource/conflict"));
  EXPECT_TRUE(has(bootstrap("2020-01-01T00:00:00Z", folder), "backup/outside-window"));
  EXPECT_TRUE(has(bootstrap("2099-01-01T00:00:00Z", folder), "backup/outside-window"));
  EXPECT_TRUE(has(bootstrap("FF/0", folder), "backup/wal-missing"));
  EXPECT_TRUE(has(bootstrap("2026-11-23", folder), "request/invalid"));
  EXPECT_FALSE(fs::exists(folder));

  // A byte of a file of the backup.
  const std::string copy = nodes().scratch() + "/damaged";
  ASSERT_EQ(testkit::run({"cp", "-a", cell_->cell_folder(), copy}).status, 0);
  const auto largest =
      testkit::run({"bash", "-c",
                    "find " + copy +
                        "/repository/backup -name '*F' -prune -type d -exec find {} -type f "
                        "-printf '%s %p\\n' \\; | sort -n | tail -1 | cut -d' ' -f2"});
  const std::string bundle = largest.out.substr(0, largest.out.find('\n'));
  ASSERT_FALSE(bundle.empty());
  std::string bytes = testkit::contents_of(bundle);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(bundle) << bytes;
  const std::string damaged = file_for("damaged.json", copy, cell_->node_keys());
  fs::create_directory(folder);
  give(folder);
  EXPECT_TRUE(has(bootstrap("latest", folder, damaged), "backup/repository-damaged"));
  EXPECT_TRUE(fs::is_empty(folder));

  EXPECT_TRUE(bootstrap("latest", folder).starts_with("0 Restoring"));
  EXPECT_TRUE(fs::exists(folder + "/recovery.signal"));
  fs::remove_all(folder);
  fs::remove_all(copy);
}

TEST_F(NodeCommands, TheReceivedLogKeepsWhatNobodyElseHas) {
  sql("SELECT pg_switch_wal()");
  ASSERT_TRUE(cell_->caught_up());
  const auto last =
      wal::SegmentName::parse(sql("SELECT last_archived_wal FROM pg_stat_archiver"), {});
  ASSERT_TRUE(last.ok());
  const auto& repository = cell_->cell().repository();
  const auto freed = continuity::trim_log(cell_->log(), repository, *last);
  ASSERT_TRUE(freed.ok()) << freed.error().message;
  EXPECT_GT(*freed, 0u);
  const auto listed = cell_->log().list();
  ASSERT_TRUE(listed.ok());
  std::size_t only_here = 0;
  for (const auto& stored : *listed) {
    if (stored.name.timeline == last->timeline) continue;
    EXPECT_FALSE(repository.has_segment(stored.name).value()) << stored.name.str();
    ++only_here;
  }
  EXPECT_GT(only_here, 0u);
  EXPECT_EQ(cell_->rows_at(Target::latest()), cell_->rows_now());
}

TEST_F(NodeCommands, AReplicaIsBuiltFromTheRepository) {
  const int other = follower();
  nodes().configure([&] {
    auto options = cell_->options();
    options.postgresql = fmt::format(
        "  create_replica_methods: [oa, basebackup]\n"
        "  oa: {{command: '{} bootstrap-node --node {} --replica --datadir {}', no_params: true}}\n"
        "  recovery_conf: {{restore_command: '{} restore-wal --node {} \"%f\" \"%p\"'}}\n",
        OA_BACKUP, cell_->node_file(), nodes().data(other), OA_BACKUP, cell_->node_file());
    return options;
  }());
  nodes().stop(other);
  fs::remove_all(nodes().data(other));
  nodes().start(other);
  ASSERT_TRUE(PatroniNodes::eventually([] { return nodes().streaming(); })) << nodes().log(other);
  EXPECT_TRUE(has(nodes().log(other), "replica has been created using oa")) << nodes().log(other);
}

}  // namespace
}  // namespace oa
