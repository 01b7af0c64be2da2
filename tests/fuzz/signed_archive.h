// Archives framed, hashed and signed from parts, so that a fuzzer gets behind the signature.
#pragma once

#include <string>
#include <vector>

#include "oa/archive/manifest.h"

namespace oa::fuzz {

/// The same keys in every run.
const SigningKey& signing_key();
const SigningKey& other_key();
/// A manifest with totals and digests of nothing.
archive::Manifest empty_manifest();

/// Kinds of sections behind the first, which is the manifest's text.
enum SectionKind : std::uint8_t {
  /// How it is made (FrameForm), then what of.
  kFrameSection = 'F',
  /// The index page of the frames since the last one: its entries as in a page, but without their
  /// digests. When empty, it lists the entries that the frames were made of.
  kPageSection = 'P',
  /// Edits of the root's payload before it is hashed: places (u24) and bits to change (u8).
  kRootSection = 'R',
  /// One byte of Choice bits.
  kChoiceSection = 'C',
  /// Edits of the finished file, like those of the root.
  kEditSection = 'E',
};
enum FrameForm : std::uint8_t {
  kCompressedTar,  // plain bytes
  kStoredTar,      // plain bytes
  kStoredBytes,    // u32 plain size, then the frame as it is stored
  kFilled,         // u32 size and a byte to fill up with, behind the beginning of the plain bytes
  kEntries,        // u8 path size, u8 deviations, u16 content size, path, content; again and again
};
enum Choice : std::uint8_t {
  kKeepTotals = 1,   // the manifest's own numbers
  kKeepDigests = 2,  // and its digests
  kSignWithOther = 4,
  kNoSignature = 8,
};

struct SignedArchive {
  Bytes file;    // as it was signed
  Bytes edited;  // after the edits; equal to `file` without
};
SignedArchive make_archive(ByteView sections);

}  // namespace oa::fuzz
