// The words of predicates and expressions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oa/semantics/model.h"
#include "problems.h"

namespace oa::semantics {

inline constexpr std::size_t kMaxFormulaBytes = 4096;
inline constexpr std::size_t kMaxFormulaDepth = 32;

struct Token {
  enum class Kind { kEnd, kName, kQuotedName, kText, kNumber, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;  // without quotes; a number or symbol as it stands
  Position at;

  bool is(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  /// Keywords are names, without regard to case.
  bool is_word(std::string_view upper_case) const;
};

/// The tokens of `text`, the last one kEnd. `at` is where the text begins in the model. Names are
/// letters, digits, _ and $ (and all that is not ASCII); "quoted" ones hold anything, as 'texts'
/// do, the quote doubled. kModelInvalid, which is added to `problems` too.
Result<std::vector<Token>> tokenize(std::string_view text, Position at, Problems& problems);

/// Walks tokens; an error is one of the model at the token where it showed, and a problem.
class TokenReader {
 public:
  TokenReader(std::vector<Token> tokens, Problems& problems)
      : tokens_(std::move(tokens)), problems_(problems) {}
  const Token& peek() const { return tokens_[next_]; }
  Token take() { return next_ + 1 < tokens_.size() ? tokens_[next_++] : tokens_[next_]; }
  bool accept(std::string_view symbol);
  bool accept_word(std::string_view upper_case);
  Status expect(std::string_view symbol);
  /// "… expected, not …" at the next token.
  Error expected(std::string_view what);
  Error fail(Position at, std::string what);

 private:
  std::vector<Token> tokens_;
  Problems& problems_;
  std::size_t next_ = 0;
};

}  // namespace oa::semantics
