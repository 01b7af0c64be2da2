// A private Postgres with the same rows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/catalog/embedded_postgres.h"
#include "retail_tables.h"
#include "testkit/scratch.h"

namespace oa::golden_answers {

using TextRow = std::vector<std::optional<std::string>>;

/// Failures throw std::runtime_error with the server's text.
class Postgres {
 public:
  Postgres();
  ~Postgres();
  void run(const std::string& sql);
  std::vector<TextRow> rows(const std::string& sql);
  /// COPY … FROM STDIN of CSV with a header.
  void copy_csv(const std::string& table, const std::string& csv);
  void create(const MadeTable& table);

 private:
  struct Connection;
  testkit::Scratch scratch_;
  std::unique_ptr<catalog::EmbeddedPostgres> server_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace oa::golden_answers
