#include "s3_xml.h"

#include <expat.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace oa {
namespace {

constexpr std::size_t kMaxDepth = 16;

struct EndParser {
  void operator()(XML_ParserStruct* parser) const { XML_ParserFree(parser); }
};

struct Building {
  XML_Parser parser;
  XmlElement root;
  std::vector<XmlElement*> open;
};

void on_start(void* of, const char* name, const char**) {
  auto& building = *static_cast<Building*>(of);
  if (building.open.size() >= kMaxDepth) {
    XML_StopParser(building.parser, XML_FALSE);
    return;
  }
  XmlElement* element = &building.root;
  if (!building.open.empty()) element = &building.open.back()->children.emplace_back();
  const std::string_view full = name;
  element->name = full.substr(full.rfind(':') + 1);
  building.open.push_back(element);
}

void on_end(void* of, const char*) { static_cast<Building*>(of)->open.pop_back(); }

void on_text(void* of, const char* text, int length) {
  auto& building = *static_cast<Building*>(of);
  if (!building.open.empty())
    building.open.back()->text.append(text, static_cast<std::size_t>(length));
}

void on_doctype(void* of, const char*, const char*, const char*, int) {
  XML_StopParser(static_cast<Building*>(of)->parser, XML_FALSE);
}

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
  const auto found = std::ranges::find(children, child_name, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::text_of(std::string_view child_name) const {
  const XmlElement* const found = child(child_name);
  return found == nullptr ? std::string_view() : found->text;
}

Result<XmlElement> parse_xml(ByteView document) {
  const std::unique_ptr<XML_ParserStruct, EndParser> parser(XML_ParserCreate(nullptr));
  OA_ASSERT(parser != nullptr);
  Building building{parser.get(), {}, {}};
  XML_SetUserData(parser.get(), &building);
  XML_SetElementHandler(parser.get(), on_start, on_end);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
  const std::string_view text = as_text(document);
  if (XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE) !=
      XML_STATUS_OK) {
    return make_error(ErrorCode::kIo, "object_store.read",
                      "an answer of the object store is not understood")
        .with_cause(XML_ErrorString(XML_GetErrorCode(parser.get())));
  }
  return std::move(building.root);
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string to_xml(const XmlElement& element) {
  std::string text = "<" + element.name + ">";
  if (element.children.empty()) text += xml_escaped(element.text);
  for (const auto& child : element.children) text += to_xml(child);
  return text + "</" + element.name + ">";
}

}  // namespace oa
