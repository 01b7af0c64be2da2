#pragma once

#include "demo_tables.h"
#include "oa/catalog/records.h"

namespace oa::demo {

struct DemoDataset {
  Table table;
  catalog::Dataset record;
};

/// Twelve reports over `datasets`, six visuals each with every kind among them, two bookmarks each.
std::vector<catalog::Report> demo_reports(const std::vector<DemoDataset>& datasets, Timestamp now);
/// Six alerts.
std::vector<catalog::Alert> demo_alerts(const std::vector<DemoDataset>& datasets, Timestamp now);

}  // namespace oa::demo
