#include <hawser/compression.hpp>

#include <utility>

namespace hawser {

CompressionExtension::CompressionExtension(const DeflateOptions& options) : options_(options) { options_.validate(); }

void CompressionExtension::http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) {
    connection.use_compression(options_);
    next(std::move(message));
}

}  // namespace hawser
