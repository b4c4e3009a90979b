#include <hawser/version.hpp>

#include <cctype>

#include "support/catch.hpp"

using namespace hawser;

TEST_CASE("library_versions: the header's own, and a number for each of the others", "[versions]") {
    const LibraryVersions versions = library_versions();
    const std::string parts =
        std::to_string(HAWSER_VERSION_MAJOR) + "." + std::to_string(HAWSER_VERSION_MINOR) + "." + std::to_string(HAWSER_VERSION_PATCH);
    CHECK(versions.hawser == HAWSER_VERSION);
    CHECK(parts == HAWSER_VERSION);
    for (const std::string& version : {versions.libev, versions.mbedtls, versions.zlib, versions.cares}) {
        INFO(version);
        const std::size_t point = version.find('.');
        REQUIRE((point != 0 && point + 1 < version.size()));
        CHECK(std::isdigit(version[0]));
        CHECK(std::isdigit(version[point + 1]));
    }
}
