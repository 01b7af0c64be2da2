#include <fmt/format.h>

#include <boost/json.hpp>
#include <iostream>

#include "asset_commands.h"
#include "oa/base/io.h"
#include "oa/catalog/repositories.h"
#include "oa/datasets/datasets.h"
#include "oa/reports/dataset_reader.h"
#include "oa/reports/viewer.h"

namespace oa::cli {
namespace {

constexpr std::size_t kMaxQueryBytes = std::size_t{1} << 20;
const datasets::Actor kOperator{"operator", std::nullopt, "", {}};

datasets::DatasetService service_of(const OpenTenant& opened, const AssetOptions& options) {
  datasets::Services services{
      opened.instance->database(), opened.instance->objects(), opened.instance->keys(), {}};
  services.policy.allow_private_networks = options.allow_private_networks;
  return {services, opened.tenant.id};
}

json::object to_json(const catalog::Dataset& dataset) {
  json::object object{{"id", dataset.id.str()},
                      {"name", dataset.name},
                      {"workspace_id", dataset.workspace_id.str()},
                      {"mode", catalog::to_text(dataset.mode)},
                      {"state", catalog::to_text(dataset.state)},
                      {"row_count", dataset.row_count},
                      {"size_bytes", dataset.size_bytes},
                      {"version", dataset.versions.empty() ? 0 : dataset.versions.back().version},
                      {"source_ref", nullptr},
                      {"last_refresh_at", nullptr}};
  if (dataset.source_ref) object["source_ref"] = *dataset.source_ref;
  if (dataset.last_refresh_at) object["last_refresh_at"] = dataset.last_refresh_at->rfc3339();
  return object;
}

void show_made(const Context& context, const catalog::Dataset& dataset, std::string_view what) {
  context.output.document(to_json(dataset));
  context.output.line(fmt::format("dataset {} {}: {}, {} rows, version {}", dataset.name, what,
                                  dataset.id.str(), dataset.row_count,
                                  dataset.versions.empty() ? 0 : dataset.versions.back().version));
}

Result<std::string> text_of(const std::string& file, std::uint64_t limit) {
  OA_ASSIGN(const Bytes bytes, read_file(file, limit));
  return std::string(as_text(bytes));
}

Result<datasets::NewDataset> new_dataset(const OpenTenant& opened, const AssetOptions& options) {
  datasets::NewDataset dataset;
  OA_ASSIGN(dataset.workspace, WorkspaceId::parse(options.workspace));
  dataset.name = options.name;
  OA_ASSIGN(auto transaction,
            opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(dataset.created_by, chosen_user(transaction, options.user));
  if (!options.model.empty()) {
    OA_ASSIGN(dataset.model_yaml, text_of(options.model, semantics::kMaxModelBytes));
  }
  return dataset;
}

Result<char> delimiter_of(const std::string& text) {
  if (text.empty()) return '\0';
  if (text == "tab") return '\t';
  if (text.size() == 1) return text[0];
  return make_error(ErrorCode::kInvalidArgument, "dataset.import",
                    "a delimiter is one character, or tab");
}

// The lines that keep a file out, one below the other.
void show_rejected(const Context& context, const analytics::RejectedRows& rejected) {
  for (const auto& row : rejected.rows)
    context.output.line(fmt::format("line {} {}", row.line, row.reason));
  if (rejected.total > rejected.rows.size())
    context.output.line(fmt::format("… {} lines in all", rejected.total));
  json::array rows;
  for (const auto& row : rejected.rows)
    rows.push_back(json::object{{"line", row.line}, {"reason", row.reason}});
  if (rejected.total > 0) {
    context.output.document(
        json::object{{"rejected", std::move(rows)}, {"rejected_total", rejected.total}});
  }
}

Result<json::value> query_of(const std::string& text) {
  JsonLimits limits;
  limits.max_bytes = kMaxQueryBytes;
  if (text.starts_with('@')) {
    OA_ASSIGN(const std::string file, text_of(text.substr(1), kMaxQueryBytes));
    return parse_json(file, limits);
  }
  if (text != "-") return parse_json(text, limits);
  std::string all(kMaxQueryBytes + 1, '\0');
  std::cin.read(all.data(), static_cast<std::streamsize>(all.size()));
  all.resize(static_cast<std::size_t>(std::cin.gcount()));
  return parse_json(all, limits);
}

}  // namespace

Result<OpenTenant> open_tenant(const Context& context, const AssetOptions& options) {
  OpenTenant opened;
  OA_ASSIGN(opened.instance, open_instance(context.options, false));
  OA_ASSIGN(opened.tenant, opened.instance->database().find_tenant(options.tenant));
  return opened;
}

Result<UserId> chosen_user(catalog::TenantTransaction& transaction, const std::string& user) {
  OA_ASSIGN(const auto users, catalog::Users(transaction).list());
  for (const auto& each : users) {
    if (user.empty() ? each.owner && each.active : each.id.str() == user || each.email == user)
      return each.id;
  }
  return make_error(
             ErrorCode::kNotFound, "user",
             user.empty() ? "the tenant has no active Owner" : "no user has this id or e-mail")
      .with_hint("name one with --user");
}

Status run_dataset_list(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(auto transaction,
            opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(transaction).list());
  for (const auto& workspace : workspaces) {
    OA_ASSIGN(const auto datasets, catalog::Datasets(transaction).list(workspace.id));
    for (const auto& dataset : datasets) {
      items.push_back(to_json(dataset));
      rows.push_back({dataset.id.str(), dataset.name, std::string(catalog::to_text(dataset.state)),
                      std::to_string(dataset.row_count),
                      dataset.last_refresh_at ? dataset.last_refresh_at->rfc3339() : "never"});
    }
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"id", "name", "state", "rows", "refreshed"}, rows,
                       "no datasets yet; make one with `oa-backup dataset import FILE`");
  return {};
}

Status run_dataset_show(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, DatasetId::parse(options.id));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto dataset, service_of(opened, options).get(id));
  OA_ASSIGN(auto transaction,
            opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto source, catalog::DatasetSources(transaction).get(id));
  json::object document = to_json(dataset);
  json::array versions;
  std::vector<std::vector<std::string>> rows;
  for (const auto& version : dataset.versions) {
    json::array columns;
    for (const auto& column : version.columns) {
      columns.push_back(json::object{{"name", column.name}, {"type", column.type}});
      rows.push_back({std::to_string(version.version), column.name, column.type});
    }
    versions.push_back(json::object{{"version", version.version},
                                    {"created_at", version.created_at.rfc3339()},
                                    {"columns", std::move(columns)}});
  }
  document["versions"] = std::move(versions);
  document["original_kept"] = source.original.has_value();
  document["last_failure"] = nullptr;
  context.output.line(fmt::format("{}: {}, {} rows, {}", dataset.name,
                                  catalog::to_text(dataset.state), dataset.row_count,
                                  format_size(dataset.size_bytes)));
  if (source.last_failure) {
    document["last_failure"] = json::object{{"code", source.last_failure->code},
                                            {"message", source.last_failure->message}};
    context.output.line(fmt::format("the last refresh failed: {} [{}]",
                                    source.last_failure->message, source.last_failure->code));
  }
  context.output.document(document);
  context.output.table({"version", "column", "type"}, rows, "it was not refreshed yet");
  return {};
}

Status run_dataset_import(const Context& context, const AssetOptions& options) {
  analytics::FileOptions file_options = options.import;
  OA_ASSIGN(file_options.delimiter, delimiter_of(options.delimiter));
  OA_ASSIGN(const auto file, FileSource::open(options.file));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto dataset, new_dataset(opened, options));
  analytics::RejectedRows rejected;
  const auto made =
      service_of(opened, options)
          .import_file(dataset, *file, file_options, rejected, kOperator, context.progress);
  if (!made.ok()) {
    show_rejected(context, rejected);
    return made.error();
  }
  show_made(context, *made, "imported");
  return {};
}

Status run_dataset_upload(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, DatasetId::parse(options.id));
  analytics::FileOptions file_options = options.import;
  OA_ASSIGN(file_options.delimiter, delimiter_of(options.delimiter));
  OA_ASSIGN(const auto file, FileSource::open(options.file));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  analytics::RejectedRows rejected;
  const auto replaced =
      service_of(opened, options)
          .replace_file(id, *file, file_options, rejected, kOperator, context.progress);
  if (!replaced.ok()) {
    show_rejected(context, rejected);
    return replaced.error();
  }
  show_made(context, *replaced, "has the rows of the file");
  return {};
}

Status run_dataset_connect(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto dataset, new_dataset(opened, options));
  OA_ASSIGN(const auto made,
            service_of(opened, options).create_from_source(dataset, kOperator, context.progress));
  show_made(context, made, "connected; refresh it to have rows");
  return {};
}

Status run_dataset_model(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, DatasetId::parse(options.id));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  auto service = service_of(opened, options);
  if (options.model.empty()) {
    OA_ASSIGN(const auto dataset, service.get(id));
    context.output.document(json::object{{"id", dataset.id.str()}, {"model", dataset.model_yaml}});
    return context.output.json() ? Status() : Output::write(as_bytes(dataset.model_yaml));
  }
  OA_ASSIGN(const auto text, text_of(options.model, semantics::kMaxModelBytes));
  OA_ASSIGN(const auto saved, service.save_model(id, text, kOperator, context.progress));
  show_made(context, saved, "has another model");
  return {};
}

Status run_dataset_refresh(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, DatasetId::parse(options.id));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto refreshed,
            service_of(opened, options).refresh(id, kOperator, context.progress));
  show_made(context, refreshed, "refreshed");
  return {};
}

Status run_dataset_pause(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, DatasetId::parse(options.id));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto dataset, service_of(opened, options).pause(id, kOperator));
  show_made(context, dataset, "paused");
  return {};
}

Status run_dataset_resume(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, DatasetId::parse(options.id));
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto dataset, service_of(opened, options).resume(id, kOperator));
  show_made(context, dataset, "resumed");
  return {};
}

Status run_dataset_query(const Context& context, const AssetOptions& options) {
  OA_ASSIGN(const auto id, DatasetId::parse(options.id));
  OA_ASSIGN(const auto document, query_of(options.query));
  OA_ASSIGN(const auto request, semantics::decode_query(document, "query"));
  reports::AskOptions ask;
  ask.now = Timestamp::now();
  if (!options.at.empty()) {
    OA_ASSIGN(ask.now, Timestamp::parse(options.at));
  }
  if (!options.cursor.empty()) ask.cursor = options.cursor;
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(auto transaction,
            opened.instance->database().begin(opened.tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(auto dataset, catalog::Datasets(transaction).get(id));
  OA_ASSIGN(const auto user, chosen_user(transaction, options.user));
  OA_ASSIGN(const auto viewer, reports::reader_of(transaction, user, dataset.workspace_id));
  OA_ASSIGN(const auto reader, reports::DatasetReader::open(opened.instance->objects(),
                                                            opened.tenant.id, std::move(dataset)));
  OA_ASSIGN(const auto answer, reader->ask(request, viewer, ask, context.progress));
  const json::value answered = reports::to_json(answer);
  context.output.document(answered);
  show_answer(context, answered);
  return {};
}

Status run_dataset_expire(const Context& context, const AssetOptions& options) {
  Timestamp now = Timestamp::now();
  if (!options.at.empty()) {
    OA_ASSIGN(now, Timestamp::parse(options.at));
  }
  OA_ASSIGN(const auto opened, open_tenant(context, options));
  OA_ASSIGN(const auto removed,
            service_of(opened, options).expire_originals(now, kOperator, context.progress));
  context.output.document(json::object{{"removed", removed}});
  context.output.line(fmt::format("{} originals removed", removed));
  return {};
}

}  // namespace oa::cli
