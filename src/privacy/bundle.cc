#include <fmt/format.h>

#include <boost/json.hpp>

#include "bundle_sections.h"
#include "oa/catalog/repositories.h"
#include "oa/privacy/export.h"

namespace oa::privacy {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

// Members in the order in which they are read, each value canonical.
class BundleWriter {
 public:
  explicit BundleWriter(ByteSink& out) : out_(out) { text_ = "{"; }

  /// Begins a member; the caller appends its value.
  std::string& member(std::string_view name) {
    if (text_ != "{" || written_) text_ += ',';
    text_ += canonical_json(json::string(name)) + ":";
    return text_;
  }
  std::string& text() { return text_; }
  Status flush(std::size_t unless_below = 0) {
    if (text_.size() < unless_below || text_.empty()) return {};
    OA_TRY(out_.write(as_bytes(text_)));
    text_.clear();
    written_ = true;
    return {};
  }
  Status finish() {
    text_ += "}\n";
    return flush();
  }

 private:
  ByteSink& out_;
  std::string text_;
  bool written_ = false;
};

void write_head(BundleWriter& out, const catalog::Tenant& tenant, const BundleOptions& options,
                Timestamp moment) {
  const auto add = [&](std::string_view name, const json::value& value) {
    out.member(name) += canonical_json(value);
  };
  add("format", json::string(kBundleFormat));
  add("format_version", json::string(kBundleVersion));
  add("made_at", json::string(moment.rfc3339()));
  add("organisation", json::object{{"id", tenant.id.str()}, {"name", tenant.name}});
  add("person", json::string(options.user.str()));
  const std::string_view by = !options.requested_by.has_value()       ? "operator"
                              : *options.requested_by == options.user ? "person"
                                                                      : "organisation";
  add("requested_by", json::string(by));
}

Error differs(std::string_view section, std::uint64_t counted, std::uint64_t written) {
  return make_error(ErrorCode::kInternal, "privacy.export", "the export would not be complete")
      .with_cause(fmt::format("section {}: {} counted, {} written", section, counted, written));
}

// How many; at least `out` holds less than a piece afterwards.
Result<std::uint64_t> write_section(catalog::Statements& statements, const BundleSection& section,
                                    const std::vector<catalog::SqlValue>& values,
                                    BundleWriter& out, Progress& progress) {
  OA_ASSIGN(const auto found, statements.number(section.count, values));
  const auto counted = static_cast<std::uint64_t>(found);
  progress.begin(section.name, counted, "records");
  out.member(section.name);
  if (!section.single) out.text() += '[';
  std::uint64_t written = 0;
  OA_TRY(statements.for_each(section.rows, values, [&](const catalog::SqlRow& row) -> Status {
    if (progress.cancelled())
      return make_error(ErrorCode::kCancelled, "privacy.export", "cancelled");
    OA_ASSIGN(const auto record, JsonText::parse(row.at(0).value_or("null")));
    if (written++ > 0) out.text() += ',';
    out.text() += record.str();
    if (written % 100 == 0) progress.update(written);
    return out.flush(kPieceBytes);
  }));
  if (!section.single) out.text() += ']';
  progress.update(written);
  if (written == counted && (!section.single || written == 1)) return written;
  return differs(section.name, counted, written);
}

}  // namespace

Result<Counts> write_bundle(catalog::TenantTransaction& snapshot, const BundleOptions& options,
                            ByteSink& sink, Progress& progress) {
  auto person = catalog::Users(snapshot).get(options.user);
  if (!person.ok()) return std::move(person).error();
  OA_ASSIGN(const auto tenant, snapshot.own_tenant());
  const auto values = section_values(*person, options.base_url);
  catalog::Statements statements(snapshot);
  BundleWriter out(sink);
  write_head(out, tenant, options, snapshot.started_at());
  Counts counts;
  for (const auto& section : bundle_sections()) {
    OA_ASSIGN(counts[std::string(section.name)],
              write_section(statements, section, values, out, progress));
  }
  json::object written;
  for (const auto& [name, count] : counts) written[name] = count;
  out.member("counts") += canonical_json(written);
  OA_TRY(out.finish());
  return counts;
}

}  // namespace oa::privacy
