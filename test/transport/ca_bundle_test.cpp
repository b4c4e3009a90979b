#include "transport/ca_bundle.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/certificates.hpp"

using namespace hawser::transport;

namespace {

using Found = std::vector<std::pair<std::string, bool>>;

/// Paths, and whether each is a folder.
Found found(const CaPlaces& places) {
    Found paths;
    for (const CaSource& source : find_ca_sources(places)) paths.emplace_back(source.path, source.is_folder);
    return paths;
}

/// An environment variable for the time of a test.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old;
        if (value)
            setenv(name, value, 1);
        else
            unsetenv(name);
    }
    ~Variable() {
        if (old_)
            setenv(name_, old_->c_str(), 1);
        else
            unsetenv(name_);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("ca bundle: the first of the usual files that is there, or else a folder") {
    const Variable no_file("SSL_CERT_FILE", nullptr), no_folder("SSL_CERT_DIR", nullptr);
    const support::Files files;
    const std::string first = files.write("first", ""), second = files.write("second", ""), missing = files.path("missing");
    CHECK(found({{missing, first, second}, {"/"}}) == Found{{first, false}});
    CHECK(found({{missing}, {missing, "/"}}) == Found{{"/", true}});
    CHECK(found({{missing}, {missing}}).empty());
    CHECK_FALSE(usual_ca_places().files.empty());
}

TEST_CASE("ca bundle: SSL_CERT_FILE and SSL_CERT_DIR go before the usual places") {
    const support::Files files;
    const CaPlaces places = {{files.write("usual", "")}, {"/"}};
    {
        const Variable file("SSL_CERT_FILE", "/mine.pem"), no_folder("SSL_CERT_DIR", nullptr);
        CHECK(found(places) == Found{{"/mine.pem", false}});
    }
    {
        const Variable no_file("SSL_CERT_FILE", nullptr), folders("SSL_CERT_DIR", "/a::/b");
        CHECK(found(places) == Found{{"/a", true}, {"/b", true}});
    }
    {
        const Variable file("SSL_CERT_FILE", "/mine.pem"), folders("SSL_CERT_DIR", "/a");
        CHECK(found(places) == Found{{"/mine.pem", false}, {"/a", true}});
    }
    {
        const Variable file("SSL_CERT_FILE", ""), folders("SSL_CERT_DIR", "");
        CHECK(found(places) == Found{{places.files[0], false}});
    }
}

TEST_CASE("ca bundle: each source says what names it") {
    const Variable file("SSL_CERT_FILE", "/mine.pem"), folders("SSL_CERT_DIR", "/a");
    const CaSources sources = find_ca_sources({});
    REQUIRE(sources.size() == 2);
    CHECK(sources[0].origin == "environment variable SSL_CERT_FILE");
    CHECK_FALSE(sources[0].may_be_bad);
    CHECK(sources[1].origin == "environment variable SSL_CERT_DIR");
    CHECK(sources[1].may_be_bad);
}
