#include "transport/tls_identity.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <vector>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/child.hpp"
#include "support/error_of.hpp"
#include "support/tls_pair.hpp"
#include "transport/descriptor.hpp"
#include "transport/tls.hpp"

using namespace hawser;
using namespace hawser::transport;
using support::Authority;
using support::contains;
using support::tls::refusal;

namespace {

/// Bytes of a file of which no copy is in memory: they are read one by one, and kept inverted.
std::string inverted(const std::string& path, std::size_t skipped, std::size_t size) {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(lseek(file.get(), static_cast<off_t>(skipped), SEEK_SET) == static_cast<off_t>(skipped));
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
        REQUIRE(read(file.get(), &byte, 1) == 1);
        byte = static_cast<char>(~byte);
    }
    return bytes;
}

/// How often the bytes that these are the inverse of are in `memory`.
int count_copies(std::string_view memory, const std::string& of) {
    const auto is_inverse = [](char a, char b) { return a == static_cast<char>(~b); };
    int count = 0;
    for (std::size_t at = memory.find(static_cast<char>(~of[0])); at < memory.size(); at = memory.find(static_cast<char>(~of[0]), at + 1)) {
        const std::string_view here = memory.substr(at, of.size());
        count += std::equal(here.begin(), here.end(), of.begin(), of.end(), is_inverse);
    }
    return count;
}

/// The same in all of the process's writable memory, what has been freed included; but for mappings too large to be an allocator's.
int count_copies_in_process(const std::string& of) {
    constexpr std::size_t largest = 256 * 1024 * 1024, window = 1024 * 1024;
    const Descriptor memory(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
    std::ifstream maps("/proc/self/maps");
    std::vector<std::array<std::size_t, 2>> ranges;
    for (std::string line; std::getline(maps, line);) {
        std::size_t from = 0, to = 0;
        if (std::sscanf(line.c_str(), "%zx-%zx rw", &from, &to) == 2 && line.find(" rw") != std::string::npos && to - from <= largest)
            ranges.push_back({from, to});
    }
    std::string bytes(window, '\0');
    int count = 0;
    for (const auto& [from, to] : ranges)
        for (std::size_t at = from; at < to; at += window - of.size()) {
            const ssize_t size = pread(memory.get(), bytes.data(), std::min(window, to - at), static_cast<off_t>(at));
            count += size > 0 ? count_copies(std::string_view(bytes).substr(0, static_cast<std::size_t>(size)), of) : 0;
        }
    return count;
}

// No mbedTLS knows that.
constexpr const char* encrypted_by_scrypt =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHjME4GCSqGSIb3DQEFDTBBMCAGCSsGAQQB2kcECzATBAjuc5/7zTiH1gIBAgIB\n"
    "CAIBATAdBglghkgBZQMEASoEEBXZMWqWdQxX0djP+eoofk0EgZD3PG3Cga2VAIh/\n"
    "wN/4OR27TOheGDT7YCa3jn/c0d7dTsd2vf6lzBN4JzrAR0wRWZ++lKyKK0RvjTtr\n"
    "Q6FQ86BicHbijt6Or5NNShtZGfskv8pyUJQV//4q3UJAaMBfWd43ye5YQXZI4KUr\n"
    "VB3MzrmnHO9e2bXWNmxH008Bmx55nBEAWWqNRfJlIurG9XM4ySI=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

}  // namespace

TEST_CASE("tls identity: the text of a key is nowhere in memory once it has been read") {
    const support::Files files;
    // Made where it leaves no trace here.
    const int status = support::status_of_child([&] {
        const support::Certificate made = support::make_certificate({});
        files.write("own.pem", made.pem);
        files.write("own.key", made.key);
        files.write("both.pem", made.pem + made.key);
        return 0;
    });
    REQUIRE(status == 0);
    const std::string secret = inverted(files.path("own.key"), 50, 40);
    Context context;
    context.set_options({{"ssl", {{"local_cert", files.path("own.pem")}, {"local_pk", files.path("own.key")}}}});
    const auto apart = make_tls_context(TlsRole::server, context);
    context.set_options({{"ssl", {{"local_cert", files.path("both.pem")}, {"local_pk", files.path("both.pem")}}}});
    const auto together = make_tls_context(TlsRole::server, context);
    CHECK(count_copies_in_process(secret) == 0);
    const FileContent content(files.path("own.key"));
    CHECK(count_copies_in_process(secret) != 0);
}

TEST_CASE("tls identity: a key that is encrypted in an unknown way is told to be, and what to do") {
    const support::Files files;
    const std::string key = files.write("encrypted.key", encrypted_by_scrypt);
    const std::string text =
        refusal(TlsRole::server, {{"local_cert", Authority::instance().leaf_file}, {"local_pk", key}, {"passphrase", "secret"}});
    CHECK(contains(text, "ssl option \"local_pk\": \"" + key + "\" gives no private key: it is encrypted in a way that mbedTLS "));
    CHECK(contains(text, "PBES2 with AES"));
    CHECK(contains(text, "openssl pkey -traditional -aes256"));
}

TEST_CASE("tls identity: what an encrypted key needs is told, with and without armour") {
    const support::Files files;
    // By PBES2 with 3DES, which every mbedTLS knows, and "secret".
    const std::string known =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIHUMD8GCSqGSIb3DQEFDTAyMBoGCSqGSIb3DQEFDDANBAiuvUpqbf8N9QIBCDAU\n"
        "BggqhkiG9w0DBwQI0b98V04Th/EEgZDqfDeLKzZLI2QHmfDPm7d3rHD0zj+iqDYR\n"
        "5+utaLKMJWRVftMj3n1b4LGaTtHbKSTdEeL3LDwsW6Z3RDXlROu7OYmyYyR5PWpK\n"
        "rgmFVt8jdE8KCGY46ukyL+h6ohWPSiVKuULw9Xi0lmWOpaEgqEhOkxDJ55VXXQ0P\n"
        "t/i7WSlw016lgOOSw2+TwQIyKq1LF8M=\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n";
    const auto told = [&](const std::string& key, const char* passphrase) {
        const std::string path = files.write("encrypted", key);
        return refusal(TlsRole::server,
                       {{"local_cert", Authority::instance().leaf_file}, {"local_pk", path}, {"passphrase", std::string(passphrase)}});
    };
    for (const std::string& key : {known, support::der_of_pem(known)}) {
        CHECK(told(key, "").ends_with("gives no private key: it is encrypted, and there is no passphrase for it"));
        CHECK(told(key, "").starts_with("ssl option \"passphrase\": "));
        CHECK(contains(told(key, "wrong"), "gives no private key: it is encrypted, and this is not its passphrase ("));
        CHECK(contains(told(key, "secret"), "does not belong to the first certificate"));
    }
    for (const std::string& key : {std::string(encrypted_by_scrypt), support::der_of_pem(encrypted_by_scrypt)}) {
        for (const char* passphrase : {"", "secret"}) {
            CHECK(contains(told(key, passphrase), "it is encrypted in a way that mbedTLS "));
            CHECK(contains(told(key, passphrase), "openssl pkey -traditional -aes256"));
        }
    }
}

TEST_CASE("tls identity: what a file has instead is told") {
    const Authority& authority = Authority::instance();
    const support::Files files;
    const std::string empty = files.write("empty", ""), ssh = files.write("ssh", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END\n");
    CHECK(refusal(TlsRole::server, {{"local_cert", empty}}) == "ssl option \"local_cert\": \"" + empty + "\" is empty");
    CHECK(refusal(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", empty}}) ==
          "ssl option \"local_pk\": \"" + empty + "\" is empty");
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", authority.leaf_file}}),
                   "it has certificates alone, so ssl option \"local_pk\" has to name the key"));
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", authority.leaf_file}}),
                   "gives no private key: it has none"));
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", authority.key_file}}), "is no chain of certificates: it has none"));
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", ssh}}), "ssh-keygen -p -m PEM"));
}

TEST_CASE("tls identity: no certificate of a chain comes behind its issuer's") {
    const support::Certificate root = support::make_authority("Root"), first = support::make_authority("First", &root),
                               second = support::make_authority("Second", &first), other = support::make_authority("Other");
    const support::Certificate leaf = support::make_certificate({.dns = {"localhost"}}, &second);
    const support::Certificate crossed = support::make_certificate({.common_name = "Root", .is_ca = true}, &first);
    const support::Files files;
    const auto told = [&](const std::string& tail) {
        Context context;
        context.set_options({{"ssl", {{"local_cert", files.write("chain", leaf.pem + tail + leaf.key)}}}});
        try {
            make_tls_context(TlsRole::server, context);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    for (const std::string& good : {std::string(), second.pem, second.pem + first.pem, second.pem + first.pem + root.pem,
                                    other.pem + second.pem, second.pem + other.pem + first.pem, second.pem + second.pem + first.pem,
                                    second.pem + first.pem + crossed.pem, root.pem + other.pem})
        CHECK(told(good).empty());
    const std::string order = ": the chain is in the wrong order, each certificate comes before its issuer's";
    CHECK(told(first.pem + second.pem) ==
          "ssl option \"local_cert\": certificate 3 in \"" + files.path("chain") + "\", \"CN=Second\", is issued by number 2" + order);
    CHECK(contains(told(second.pem + root.pem + first.pem), "certificate 4 in "));
    CHECK(contains(told(root.pem + second.pem + first.pem), "\"CN=First\", is issued by number 2" + order));
}

TEST_CASE("tls identity: a chain that is too long for a handshake, or in the wrong order, is refused") {
    const Authority& authority = Authority::instance();
    const support::Files files;
    std::string chain = authority.leaf.pem;
    const auto refused = [&] { return refusal(TlsRole::server, {{"local_cert", files.write("chain.pem", chain + authority.leaf.key)}}); };
    chain = authority.root.pem + authority.leaf.pem;
    CHECK(contains(refused(), "does not belong to the first certificate in \"" + files.path("chain.pem") +
                                  "\" but to number 2: the chain is in the wrong order"));
    chain = authority.leaf.pem;
    mbedtls::Certificates parsed;
    REQUIRE(mbedtls_x509_crt_parse_file(parsed.get(), authority.root_file.c_str()) == 0);
    const std::size_t count = 16'384 / (parsed.get()->raw.len + 5) + 1;
    for (std::size_t i = 0; i < count; ++i) chain += authority.root.pem;
    const std::string text = refused();
    CHECK(contains(text, "ssl option \"local_cert\": \"" + files.path("chain.pem") + "\" is too long a chain of certificates: "));
    CHECK(contains(text, " sends no more than 16384"));
}

TEST_CASE("tls identity: parts that each may be right and do not fit together are told apart from those that are wrong") {
    const Authority& authority = Authority::instance();
    const support::Files files;
    const std::string other = files.write("other.key", support::make_certificate({}).key);
    const auto is_mismatch = [](TlsRole role, const std::map<std::string, OptionValue>& options) {
        Context context;
        context.set_options({{"ssl", options}});
        try {
            make_tls_context(role, context);
        } catch (const IdentityMismatch&) {
            return true;
        } catch (const Error&) {
        }
        return false;
    };
    CHECK(is_mismatch(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", other}}));
    CHECK(is_mismatch(TlsRole::client, {{"local_pk", other}, {"verify_peer", false}}));
    CHECK_FALSE(is_mismatch(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", authority.leaf_file}}));
    CHECK_FALSE(is_mismatch(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", files.path("missing")}}));
    const std::map<std::string, std::string> by_name = {{"a", authority.leaf_file + "," + other}};
    CHECK_FALSE(is_mismatch(TlsRole::server, {{"SNI_server_certs", by_name}}));
}
