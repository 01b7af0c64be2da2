#include "tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace oa::semantics {
namespace {

constexpr char kOp[] = "model.parse";

constexpr std::array<std::string_view, 17> kSymbols{
    "{{", "}}", "<=", ">=", "!=", "<>", "(", ")", ",", "=", "<", ">", "+", "-", "*", "/", "."};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Scanner {
 public:
  Scanner(std::string_view text, Position at, Problems& problems)
      : text_(text), at_(at), problems_(problems) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    for (;;) {
      while (i_ < text_.size() &&
             (text_[i_] == ' ' || text_[i_] == '\t' || text_[i_] == '\n' || text_[i_] == '\r'))
        advance(1);
      Token token;
      token.at = at_;
      if (i_ == text_.size()) {
        tokens.push_back(std::move(token));
        return tokens;
      }
      OA_TRY(read(token));
      tokens.push_back(std::move(token));
    }
  }

 private:
  Status read(Token& token) {
    const char c = text_[i_];
    if (c == '\'' || c == '"') {
      token.kind = c == '"' ? Token::Kind::kQuotedName : Token::Kind::kText;
      return quoted(c, token);
    }
    std::size_t end = i_;
    if (starts_name(c)) {
      token.kind = Token::Kind::kName;
      while (end < text_.size() && (starts_name(text_[end]) || is_digit(text_[end]))) ++end;
    } else if (is_digit(c)) {
      token.kind = Token::Kind::kNumber;
      while (end < text_.size() && is_digit(text_[end])) ++end;
      if (end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1])) {
        ++end;
        while (end < text_.size() && is_digit(text_[end])) ++end;
      }
      if (end < text_.size() && starts_name(text_[end]))
        return fail(at_, "a number runs into a name");
    } else {
      const auto* symbol = std::ranges::find_if(
          kSymbols, [&](std::string_view s) { return text_.substr(i_).starts_with(s); });
      if (symbol == kSymbols.end()) return fail(at_, "this character has no meaning here");
      token.kind = Token::Kind::kSymbol;
      end = i_ + symbol->size();
    }
    token.text = text_.substr(i_, end - i_);
    advance(end - i_);
    return {};
  }
  Status quoted(char quote, Token& token) {
    advance(1);
    while (i_ < text_.size()) {
      if (text_[i_] == quote) {
        if (i_ + 1 == text_.size() || text_[i_ + 1] != quote) {
          advance(1);
          return {};
        }
        advance(1);
      }
      token.text += text_[i_];
      advance(1);
    }
    return fail(token.at, "the closing quote is missing");
  }
  Error fail(Position at, std::string what) {
    problems_.add(at, std::move(what));
    return problems_.error(kOp);
  }
  void advance(std::size_t bytes) {
    for (; bytes > 0; --bytes) {
      if ((static_cast<unsigned char>(text_[i_++]) & 0xC0) != 0x80) ++at_.column;
    }
  }

  std::string_view text_;
  Position at_;
  Problems& problems_;
  std::size_t i_ = 0;
};

}  // namespace

bool Token::is_word(std::string_view upper_case) const {
  return kind == Kind::kName && std::ranges::equal(text, upper_case, [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
         });
}

Result<std::vector<Token>> tokenize(std::string_view text, Position at, Problems& problems) {
  if (text.size() > kMaxFormulaBytes) {
    problems.add(at, fmt::format("the text is longer than {} bytes", kMaxFormulaBytes));
    return problems.error(kOp);
  }
  return Scanner(text, at, problems).run();
}

bool TokenReader::accept(std::string_view symbol) {
  if (!peek().is(symbol)) return false;
  take();
  return true;
}

bool TokenReader::accept_word(std::string_view upper_case) {
  if (!peek().is_word(upper_case)) return false;
  take();
  return true;
}

Status TokenReader::expect(std::string_view symbol) {
  if (accept(symbol)) return {};
  return expected(symbol);
}

Error TokenReader::expected(std::string_view what) {
  const Token& token = peek();
  if (token.kind == Token::Kind::kEnd)
    return fail(token.at, fmt::format("{} expected, but the text ends here", what));
  return fail(token.at, fmt::format("{} expected, not {}", what, quoted_name(token.text)));
}

Error TokenReader::fail(Position at, std::string what) {
  problems_.add(at, std::move(what));
  return problems_.error(kOp);
}

}  // namespace oa::semantics
