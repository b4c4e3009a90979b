#include "deflate.hpp"

#include <array>
#include <set>
#include <stdexcept>

#include "head.hpp"

namespace hawser::check {

namespace {

constexpr std::string_view tail("\x00\x00\xFF\xFF", 4);

Bytef* input_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

/// Whether an answer allows the server a larger window than an offer (RFC 7692, section 7.1.2.1).
bool has_larger_window(const DeflateAnswer& answer, const DeflateAnswer& offer) {
    return offer.server_max_window_bits > 0 && answer.server_max_window_bits > offer.server_max_window_bits;
}

}  // namespace

int window_bits(std::string_view value) {
    for (int bits = 8; bits <= 15; ++bits)
        if (value == std::to_string(bits) || value == '"' + std::to_string(bits) + '"') return bits;
    return 0;
}

void Deflater::Free::operator()(z_stream* stream) const {
    deflateEnd(stream);
    delete stream;
}

Deflater::Deflater(const DeflateStyle& style) : stream_(new z_stream()) {
    if (deflateInit2(stream_.get(), style.level, Z_DEFLATED, -style.window_bits, 8, style.strategy) != Z_OK)
        throw std::runtime_error("zlib gave no compressor");
}

std::string Deflater::message(std::string_view content) {
    std::string out;
    std::array<char, 16384> piece;
    stream_->next_in = input_of(content);
    stream_->avail_in = static_cast<uInt>(content.size());
    do {
        stream_->next_out = reinterpret_cast<Bytef*>(piece.data());
        stream_->avail_out = static_cast<uInt>(piece.size());
        ::deflate(stream_.get(), Z_SYNC_FLUSH);
        out.append(piece.data(), piece.size() - stream_->avail_out);
    } while (stream_->avail_out == 0);
    // What ends each message is not sent (RFC 7692, section 7.2.1). zlib gives nothing at all for an empty one.
    if (out.size() < tail.size()) return std::string(1, '\0');
    out.resize(out.size() - tail.size());
    return out;
}

std::string deflated(std::string_view content, const DeflateStyle& style) { return Deflater(style).message(content); }

void Inflater::Free::operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
}

Inflater::Inflater(int window_bits, bool takeover) : stream_(new z_stream()), takeover_(takeover) {
    if (inflateInit2(stream_.get(), -window_bits) != Z_OK) throw std::runtime_error("zlib gave no decompressor");
}

std::optional<std::string> Inflater::message(std::string compressed) {
    std::string out;
    // Within one call zlib allows references beyond the window: so its calls are short.
    std::array<char, 256> piece;
    compressed += tail;
    stream_->next_in = input_of(compressed);
    stream_->avail_in = static_cast<uInt>(compressed.size());
    int status = Z_OK;
    do {
        stream_->next_out = reinterpret_cast<Bytef*>(piece.data());
        stream_->avail_out = static_cast<uInt>(piece.size());
        status = ::inflate(stream_.get(), Z_SYNC_FLUSH);
        out.append(piece.data(), piece.size() - stream_->avail_out);
        // A block with BFINAL may be followed by another (RFC 7692, section 7.2.3.4).
        if (status == Z_STREAM_END) status = inflateReset(stream_.get());
    } while (status == Z_OK && (stream_->avail_in > 0 || stream_->avail_out == 0));
    if (status != Z_OK && status != Z_BUF_ERROR) return std::nullopt;
    if (!takeover_) inflateReset(stream_.get());
    return out;
}

std::optional<DeflateAnswer> DeflateAnswer::parse(std::string_view text) {
    auto parameters = split(text, ';');
    if (parameters.front() != "permessage-deflate") return std::nullopt;
    DeflateAnswer answer;
    std::set<std::string> seen;
    for (std::size_t i = 1; i < parameters.size(); ++i) {
        const std::size_t equals = parameters[i].find('=');
        const std::string name = trim(parameters[i].substr(0, equals));
        const std::string value = equals == std::string::npos ? "" : trim(parameters[i].substr(equals + 1));
        if (!seen.insert(name).second) return std::nullopt;
        if (name == "server_no_context_takeover" && equals == std::string::npos)
            answer.server_no_context_takeover = true;
        else if (name == "client_no_context_takeover" && equals == std::string::npos)
            answer.client_no_context_takeover = true;
        else if (name == "server_max_window_bits" && window_bits(value) > 0)
            answer.server_max_window_bits = window_bits(value);
        else if (name == "client_max_window_bits" && window_bits(value) > 0)
            answer.client_max_window_bits = window_bits(value);
        else
            return std::nullopt;
    }
    return answer;
}

std::optional<std::string> answer_to(const std::string& offers, const std::string& parameters) {
    for (const std::string& offer : split(offers, ',')) {
        const auto demands = split(offer, ';');
        if (demands.front() != "permessage-deflate") continue;
        const auto given = DeflateAnswer::parse(demands.front() + "; " + parameters);
        // A bound that the client did not say it can keep (RFC 7692, section 7.1.2.2).
        if (given && given->client_max_window_bits > 0 && offer.find("client_max_window_bits") == std::string::npos) return std::nullopt;
        std::string answer = demands.front();
        for (const std::string& demand : demands) {
            const auto wanted = DeflateAnswer::parse(demands.front() + "; " + demand);
            if (wanted && given && has_larger_window(*given, *wanted)) return std::nullopt;
            if (demand.starts_with("server_") && parameters.find(demand.substr(0, demand.find('='))) == std::string::npos)
                answer += "; " + demand;
        }
        return parameters.empty() ? answer : answer.append("; ").append(parameters);
    }
    return std::nullopt;
}

}  // namespace hawser::check
