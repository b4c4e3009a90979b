#pragma once

#include <string>

#include "support/tls_loopback.hpp"

namespace support {

/// A certificate and its key in files of their own.
struct Identity {
    Identity(const Files& files, const std::string& name)
        : made(make_certificate({.common_name = name, .dns = {"localhost"}}, &Authority::instance().root)),
          certificate(files.write(name + ".pem", made.pem)),
          key(files.write(name + ".key", made.key)) {}
    Certificate made;
    std::string certificate, key;
};

}  // namespace support
