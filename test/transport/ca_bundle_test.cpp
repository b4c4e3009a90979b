#include "transport/ca_bundle.hpp"

#include <cstdlib>
#include <optional>

#include "support/catch.hpp"
#include "support/certificates.hpp"

using namespace hawser::transport;
using Paths = std::vector<std::string>;

namespace {

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
    CHECK(find_ca_sources({{missing, first, second}, {"/"}}).files == Paths{first});
    CHECK(find_ca_sources({{missing, first, second}, {"/"}}).folders.empty());
    CHECK(find_ca_sources({{missing}, {missing, "/"}}).folders == Paths{"/"});
    CHECK(find_ca_sources({{missing}, {missing}}).empty());
    CHECK_FALSE(usual_ca_places().files.empty());
}

TEST_CASE("ca bundle: SSL_CERT_FILE and SSL_CERT_DIR go before the usual places") {
    const support::Files files;
    const CaPlaces places = {{files.write("usual", "")}, {"/"}};
    {
        const Variable file("SSL_CERT_FILE", "/mine.pem"), no_folder("SSL_CERT_DIR", nullptr);
        CHECK(find_ca_sources(places).files == Paths{"/mine.pem"});
        CHECK(find_ca_sources(places).folders.empty());
    }
    {
        const Variable no_file("SSL_CERT_FILE", nullptr), folders("SSL_CERT_DIR", "/a::/b");
        CHECK(find_ca_sources(places).files.empty());
        CHECK(find_ca_sources(places).folders == Paths{"/a", "/b"});
    }
    {
        const Variable file("SSL_CERT_FILE", "/mine.pem"), folders("SSL_CERT_DIR", "/a");
        CHECK(find_ca_sources(places).files == Paths{"/mine.pem"});
        CHECK(find_ca_sources(places).folders == Paths{"/a"});
    }
    {
        const Variable file("SSL_CERT_FILE", ""), folders("SSL_CERT_DIR", "");
        CHECK(find_ca_sources(places).files == places.files);
    }
}
