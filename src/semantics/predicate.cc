#include "predicate.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "tokens.h"

namespace oa::semantics {
namespace {

using Kind = Predicate::Kind;

class Parser {
 public:
  Parser(const SemanticModel& model, std::vector<Token> tokens, Problems& problems)
      : model_(model), reader_(std::move(tokens), problems) {}

  Result<Predicate> run() {
    OA_ASSIGN(Predicate predicate, any());
    if (reader_.peek().kind != Token::Kind::kEnd) return reader_.expected("AND or OR");
    return predicate;
  }

 private:
  Result<Predicate> any() {
    return joined(Kind::kOr, "OR", [this] { return all(); });
  }
  Result<Predicate> all() {
    return joined(Kind::kAnd, "AND", [this] { return inverted(); });
  }

  template <class Part>
  Result<Predicate> joined(Kind kind, std::string_view word, Part part) {
    OA_ASSIGN(Predicate first, part());
    if (!reader_.peek().is_word(word)) return first;
    Predicate whole;
    whole.kind = kind;
    whole.parts.push_back(std::move(first));
    while (reader_.accept_word(word)) {
      OA_ASSIGN(Predicate next, part());
      whole.parts.push_back(std::move(next));
    }
    return whole;
  }
  Result<Predicate> inverted() {
    const Position at = reader_.peek().at;
    if (++depth_ > kMaxFormulaDepth)
      return reader_.fail(at, fmt::format("nested deeper than {} levels", kMaxFormulaDepth));
    OA_ASSIGN(Predicate predicate, inverted_or_nested());
    --depth_;
    return predicate;
  }
  Result<Predicate> inverted_or_nested() {
    if (reader_.accept_word("NOT")) {
      OA_ASSIGN(Predicate inner, inverted());
      Predicate whole;
      whole.kind = Kind::kNot;
      whole.parts.push_back(std::move(inner));
      return whole;
    }
    if (reader_.accept("(")) {
      OA_ASSIGN(Predicate inner, any());
      OA_TRY(reader_.expect(")"));
      return inner;
    }
    return test();
  }

  Result<Predicate> test() {
    const Position at = reader_.peek().at;
    OA_ASSIGN(Predicate made, comparison());
    for (const Operand& operand : made.operands) {
      if (operand.kind == Operand::Kind::kField) return made;
    }
    return reader_.fail(at, "a test needs a dimension or a column");
  }
  Result<Predicate> comparison() {
    Predicate made;
    OA_TRY(operand(made));
    if (reader_.accept_word("IS")) {
      made.kind = Kind::kIsNull;
      made.negated = reader_.accept_word("NOT");
      if (!reader_.accept_word("NULL")) return reader_.expected("NULL");
      return made;
    }
    made.negated = reader_.accept_word("NOT");
    const Token word = reader_.peek();
    if (reader_.accept_word("IN")) {
      if (made.operands.front().kind != Operand::Kind::kField)
        return reader_.fail(word.at, "a dimension or a column stands before IN");
      made.kind = Kind::kIn;
      OA_TRY(list(made));
      return made;
    }
    if (made.negated) return reader_.expected("IN");
    made.kind = Kind::kCompare;
    constexpr std::array<std::string_view, 6> kComparisons{"=", "<>", "<", "<=", ">", ">="};
    for (const std::string_view comparison : kComparisons) {
      if (reader_.accept(comparison) || (comparison == "<>" && reader_.accept("!="))) {
        made.comparison = comparison;
        OA_TRY(operand(made));
        return made;
      }
    }
    return reader_.expected("=, !=, <, <=, >, >=, IN or IS");
  }
  Status list(Predicate& made) {
    if (reader_.peek().is("{{")) return operand(made);
    OA_TRY(reader_.expect("("));
    do {
      OA_TRY(operand(made));
    } while (reader_.accept(","));
    return reader_.expect(")");
  }

  Status operand(Predicate& made) {
    if (++operands_ > kMaxPredicateParts)
      return reader_.fail(reader_.peek().at,
                          fmt::format("the predicate has more than {} parts", kMaxPredicateParts));
    Operand operand;
    operand.at = reader_.peek().at;
    const Token token = reader_.peek();
    if (token.is("{{")) {
      OA_TRY(template_of(operand));
    } else if (token.kind == Token::Kind::kNumber || token.is("-")) {
      OA_TRY(number(operand));
    } else if (token.kind == Token::Kind::kText) {
      operand.literal = reader_.take().text;
    } else if (token.is_word("TRUE") || token.is_word("FALSE")) {
      operand.literal = reader_.take().is_word("TRUE");
    } else {
      OA_TRY(field(operand));
    }
    made.operands.push_back(std::move(operand));
    return {};
  }
  Status number(Operand& operand) {
    const bool negative = reader_.accept("-");
    if (reader_.peek().kind != Token::Kind::kNumber) return reader_.expected("a number");
    const std::string text = (negative ? "-" : "") + reader_.take().text;
    std::int64_t whole = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (error == std::errc{} && end == text.data() + text.size()) {
      operand.literal = whole;
      return {};
    }
    double real = 0;
    if (text.size() > 100 ||
        std::from_chars(text.data(), text.data() + text.size(), real).ec != std::errc{})
      return reader_.fail(operand.at, "the number is too large");
    operand.literal = real;
    return {};
  }
  Status template_of(Operand& operand) {
    OA_TRY(reader_.expect("{{"));
    const auto unknown = [&] {
      return reader_.fail(
          operand.at, "a template is {{ user.id }} or {{ user.attributes.NAME }}, nothing else");
    };
    if (reader_.take().text != "user" || !reader_.accept(".")) return unknown();
    const Token what = reader_.take();
    if (what.text == "id") {
      operand.kind = Operand::Kind::kUserId;
    } else if (what.text == "attributes") {
      operand.kind = Operand::Kind::kAttribute;
      if (!reader_.accept(".") || !is_name(reader_.peek())) return unknown();
      operand.attribute = reader_.take().text;
    } else {
      return unknown();
    }
    return reader_.expect("}}");
  }
  Status field(Operand& operand) {
    if (!is_name(reader_.peek())) return reader_.expected("a dimension, a column or a value");
    const Token first = reader_.take();
    operand.kind = Operand::Kind::kField;
    ColumnRef& column = operand.field.column;
    column.at = first.at;
    if (reader_.accept(".")) {
      if (!is_name(reader_.peek())) return reader_.expected("a column");
      column.table = first.text;
      column.column = reader_.take().text;
      if (model_.table(column.table) != nullptr) return {};
      return reader_.fail(first.at, fmt::format("there is no table {}", quoted_name(first.text)));
    }
    const Dimension* dimension =
        first.kind == Token::Kind::kName ? model_.dimension(first.text) : nullptr;
    if (dimension != nullptr) {
      operand.field = {dimension->column, dimension->type};
      return {};
    }
    if (model_.tables.size() == 1) {
      column.table = model_.tables.front().name;
      column.column = first.text;
      return {};
    }
    std::vector<std::string_view> ids;
    for (const Dimension& each : model_.dimensions) ids.push_back(each.id);
    return reader_.fail(first.at, fmt::format("there is no dimension {}{}", quoted_name(first.text),
                                              suggestion(first.text, ids)));
  }
  static bool is_name(const Token& token) {
    return token.kind == Token::Kind::kName || token.kind == Token::Kind::kQuotedName;
  }

  const SemanticModel& model_;
  TokenReader reader_;
  std::size_t depth_ = 0;
  std::size_t operands_ = 0;
};

}  // namespace

Result<Predicate> parse_predicate(const SemanticModel& model, std::string_view text, Position at,
                                  Problems& problems) {
  OA_ASSIGN(auto tokens, tokenize(text, at, problems));
  return Parser(model, std::move(tokens), problems).run();
}

}  // namespace oa::semantics
