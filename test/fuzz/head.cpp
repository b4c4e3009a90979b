#include "fuzz/fuzz.hpp"
#include "protocol/http_parser.hpp"

// The head of a request or a response: pieces give what the whole gives, and what was parsed can be sent and parsed again.

using namespace hawser;
using protocol::HttpParser;

namespace {

std::string described(const Headers& headers) {
    std::string text;
    for (const Header& field : headers) text += field.name + ": " + field.value + "\n";
    return text;
}

std::string described(HttpParser& parser, HttpParser::Kind kind, HttpParser::Status status) {
    if (status == HttpParser::Status::incomplete) return "incomplete";
    if (status == HttpParser::Status::failed) return std::to_string(parser.failure().status) + " " + parser.failure().reason;
    if (kind == HttpParser::Kind::request)
        return parser.request().method + " " + parser.request().target + "\n" + described(parser.request().headers);
    return std::to_string(parser.response().status) + " " + parser.response().reason + "\n" + described(parser.response().headers);
}

struct Result {
    std::string text{};
    std::string sent_again{};
    std::size_t consumed = 0;
    bool complete = false;
};

Result parse(HttpParser::Kind kind, const Configuration& limits, std::string_view bytes, unsigned seed) {
    HttpParser parser(kind, limits);
    HttpParser::Status status = HttpParser::Status::incomplete;
    Result result;
    fuzz::in_pieces(bytes, seed, [&](std::string_view piece) {
        if (status != HttpParser::Status::incomplete) return;
        std::size_t consumed = 0;
        status = parser.feed(piece, consumed);
        fuzz::require(consumed <= piece.size(), "no more is consumed than was shown");
        fuzz::require(status != HttpParser::Status::incomplete || consumed == piece.size(), "an incomplete head takes all");
        result.consumed += consumed;
    });
    result.text = described(parser, kind, status);
    result.complete = status == HttpParser::Status::complete;
    if (result.complete) {
        fuzz::require(result.consumed <= limits.max_head_size, "no head is larger than max_head_size");
        fuzz::accepts(Errc::invalid_option, [&] {
            result.sent_again = kind == HttpParser::Kind::request ? protocol::format_request(parser.request())
                                                                  : protocol::format_response(parser.response());
        });
    }
    return result;
}

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    const unsigned flags = choices.byte();
    const auto kind = (flags & 1u) != 0 ? HttpParser::Kind::response : HttpParser::Kind::request;
    const unsigned seed = choices.byte();
    Configuration limits;
    limits.max_head_size = (flags & 2u) != 0 ? 100 : 4096;
    limits.max_header_count = (flags & 4u) != 0 ? 2 : 20;
    const Result pieces = parse(kind, limits, choices.rest(), seed);
    const Result bytes = parse(kind, limits, choices.rest(), 0);
    require(pieces.text == bytes.text && pieces.consumed == bytes.consumed, "how a head is cut changes nothing");
    if (pieces.sent_again.empty()) return;
    limits.max_head_size *= 2;
    limits.max_header_count *= 2;
    const Result again = parse(kind, limits, pieces.sent_again, seed);
    require(again.complete && again.sent_again == pieces.sent_again, "what was parsed can be sent and parsed again");
}
