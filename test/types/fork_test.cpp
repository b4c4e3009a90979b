#include "types/fork.hpp"

#include "support/catch.hpp"
#include "support/child.hpp"

using namespace hawser;
using namespace support;

TEST_CASE("fork: a child is not where its parent made a thing, and is where it made its own") {
    const Origin parents;
    CHECK(parents.is_here());
    const int status = status_of_child([&] {
        const Origin own;
        const int of_grandchild = status_of_child([&] { return own.is_here() || parents.is_here() ? 1 : 0; });
        return parents.is_here() || !own.is_here() || of_grandchild != 0 ? 1 : 0;
    });
    CHECK(status == 0);
    CHECK(parents.is_here());
    CHECK(Origin().is_here());
}
