#include "oa/catalog/portable.h"

#include <gtest/gtest.h>

#include "random_records.h"

namespace oa::catalog {
namespace {

WorkspaceDocument document_of(const RandomContent& content) {
  WorkspaceDocument document{content.workspaces[0], content.users, content.teams, {}};
  for (auto dataset : content.datasets) {
    if (dataset.workspace_id != document.workspace.id) continue;
    dataset.model_yaml.clear();
    dataset.rows.reset();
    document.datasets.push_back(dataset);
  }
  return document;
}

TEST(Portable, EveryRecordComesBackFromItsBytes) {
  EXPECT_TRUE(rc::check("to and from the portable form", [] {
    const RandomContent content = random_content();
    const WorkspaceDocument document = document_of(content);
    const std::string text = to_portable(document);
    const auto back = workspace_from_portable(text);
    RC_ASSERT(back.ok());
    RC_ASSERT(back->workspace == document.workspace);
    RC_ASSERT(back->users == document.users);
    RC_ASSERT(back->teams == document.teams);
    RC_ASSERT(back->datasets == document.datasets);
    RC_ASSERT(to_portable(*back) == text);
    for (const auto& report : content.reports) {
      RC_ASSERT(report_from_portable(to_portable(report)).value() == report);
    }
    for (const auto& alert : content.alerts)
      RC_ASSERT(alert_from_portable(to_portable(alert)).value() == alert);
    const TenantDocument tenant{random_text(20), Plan::kScale, content.users, content.teams};
    const auto same = tenant_from_portable(to_portable(tenant));
    RC_ASSERT(same.ok());
    RC_ASSERT(same->name == tenant.name);
    RC_ASSERT(same->users == tenant.users);
    RC_ASSERT(same->teams == tenant.teams);
  }));
}

TEST(Portable, TheFormIsCanonical) {
  EXPECT_TRUE(rc::check("our writer agrees with the general one", [] {
    const RandomContent content = random_content();
    for (const auto& text : {to_portable(document_of(content))}) {
      RC_ASSERT(canonical_json(parse_json(text).value()) == text);
    }
    for (const auto& report : content.reports) {
      RC_ASSERT(canonical_json(parse_json(to_portable(report)).value()) == to_portable(report));
    }
  }));
}

TEST(Portable, OrderOfTheInputDoesNotMatter) {
  WorkspaceDocument document;
  document.users.resize(2);
  document.users[0].id = UserId(Uuid(Uuid::Raw{2}));
  document.users[1].id = UserId(Uuid(Uuid::Raw{1}));
  WorkspaceDocument sorted = document;
  std::swap(sorted.users[0], sorted.users[1]);
  EXPECT_EQ(to_portable(document), to_portable(sorted));
}

TEST(Portable, DigestsTellEveryDifference) {
  Dataset dataset;
  const auto before = content_digest(dataset);
  dataset.rows = RowsObject{"elsewhere", "v2"};
  EXPECT_EQ(content_digest(dataset), before) << "rows are not part of an archive's record";
  dataset.model_yaml = "dataset: x";
  const auto with_model = content_digest(dataset);
  EXPECT_NE(with_model, before);
  dataset.row_count = 1;
  EXPECT_NE(content_digest(dataset), with_model);
  Report report;
  const auto plain = content_digest(report);
  report.bookmarks.resize(1);
  EXPECT_NE(content_digest(report), plain);
  report.bookmarks.clear();
  report.grants.resize(1);
  EXPECT_NE(content_digest(report), plain);
  Alert alert;
  const auto enabled = content_digest(alert);
  alert.enabled = false;
  EXPECT_NE(content_digest(alert), enabled);
}

// A small document with one of everything, changed at one place.
Report sample_report() {
  Report report;
  report.name = "Revenue";
  report.visuals.resize(1);
  report.bookmarks.resize(1);
  report.grants.resize(1);
  return report;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

struct Refusal {
  std::string from, to, names;
};

TEST(Portable, WhatDoesNotFitIsRefusedWithItsPath) {
  const std::string good = to_portable(sample_report());
  ASSERT_TRUE(report_from_portable(good).ok());
  const std::vector<Refusal> refusals = {
      {"{\"bookmarks\"", "{\"author\":1,\"bookmarks\"", "author"},
      {"\"name\":\"Revenue\",", "", "report.name"},
      {"\"name\":\"Revenue\"", "\"name\":7", "report.name"},
      {"\"name\":\"Revenue\"", "\"name\":null", "report.name"},
      {"\"name\":\"Revenue\"", "\"name\":\"" + std::string(513, 'x') + "\"", "report.name"},
      {"\"name\":\"Revenue\"", "\"name\":\"a\\u0000b\"", "report.name"},
      {"\"kind\":\"report\"", "\"kind\":\"alert\"", "report.format.kind"},
      {"\"version\":1", "\"version\":2", "report.format.version"},
      {"\"kind\":\"table\"", "\"kind\":\"pie\"", "report.visuals[0].kind"},
      {"\"dataset_version\":1", "\"dataset_version\":4294967296",
       "report.visuals[0].dataset_version"},
      {"\"dataset_version\":1", "\"dataset_version\":-1", "report.visuals[0].dataset_version"},
      {"\"dataset_version\":1", "\"dataset_version\":1.5", "report.visuals[0].dataset_version"},
      {"\"title\":\"\"", "\"titel\":\"\"", "report.visuals[0].title"},
      {"\"grants\":[", "\"grants\":[7,", "report.grants[0]"},
      {"\"grants\":[", "\"guests\":[", "report.grants"},
      {"\"kind\":\"user\"", "\"kind\":\"crowd\"", "report.grants[0].kind"},
      {"\"role\":\"viewer\"", "\"role\":\"admin\"", "report.grants"},
      {"\"visuals\":[", "\"visuals\":[7,", "report.visuals[0]"},
      {"\"updated_at\":\"1970", "\"updated_at\":\"19700", "report.updated_at"},
      {"\"updated_at\":\"1970", "\"updated_at\":\"0000", "report.updated_at"},
      {"\"workspace_id\":\"0000", "\"workspace_id\":\"000", "report.workspace_id"},
      {"\"state\":{}", "\"state\":" + std::string(25, '[') + std::string(25, ']'),
       "report.bookmarks.state"},
  };
  for (const auto& refusal : refusals) {
    const auto result = report_from_portable(replaced(good, refusal.from, refusal.to));
    ASSERT_FALSE(result.ok()) << refusal.to;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument) << refusal.to;
    EXPECT_NE(result.error().message.find(refusal.names), std::string::npos)
        << result.error().message << " for " << refusal.to;
  }
  for (const std::string bad : {"", "null", "[]", "{}", "{\"format\"", "\"x\""}) {
    EXPECT_FALSE(report_from_portable(bad).ok()) << bad;
  }
  EXPECT_FALSE(report_from_portable(good + " {}").ok());
}

TEST(Portable, CountsHaveLimits) {
  Report report;
  report.visuals.resize(1001);
  for (auto& visual : report.visuals) visual.id = VisualId::random();
  EXPECT_FALSE(report_from_portable(to_portable(report)).ok());
  report.visuals.pop_back();
  EXPECT_TRUE(report_from_portable(to_portable(report)).ok());
  report.visuals[1].id = report.visuals[0].id;
  EXPECT_FALSE(report_from_portable(to_portable(report)).ok());
}

TEST(Portable, WorkspaceDocumentsAreCheckedAsAWhole) {
  WorkspaceDocument document;
  document.workspace.id = WorkspaceId::random();
  document.datasets.resize(1);
  document.datasets[0].workspace_id = WorkspaceId::random();
  EXPECT_FALSE(workspace_from_portable(to_portable(document)).ok());
  document.datasets.clear();
  document.users.resize(2);  // the same id twice
  EXPECT_FALSE(workspace_from_portable(to_portable(document)).ok());
  document.users.clear();
  document.workspace.roles = {{PrincipalKind::kTeam, Uuid(), Role::kViewer},
                              {PrincipalKind::kUser, Uuid(), Role::kViewer}};
  EXPECT_FALSE(workspace_from_portable(to_portable(document)).ok());
  std::swap(document.workspace.roles[0], document.workspace.roles[1]);
  EXPECT_TRUE(workspace_from_portable(to_portable(document)).ok());
}

TEST(Portable, IdsAreRewrittenWhereverTheyStandAlone) {
  const Uuid a = Uuid::random(), b = Uuid::random(), other = Uuid::random();
  const auto text =
      JsonText::parse("{\"" + a.str() + "\":[\"" + a.str() + "\",\"" + other.str() + "\",\"x" +
                      a.str() + "\",{\"v\":\"" + a.str() + "\"},1e300,18446744073709551615]}")
          .value();
  const auto wanted =
      JsonText::parse("{\"" + b.str() + "\":[\"" + b.str() + "\",\"" + other.str() + "\",\"x" +
                      a.str() + "\",{\"v\":\"" + b.str() + "\"},1e300,18446744073709551615]}")
          .value();
  EXPECT_EQ(rewrite_ids(text, {{a, b}}), wanted);
  EXPECT_EQ(rewrite_ids(wanted, {{b, a}}), text);
  EXPECT_EQ(rewrite_ids(text, {}), text);
  const auto link = [](const Uuid& id) {
    return JsonText::of(
        json::value("/reports/" + id.str() + "?x=" + id.str() + "#" + id.str() + "0"));
  };
  EXPECT_EQ(
      rewrite_ids(link(a), {{a, b}}),
      JsonText::of(json::value("/reports/" + b.str() + "?x=" + b.str() + "#" + a.str() + "0")))
      << "what goes on is another number";
}

template <class Enum>
void expect_texts(std::initializer_list<std::string_view> texts) {
  std::size_t index = 0;
  for (const auto text : texts) {
    const auto value = static_cast<Enum>(index++);
    EXPECT_EQ(to_text(value), text);
    EXPECT_EQ(parse_text<Enum>(text).value(), value);
  }
  EXPECT_EQ(parse_text<Enum>("Nonsense").error().code, ErrorCode::kInvalidArgument);
}

TEST(Records, TextsOfEnumsAreStable) {
  expect_texts<Plan>({"starter", "growth", "scale"});
  expect_texts<Role>({"viewer", "editor", "admin"});
  expect_texts<PrincipalKind>({"user", "team"});
  expect_texts<DatasetMode>({"import", "direct", "composite"});
  expect_texts<DatasetState>({"created", "syncing", "ready", "refreshing", "error", "paused"});
  expect_texts<VisualKind>({"bar", "line", "matrix", "kpi", "table"});
  expect_texts<SecretKind>({"postgres", "cloud_key", "saml_certificate"});
  expect_texts<RestoreState>({"planned", "applying", "applied", "undone"});
  expect_texts<RestoreKind>({"restore", "import", "undo"});
  expect_texts<AlertOutcome>({"ok", "firing", "no_data", "error"});
}

}  // namespace
}  // namespace oa::catalog
