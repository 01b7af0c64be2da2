#include "cluster_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "oa/instance/cluster_setup.h"

namespace oa::cli {

Status run_cluster_setup(const Context& context, const ClusterSetupOptions& options) {
  instance::Settings settings;
  OA_TRY(read_place(context.options, settings));
  if (!settings.deployment.cluster.has_value()) {
    return make_error(ErrorCode::kInvalidArgument, "cluster.setup", "no cluster is named")
        .with_hint("give --config FILE with a section `cluster`");
  }
  settings.create = settings.continuous = true;
  settings.continuity_folder = options.continuity_folder;
  OA_ASSIGN(const auto setup,
            instance::set_up_cluster(settings, {options.superuser, options.superuser_passfile,
                                                  options.replace_archiving}));
  json::array steps;
  for (const auto& [what, changed] : setup.steps) {
    steps.push_back(json::object{{"what", what}, {"changed", changed}});
    context.output.line(fmt::format("{:<8} {}", changed ? "made" : "was so", what));
  }
  json::array pending(setup.pending_restarts.begin(), setup.pending_restarts.end());
  context.output.document(json::object{{"leader", setup.leader},
                                       {"steps", std::move(steps)},
                                       {"archive_command", setup.archive_command},
                                       {"cell", setup.cell_folder},
                                       {"pending_restarts", std::move(pending)}});
  context.output.line("every node archives with: " + setup.archive_command);
  context.output.line("its file says: \"cell\": " +
                      json::serialize(json::string(setup.cell_folder)));
  if (!setup.pending_restarts.empty()) {
    context.output.line(
        fmt::format("restart these members, one after the other, with `patronictl restart`: {}",
                    fmt::join(setup.pending_restarts, ", ")));
  }
  context.output.line(fmt::format("then serve it: oa-backup serve --config {} --data {}",
                                  shell_word(context.options.config_file),
                                  shell_word(context.options.data_folder)));
  return {};
}

}  // namespace oa::cli
