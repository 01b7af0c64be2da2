// .xls workbooks: OLE2, records and cells.
#include "oa/workbooks/xls_reader.h"
#include "workbook_walk.h"

namespace oa {
namespace {

void check(ByteView input) {
  const MemorySource file(Bytes(input.begin(), input.end()));
  const auto workbook = workbooks::XlsWorkbook::open(file, fuzz::kSheetLimits);
  if (!fuzz::accepted(workbook)) return;
  for (std::size_t i = 0; i < (*workbook)->sheets().size() && i < 3; ++i) {
    const auto cells = (*workbook)->load(i);
    if (!fuzz::accepted(cells)) continue;
    const auto first = (*workbook)->read(), second = (*workbook)->read();
    OA_ASSERT(fuzz::walk_sheet(*first) == fuzz::walk_sheet(*second));
  }
}

}  // namespace
}  // namespace oa

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  oa::check({data, size});
  return 0;
}
