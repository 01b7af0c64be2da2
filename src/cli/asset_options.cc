#include <CLI/CLI.hpp>

#include "asset_commands.h"

namespace oa::cli {
namespace {

using analytics::Choice;
using analytics::DateOrder;
using analytics::FileFormat;
using analytics::TextEncoding;

class Binder {
 public:
  Binder(CLI::App& app, AssetOptions& options, const AddCommand& add)
      : app_(app), options_(options), add_(add) {}

  void datasets() {
    auto* dataset = group("dataset", "Import, refresh, query and describe datasets");
    tenant(command(dataset, "list", "List datasets with state and rows",
                   "oa-backup dataset list --tenant Demo", run_dataset_list));
    with_id(command(dataset, "show", "Columns, versions, source and last error of a dataset",
                    "oa-backup dataset show ID --tenant Demo", run_dataset_show));
    auto* made =
        command(dataset, "import", "Make a dataset from a CSV, .xlsx or .xls file",
                "oa-backup dataset import sales.csv --tenant Demo --workspace ID --name Sales",
                run_dataset_import);
    file(made);
    placed(made);
    made->add_option("--model", options_.model, "File with the semantic model; else one is made");
    auto* upload =
        command(dataset, "upload", "Give a dataset another file to have its rows from",
                "oa-backup dataset upload ID sales.csv --tenant Demo", run_dataset_upload);
    with_id(upload);
    file(upload);
    auto* connect = command(
        dataset, "connect", "Make a dataset over tables of a Postgres source",
        "oa-backup dataset connect --tenant Demo --workspace ID --name Sales --model m.yaml",
        run_dataset_connect);
    placed(connect);
    connect->add_option("--model", options_.model, "File with the model, which names the source")
        ->required();
    source(connect);
    auto* model =
        command(dataset, "model", "Print the semantic model, or save another one",
                "oa-backup dataset model ID --tenant Demo --save model.yaml", run_dataset_model);
    with_id(model);
    source(model);
    model->add_option("--save", options_.model, "File to save as the model");
    auto* refresh = command(dataset, "refresh", "Read all rows anew from original or source",
                            "oa-backup dataset refresh ID --tenant Demo", run_dataset_refresh);
    with_id(refresh);
    source(refresh);
    with_id(command(dataset, "pause", "Refuse refreshes",
                    "oa-backup dataset pause ID --tenant Demo", run_dataset_pause));
    with_id(command(dataset, "resume", "Allow refreshes again",
                    "oa-backup dataset resume ID --tenant Demo", run_dataset_resume));
    auto* query =
        command(dataset, "query", "Ask a dataset",
                R"(oa-backup dataset query ID --tenant Demo --query '{"measures":["revenue"]}')",
                run_dataset_query);
    with_id(query);
    query
        ->add_option("--query", options_.query,
                     "QueryRequest in JSON, @FILE, or - for standard input")
        ->required();
    query->add_option("--cursor", options_.cursor, "next_cursor of the page before");
    user(query);
    at(query);
    at(tenant(command(dataset, "expire-originals", "Remove originals that are older than a year",
                      "oa-backup dataset expire-originals --tenant Demo", run_dataset_expire)));
  }

  void reports() {
    auto* report = group("report", "List, open and share reports");
    tenant(command(report, "list", "List reports", "oa-backup report list --tenant Demo",
                   run_report_list));
    auto* open =
        command(report, "open", "Show every visual's data, as a person sees it",
                "oa-backup report open ID --tenant Demo --user ada@example.com", run_report_open);
    with_id(open);
    user(open);
    at(open);
    open->add_option("--bookmark", options_.bookmark, "Name or id of a bookmark");
    auto* share = shared(
        command(report, "share", "Let somebody open a report without a role in its workspace",
                "oa-backup report share ID --tenant Demo --with user:ada@example.com --role viewer",
                run_report_share));
    share->add_option("--role", options_.role, "viewer or editor")->required();
    shared(command(report, "unshare", "Take that back",
                   "oa-backup report unshare ID --tenant Demo --with user:ada@example.com",
                   run_report_unshare));
  }

  void alerts() {
    auto* alert = group("alert", "Evaluate alerts on demand");
    tenant(command(alert, "list", "List alerts", "oa-backup alert list --tenant Demo",
                   run_alert_list));
    at(with_id(command(alert, "evaluate", "Evaluate now, with a preview of the last 30 days",
                       "oa-backup alert evaluate ID --tenant Demo", run_alert_evaluate)));
    with_id(command(alert, "history", "What became of it each time",
                    "oa-backup alert history ID --tenant Demo", run_alert_history))
        ->add_option("--limit", options_.history, "How many, newest first")
        ->capture_default_str()
        ->check(CLI::Range(1, 500));
  }

  void secrets() {
    auto* secret = group("secret", "Credentials of sources; values go in and never come out");
    auto* put =
        command(secret, "put", "Keep a new secret",
                "oa-backup secret put warehouse --tenant Demo --kind postgres --file w.json",
                run_secret_put);
    named(put);
    put->add_option("--kind", options_.kind, "postgres, cloud_key or saml_certificate")->required();
    value(put);
    auto* rotate = command(secret, "rotate", "Give a secret another value",
                           "oa-backup secret rotate warehouse --tenant Demo --file new.json",
                           run_secret_rotate);
    named(rotate);
    value(rotate);
    tenant(command(secret, "list", "Names, kinds and dates; never values",
                   "oa-backup secret list --tenant Demo", run_secret_list));
    named(command(secret, "remove", "Remove a secret",
                  "oa-backup secret remove warehouse --tenant Demo", run_secret_remove))
        ->add_flag("--force", options_.force, "Even while a dataset names it");
    tenant(command(secret, "rewrap",
                   "Seal all secrets under the newest version of the tenant's key",
                   "oa-backup secret rewrap --tenant Demo", run_secret_rewrap));
  }

 private:
  using Run = Status (*)(const Context&, const AssetOptions&);

  CLI::App* group(const std::string& name, const std::string& what) {
    auto* group = app_.add_subcommand(name, what);
    group->require_subcommand(1);
    group->fallthrough();
    return group;
  }
  CLI::App* command(CLI::App* parent, const std::string& name, const std::string& what,
                    const std::string& example, Run run) {
    return add_(parent, name, what, example, [this_options = &options_, run](const Context& c) {
      return run(c, *this_options);
    });
  }
  CLI::App* tenant(CLI::App* sub) {
    sub->add_option("--tenant", options_.tenant, "Id or name")->required();
    return sub;
  }
  CLI::App* with_id(CLI::App* sub) {
    sub->add_option("id", options_.id, "Id; `oa-backup tenant show` lists them")->required();
    return tenant(sub);
  }
  CLI::App* shared(CLI::App* sub) {
    sub->add_option("--with", options_.with, "user:E-MAIL or team:NAME; an id does as well")
        ->required();
    return with_id(sub);
  }
  CLI::App* named(CLI::App* sub) {
    sub->add_option("name", options_.name, "What a model's source.ref calls it")->required();
    return tenant(sub);
  }
  void value(CLI::App* sub) {
    sub->add_option("--file", options_.file, "JSON file with the value; - for standard input")
        ->required();
  }
  void user(CLI::App* sub) {
    sub->add_option("--user", options_.user, "For whom, id or e-mail; else the first Owner");
  }
  CLI::App* at(CLI::App* sub) {
    sub->add_option("--at", options_.at, "Moment to count as now, RFC 3339");
    return sub;
  }
  void source(CLI::App* sub) {
    sub->add_flag("--allow-private-networks", options_.allow_private_networks,
                  "The source may be at a private or loopback address");
  }
  void placed(CLI::App* sub) {
    tenant(sub);
    sub->add_option("--workspace", options_.workspace, "Id")->required();
    sub->add_option("--name", options_.name, "Name of the dataset")->required();
    sub->add_option("--user", options_.user, "Who makes it, id or e-mail; else the first Owner");
  }
  void file(CLI::App* sub) {
    sub->add_option("file", options_.file, "File")->required();
    auto& file = options_.import;
    choice<FileFormat>(sub, "--format", file.format,
                       {{"auto", FileFormat::kAuto},
                        {"csv", FileFormat::kCsv},
                        {"xlsx", FileFormat::kXlsx},
                        {"xls", FileFormat::kXls}},
                       "What the file is");
    choice<TextEncoding>(sub, "--encoding", file.encoding,
                         {{"auto", TextEncoding::kAuto},
                          {"utf-8", TextEncoding::kUtf8},
                          {"latin1", TextEncoding::kLatin1},
                          {"utf-16le", TextEncoding::kUtf16Le},
                          {"utf-16be", TextEncoding::kUtf16Be}},
                         "Of a CSV file");
    const std::map<std::string, Choice> choices = {
        {"auto", Choice::kAuto}, {"yes", Choice::kYes}, {"no", Choice::kNo}};
    choice<Choice>(sub, "--header", file.header, choices,
                   "Whether the first line names the columns");
    choice<Choice>(sub, "--decimal-comma", file.decimal_comma, choices,
                   "Whether numbers are written 1.234,56");
    choice<DateOrder>(
        sub, "--date-order", file.date_order,
        {{"none", DateOrder::kNone}, {"dmy", DateOrder::kDmy}, {"mdy", DateOrder::kMdy}},
        "Of dates like 03/04/2024");
    sub->add_option("--delimiter", options_.delimiter, "One character, or tab; else guessed");
    sub->add_option("--null", file.null_texts, "Text that means an empty cell; may be repeated")
        ->take_all();
    sub->add_option("--sheet", file.sheet, "Of a workbook; else the first");
  }
  template <class Enum>
  void choice(CLI::App* sub, const std::string& name, Enum& value,
              const std::map<std::string, Enum>& texts, const std::string& what) {
    std::string listed;
    for (const auto& [text, each] : texts) listed += (listed.empty() ? "" : ", ") + text;
    sub->add_option_function<std::string>(
           name, [&value, texts](const std::string& text) { value = texts.at(text); },
           what + ": " + listed)
        ->check(CLI::IsMember(texts).description(""));
  }

  CLI::App& app_;
  AssetOptions& options_;
  const AddCommand& add_;
};

}  // namespace

void add_asset_commands(CLI::App& app, AssetOptions& options, const AddCommand& add) {
  Binder binder(app, options, add);
  binder.datasets();
  binder.reports();
  binder.alerts();
  binder.secrets();
}

}  // namespace oa::cli
