#include "types/option_table.hpp"

#include <set>
#include <utility>

#include "support/catch.hpp"

using namespace hawser;

TEST_CASE("option table: each option is there once, in a wrapper that is known") {
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const Option& option : known_options()) {
        INFO(option.wrapper << "." << option.name);
        CHECK(seen.insert({option.wrapper, option.name}).second);
        CHECK((option.wrapper == "socket" || option.wrapper == "http" || option.wrapper == "ssl"));
    }
    CHECK(seen.count({"socket", "tcp_nodelay"}) == 1);
    CHECK(seen.count({"http", "user_agent"}) == 1);
    CHECK(seen.count({"ssl", "verify_peer"}) == 1);
}

TEST_CASE("option table: defaults have the option's type, and integers lie within its bounds") {
    for (const Option& option : known_options()) {
        INFO(option.wrapper << "." << option.name);
        if (!option.standard) continue;
        CHECK(option.standard->index() == static_cast<std::size_t>(option.type));
        if (const auto* value = std::get_if<std::int64_t>(&*option.standard)) {
            CHECK(*value >= option.least);
            CHECK(*value <= option.most);
        }
    }
}
