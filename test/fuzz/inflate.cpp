#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "protocol/deflate.hpp"

// Compressed messages: pieces give what the whole gives, within the limit, and what our compressor makes comes back as it was.

using namespace hawser::protocol;
using hawser::Buffer;

namespace {

constexpr std::size_t limit = 200'000;

struct Result {
    bool ok = false;
    std::string content{};
    bool operator==(const Result&) const = default;
};

Result inflate(Inflater& inflater, std::string_view payload, unsigned seed) {
    Buffer out;
    Inflater::Status status = Inflater::Status::ok;
    fuzz::in_pieces(payload, seed, [&](std::string_view piece) {
        if (status == Inflater::Status::ok) status = inflater.feed(piece, out, limit);
        fuzz::require(out.size() <= limit, "no more comes out than the limit allows");
    });
    if (status == Inflater::Status::ok) status = inflater.finish(out, limit);
    fuzz::require(out.size() <= limit, "no more comes out than the limit allows");
    if (status != Inflater::Status::ok) return {};
    return {true, std::string(out.view())};
}

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    const bool takes_over = choices.flag();
    const unsigned seed = choices.byte();
    const DeflateSettings settings{choices.between(9, 15), choices.between(1, 9), choices.between(1, 9)};
    const auto pool = std::make_shared<DeflatePool>();

    Inflater strange(15, takes_over, pool), once_more(15, takes_over, pool);
    require(inflate(strange, choices.rest(), seed) == inflate(once_more, choices.rest(), 11), "how a payload is cut changes nothing");

    if (choices.rest().empty()) return;
    Deflater deflater(settings, takes_over, 0, pool);
    Inflater inflater(settings.window_bits, takes_over, pool);
    for (int message = 0; message < 2; ++message) {
        const Buffer payload = deflater.compress(choices.rest());
        const Result result = inflate(inflater, payload.view(), seed);
        require(result.ok && result.content == choices.rest(), "what is compressed comes back as it was");
    }
}
