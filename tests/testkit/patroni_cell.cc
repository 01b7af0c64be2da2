#include "testkit/patroni_cell.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "oa/continuity/node.h"
#include "oa/continuity/scratch_cluster.h"
#include "oa/keys/local_key_service.h"

namespace oa::testkit {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::set<std::int64_t> numbers(const std::vector<std::string>& values) {
  std::set<std::int64_t> found;
  for (const auto& value : values) found.insert(std::stoll(value));
  return found;
}

}  // namespace

PatroniCell::PatroniCell()
    : cell_folder_(nodes_.scratch() + "/cell"),
      node_keys_(nodes_.scratch() + "/node-keys"),
      node_file_(nodes_.scratch() + "/node.json") {
  const std::string keys = nodes_.scratch() + "/keys";
  fs::create_directory(keys);
  keys_ = LocalKeyService::create(keys + "/keystore", {keys + "/root.key", {}}).value();
  for (const int node : {1, 2}) {
    continuity::CellSettings settings;
    settings.folder = cell_folder_;
    settings.create = true;
    settings.node = continuity::NodeServer{nodes_.data(node), nodes_.folder(node),
                                           std::to_string(nodes_.port(node))};
    cells_[node - 1] = continuity::Cell::open(settings, *keys_).value();
  }
  const auto copied =
      oa({"node-keys", "--cell", cell_folder_, "--keys", keys, "--into", node_keys_});
  OA_ASSERT(copied.status == 0);
  std::ofstream(node_file_) << fmt::format("{{\"cell\": \"{}\", \"keys\": \"{}\"}}\n", cell_folder_,
                                           node_keys_);
  nodes_.configure(options());
}

PatroniOptions PatroniCell::options(const std::string& dcs, const std::string& bootstrap) const {
  return {.dcs = "    slots: {oa_receiver: {type: physical}}\n" + dcs,
          .parameters = fmt::format("        archive_mode: 'on'\n        archive_timeout: 60\n"
                                    "        archive_command: '{}'\n"
                                    "        max_slot_wal_keep_size: 4GB\n",
                                    continuity::node_archive_command(OA_BACKUP, node_file_)),
          .bootstrap = bootstrap,
          .postgresql = {}};
}

void PatroniCell::start_receiver() {
  log_ = cell().open_log(wal::Access::kWrite).value();
  wal::ReceiverSettings settings;
  settings.conninfo = nodes_.conninfo("repl", "b");
  settings.longest_pause = milliseconds(500);
  receiver_ = wal::Receiver::start(std::move(settings), *log_).value();
}

bool PatroniCell::caught_up() {
  const auto end = wal::Lsn::parse(value(nodes_.conninfo(), "SELECT pg_current_wal_flush_lsn()"));
  return end.ok() && receiver_->wait_for(*end, milliseconds(30'000));
}

Finished PatroniCell::on_node(int node, std::vector<std::string> arguments) const {
  const auto& account = nodes_.account();
  std::vector<std::string> command = {"/usr/bin/env", "-C", nodes_.data(node)};
  if (account.other)
    command = {"/usr/bin/env",
               "-C",
               fs::exists(nodes_.data(node)) ? nodes_.data(node) : nodes_.folder(node),
               "/usr/bin/setpriv",
               "--reuid=" + account.name,
               "--regid=" + std::to_string(account.gid),
               "--init-groups"};
  command.emplace_back(OA_BACKUP);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command);
}

std::set<std::int64_t> PatroniCell::rows_at(const continuity::Target& target) {
  const auto tail = cell().open_tail().value();
  const auto restored = continuity::ScratchCluster::restore(
      cell().repository(), {.tail = tail.get(), .program = OA_BACKUP}, cell().scratch_folder(),
      {.target = target}, no_progress());
  if (!restored.ok())
    throw std::runtime_error(restored.error().message + " | " + restored.error().cause);
  const auto& settings = (*restored)->settings();
  return numbers(column(
      fmt::format("host={} port={} user=postgres dbname=postgres", settings.host, settings.port),
      "SELECT n FROM t"));
}

std::set<std::int64_t> PatroniCell::rows_now() const {
  return numbers(column(nodes_.conninfo(), "SELECT n FROM t"));
}

Writer::Writer(std::string conninfo, std::int64_t first)
    : conninfo_(std::move(conninfo)), thread_([this, first] { write(first); }) {}

void Writer::write(std::int64_t first) {
  auto connection = connect(conninfo_);
  for (std::int64_t row = first; !stop_; ++row) {
    const std::string sql = fmt::format("INSERT INTO t VALUES ({})", row);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(connection.get(), sql.c_str()), &PQclear);
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
      const std::lock_guard guard(mutex_);
      acknowledged_.insert(row);
    } else {
      std::this_thread::sleep_for(milliseconds(100));
      connection = connect(conninfo_);
    }
  }
}

std::set<std::int64_t> Writer::acknowledged() const {
  const std::lock_guard guard(mutex_);
  return acknowledged_;
}

std::set<std::int64_t> Writer::finish() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  return acknowledged();
}

}  // namespace oa::testkit
