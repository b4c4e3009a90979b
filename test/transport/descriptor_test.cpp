#include "transport/descriptor.hpp"

#include <fcntl.h>

#include "support/catch.hpp"
#include "support/descriptors.hpp"

using hawser::transport::Descriptor;

namespace {
int any() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }
}  // namespace

TEST_CASE("descriptor: is closed at the end, once, by its last owner") {
    const int number = any();
    {
        Descriptor first(number);
        CHECK(first);
        Descriptor second(std::move(first));
        CHECK(second.get() == number);
        first = std::move(second);
        CHECK(support::is_open(number));
    }
    CHECK_FALSE(support::is_open(number));
}

TEST_CASE("descriptor: what it is given closes what it had") {
    const int first = any(), second = any();
    Descriptor descriptor(first);
    descriptor = Descriptor(second);
    CHECK_FALSE(support::is_open(first));
    CHECK(support::is_open(second));
    descriptor.reset();
    CHECK_FALSE(support::is_open(second));
    CHECK_FALSE(descriptor);
}

TEST_CASE("descriptor: what it has released it does not close") {
    const int number = any();
    { CHECK(Descriptor(number).release() == number); }
    CHECK(support::is_open(number));
    close(number);
}
