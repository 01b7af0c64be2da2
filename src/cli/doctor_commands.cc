#include "doctor_commands.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "oa/doctor/checks.h"

namespace oa::cli {

doctor::Place place_of(const GlobalOptions& options, const instance::Settings& settings) {
  std::error_code error;
  doctor::Place place;
  place.data_folder = std::filesystem::absolute(options.data_folder, error).lexically_normal();
  if (place.data_folder.size() > 1 && place.data_folder.back() == '/') place.data_folder.pop_back();
  place.config_file = options.config_file;
  place.passphrase_file = options.passphrase_file;
  place.deployment = &settings.deployment;
  place.continuity_folder = settings.continuity_folder;
  return place;
}

Status run_doctor(const Context& context, const DoctorOptions& options) {
  instance::Settings settings;
  const Status readable = read_place(context.options, settings);
  doctor::Place place = place_of(context.options, settings);
  place.certificate = options.certificate;
  if (!readable.ok()) place.deployment = nullptr;
  context.progress.begin("looking at the host", 0, "");
  doctor::Facts facts = doctor::gather_host(place);
  doctor::gather_surroundings(facts, place);
  std::unique_ptr<instance::Instance> instance;
  if (!readable.ok()) {
    facts.opening = readable.error();
  } else if (instance::Instance::exists(place.data_folder)) {
    context.progress.begin("asking what it works with", 0, "");
    auto opened = open_unfenced(context.options);
    if (opened.ok())
      instance = std::move(opened).value();
    else
      facts.opening = opened.error();
  }
  if (instance != nullptr) doctor::gather_instance(facts, place, *instance);
  const auto findings = doctor::examine(facts);
  context.output.document(doctor::to_json(findings));
  for (const auto& line : doctor::to_lines(findings)) context.output.line(line);
  const Status kept = doctor::check(findings);
  if (!kept.ok()) context.exit_status = error_info(kept.error().code).exit_status;
  context.output.line(fmt::format("{} broken, {} warnings, {} notes, {} ok",
                                  doctor::count(findings, doctor::Severity::kBroken),
                                  doctor::count(findings, doctor::Severity::kWarning),
                                  doctor::count(findings, doctor::Severity::kNote),
                                  doctor::count(findings, doctor::Severity::kOk)));
  return {};
}

}  // namespace oa::cli
