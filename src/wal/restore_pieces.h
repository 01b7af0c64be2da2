// What a recovery gets for the name of a file: the repository first, then the sealed log.
#pragma once

#include <string>

#include "oa/base/io.h"
#include "oa/wal/restore_server.h"

namespace oa::wal {

enum class Given {
  kPlaced,    // the repository has put it at the target
  kWritten,   // the sealed log's: all of it went to the sink, at least one byte
  kNotThere,  // neither has it, and nothing is known of what would come behind it
};

/// Every doubt is an error, and an error may come behind bytes in `out`.
Result<Given> give_piece(const RestoreSources& sources, const std::string& file,
                         const std::string& target, ByteSink& out);

}  // namespace oa::wal
