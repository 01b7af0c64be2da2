#include "oa/workbooks/xml_reader.h"

#include <expat.h>

namespace oa::workbooks {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::uint64_t kMaxTagBytes = std::uint64_t{4} << 20;

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

Error damaged(std::string cause) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", "The workbook is damaged")
      .with_hint("Open it in a spreadsheet program, save it again as .xlsx and import that")
      .with_cause(std::move(cause));
}

}  // namespace

std::optional<std::string_view> XmlAttributes::find(std::string_view name) const {
  for (const char** pair = pairs_; *pair != nullptr; pair += 2) {
    if (local_name(pair[0]) == name) return pair[1];
  }
  return std::nullopt;
}

bool XmlAttributes::flag(std::string_view name) const {
  const std::string_view value = get(name);
  return value == "1" || value == "true";
}

struct XmlReader::State {
  explicit State(XmlHandler& xml_handler)
      : handler(xml_handler), parser(XML_ParserCreate(nullptr)) {
    OA_ASSERT(parser != nullptr);
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    XML_SetDefaultHandler(parser, on_other);
  }
  ~State() { XML_ParserFree(parser); }

  void settle(Status status) {
    last_event = fed;
    if (status.ok() || failure) return;
    failure = std::move(status).error();
    XML_StopParser(parser, XML_FALSE);
  }

  static void on_start(void* data, const char* name, const char** attributes) {
    auto& state = *static_cast<State*>(data);
    if (state.failure) return;
    if (++state.depth > kMaxDepth) return state.settle(damaged("elements nested too deep"));
    state.settle(state.handler.start(local_name(name), XmlAttributes(attributes)));
  }
  static void on_end(void* data, const char* name) {
    auto& state = *static_cast<State*>(data);
    if (state.failure) return;
    --state.depth;
    state.settle(state.handler.end(local_name(name)));
  }
  static void on_text(void* data, const char* piece, int length) {
    auto& state = *static_cast<State*>(data);
    if (state.failure) return;
    state.settle(state.handler.text({piece, static_cast<std::size_t>(length)}));
  }
  static void on_doctype(void* data, const char*, const char*, const char*, int) {
    static_cast<State*>(data)->settle(damaged("it declares a document type"));
  }
  static void on_other(void* data, const char*, int) {
    auto& state = *static_cast<State*>(data);
    state.last_event = state.fed;
  }

  XmlHandler& handler;
  XML_Parser parser;
  std::optional<Error> failure;
  std::size_t depth = 0;
  std::uint64_t fed = 0;
  std::uint64_t last_event = 0;  // `fed` at that time
};

XmlReader::XmlReader(XmlHandler& handler) : state_(std::make_unique<State>(handler)) {}
XmlReader::~XmlReader() = default;

Status XmlReader::feed(ByteView bytes, bool last) {
  State& state = *state_;
  state.fed += bytes.size();
  const auto result = XML_Parse(state.parser, reinterpret_cast<const char*>(bytes.data()),
                                static_cast<int>(bytes.size()), last ? XML_TRUE : XML_FALSE);
  if (state.failure) return *state.failure;
  if (result != XML_STATUS_OK) return damaged(XML_ErrorString(XML_GetErrorCode(state.parser)));
  if (state.fed - state.last_event > kMaxTagBytes) return damaged("a tag is too long");
  return {};
}

}  // namespace oa::workbooks
