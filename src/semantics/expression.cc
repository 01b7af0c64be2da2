#include "expression.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "tokens.h"

namespace oa::semantics {
namespace {

using Kind = ExpressionStep::Kind;

class Parser {
 public:
  Parser(std::vector<Token> tokens, Problems& problems) : reader_(std::move(tokens), problems) {}

  Result<std::vector<ExpressionStep>> run() {
    OA_TRY(sum());
    if (reader_.peek().kind != Token::Kind::kEnd) return reader_.expected("+, -, * or /");
    if (steps_.size() > kMaxExpressionSteps)
      return reader_.fail(steps_.front().at, fmt::format("the expression has more than {} parts",
                                                         kMaxExpressionSteps));
    return std::move(steps_);
  }

 private:
  Status sum() {
    OA_TRY(product());
    for (;;) {
      const Position at = reader_.peek().at;
      if (reader_.accept("+")) {
        OA_TRY(product());
        push(Kind::kAdd, at);
      } else if (reader_.accept("-")) {
        OA_TRY(product());
        push(Kind::kSubtract, at);
      } else {
        return {};
      }
    }
  }
  Status product() {
    OA_TRY(factor());
    for (;;) {
      const Position at = reader_.peek().at;
      if (reader_.accept("*")) {
        OA_TRY(factor());
        push(Kind::kMultiply, at);
      } else if (reader_.accept("/")) {
        OA_TRY(factor());
        push(Kind::kDivide, at);
      } else {
        return {};
      }
    }
  }
  Status factor() {
    const Position at = reader_.peek().at;
    if (++depth_ > kMaxFormulaDepth)
      return reader_.fail(at, fmt::format("nested deeper than {} levels", kMaxFormulaDepth));
    OA_TRY(operand(at));
    --depth_;
    return {};
  }
  Status operand(Position at) {
    if (reader_.accept("-")) {
      OA_TRY(factor());
      push(Kind::kNegate, at);
      return {};
    }
    if (reader_.accept("(")) {
      OA_TRY(sum());
      return reader_.expect(")");
    }
    const Token token = reader_.peek();
    if (token.kind == Token::Kind::kNumber) {
      double number = 0;
      std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
      if (!std::isfinite(number) || token.text.size() > 100)
        return reader_.fail(at, "the number is too large");
      push(Kind::kNumber, at).number = number;
    } else if (token.kind == Token::Kind::kName) {
      push(Kind::kMeasure, at).measure = token.text;
    } else {
      return reader_.expected("a number, a measure or (");
    }
    reader_.take();
    return {};
  }
  ExpressionStep& push(Kind kind, Position at) {
    steps_.push_back({kind, 0, {}, at});
    return steps_.back();
  }

  TokenReader reader_;
  std::vector<ExpressionStep> steps_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<std::vector<ExpressionStep>> parse_expression(std::string_view text, Position at,
                                                     Problems& problems) {
  OA_ASSIGN(auto tokens, tokenize(text, at, problems));
  return Parser(std::move(tokens), problems).run();
}

}  // namespace oa::semantics
