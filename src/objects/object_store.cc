#include "oa/objects/object_store.h"

namespace oa {

Result<std::unique_ptr<RangedSource>> ObjectStore::get_copy(const ObjectKey&, const VersionId&,
                                                            std::size_t) {
  return make_error(ErrorCode::kNotFound, "object.get_copy",
                    "the store keeps each version in one place");
}

}  // namespace oa
