// Vectors whose signed content frames are not in the form that the format gives them.
#include <zstd.h>

#include <memory>

#include "archive_vectors.h"
#include "frame.h"

namespace oa::archive {
namespace {

Bytes compressed(const Bytes& plain, ZSTD_cParameter parameter, int value) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), parameter, value);
  Bytes out(ZSTD_compressBound(plain.size()));
  out.resize(ZSTD_compress2(context.get(), out.data(), out.size(), plain.data(), plain.size()));
  return out;
}

Bytes honest(const Bytes& plain) { return compressed(plain, ZSTD_c_compressionLevel, 1); }

Bytes stored(const Bytes& plain) {
  RawFrame frame(plain.size());
  frame.append(plain);
  return frame.take();
}

Forgery with(const std::function<Bytes(const Bytes&)>& compress) {
  Forgery base = two_entries();
  base.compress = compress;
  return base;
}

// A frame whose descriptor has other bits, and bytes behind it that its header did not have.
Forgery with_descriptor(std::uint8_t flipped_bits, const Bytes& further) {
  return with([=](const Bytes& plain) {
    Bytes frame = honest(plain);
    OA_ASSERT(frame[4] == 0x60);  // single segment, content size in two bytes
    frame[4] ^= flipped_bits;
    frame.insert(frame.begin() + 5, further.begin(), further.end());
    return frame;
  });
}

void headers(VectorCatalog& c) {
  c.not_verified(
      "frame_without_content_size", "malformed", "A content frame has no content size.",
      with([](const Bytes& plain) { return compressed(plain, ZSTD_c_contentSizeFlag, 0); }));
  c.not_verified(
      "frame_with_checksum", "malformed", "A content frame has a checksum.",
      with([](const Bytes& plain) { return compressed(plain, ZSTD_c_checksumFlag, 1); }));
  c.not_verified("frame_with_dictionary_id", "malformed",
                 "A content frame has the field of a dictionary's id.", with_descriptor(0x01, {0}));
  c.not_verified("frame_with_dictionary", "malformed", "A content frame asks for a dictionary.",
                 with_descriptor(0x01, {7}));
  c.not_verified("frame_with_reserved_bit", "malformed",
                 "A content frame has the reserved bit in its header.", with_descriptor(0x08, {}));
  c.accepted("frame_with_window_of_8_mebibytes", "A content frame asks for a window of 8 MiB.",
             with_descriptor(0x20, {13 << 3}));
  c.not_verified("frame_with_window_of_1_gibibyte", "limit",
                 "A content frame of few bytes asks for a window of 1 GiB.",
                 with_descriptor(0x20, {20 << 3}));
  c.not_verified("frame_content_size_lies", "malformed",
                 "A content frame names a content size that is one more than its content.",
                 with([](const Bytes& plain) {
                   Bytes frame = stored(plain);
                   ++frame[5];
                   return frame;
                 }));
  c.not_verified("frame_of_reserved_block", "malformed",
                 "A content frame has a block of the reserved type.", with([](const Bytes& plain) {
                   Bytes frame = stored(plain);
                   frame[9] |= 6;
                   return frame;
                 }));
}

void bodies(VectorCatalog& c) {
  c.not_verified("frame_cut", "malformed", "A content frame lacks its last byte.",
                 with([](const Bytes& plain) {
                   Bytes frame = honest(plain);
                   frame.pop_back();
                   return frame;
                 }));
  c.not_verified("frame_of_junk", "malformed", "A content frame is no Zstandard frame.",
                 with([](const Bytes&) { return Bytes(100, 'x'); }));
  c.not_verified("frame_is_skippable", "malformed", "A content frame is a skippable frame.",
                 with([](const Bytes&) {
                   Bytes frame;
                   append_skippable_header(frame, 0x184D2A50, 100);
                   frame.resize(frame.size() + 100);
                   return frame;
                 }));
  c.not_verified("frame_with_another_behind", "malformed",
                 "What is listed as one frame is two: the second has no content.",
                 with([](const Bytes& plain) {
                   Bytes frame = honest(plain);
                   const Bytes second = stored({});
                   frame.insert(frame.end(), second.begin(), second.end());
                   return frame;
                 }));
  c.not_verified("frame_in_two", "malformed",
                 "What is listed as one frame is two, each with half of the content.",
                 with([](const Bytes& plain) {
                   const auto half = plain.begin() + std::ssize(plain) / 2;
                   Bytes frame = honest(Bytes(plain.begin(), half));
                   const Bytes second = honest(Bytes(half, plain.end()));
                   frame.insert(frame.end(), second.begin(), second.end());
                   return frame;
                 }));
  c.not_verified("frame_with_skippable_behind", "malformed",
                 "What is listed as one frame has a skippable one behind it.",
                 with([](const Bytes& plain) {
                   Bytes frame = honest(plain);
                   append_skippable_header(frame, 0x184D2A50, 0);
                   return frame;
                 }));
  c.not_verified("frame_longer_than_stored", "malformed",
                 "A content frame is longer than a stored frame of its content: it has a thousand "
                 "empty blocks.",
                 with([](const Bytes& plain) {
                   Bytes frame = stored(plain);
                   frame.insert(frame.begin() + kRawFrameHeaderSize, 3000, 0);
                   return frame;
                 }));
}

void rows(VectorCatalog& c) {
  const auto row = [](const std::function<void(FrameRecord&)>& edit) {
    Forgery base = two_entries();
    base.edit_frame = edit;
    return base;
  };
  c.not_verified("row_digest_differs", "content-mismatch",
                 "The page has another digest of a frame.",
                 row([](FrameRecord& f) { f.digest[5] ^= 1; }));
  c.not_verified("row_plain_size_differs", "malformed",
                 "The page has another plain size of a frame.",
                 row([](FrameRecord& f) { f.plain_size += 512; }));
  c.not_verified("row_stored_size_differs", "malformed",
                 "The page has another stored size of a frame.",
                 row([](FrameRecord& f) { --f.stored_size; }));
  c.not_verified("row_stored_size_huge", "malformed",
                 "The page has the largest stored size for a frame.",
                 row([](FrameRecord& f) { f.stored_size = UINT32_MAX; }));
  c.not_verified("row_expands_too_much", "limit",
                 "The page promises that a frame expands to 15 MiB.",
                 row([](FrameRecord& f) { f.plain_size = 15u << 20; }));
  c.not_verified("row_plain_size_past_limit", "limit",
                 "The page promises that a frame expands to 3 GiB.",
                 row([](FrameRecord& f) { f.plain_size = 3u << 30; }));
  Forgery bomb = two_entries();
  bomb.edit_plain = [](Bytes& plain) { plain.resize(std::size_t{12} << 20); };
  bomb.compress = honest;
  c.not_verified("expansion_bomb", "limit",
                 "A content frame truly expands to 12 MiB out of few bytes.", bomb);
}

}  // namespace

std::vector<ArchiveVector> frame_vectors() {
  VectorCatalog c(true);
  headers(c);
  bodies(c);
  rows(c);
  return c.take();
}

}  // namespace oa::archive
