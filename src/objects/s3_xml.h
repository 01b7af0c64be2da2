// The XML of S3's answers, small and bounded.
#pragma once

#include <list>
#include <string>
#include <string_view>

#include "oa/base/bytes.h"

namespace oa {

struct XmlElement {
  std::string name;  // without prefix
  std::string text;  // its own, without that of the elements in it
  std::list<XmlElement> children;

  /// nullptr when there is none.
  const XmlElement* child(std::string_view child_name) const;
  /// The text of the first such child; empty when there is none.
  std::string_view text_of(std::string_view child_name) const;
};

/// The root of a document. kIo when it is not well-formed, has a document type, or elements nested
/// deeper than 16. The caller bounds its length.
Result<XmlElement> parse_xml(ByteView document);

/// The element and all in it, without prefixes and attributes.
std::string to_xml(const XmlElement& element);

/// For text and keys inside of an element.
std::string xml_escaped(std::string_view text);

}  // namespace oa
