// Names of columns out of a first line.
#pragma once

#include <string>
#include <vector>

namespace oa::analytics {

/// `names`, made unique without regard to case; an empty one becomes column<position>.
std::vector<std::string> column_names(const std::vector<std::string>& names);

/// Whether the values of a first line may name the columns: one of them is neither empty, nor a
/// null text, nor typed, nor there twice.
bool could_be_names(const std::vector<std::string>& values,
                    const std::vector<std::string>& null_texts);

}  // namespace oa::analytics
