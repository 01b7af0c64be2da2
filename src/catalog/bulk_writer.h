#pragma once

#include <span>

#include "connection.h"

namespace oa::catalog {

enum class Write {
  kInsert,  // an existing key is kConflict
  kReplace  // an existing row gets all the written columns
};

struct WriteColumn {
  const char* name;
  SqlType type;
};

/// Writes any number of rows to one table in few statements: it collects the columns as arrays and
/// sends INSERT … SELECT FROM unnest(…) whenever a batch is full; the server works on one batch
/// while the next is collected. (COPY cannot write under row-level security.) Call add() once per
/// column in order, then end_row(); finish() sends the rest. An error shows at the next end_row()
/// or at finish(). Nothing else may use the connection in between.
class BulkWriter {
 public:
  /// `key` lists the columns of the primary key after tenant_id, for kReplace.
  BulkWriter(Connection& connection, const char* table, std::vector<WriteColumn> columns,
             Write mode, std::vector<std::string> key = {"id"});
  ~BulkWriter();
  BulkWriter(const BulkWriter&) = delete;
  BulkWriter& operator=(const BulkWriter&) = delete;

  template <class T>
  BulkWriter& add(const T& value) {
    append(Parameter::of(value));
    return *this;
  }
  /// A text that is canonical JSON.
  BulkWriter& add_json(std::string text) {
    append(Parameter::json(std::move(text)));
    return *this;
  }
  Status end_row();
  Status finish();
  /// After finish(), of kReplace with the key `id`: the ids of rows that were there before. What
  /// else belongs to such a row is to be removed; looking for it by all ids would cost much in a
  /// tenant that is just being filled, of which the planner's statistics know nothing.
  const std::vector<Uuid>& replaced() const { return replaced_; }

 private:
  struct Array {
    SqlType type;
    bool has_null = false;
    std::string elements;
  };
  void append(const Parameter& parameter);
  Status flush();
  Status await();

  Connection& connection_;
  std::string sql_;
  std::vector<Array> arrays_;
  std::size_t next_column_ = 0;
  std::size_t rows_ = 0;
  std::size_t size_bytes_ = 0;
  bool under_way_ = false;
  bool tells_replaced_ = false;
  std::vector<Uuid> replaced_;
};

template <class IdType>
std::vector<Uuid> uuids_of(std::span<const IdType> ids) {
  std::vector<Uuid> uuids;
  uuids.reserve(ids.size());
  for (const auto& id : ids) uuids.push_back(id.uuid());
  return uuids;
}

/// DELETE of the rows of `table` whose `column` is one of `ids`, with a bounded number of ids a
/// statement.
Status delete_where(Connection& connection, const char* table, const char* column,
                    const std::vector<Uuid>& ids);

}  // namespace oa::catalog
