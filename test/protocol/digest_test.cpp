#include "protocol/digest.hpp"

#include <string>

#include "support/catch.hpp"

using hawser::protocol::accept_key;

TEST_CASE("digest: the example key of RFC 6455, section 1.3, is answered with its accept value") {
    CHECK(accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("digest: a key is taken as it is, whatever its length") {
    CHECK(accept_key("") == "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=");
    CHECK(accept_key("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
    CHECK(accept_key(std::string(1000, 'k')).size() == 28);
}
