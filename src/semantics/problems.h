// What is wrong with a model, collected in any order, told in the order of the text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oa/semantics/model.h"

namespace oa::semantics {

class Problems {
 public:
  void add(Position at, std::string what);
  bool empty() const { return count_ == 0; }
  /// So many that looking for more is a waste.
  bool many() const { return count_ > 100; }
  /// kModelInvalid for the first problem in the text and the number of the others.
  Error error(std::string op) const;

 private:
  Position first_at_;
  std::string first_;
  std::size_t count_ = 0;
};

/// A name out of the text in double quotes, shortened when it is long, fit to print.
std::string quoted_name(std::string_view name);

/// Control characters, of which a terminal could make something, and what is not UTF-8 become
/// question marks.
std::string printable(std::string_view text);

/// ` (did you mean "region"?)`, or nothing when no candidate is near.
std::string suggestion(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace oa::semantics
