// XML of a workbook's parts, as events.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "oa/base/bytes.h"

namespace oa::workbooks {

/// The attributes of one element, by their names without prefix. Valid during the event.
class XmlAttributes {
 public:
  explicit XmlAttributes(const char** pairs) : pairs_(pairs) {}
  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view get(std::string_view name) const { return find(name).value_or(""); }
  /// "1" or "true".
  bool flag(std::string_view name) const;

 private:
  const char** pairs_;
};

/// Receives the events. Names come without prefix: a workbook's parts have one vocabulary each.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual Status start(std::string_view name, const XmlAttributes& attributes) = 0;
  virtual Status end(std::string_view name) = 0;
  /// A piece of text; one text may come in several.
  virtual Status text(std::string_view piece) = 0;
};

/// A streaming parser (expat). Refused as kImportRejected: what is not well-formed, any document
/// type, elements nested deeper than 64, a tag of more than 4 MiB. Not thread-safe.
class XmlReader {
 public:
  /// Borrows `handler`, whose errors end the reading and are returned by feed().
  explicit XmlReader(XmlHandler& handler);
  ~XmlReader();
  /// The next bytes, cut anywhere; `last` with the end of the document.
  Status feed(ByteView bytes, bool last);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oa::workbooks
