// Random tables with models over them and questions to ask, for property tests.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "oa/base/json.h"
#include "oa/catalog/records.h"

namespace oa::testkit {

/// Deterministic by seed.
class RandomTables {
 public:
  explicit RandomTables(std::uint64_t seed) : engine_(seed) {}

  struct Table {
    std::string csv;
    std::string model_yaml;
    std::vector<std::string> dimensions;  // ids
    std::vector<std::string> dates;       // those that have grains
    std::vector<std::string> texts;       // those of text
    std::vector<std::string> measures;
  };
  /// 0 to 400 rows; columns of all types with names and cells that are hard to carry.
  Table table();
  /// A visual over the table, of any kind; its query is valid.
  catalog::Visual visual(const Table& table, DatasetId dataset);
  /// {"items":[…]} or the array alone.
  json::array filters(const Table& table);
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }

 private:
  std::string cell(std::size_t type);
  json::object query(const Table& table);

  std::mt19937_64 engine_;
  int tables_ = 0;  // made so far; part of each dimension's id, so that no two tables share one
};

}  // namespace oa::testkit
