// The content of entries, verified before a byte of it goes out.
#pragma once

#include <string>
#include <vector>

#include "archive_file.h"
#include "oa/archive/reader.h"

namespace oa::archive {

/// One thread's reading of contents, with the memory it keeps from one to the next.
class ContentReader {
 public:
  explicit ContentReader(const ArchiveFile& file) : file_(file) {}

  /// Any entry. The frame of a small one comes from the file's cache, because neighbours are often
  /// read next.
  Status copy_one(const EntryPlace& place, ByteSink& out);
  /// Small entries `first` to `end` of a page, which lie in one frame, or one large entry.
  Status visit(const IndexPage& page, std::size_t first, std::size_t end,
               const ContentVisitor& visit);

 private:
  Status copy_large(const IndexPage& page, const PageEntry& entry, ByteSink& out);
  const ArchiveFile& file_;
  Bytes stored_, plain_;
};

/// ArchiveReader::for_each_content().
Status visit_contents(const ArchiveFile& file, const std::vector<std::string>& prefixes,
                      unsigned threads, Progress& progress, const ContentVisitor& visit);

}  // namespace oa::archive
