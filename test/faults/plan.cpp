#include "faults/plan.hpp"

#include <cerrno>

namespace faults {
namespace {

struct Plan {
    std::string_view call{};
    int error = 0;
    std::size_t nth = 0;
    std::size_t seen = 0;
};

Plan plan;

}  // namespace

Armed::Armed(std::string_view call, int error, std::size_t nth) { plan = {call, error, nth}; }
Armed::~Armed() { plan = {}; }

bool Armed::has_struck() const noexcept { return plan.seen >= plan.nth; }

bool is_armed(std::string_view call) noexcept { return call == plan.call; }

bool strikes(std::string_view call) noexcept {
    if (call != plan.call || ++plan.seen != plan.nth) return false;
    errno = plan.error;
    return true;
}

}  // namespace faults
