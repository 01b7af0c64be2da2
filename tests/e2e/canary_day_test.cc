// A day of a service, with texts planted wherever a customer's or a person's data, or a secret, can
// be. None of them can be read afterwards, or meanwhile, outside of memory and of Postgres' own
// folders, which are named here: `postgres` (the live cluster), `scratch` (a cluster at a moment,
// while it lives).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "oa/catalog/repositories.h"
#include "oa/demo/demo_tenant.h"
#include "rgw_testkit.h"
#include "testkit/archive_tool.h"
#include "testkit/process_watch.h"
#include "testkit/service.h"
#include "testkit/source_cluster.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using testkit::call_api;
using testkit::ProcessWatch;
using testkit::Search;

const std::vector<std::string> kPostgresOwn{"postgres", "scratch"};
const std::set<std::string> kOurs{"oa-backup", "postgres", "pgbackrest", "initdb"};

std::string text(const json::value& value) { return std::string(value.as_string()); }

std::string new_token() {
  std::string id = Uuid::random().str();
  std::erase(id, '-');
  return "kanari" + id.substr(0, 16);
}

// A core dump of whoever allows one lies where the process was.
void allow_core_dumps() {
  rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &limit);
}
std::vector<std::string> core_dumps_in(const std::string& folder) {
  std::vector<std::string> cores;
  for (const auto& path : testkit::files_below(folder))
    if (testkit::contents_of(path).starts_with("\x7f"
                                               "ELF"))
      cores.push_back(path);
  return cores;
}

class CanaryDay : public testing::TestWithParam<bool> {
 protected:
  CanaryDay() {
    for (const char* folder : {"tmp", "cwd", "home"}) {
      fs::create_directory(scratch_ / folder);
      fs::permissions(scratch_ / folder, fs::perms(01777));
    }
    was_in_ = fs::current_path();
    fs::current_path(scratch_ / "cwd");
    setenv("TMPDIR", (scratch_ / "tmp").c_str(), 1);
    setenv("HOME", (scratch_ / "home").c_str(), 1);
    allow_core_dumps();
  }
  ~CanaryDay() override {
    service_.reset();
    fs::current_path(was_in_);
    unsetenv("TMPDIR");
  }

  bool in_bucket() const { return GetParam(); }
  std::string outside(const std::string& name, const std::string& content) const {
    testkit::write_file(outside_ / name, content);
    fs::permissions(outside_ / name, fs::perms(0600));
    return outside_ / name;
  }
  void write_config() {
    if (!in_bucket()) return;
    auto& gateway = rgw::Gateway::shared();
    store_ = gateway.fresh_store();
    const json::object objects{
        {"kind", "s3"},
        {"endpoint", gateway.tls_url()},
        {"region", "default"},
        {"bucket", store_.bucket},
        {"prefix", store_.prefix},
        {"addressing", "path"},
        {"kms_key", "tenant-a"},
        {"ca_file", gateway.ca_file()},
        {"credentials_file",
         outside("s3.json", R"({"access_key_id":"AKTEST","secret_access_key":"SKTEST"})")}};
    config_ = {"--config", outside("oa.json", json::serialize(json::object{{"objects", objects}}))};
  }
  std::vector<std::string> here(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), config_.begin(), config_.end());
    arguments.insert(arguments.end(), {"--data", scratch_ / "data"});
    return arguments;
  }
  json::value run(std::vector<std::string> arguments) const {
    return testkit::oa_json(here(std::move(arguments)));
  }
  void start() {
    std::vector<std::string> arguments{"up", "--log", scratch_ / "service.log", "--operator-port",
                                       "0"};
    arguments.insert(arguments.end(), config_.begin(), config_.end());
    service_ = std::make_unique<testkit::Service>(scratch_, "up", arguments);
  }

  // A tenant full of canaries: addresses, passwords, a secret, rows, the audit trail; titles too.
  void plant() {
    instance::Settings settings;
    settings.data_folder = scratch_ / "data";
    if (in_bucket()) {
      auto read = instance::read_deployment(config_[1]);
      ASSERT_TRUE(read.ok()) << read.error().message;
      settings.deployment = std::move(*read);
    }
    auto opened = instance::Instance::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    instance::Instance& instance = **opened;
    const demo::Canaries canaries{token_ + "-row", token_ + "-secret", token_ + "-mail.example",
                                  token_ + "-audit", token_ + "-password"};
    const auto tenant = demo::make_demo_tenant(
        instance, "Canary", {.order_rows = 2000, .audit_events = 100}, canaries, no_progress());
    ASSERT_TRUE(tenant.ok()) << tenant.error().message;
    auto transaction = instance.database().begin(tenant->id);
    const auto workspaces = catalog::Workspaces(*transaction).list();
    workspace_ = (*workspaces)[0].id.str();
    auto reports =
        catalog::Reports(*transaction).list((*workspaces)[0].id, std::nullopt, 10).value();
    for (auto& report : reports) report.name += " " + token_ + "-title";
    ASSERT_TRUE(catalog::Reports(*transaction).put(reports).ok());
    auto users = catalog::Users(*transaction).list().value();
    for (auto& user : users) user.last_name = token_ + "-name";
    ASSERT_TRUE(catalog::Users(*transaction).put(users).ok());
    ASSERT_TRUE(transaction->commit().ok());
  }

  std::string sign_in() {
    const json::object body{{"organisation", "Canary"},
                            {"email", "user01@" + token_ + "-mail.example"},
                            {"password", token_ + "-password"}};
    const auto wrong =
        outside("wrong.json", json::serialize(json::object{{"organisation", token_ + "-org"},
                                                           {"email", body.at("email")},
                                                           {"password", token_ + "-guess"}}));
    testkit::run({"curl", "-sS", "--json", "@" + wrong, service_->address() + "/v1/auth/sign-in"});
    const auto me = testkit::run({"curl", "-sS", "--cookie-jar", outside_ / "jar", "--json",
                                  "@" + outside("sign-in.json", json::serialize(body)),
                                  service_->address() + "/v1/auth/sign-in"});
    const auto csrf = text(parse_json(me.out).value().at("csrf_token"));
    const auto made = testkit::run(
        {"curl", "-sS", "--cookie", outside_ / "jar", "-H", "X-CSRF-Token: " + csrf, "--json",
         R"({"name":"t","scopes":["read","reports","datasets","backup","restore"]})",
         service_->address() + "/v1/tokens"});
    // A line of the jar ends with the cookie's value.
    const std::string jar = testkit::contents_of(outside_ / "jar");
    more_needles_.push_back(jar.substr(jar.rfind('\t') + 1, jar.rfind('\n') - jar.rfind('\t') - 1));
    more_needles_.push_back(text(parse_json(made.out).value().at("token")));
    for (const auto& needle : more_needles_) EXPECT_GE(needle.size(), 20u);
    return more_needles_.back();
  }
  json::value api(const std::string& method, const std::string& path,
                  const std::string& body = "") {
    return call_api(*service_, bearer_, method, path, body);
  }
  json::value done(const json::value& job) {
    const std::string path = "/v1/jobs/" + text(job.at("id"));
    for (int tries = 0; tries < 900; ++tries) {
      const auto now = api("GET", path);
      const std::string state = text(now.at("state"));
      if (state == "succeeded") return now.at("result");
      if (state != "queued" && state != "running") throw std::runtime_error(json::serialize(now));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw std::runtime_error("a job does not end");
  }
  void restore(const std::string& archive, const std::string& mode) {
    const auto planned = done(
        api("POST", "/v1/restores",
            R"({"archive_id":")" + archive + R"(","everything":true,"mode":")" + mode + "\"}"));
    const std::string path = "/v1/restores/" + text(planned.at("restore_id"));
    const auto hash = text(api("GET", path).at("plan_hash"));
    done(api("POST", path + "/apply", R"({"plan_hash":")" + hash + "\"}"));
  }
  // By curl, whose arguments have the bearer: `more` goes before the address.
  testkit::Finished curl(const std::string& path, std::vector<std::string> more) {
    more.insert(more.begin(),
                {"curl", "-sS", "--fail-with-body", "-H", "Authorization: Bearer " + bearer_});
    more.push_back(service_->address() + path);
    auto finished = testkit::run(more);
    if (finished.status != 0) throw std::runtime_error(path + " " + finished.out + finished.err);
    return finished;
  }

  void archives_and_restores() {
    const auto archive =
        text(done(api("POST", "/v1/archives", R"({"rows":true,"audit":true})")).at("archive_id"));
    done(api("POST", "/v1/archives/" + archive + "/verify", "{}"));
    const std::string file = outside_ / "a.oa-archive";
    curl("/v1/archives/" + archive + "/content", {"-o", file});
    EXPECT_GT(fs::file_size(file), 10'000u);
    const auto begun =
        curl("/v1/uploads", {"-X", "POST", "-D", "-", "-H", "Tus-Resumable: 1.0.0", "-H",
                             "Upload-Length: " + std::to_string(fs::file_size(file))});
    const std::string mark = "/v1/uploads/";
    const std::string upload = begun.out.substr(begun.out.find(mark) + mark.size(), 36);
    curl(mark + upload,
         {"-X", "PATCH", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 0", "-H",
          "Content-Type: application/offset+octet-stream", "--data-binary", "@" + file});
    done(api("POST", "/v1/archives/from-upload", R"({"upload_id":")" + upload + "\"}"));
    restore(archive, "fork");
    run({"tenant", "import", archive, "--from-tenant", "Canary", "--name", "Second", "--owner",
         "o@second.example"});
    run({"archive", "diff", archive, "--tenant", "Canary"});
  }

  void datasets() {
    std::string csv = "id," + token_ + "_column\n";
    for (int i = 0; i < 3000; ++i)
      csv += std::to_string(i) + "," + token_ + "-cell-" + std::to_string(i) + "\n";
    const auto made = run({"dataset", "import", outside("rows.csv", csv), "--tenant", "Canary",
                           "--workspace", workspace_, "--name", "cells"});
    run({"dataset", "refresh", text(made.at("id")), "--tenant", "Canary"});
    testkit::SourceCluster source;
    source_folder_ = fs::path(source.sql("SHOW data_directory")).parent_path();
    watch_->add({source.password()});
    more_needles_.push_back(source.password());
    source.sql(
        "CREATE TABLE notes (id bigint PRIMARY KEY, note text); INSERT INTO notes SELECT i, '" +
        token_ + "-note' FROM generate_series(1, 3000) i; GRANT SELECT ON notes TO reader");
    run({"secret", "put", "notes", "--tenant", "Canary", "--kind", "postgres", "--file",
         outside("secret.json", source.secret_payload())});
    const auto model = outside(
        "notes.yaml",
        "dataset: notes\nsource: { type: postgres, ref: notes }\n"
        "tables: [{ name: notes, primary_key: id }]\n"
        "dimensions: [{ id: note, column: notes.note }]\nmeasures: [{ id: n, type: count }]\n");
    const auto notes = run({"dataset", "connect", "--tenant", "Canary", "--workspace", workspace_,
                            "--name", "notes", "--model", model, "--allow-private-networks"});
    const std::string id = text(notes.at("id"));
    EXPECT_EQ(run({"dataset", "refresh", id, "--tenant", "Canary", "--allow-private-networks"})
                  .at("row_count"),
              3000);
    run({"dataset", "query", id, "--tenant", "Canary", "--query",
         R"({"dimensions":[{"id":"note"}],"measures":["n"]})"});
    run({"secret", "rewrap", "--tenant", "Canary"});
  }

  void reports_and_alerts() {
    std::size_t alerts = 0, reports = 0;
    const auto shown = run({"tenant", "show", "Canary"});
    for (const auto& asset : shown.at("assets").as_array()) {
      const std::string kind = text(asset.at("kind")), id = text(asset.at("id"));
      // Not of what was restored beside it: whoever made that has no role there.
      if (kind == "workspace" || text(asset.at("workspace_id")) != workspace_) continue;
      if (kind == "alert" && alerts++ < 3) run({"alert", "evaluate", id, "--tenant", "Canary"});
      if (kind == "report" && reports++ < 3) api("GET", "/v1/reports/" + id + "/data");
    }
    EXPECT_GT(alerts, 0u);
    EXPECT_GT(reports, 0u);
  }

  void continuity() {
    run({"continuity", "run", "full"});
    const auto archive = done(api("POST", "/v1/archives/from-moment",
                                  R"({"rows":true,"at":")" + Timestamp::now().rfc3339() + "\"}"));
    restore(text(archive.at("archive_id")), "fork");
    run({"continuity", "run", "incremental"});
    run({"continuity", "run", "verify"});
    run({"continuity", "run", "restore-check"});
  }

  void search_everything(const std::string& when) {
    std::vector<std::string> needles{token_};
    needles.insert(needles.end(), more_needles_.begin(), more_needles_.end());
    Search search(needles);
    search.in_folder(scratch_.path(), {"postgres"});  // no cluster at a moment lives now
    for (const auto& log : testkit::files_below(scratch_ / "data/postgres"))
      if (log.ends_with(".log")) search.in_file(log);
    EXPECT_EQ(search.found(), std::vector<std::string>{}) << when;
    EXPECT_GT(search.files(), 30u);
  }

  // What the store of the bucket holds, in its memory and in its files.
  void search_bucket() {
    if (!in_bucket()) return;
    Search search({token_});
    std::set<std::string> searched;
    for (const auto& [pid, program] : testkit::descendants()) {
      if (program != "ceph-osd" && program != "radosgw" && program != "ceph-mon") continue;
      search.in_memory_of(pid);
      searched.insert(program);
    }
    search.in_folder(fs::path(rgw::Gateway::shared().ca_file()).parent_path());
    EXPECT_EQ(searched.size(), 3u);
    EXPECT_GT(search.bytes(), 50u << 20);
    EXPECT_EQ(search.found(), std::vector<std::string>{});
  }

  const std::string token_ = new_token();
  testkit::Scratch scratch_, outside_;  // what the service has; what people have
  std::string was_in_, workspace_, bearer_, source_folder_;
  S3Settings store_;
  std::vector<std::string> config_, more_needles_;
  std::unique_ptr<testkit::Service> service_;
  std::unique_ptr<ProcessWatch> watch_;
};

TEST_P(CanaryDay, NothingCanBeReadOutsideOfMemoryAndOfPostgresOwnFolders) {
  write_config();
  watch_ = std::make_unique<ProcessWatch>(kOurs, scratch_.path(), kPostgresOwn,
                                          std::vector<std::string>{token_});
  start();
  ASSERT_NO_FATAL_FAILURE(plant());
  bearer_ = sign_in();
  watch_->add(more_needles_);
  archives_and_restores();
  datasets();
  reports_and_alerts();
  continuity();
  search_everything("while it runs");
  search_bucket();

  // Killed as by a crash: of a backend first, then of the service itself.
  int killed = 0;
  for (const auto& [pid, program] : testkit::descendants())
    if (testkit::contents_of("/proc/" + std::to_string(pid) + "/cmdline")
            .starts_with("postgres: checkpointer"))
      killed += ::kill(pid, SIGSEGV) == 0;
  EXPECT_EQ(killed, 1);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  service_->process().send(SIGSEGV);
  EXPECT_TRUE(service_->process().wait(30'000));
  EXPECT_EQ(service_->process().status(), 128 + SIGSEGV);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(core_dumps_in(scratch_.path()), std::vector<std::string>{});
  run({"continuity", "recover", "--to", "latest", "--into", scratch_ / "beside"});
  search_everything("after a crash and a recovery");

  EXPECT_EQ(watch_->found(), std::vector<std::string>{});
  auto elsewhere = watch_->written_elsewhere();
  std::erase_if(elsewhere, [this](const std::string& file) {  // the customer's own server
    return file.find(": " + source_folder_ + "/") != file.npos;
  });
  EXPECT_EQ(elsewhere, std::set<std::string>{});
  for (const char* program : {"oa-backup", "postgres", "pgbackrest"})
    EXPECT_TRUE(watch_->seen().contains(program)) << program;
  watch_.reset();
  // The search can find: what is excepted holds what was planted.
  Search own({token_});
  own.in_folder(scratch_ / "data/postgres");
  EXPECT_FALSE(own.found().empty());
}

INSTANTIATE_TEST_SUITE_P(Stores, CanaryDay, testing::Bool(),
                         [](const auto& info) { return info.param ? "Bucket" : "Folder"; });

// The search itself: each form is found, or the test above could not fail.

std::string gzipped(const std::string& text) {
  std::string out(compressBound(text.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST(SearchTest, EveryFormIsFoundAndNothingElse) {
  const std::string token = new_token();
  // Enough around it that a compressor does not store it as it is.
  std::string long_text;
  for (int i = 0; i < 200; ++i) long_text += "kan-" + token.substr(6, 8) + "," + token + "!";
  std::string wide, big;
  for (const char c : "x" + token) wide += {c, '\0'}, big += {'\0', c};
  std::vector<std::string> forms{token,
                                 wide,
                                 big,
                                 to_base64(as_bytes(token + "..")),
                                 to_base64(as_bytes("a" + token)),
                                 to_base64(as_bytes("ab" + token + "c")),
                                 to_base64(as_bytes("abc" + token)),
                                 to_hex(as_bytes(token)),
                                 "12345" + gzipped(long_text),
                                 "12345" + zstd(long_text),
                                 gzipped("...." + zstd(long_text) + std::string(100, 'x'))};
  testkit::Scratch scratch;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const std::string file = scratch / "planted";
    testkit::write_file(file, "before " + forms[i] + " behind");
    Search search({token});
    search.in_folder(scratch.path());
    EXPECT_FALSE(search.found().empty()) << "form " << i;
    Search other({new_token()});
    other.in_folder(scratch.path());
    EXPECT_TRUE(other.found().empty()) << "form " << i;
  }
  testkit::write_file(scratch / "planted", "");
  testkit::write_file(scratch / token, "");
  Search names({token});
  names.in_folder(scratch.path());
  EXPECT_EQ(names.found().size(), 1u);
  testkit::write_file(scratch / "excepted", "");
  fs::create_directory(scratch / "postgres");
  testkit::write_file(scratch / "postgres/x", token);
  Search except({token});
  except.in_folder(scratch / "postgres");
  EXPECT_EQ(except.found().size(), 1u);
}

TEST(SearchTest, WhatAProcessShowsAndWritesElsewhereIsSeen) {
  const std::string token = new_token();
  testkit::Scratch scratch, elsewhere;
  const std::string program = fs::canonical("/usr/bin/python3").filename();
  ProcessWatch watch({program}, scratch.path(), {"postgres"}, {token});
  const std::string script = "import sys,time,mmap;a=open('" + (elsewhere / "out") +
                             "','w');b=open('" + (scratch / "gone") +
                             "','w');b.write(sys.argv[1]);b.flush();import os;os.unlink('" +
                             (scratch / "gone") + "');time.sleep(1)";
  testkit::run({"env", "SECRET=" + token, "python3", "-c", script, token});
  std::string all;
  for (const auto& each : watch.found()) all += each + "\n";
  for (const char* where : {"arguments of", "environment of", "gone (deleted)"})
    EXPECT_NE(all.find(where), all.npos) << where << "\n" << all;
  EXPECT_EQ(watch.written_elsewhere().size(), 1u);
  Search memory({token});
  const testkit::Running process({"python3", "-c", "import sys,time;time.sleep(30)", token});
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  memory.in_memory_of(process.pid());
  EXPECT_FALSE(memory.found().empty());
}

TEST(SearchTest, ACoreDumpOfWhoAllowsOneIsFound) {
  if (testkit::contents_of("/proc/sys/kernel/core_pattern").find_first_of("|/") !=
      std::string::npos)
    return;  // the host's kernel gives it to a program, or puts it elsewhere
  testkit::Scratch scratch;
  const auto was_in = fs::current_path();
  fs::current_path(scratch.path());
  allow_core_dumps();
  testkit::run({"sh", "-c", "kill -SEGV $$"});
  fs::current_path(was_in);
  EXPECT_EQ(core_dumps_in(scratch.path()).size(), 1u);
}

}  // namespace
}  // namespace oa
