// How our Parquet files are laid out, so that writing them stays within an engine's memory.
#pragma once

#include <cstdint>
#include <string>

namespace oa::analytics {

struct ParquetLayout {
  unsigned threads = 2;
  std::string options;  // of a COPY … TO, in parentheses
};

/// zstd level 1: as fast as plain DuckDB at its level 3 although ours also finds types and seals,
/// for files 8 % larger (bench/import_bench). For rows of `columns` columns that take about
/// `row_bytes` each. A row group is held by each thread until it is whole: bounded by bytes for
/// wide rows, and at most DuckDB's own choice of rows for narrow ones. Each thread also sets aside
/// a dictionary per column. Past 200 columns both threads and dictionaries are too much.
ParquetLayout parquet_layout(std::size_t columns, std::uint64_t row_bytes);

/// For rows whose width is not known, written by one thread that need not be told to keep the
/// order.
ParquetLayout stream_layout(std::size_t columns);

}  // namespace oa::analytics
