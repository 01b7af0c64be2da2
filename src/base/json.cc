#include "oa/base/json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <vector>

#include "oa/base/bytes.h"

namespace oa {
namespace {

// Builds the value itself for three reasons: Boost.JSON 1.81 rounds some doubles wrongly (a
// canonical text would not read back as itself), reads 1e400 as infinity, and keeps the last of two
// members with one name, where a signed document must have one reading.
struct Builder {
  constexpr static std::size_t max_object_size = std::size_t(-1);
  constexpr static std::size_t max_array_size = std::size_t(-1);
  constexpr static std::size_t max_key_size = std::size_t(-1);
  constexpr static std::size_t max_string_size = std::size_t(-1);
  using Ec = boost::system::error_code;
  using Text = json::string_view;
  json::value_stack stack;
  std::string number;       // the parts of one that came before its end
  std::size_t members = 0;  // of all objects, as written
  bool out_of_range = false;

  bool on_document_begin(Ec&) {
    stack.reset();
    return true;
  }
  bool on_document_end(Ec&) { return true; }
  bool on_object_begin(Ec&) { return true; }
  bool on_object_end(std::size_t n, Ec&) {
    members += n;
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(Ec&) { return true; }
  bool on_array_end(std::size_t n, Ec&) {
    stack.push_array(n);
    return true;
  }
  bool on_key_part(Text part, std::size_t, Ec&) {
    stack.push_chars(part);
    return true;
  }
  bool on_key(Text part, std::size_t, Ec&) {
    stack.push_key(part);
    return true;
  }
  bool on_string_part(Text part, std::size_t, Ec&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(Text part, std::size_t, Ec&) {
    stack.push_string(part);
    return true;
  }
  bool on_number_part(Text part, Ec&) {
    number.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, Text, Ec&) {
    number.clear();
    stack.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, Text, Ec&) {
    number.clear();
    stack.push_uint64(value);
    return true;
  }
  bool on_double(double, Text part, Ec&) {
    number.append(part.data(), part.size());
    double value = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
    // Too small a number is 0, as everywhere; too large a one has no JSON form.
    if (parsed.ec == std::errc::result_out_of_range && number_is_large()) out_of_range = true;
    number.clear();
    stack.push_double(value);
    return true;
  }
  // Whether an out-of-range number is too large rather than too small: by the decimal place of its
  // first digit that is not 0, since its exponent alone does not tell ("0.00…1", or "100…0e-9").
  bool number_is_large() const {
    const std::string_view text = number;
    const auto mantissa_end = std::min(text.find_first_of("eE"), text.size());
    const auto point = std::min(text.find('.'), mantissa_end);
    const auto first = text.find_first_of("123456789");
    std::int64_t exponent = 0;
    if (mantissa_end < text.size()) {
      const char* begin = text.data() + mantissa_end + 1;
      if (*begin == '+') ++begin;
      std::from_chars(begin, text.data() + text.size(),
                      exponent);  // the parser takes no exponent past an int
    }
    return exponent > static_cast<std::int64_t>(first) - static_cast<std::int64_t>(point);
  }
  bool on_bool(bool value, Ec&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(Ec&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(Text, Ec&) { return true; }
  bool on_comment(Text, Ec&) { return true; }
};

std::size_t count_members(const json::value& value) {
  std::size_t count = 0;
  if (const auto* object = value.if_object()) {
    count = object->size();
    for (const auto& member : *object) count += count_members(member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) count += count_members(item);
  }
  return count;
}

// A member's name as messages show it.
std::string shown_name(std::string_view name) {
  constexpr std::size_t kMaxShown = 80;
  std::size_t size = std::min(name.size(), kMaxShown);
  while (size < name.size() && size > 0 && (static_cast<std::uint8_t>(name[size]) & 0xC0) == 0x80)
    --size;
  std::string shown(name.substr(0, size));
  for (char& c : shown) {
    if (static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return shown;
}

void append_escape(std::string& out, char c) {
  constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out.push_back(kDigits[(c >> 4) & 15]);
      out.push_back(kDigits[c & 15]);
  }
}

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, copied, i - copied);
    append_escape(out, c);
    copied = i + 1;
  }
  out.append(text, copied);
  out.push_back('"');
}

// RFC 8785, section 3.2.2.3: the form that ECMAScript gives a number. A whole double and the equal
// integer are one JSON number and get one form.
void append_double(std::string& out, double number) {
  OA_ASSERT(std::isfinite(number));
  if (number == 0) {
    out.push_back('0');
    return;
  }
  char text[40];
  const char* const end = std::to_chars(text, text + sizeof text, std::fabs(number),
                                        std::chars_format::scientific)
                              .ptr;  // the shortest that reads back as the same: d.ddde±xx
  const char* const mark = std::find<const char*>(text, end, 'e');
  std::string digits(static_cast<const char*>(text), mark);
  std::erase(digits, '.');
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  if (number < 0) out.push_back('-');
  if (point > 21 || point <= -6) {
    out.push_back(digits[0]);
    if (count > 1) out.append(".").append(digits, 1);
    out.append(exponent < 0 ? "e-" : "e+").append(std::to_string(std::abs(exponent)));
  } else if (point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else if (count <= point) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else {
    const auto whole = static_cast<std::size_t>(point);
    out.append(digits, 0, whole).append(".").append(digits, whole);
  }
}

void append_value(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      out += std::to_string(value.get_int64());
      return;
    case json::kind::uint64:
      out += std::to_string(value.get_uint64());
      return;
    case json::kind::double_:
      append_double(out, value.get_double());
      return;
    case json::kind::string:
      append_string(out, value.get_string());
      return;
    case json::kind::array: {
      out.push_back('[');
      bool first = true;
      for (const auto& item : value.get_array()) {
        if (!first) out.push_back(',');
        first = false;
        append_value(out, item);
      }
      out.push_back(']');
      return;
    }
    case json::kind::object: {
      std::vector<const json::key_value_pair*> members;
      for (const auto& member : value.get_object()) members.push_back(&member);
      std::sort(members.begin(), members.end(),
                [](const auto* a, const auto* b) { return a->key() < b->key(); });
      out.push_back('{');
      bool first = true;
      for (const auto* member : members) {
        if (!first) out.push_back(',');
        first = false;
        append_string(out, member->key());
        out.push_back(':');
        append_value(out, member->value());
      }
      out.push_back('}');
      return;
    }
  }
}

const json::value kNull;
const json::array kEmptyArray;
const json::object kEmptyObject;

}  // namespace

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return make_error(ErrorCode::kLimitExceeded, "json.parse",
                      "JSON text larger than " + format_size(limits.max_bytes));
  }
  if (!is_utf8(text))
    return make_error(ErrorCode::kInvalidArgument, "json.parse", "JSON text is not UTF-8");
  json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::system::error_code error;
  json::basic_parser<Builder> builder(options);
  const std::size_t used = builder.write_some(false, text.data(), text.size(), error);
  if (error || used != text.size()) {
    const bool too_deep = error == json::error::too_deep;
    return make_error(too_deep ? ErrorCode::kLimitExceeded : ErrorCode::kInvalidArgument,
                      "json.parse",
                      too_deep ? "JSON text is nested too deeply"
                               : "not valid JSON at byte " + std::to_string(used));
  }
  if (builder.handler().out_of_range) {
    return make_error(ErrorCode::kInvalidArgument, "json.parse", "a JSON number is out of range");
  }
  auto value = builder.handler().stack.release();
  if (count_members(value) != builder.handler().members) {
    return make_error(ErrorCode::kInvalidArgument, "json.parse",
                      "a JSON object names a member twice");
  }
  return value;
}

std::string canonical_json(const json::value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

Result<JsonText> JsonText::parse(std::string_view text, const JsonLimits& limits) {
  OA_ASSIGN(const json::value value, parse_json(text, limits));
  return of(value);
}

json::value JsonText::value() const { return parse_json(text_, {text_.size(), 1024}).value(); }

ObjectReader::ObjectReader(const json::value& value, std::string path) : path_(std::move(path)) {
  object_ = value.if_object();
  if (object_ == nullptr) failure_ = path_ + " is not an object";
}

void ObjectReader::fail(std::string_view name, std::string_view what) {
  if (failure_.empty()) failure_ = path_ + "." + std::string(name) + " " + std::string(what);
}

const json::value* ObjectReader::find(std::string_view name) {
  if (object_ == nullptr) return nullptr;
  const auto* value = object_->if_contains(name);
  if (value != nullptr && std::find(seen_.begin(), seen_.end(), name) == seen_.end())
    seen_.emplace_back(name);
  return value;
}

const json::value& ObjectReader::member(std::string_view name) {
  const auto* value = find(name);
  if (value != nullptr) return *value;
  fail(name, "is missing");
  return kNull;
}

std::string ObjectReader::text(std::string_view name) {
  const auto& value = member(name);
  if (const auto* string = value.if_string()) return std::string(*string);
  fail(name, "is not a string");
  return {};
}

std::optional<std::string> ObjectReader::optional_text(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return text(name);
}

std::int64_t ObjectReader::integer(std::string_view name) {
  const auto& value = member(name);
  if (const auto* number = value.if_int64()) return *number;
  fail(name, "is not an integer");
  return 0;
}

std::uint64_t ObjectReader::unsigned_integer(std::string_view name) {
  const auto& value = member(name);
  if (const auto* number = value.if_uint64()) return *number;
  const auto* number = value.if_int64();
  if (number != nullptr && *number >= 0) return static_cast<std::uint64_t>(*number);
  fail(name, "is not a number from 0");
  return 0;
}

std::optional<std::uint64_t> ObjectReader::optional_unsigned(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return unsigned_integer(name);
}

bool ObjectReader::boolean(std::string_view name) {
  const auto& value = member(name);
  if (const auto* flag = value.if_bool()) return *flag;
  fail(name, "is not true or false");
  return false;
}

Timestamp ObjectReader::timestamp(std::string_view name) {
  const auto parsed = Timestamp::parse(text(name));
  if (parsed.ok()) return *parsed;
  fail(name, "is not an RFC 3339 moment");
  return {};
}

std::optional<Timestamp> ObjectReader::optional_timestamp(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return timestamp(name);
}

JsonText ObjectReader::raw(std::string_view name) { return JsonText::of(member(name)); }

const json::array& ObjectReader::array(std::string_view name) {
  const auto& value = member(name);
  if (const auto* items = value.if_array()) return *items;
  fail(name, "is not an array");
  return kEmptyArray;
}

const json::object& ObjectReader::object(std::string_view name) {
  const auto& value = member(name);
  if (const auto* members = value.if_object()) return *members;
  fail(name, "is not an object");
  return kEmptyObject;
}

Status ObjectReader::finish(bool allow_unknown) const {
  if (!failure_.empty()) return make_error(ErrorCode::kInvalidArgument, "json.decode", failure_);
  if (!allow_unknown && object_ != nullptr && seen_.size() != object_->size()) {
    for (const auto& member : *object_) {
      if (std::find(seen_.begin(), seen_.end(), std::string_view(member.key())) == seen_.end()) {
        return make_error(ErrorCode::kInvalidArgument, "json.decode",
                          path_ + " has an unknown member " + shown_name(member.key()));
      }
    }
  }
  return {};
}

}  // namespace oa
