#include "yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>
#include <unordered_set>

#include "oa/base/bytes.h"
#include "problems.h"

namespace oa::semantics {
namespace {

constexpr char kOp[] = "model.parse";

// Leaves yaml-cpp's parser at once; caught in parse_yaml().
struct Refusal {
  Error error;
};

[[noreturn]] void refuse(Position at, std::string what) {
  Problems problems;
  problems.add(at, std::move(what));
  throw Refusal{problems.error(kOp)};
}

[[noreturn]] void refuse_size(std::string what) {
  throw Refusal{make_error(ErrorCode::kLimitExceeded, kOp, std::move(what))
                    .with_hint("split the model into several datasets")};
}

// yaml-cpp counts lines and bytes from 0; people count lines and characters from 1.
class Positions {
 public:
  explicit Positions(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }
  Position of(const YAML::Mark& mark) {
    if (mark.is_null()) return {};
    const std::size_t line = std::min(static_cast<std::size_t>(mark.line), starts_.size() - 1);
    return of(line, starts_[line] + static_cast<std::size_t>(mark.column));
  }
  Position of(std::size_t offset) {
    const auto after = std::ranges::upper_bound(starts_, offset);
    return of(static_cast<std::size_t>(after - starts_.begin()) - 1, offset);
  }
  bool quoted_at(const YAML::Mark& mark) const {
    const std::size_t line = std::min(static_cast<std::size_t>(mark.line), starts_.size() - 1);
    const std::size_t i = starts_[line] + static_cast<std::size_t>(mark.column);
    return i < text_.size() && (text_[i] == '"' || text_[i] == '\'');
  }

 private:
  Position of(std::size_t line, std::size_t offset) {
    const std::size_t end = std::min(offset, text_.size());
    // Marks come nearly in order: counting goes on where it stopped, or a long line would be
    // counted again for each of its values.
    if (line != line_ || end < counted_) {
      line_ = line;
      counted_ = starts_[line];
      characters_ = 0;
    }
    for (; counted_ < end; ++counted_) {
      if ((static_cast<unsigned char>(text_[counted_]) & 0xC0) != 0x80) ++characters_;
    }
    return {static_cast<std::uint32_t>(line + 1), characters_ + 1};
  }

  std::string_view text_;
  std::vector<std::size_t> starts_{0};
  std::size_t line_ = 0;
  std::size_t counted_ = 0;
  std::uint32_t characters_ = 0;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text) : positions_(text) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      refuse(positions_.of(mark), "a model is one document, here begins another");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    leaf(node(YamlNode::Kind::kNull, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(positions_.of(mark), "aliases (*name) are not allowed in a model");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode scalar = node(YamlNode::Kind::kScalar, mark, tag, anchor);
    if (value.find('\0') != std::string::npos) refuse(scalar.at, "a text holds a NUL character");
    scalar.text = value;
    scalar.text_at = scalar.at;
    if (positions_.quoted_at(mark)) ++scalar.text_at.column;
    leaf(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::kList, mark, tag, anchor));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::kMap, mark, tag, anchor));
  }
  void OnMapEnd() override { close(); }

  Position position(const YAML::Mark& mark) { return positions_.of(mark); }
  Position position(std::size_t offset) { return positions_.of(offset); }
  YamlNode take() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node;
    std::unordered_set<std::string> keys;
    bool has_key = false;
    std::string key;
    Position key_at;
  };

  YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor) {
    const Position at = positions_.of(mark);
    if (anchor != YAML::NullAnchor) refuse(at, "anchors (&name) are not allowed in a model");
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(at, "tags (!name) are not allowed in a model");
    if (++nodes_ > kMaxYamlNodes)
      refuse_size(fmt::format("the model has more than {} values", kMaxYamlNodes));
    YamlNode made;
    made.kind = kind;
    made.at = made.text_at = at;
    return made;
  }
  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMap &&
           !open_.back().has_key;
  }
  void leaf(YamlNode node) {
    if (!expects_key()) return place(std::move(node));
    Open& map = open_.back();
    if (node.kind != YamlNode::Kind::kScalar) refuse(node.at, "a key is missing");
    if (!map.keys.insert(node.text).second)
      refuse(node.at, fmt::format("the key {} is there twice", quoted_name(node.text)));
    map.has_key = true;
    map.key = std::move(node.text);
    map.key_at = node.at;
  }
  void open(YamlNode node) {
    if (expects_key()) refuse(node.at, "a key must be a plain text");
    if (open_.size() >= kMaxYamlDepth)
      refuse_size(fmt::format("line {}: the model is nested deeper than {} levels", node.at.line,
                              kMaxYamlDepth));
    open_.push_back({std::move(node), {}, false, {}, {}});
  }
  void close() {
    YamlNode done = std::move(open_.back().node);
    open_.pop_back();
    place(std::move(done));
  }
  void place(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else {
      parent.node.members.push_back({std::move(parent.key), parent.key_at, std::move(node)});
      parent.has_key = false;
    }
  }

  Positions positions_;
  std::size_t documents_ = 0;
  std::size_t nodes_ = 0;
  std::vector<Open> open_;
  YamlNode root_;
};

}  // namespace

Result<YamlNode> parse_yaml(std::string_view text) {
  if (text.size() > kMaxModelBytes) {
    return make_error(ErrorCode::kLimitExceeded, kOp,
                      fmt::format("the model is larger than {}", format_size(kMaxModelBytes)));
  }
  if (!is_utf8(text))
    return make_error(ErrorCode::kModelInvalid, kOp, "line 1, column 1: the text is not UTF-8")
        .with_hint("save the model as UTF-8");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  // A NUL at the right place would make yaml-cpp take the text for UTF-16 or UTF-32.
  TreeBuilder builder(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c >= 0x20 && c != 0x7F) || c == '\t' || c == '\n' || c == '\r') continue;
    Problems problems;
    problems.add(builder.position(i), "the text holds a control character");
    return problems.error(kOp);
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return refusal.error;
  } catch (const YAML::Exception& e) {
    Problems problems;
    problems.add(builder.position(e.mark), e.msg);
    return problems.error(kOp);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kModelInvalid, kOp, "the text cannot be read as YAML")
        .with_cause(e.what());
  }
  return builder.take();
}

}  // namespace oa::semantics
