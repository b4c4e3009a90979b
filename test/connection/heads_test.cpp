#include "connection/heads.hpp"

#include <string>

#include "support/catch.hpp"

using namespace hawser;
using connection::Heads;
using connection::pack;
using connection::unpack;

namespace {

std::string shown(const Headers& headers) {
    std::string text;
    for (const Header& field : headers) text += "|" + field.name + "=" + field.value;
    return text;
}

std::string shown(const Heads& heads) {
    return heads.request.method + " " + heads.request.target + shown(heads.request.headers) + " -> " +
           std::to_string(heads.response.status) + " " + heads.response.reason + shown(heads.response.headers);
}

}  // namespace

TEST_CASE("heads: what is packed is unpacked again, field by field") {
    Heads heads;
    heads.request.target = "/chat?room=1";
    heads.request.headers = {{"Host", "a"}, {"X-Empty", ""}, {"X-Twice", "1"}, {"x-twice", "2"}};
    heads.response.status = 101;
    SECTION("with a reason and fields") {
        heads.response.reason = "Switching Protocols";
        heads.response.headers = {{"Upgrade", "websocket"}, {"X-Bytes", "\xC3\xA9 \t\x80"}};
    }
    SECTION("without") {}
    CHECK(shown(unpack(pack(heads))) == shown(heads));
}

TEST_CASE("heads: what is packed has the size of its texts, and one byte for each") {
    Heads heads;
    heads.request.headers = {{"Host", "example.com"}};
    heads.response.status = 101;
    const std::string packed = pack(heads);
    CHECK(packed.size() == std::string("GET_/_Host_example.com__101___").size());
}
