#include "privacy_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "oa/accounts/people.h"
#include "oa/base/io.h"
#include "oa/operations/privacy.h"

namespace oa::cli {
namespace {

constexpr auto kDay = std::chrono::hours(24);

struct Opened {
  std::unique_ptr<instance::Instance> instance;
  catalog::Tenant tenant;
};

Result<Opened> open(const Context& context, const PrivacyOptions& options) {
  Opened opened;
  OA_ASSIGN(opened.instance, open_instance(context.options, false));
  OA_ASSIGN(opened.tenant, opened.instance->database().find_tenant(options.tenant));
  return opened;
}

Result<catalog::User> person_of(const Opened& opened, const PrivacyOptions& options) {
  return accounts::find_person(opened.instance->database(), opened.tenant.id, options.person);
}

Result<Uuid> id_of(const PrivacyOptions& options, const char* list) {
  auto id = Uuid::parse(options.id);
  if (id.ok()) return id;
  return make_error(ErrorCode::kInvalidArgument, "privacy", "that is no id")
      .with_hint(fmt::format("`oa-backup privacy {} --tenant NAME` shows them", list));
}

json::object to_json(const privacy::Counts& counts) {
  json::object document;
  for (const auto& [what, count] : counts) document[what] = count;
  return document;
}

json::value moment(const std::optional<Timestamp>& at) {
  return at.has_value() ? json::value(at->rfc3339()) : json::value(nullptr);
}

json::object to_json(const privacy::PersonalExport& record) {
  return {{"id", record.id.str()},
          {"user_id", record.user.str()},
          {"state", privacy::to_text(record.state)},
          {"requested_at", record.requested_at.rfc3339()},
          {"expires_at", moment(record.expires_at)},
          {"size_bytes", record.size_bytes.has_value() ? json::value(*record.size_bytes) : nullptr},
          {"downloads", record.downloads},
          {"counts", record.counts.value()}};
}

json::object to_json(const privacy::ErasureRecord& record) {
  return {{"id", record.id.str()},
          {"user_id", record.user.str()},
          {"state", privacy::to_text(record.state)},
          {"requested_at", record.requested_at.rfc3339()},
          {"execute_at", record.execute_at.rfc3339()},
          {"erased_at", moment(record.erased_at)},
          {"ledger_number",
           record.ledger_number.has_value() ? json::value(*record.ledger_number) : nullptr},
          {"effects", to_json(record.effects)}};
}

std::string words(const privacy::Counts& counts) {
  std::string text;
  for (const auto& [what, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  return text.empty() ? "nothing" : text;
}

NewAuditEvent download_event(const privacy::PersonalExport& record) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "operator";
  event.action = "privacy.export.download";
  event.resource_type = "user";
  event.resource_id = record.user.str();
  event.detail = JsonText::of(json::object{{"export_id", record.id.str()}});
  return event;
}

Status save(instance::Instance& instance, TenantId tenant, const privacy::PersonalExport& record,
            const std::string& path) {
  OA_ASSIGN(const auto source, operations::open_export(instance, tenant, record));
  OA_ASSIGN(const auto file, AtomicFileSink::create(path, false, 0600));
  OA_TRY(copy_all(*source, *file));
  OA_TRY(operations::count_download(instance, tenant, record, download_event(record)));
  return file->commit();
}

Status run_export(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(const auto person, person_of(opened, options));
  OA_ASSIGN(const auto record,
            operations::export_person(*opened.instance, opened.tenant.id, Uuid::random(), person.id,
                                      {}, context.progress));
  if (!options.output.empty())
    OA_TRY(save(*opened.instance, opened.tenant.id, record, options.output));
  context.output.document(to_json(record));
  context.output.line(fmt::format("export {}: {} bytes, offered until {}", record.id.str(),
                                  record.size_bytes.value_or(0), record.expires_at->rfc3339()));
  if (!options.output.empty())
    context.output.line(fmt::format("saved as {}; whoever holds the file can read it", options.output));
  else
    context.output.line(fmt::format("`oa-backup privacy download {} --tenant {} --output FILE` saves it",
                                    record.id.str(), shell_word(opened.tenant)));
  return {};
}

Status run_download(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto id, id_of(options, "exports"));
  OA_ASSIGN(const auto opened, open(context, options));
  privacy::PersonalExport record;
  {
    OA_ASSIGN(auto snapshot, opened.instance->database().begin(opened.tenant.id,
                                                               catalog::Isolation::kSnapshot));
    OA_ASSIGN(record, privacy::PersonalExports(snapshot).get(id));
  }
  OA_TRY(save(*opened.instance, opened.tenant.id, record, options.output));
  context.output.document(json::object{{"file", options.output}, {"export", to_json(record)}});
  context.output.line(fmt::format("saved as {}; whoever holds the file can read it", options.output));
  return {};
}

Status run_exports(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(auto snapshot, opened.instance->database().begin(opened.tenant.id,
                                                             catalog::Isolation::kSnapshot));
  std::optional<UserId> of;
  if (!options.person.empty()) {
    OA_ASSIGN(const auto person, person_of(opened, options));
    of = person.id;
  }
  OA_ASSIGN(const auto records, privacy::PersonalExports(snapshot).page(of, {}, 1000));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& record : records) {
    items.push_back(to_json(record));
    rows.push_back({record.id.str(), record.user.str(), std::string(privacy::to_text(record.state)),
                    record.requested_at.rfc3339(),
                    record.expires_at.has_value() ? record.expires_at->rfc3339() : "",
                    std::to_string(record.downloads)});
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"id", "person", "state", "asked for", "offered until", "downloads"}, rows,
                       "no exports yet; make one with `oa-backup privacy export EMAIL`");
  return {};
}

Result<privacy::Preview> look(const Opened& opened, UserId user) {
  OA_ASSIGN(auto snapshot, opened.instance->database().begin(opened.tenant.id,
                                                             catalog::Isolation::kSnapshot));
  return privacy::preview_erasure(snapshot, user);
}

json::object to_json(const privacy::Preview& preview) {
  json::array archives;
  for (const auto& archive : preview.archives)
    archives.push_back(json::object{{"id", archive.id.str()},
                                    {"snapshot_time", archive.snapshot_time.rfc3339()},
                                    {"expires_at", moment(archive.expires_at)}});
  json::object assets;
  for (const auto& [kind, count] : preview.assets) assets[kind] = count;
  return {{"user_id", preview.user.id.str()},   {"erased", preview.erased},
          {"last_owner", preview.last_owner},   {"effects", to_json(preview.effects)},
          {"assets", std::move(assets)},        {"archives", std::move(archives)}};
}

void tell(const Output& output, const privacy::Preview& preview) {
  output.line(fmt::format("removed or redacted: {}", words(preview.effects)));
  output.line(fmt::format("kept, by \"Erased user\": {}",
                          words(preview.assets)));
  output.line(fmt::format("stored archives that may hold the person: {}", preview.archives.size()));
  for (const auto& archive : preview.archives)
    output.line(fmt::format("  {} of {}, {}", archive.id.str(), archive.snapshot_time.rfc3339(),
                            archive.expires_at.has_value()
                                ? "removed at " + archive.expires_at->rfc3339()
                                : "until somebody deletes it"));
}

Status run_preview(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(const auto person, person_of(opened, options));
  OA_ASSIGN(const auto preview, look(opened, person.id));
  context.output.document(to_json(preview));
  tell(context.output, preview);
  if (preview.last_owner) context.output.line("the last Owner cannot be erased");
  return {};
}

Status run_erase(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(const auto person, person_of(opened, options));
  OA_ASSIGN(auto eraser, operations::eraser_of(*opened.instance));
  OA_ASSIGN(const auto settings, eraser.settings(opened.tenant.id));
  const int days = options.wait_days.value_or(static_cast<int>(settings.cooling_off_days));
  if (!options.yes) {
    OA_ASSIGN(const auto preview, look(opened, person.id));
    tell(context.output, preview);
    OA_TRY(confirm(context.output, opened.tenant,
                   days == 0 ? "to erase this person for good" : "to have this person erased",
                   make_error(ErrorCode::kInvalidArgument, "privacy.erase",
                              "nobody is there to confirm; this cannot be taken back")
                       .with_hint("look at `oa-backup privacy preview` and add --yes")));
  }
  OA_ASSIGN(auto record, eraser.request(opened.tenant.id, person.id, std::nullopt, days * kDay, ""));
  if (days == 0 && record.state == privacy::ErasureState::kScheduled) {
    OA_ASSIGN(record, operations::erase_person(*opened.instance, opened.tenant.id, record.id, "",
                                               context.progress));
  }
  context.output.document(to_json(record));
  if (record.state == privacy::ErasureState::kScheduled) {
    context.output.line(fmt::format("erasure {} waits until {}", record.id.str(),
                                    record.execute_at.rfc3339()));
    context.output.line(fmt::format("`oa-backup privacy cancel {} --tenant {}` takes it back",
                                    record.id.str(), shell_word(opened.tenant)));
    return {};
  }
  context.output.line(fmt::format("erasure {} is done, entry {} of the ledger: {}", record.id.str(),
                                  record.ledger_number.value_or(0), words(record.effects)));
  context.output.line(fmt::format("`oa-backup privacy certificate {} --tenant {}` shows the certificate",
                                  record.id.str(), shell_word(opened.tenant)));
  return {};
}

Status run_erasures(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(auto eraser, operations::eraser_of(*opened.instance));
  OA_ASSIGN(const auto records, eraser.list(opened.tenant.id));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& record : records) {
    items.push_back(to_json(record));
    rows.push_back({record.id.str(), record.user.str(), std::string(privacy::to_text(record.state)),
                    record.requested_at.rfc3339(), record.execute_at.rfc3339()});
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"id", "person", "state", "asked for", "to be done"}, rows,
                       "nobody was erased, and nobody is to be");
  return {};
}

Status run_cancel(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto id, id_of(options, "erasures"));
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(auto eraser, operations::eraser_of(*opened.instance));
  OA_ASSIGN(const auto record, eraser.cancel(opened.tenant.id, id, std::nullopt, ""));
  context.output.document(to_json(record));
  context.output.line(fmt::format("erasure {} was cancelled; the person stays", record.id.str()));
  return {};
}

Status run_certificate(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto id, id_of(options, "erasures"));
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(auto eraser, operations::eraser_of(*opened.instance));
  OA_ASSIGN(const auto record, eraser.get(opened.tenant.id, id));
  if (record.state != privacy::ErasureState::kDone) {
    return make_error(ErrorCode::kConflict, "privacy.certificate", "the person is not erased")
        .with_hint("there is a certificate once the erasure is done");
  }
  if (!options.output.empty()) {
    OA_ASSIGN(const auto file, AtomicFileSink::create(options.output, false, 0600));
    OA_TRY(file->write(as_bytes(record.certificate.str())));
    OA_TRY(file->commit());
    context.output.document(json::object{{"file", options.output}});
    context.output.line(fmt::format("saved as {}", options.output));
    return {};
  }
  context.output.document(record.certificate.value());
  context.output.line(record.certificate.str());
  return {};
}

Status run_settings(const Context& context, const PrivacyOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(auto eraser, operations::eraser_of(*opened.instance));
  OA_ASSIGN(auto settings, eraser.settings(opened.tenant.id));
  const auto before = settings;
  if (!options.archives.empty())
    settings.archives = options.archives == "list" ? privacy::ArchivePolicy::kList
                                                   : privacy::ArchivePolicy::kRewrite;
  if (options.wait_days.has_value())
    settings.cooling_off_days = static_cast<std::uint32_t>(*options.wait_days);
  if (settings != before)
    OA_TRY(eraser.set_settings(opened.tenant.id, settings, std::nullopt, ""));
  context.output.document(json::object{{"archives", privacy::to_text(settings.archives)},
                                       {"cooling_off_days", settings.cooling_off_days}});
  context.output.line(fmt::format("stored archives after an erasure: {}",
                                  privacy::to_text(settings.archives)));
  context.output.line(fmt::format("erasures wait for {} days", settings.cooling_off_days));
  return {};
}

// The whole chain is read and verified; replaying it is what opening the instance did.
Status run_ledger(const Context& context, const PrivacyOptions&) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(auto* const ledger, instance->erasures().ledger());
  std::uint64_t entries = 0;
  for (auto mark = ledger->begin();;) {
    OA_ASSIGN(const auto page, ledger->after(mark, 500));
    if (page.empty()) break;
    entries += page.size();
    mark = {page.back().number, page.back().hash};
  }
  context.output.document(json::object{{"entries", entries},
                                       {"public_key", ledger->public_key().base64()},
                                       {"verified", true}});
  context.output.line(fmt::format("{} erasures in the ledger: every hash, link and signature fits",
                                  entries));
  context.output.line(fmt::format("signed by {}", ledger->public_key().base64()));
  return {};
}

}  // namespace

void add_privacy_commands(CLI::App& app, PrivacyOptions& options, const AddPrivacyCommand& add) {
  auto* group = app.add_subcommand("privacy", "Export what is known of a person, or erase them");
  group->require_subcommand(1);
  group->fallthrough();
  const auto command = [&](const std::string& name, const std::string& what,
                           const std::string& example,
                           Status (*run)(const Context&, const PrivacyOptions&)) {
    return add(group, name, what, "oa-backup privacy " + example,
               [&options, run](const Context& context) { return run(context, options); });
  };
  const auto of_tenant = [&](CLI::App* sub) {
    sub->add_option("--tenant", options.tenant, "Id or name")->required();
    return sub;
  };
  const auto of_person = [&](CLI::App* sub) {
    of_tenant(sub)->add_option("person", options.person, "E-mail address, or id")->required();
    return sub;
  };
  const auto by_id = [&](CLI::App* sub, const char* what) {
    of_tenant(sub)->add_option("id", options.id, what)->required();
    return sub;
  };
  of_person(command("export", "Collect everything that is known of a person",
                    "export ada@example.com --tenant Demo --output ada.json", run_export))
      ->add_option("--output", options.output, "File to save it in, which must not be there");
  by_id(command("download", "Save an export", "download ID --tenant Demo --output ada.json",
                run_download),
        "Id of the export")
      ->add_option("--output", options.output, "File to save it in, which must not be there")
      ->required();
  of_tenant(command("exports", "List exports", "exports --tenant Demo", run_exports))
      ->add_option("--person", options.person, "Of this one: e-mail address, or id");
  of_person(command("preview", "Show what erasing a person would do; changes nothing",
                    "preview ada@example.com --tenant Demo", run_preview));
  auto* erase = of_person(command("erase", "Erase a person, for good",
                                  "erase ada@example.com --tenant Demo --wait-days 14", run_erase));
  erase->add_option("--wait-days", options.wait_days, "Do it after so many days; until then it can be cancelled")
      ->check(CLI::Range(0, 30));
  erase->add_flag("--yes", options.yes, "Without asking");
  of_tenant(command("erasures", "List erasures", "erasures --tenant Demo", run_erasures));
  by_id(command("cancel", "Take an erasure back that waits", "cancel ID --tenant Demo", run_cancel),
        "Id of the erasure");
  by_id(command("certificate", "Show the signed certificate of an erasure",
                "certificate ID --tenant Demo --output certificate.json", run_certificate),
        "Id of the erasure")
      ->add_option("--output", options.output, "File to save it in, which must not be there");
  auto* settings = of_tenant(command("settings", "Show or change what happens after an erasure",
                                     "settings --tenant Demo --archives rewrite --wait-days 14",
                                     run_settings));
  settings->add_option("--archives", options.archives,
                       "list: name the stored archives that hold the person; rewrite: write them anew")
      ->check(CLI::IsMember({"list", "rewrite"}).description(""));
  settings->add_option("--wait-days", options.wait_days, "Days that an erasure waits")
      ->check(CLI::Range(0, 30));
  command("ledger", "Verify the ledger of erasures", "ledger", run_ledger);
}

}  // namespace oa::cli
