#include "oa/base/progress.h"

namespace oa {
namespace {

class Silent final : public Progress {
 public:
  void begin(std::string_view, std::uint64_t, std::string_view) override {}
  void update(std::uint64_t) override {}
};

}  // namespace

Progress& no_progress() {
  static Silent silent;
  return silent;
}

}  // namespace oa
