#include <hawser/uri.hpp>

#include "fuzz/fuzz.hpp"

// URIs and references: refused with bad_uri, or in a normal form that is a URI itself.

using namespace hawser;

namespace {

void check(const Uri& uri) {
    fuzz::require(uri.scheme() == "ws" || uri.scheme() == "wss", "there are two schemes");
    fuzz::require(!uri.host().empty() && uri.target().starts_with('/'), "there are a host and a target");
    for (const char byte : uri.target() + uri.authority())
        fuzz::require(static_cast<unsigned char>(byte) > ' ' && byte != '\x7F', "nothing in it can end a line of a request");
    const Uri again(uri.str());
    fuzz::require(again.str() == uri.str(), "a normal form is its own normal form");
    fuzz::require(again.host() == uri.host() && again.port() == uri.port() && again.target() == uri.target(), "and is the same URI");
}

}  // namespace

void fuzz::run(std::string_view input) {
    const std::size_t end = input.find('\n');
    const Exact text(input.substr(0, end));
    const Exact reference(end == std::string_view::npos ? "" : input.substr(end + 1));
    Uri uri("ws://host/path/file?query");
    accepts(Errc::bad_uri, [&] { uri = Uri(text); });
    check(uri);
    accepts(Errc::bad_uri, [&] { check(uri.resolve(reference)); });
}
