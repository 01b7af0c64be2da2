// What the tests of files share: imports by import_file(), and the tables that there are.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "analytics_testkit.h"
#include "oa/analytics/file_import.h"

namespace oa::analytics {

class FileTest : public ImportTest {
 protected:
  Result<ImportResult> import_bytes(std::string_view bytes) {
    return import_file(*objects_, csv_of(bytes), target_, options_, rejected_, no_progress());
  }

  /// The columns of an import that must succeed; its rows are then in select_all().
  std::vector<Column> columns_of(std::string_view bytes) {
    const auto imported = import_bytes(bytes);
    EXPECT_TRUE(imported.ok()) << imported.error().message << imported.error().cause;
    if (!imported.ok()) return {};
    version_ = imported->version;
    const auto described = describe_rows(*objects_, target_, version_);
    EXPECT_TRUE(described.ok() && described->columns == imported->rows.columns &&
                described->row_count == imported->rows.row_count);
    return imported->rows.columns;
  }
  Rows select_all() { return select(version_, "*"); }

  /// The error of an import that must fail, leave nothing behind and quote no cell.
  Error refused_file(std::string_view bytes) {
    const auto before = store_->list_versions(target_);
    const std::size_t versions = before.ok() ? before->size() : 0;
    const auto imported = import_bytes(bytes);
    EXPECT_FALSE(imported.ok());
    const auto after = store_->list_versions(target_);
    EXPECT_EQ(after.ok() ? after->size() : 0, versions);
    if (imported.ok()) return {};
    const Error& error = imported.error();
    EXPECT_EQ((error.message + error.hint + error.cause).find("canary"), std::string::npos);
    return error;
  }

  FileOptions options_;
  RejectedRows rejected_;
  VersionId version_;
};

/// The fixtures, and the real tables where they stand beside the checkout or where OA_TEST_DATA
/// says.
inline std::vector<std::string> table_files() {
  const char* chosen = std::getenv("OA_TEST_DATA");
  std::vector<std::string> files;
  for (const std::string folder : {OA_FIXTURES, chosen != nullptr ? chosen : OA_REAL_TABLES}) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
      if (entry.path().extension() == ".csv") files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

inline std::string table_name(const testing::TestParamInfo<std::string>& file) {
  std::string name = std::filesystem::path(file.param).stem();
  std::ranges::replace_if(
      name, [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

}  // namespace oa::analytics
