#include "transport/gather.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using hawser::transport::Gatherer;

namespace {

std::vector<std::string> pieces(std::vector<std::string> slices, std::size_t room_size) {
    std::vector<iovec> described;
    for (std::string& slice : slices) described.push_back({slice.data(), slice.size()});
    std::string room(room_size, '\0');
    Gatherer gatherer(described);
    std::vector<std::string> out;
    for (auto piece = gatherer.next(room); !piece.empty(); piece = gatherer.next(room)) out.emplace_back(piece.data(), piece.size());
    return out;
}

using Pieces = std::vector<std::string>;

}  // namespace

TEST_CASE("gather: small slices are put together, large ones are cut") {
    CHECK(pieces({}, 4).empty());
    CHECK(pieces({"", ""}, 4).empty());
    CHECK(pieces({"abc"}, 4) == Pieces{"abc"});
    CHECK(pieces({"abcd"}, 4) == Pieces{"abcd"});
    CHECK(pieces({"abcde"}, 4) == Pieces{"abcd", "e"});
    CHECK(pieces({"a", "", "b", ""}, 4) == Pieces{"ab"});
    CHECK(pieces({"ab", "cdefghij", "k"}, 4) == Pieces{"abcd", "efgh", "ijk"});
    CHECK(pieces({"ab", "cd", "e"}, 4) == Pieces{"abcd", "e"});
}

TEST_CASE("gather: a slice as long as the room is not copied") {
    std::string slice = "abcdefgh";
    std::string room(4, '\0');
    const iovec described[] = {{slice.data(), slice.size()}, {slice.data(), 1}};
    Gatherer gatherer(described);
    CHECK(gatherer.next(room).data() == slice.data());
    CHECK(gatherer.next(room).data() == slice.data() + 4);
    CHECK(gatherer.next(room).data() == slice.data());
    CHECK(gatherer.next(room).empty());
}
