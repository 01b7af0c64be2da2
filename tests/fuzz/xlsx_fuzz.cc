// .xlsx workbooks: zip, XML and cells.
#include "oa/workbooks/xlsx_reader.h"
#include "workbook_walk.h"

namespace oa {
namespace {

constexpr workbooks::ZipLimits kZipLimits{.max_expanded_bytes = 4 << 20};

void check(ByteView input) {
  const MemorySource file(Bytes(input.begin(), input.end()));
  const auto workbook = workbooks::XlsxWorkbook::open(file, kZipLimits, fuzz::kSheetLimits);
  if (!fuzz::accepted(workbook)) return;
  for (std::size_t i = 0; i < (*workbook)->sheets().size() && i < 3; ++i) {
    const auto first = (*workbook)->read(i);
    if (!fuzz::accepted(first)) continue;
    const auto second = (*workbook)->read(i);
    OA_ASSERT(second.ok());
    OA_ASSERT(fuzz::walk_sheet(**first) == fuzz::walk_sheet(**second));
  }
}

}  // namespace
}  // namespace oa

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  oa::check({data, size});
  return 0;
}
