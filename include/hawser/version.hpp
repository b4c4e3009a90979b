#pragma once

#include <string>

#include <hawser/export.hpp>

/// @file
/// Versions, numbered by semantic versioning.

/// Version of these headers. The first number changes with what breaks programs.
#define HAWSER_VERSION_MAJOR 0
/// Changes with what is added; before 1.0.0 also with what breaks programs.
#define HAWSER_VERSION_MINOR 1
/// Changes with what is mended.
#define HAWSER_VERSION_PATCH 0
/// The three as text.
#define HAWSER_VERSION "0.1.0"

namespace hawser {

/// What is loaded into this process, which may be newer than the headers a program was compiled with: "0.1.0", "4.33" …
struct LibraryVersions {
    std::string hawser;   ///< this library
    std::string libev;    ///< the event loop
    std::string mbedtls;  ///< TLS
    std::string zlib;     ///< compression
    std::string cares;    ///< c-ares, which asks name servers
};

/// The versions of the libraries as they are loaded. From any thread.
HAWSER_API LibraryVersions library_versions();

}  // namespace hawser
