// What the tests of reports share: a real sealed store, and datasets made from CSV text.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "oa/analytics/importer.h"
#include "oa/keys/local_key_service.h"
#include "oa/reports/dataset_reader.h"

namespace oa::reports {

class ReportsTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-reports-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    RootKeySource root;
    root.key_file = folder_ + "/root.key";
    keys_ = *LocalKeyService::create(folder_ + "/keys", root);
    store_ = *open_local_store(folder_ + "/objects");
    objects_ = std::make_unique<SealedObjects>(*store_, *keys_);
    ASSERT_TRUE(keys_->create_tenant_key(tenant_).ok());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  catalog::Dataset dataset_of(const std::string& csv, const std::string& model) {
    catalog::Dataset dataset;
    dataset.id = DatasetId::random();
    dataset.model_yaml = model;
    dataset.state = catalog::DatasetState::kReady;
    const ObjectKey key{tenant_, RetentionClass::kRows, dataset.id.str()};
    const auto imported = analytics::import_csv(
        *objects_, MemorySource(Bytes(csv.begin(), csv.end())), key, {}, no_progress());
    EXPECT_TRUE(imported.ok()) << imported.error().message;
    dataset.rows = catalog::RowsObject{key.name, imported->version.value};
    dataset.versions = {{1, imported->rows.columns, {}}};
    dataset.row_count = imported->rows.row_count;
    return dataset;
  }
  std::unique_ptr<DatasetReader> reader_of(catalog::Dataset dataset) {
    auto reader = DatasetReader::open(*objects_, tenant_, std::move(dataset));
    EXPECT_TRUE(reader.ok()) << reader.error().message;
    return std::move(reader).value();
  }

  const TenantId tenant_ = TenantId::random();
  std::string folder_;
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<SealedObjects> objects_;
  const Timestamp now_ = *Timestamp::parse("2024-03-15T12:00:00Z");
};

inline constexpr char kSalesModel[] =
    "dataset: sales\n"
    "tables:\n"
    "  - { name: sales, primary_key: id }\n"
    "dimensions:\n"
    "  - { id: region, column: sales.region, label: Region }\n"
    "  - { id: product, column: sales.product }\n"
    "  - { id: sold, column: sales.sold_on, type: date, grains: [day, week, month, quarter, year] "
    "}\n"
    "measures:\n"
    "  - { id: revenue, type: sum, column: sales.amount }\n"
    "  - { id: orders, type: count }\n"
    "  - { id: aov, type: ratio, numerator: revenue, denominator: orders }\n";

inline constexpr char kSalesRows[] =
    "id,region,product,amount,sold_on\n"
    "1,North,Lamp,10.5,2024-01-10\n"
    "2,North,Desk,100,2024-02-10\n"
    "3,South,Lamp,20,2024-02-20\n"
    "4,South,Lamp,30,2024-03-01\n"
    "5,,Desk,40,2024-03-14\n";

}  // namespace oa::reports
