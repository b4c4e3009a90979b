#include "transport/authorities.hpp"

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/error_of.hpp"

using namespace hawser;
using namespace hawser::transport;
using support::Authority;
using support::contains;

namespace {

CaSource file_of(const std::string& path) { return {path, "the file's option"}; }
CaSource folder_of(const std::string& path, bool may_be_bad = false) { return {path, "the folder's option", true, may_be_bad}; }

std::string refusal(const CaSources& sources) {
    return support::error_of(Errc::invalid_option, [&] { const Authorities read(sources); });
}

std::string subject_of(const support::Certificate& certificate) {
    mbedtls::Certificates parsed;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(certificate.pem.c_str());
    REQUIRE(mbedtls_x509_crt_parse(parsed.get(), bytes, certificate.pem.size() + 1) == 0);
    return std::string(mbedtls::view(parsed.get()->subject_raw));
}

std::size_t count(Authorities& authorities) {
    std::size_t size = 0;
    for (const auto* one = authorities.certificates(); one && one->version != 0; one = one->next) ++size;
    return size;
}

}  // namespace

TEST_CASE("authorities: each file and folder that is named has to give some") {
    const Authority& authority = Authority::instance();
    const support::Files files, empty;
    const std::string nothing = files.write("nothing.pem", "nothing of value\n"), missing = files.path("missing");
    CHECK(refusal({file_of(missing)}) == "the file's option: cannot read \"" + missing + "\": No such file or directory");
    const std::string blank = files.write("blank.pem", "");
    CHECK(refusal({file_of(blank)}) == "the file's option: \"" + blank + "\" is empty");
    CHECK(contains(refusal({file_of(nothing)}), "the file's option: \"" + nothing + "\" has no certificate that can be read: "));
    CHECK(refusal({file_of(authority.root_file), folder_of(missing)}) ==
          "the folder's option: cannot read \"" + missing + "\": No such file or directory");
    CHECK(contains(refusal({file_of(authority.root_file), folder_of(authority.root_file)}), "the folder's option: cannot read"));
    CHECK(contains(refusal({file_of(authority.root_file), folder_of(empty.path(""))}), "has no certificate that can be read"));
    CHECK(contains(refusal({folder_of(authority.files.path("")), file_of(missing)}), "the file's option: cannot read"));
}

TEST_CASE("authorities: of folders to search one is enough, and none is told") {
    const support::Files files;
    const std::string missing = files.path("missing");
    Authorities read({folder_of(missing, true), folder_of(Authority::instance().files.path(""), true)});
    CHECK(count(read) != 0);
    CHECK(contains(refusal({folder_of(missing, true), folder_of(files.path(""), true)}), "the folder's option: cannot read"));
}

TEST_CASE("authorities: one that cannot be used is left out, and not forgotten") {
    const Authority& authority = Authority::instance();
    const support::Files files;
    const support::Certificate bound = support::make_certificate({.common_name = "Bound", .is_ca = true, .permitted_host = "a.example"});
    const support::Certificate other = support::make_authority("Other");
    const support::Certificate odd = support::with_unknown_signature(support::make_authority("Odd"));
    const std::string broken = "-----BEGIN CERTIFICATE-----\nxxxx\n-----END CERTIFICATE-----\n";
    Authorities read({file_of(files.write("all.pem", broken + authority.root.pem + bound.pem + odd.pem + broken + other.pem))});
    CHECK(count(read) == 2);
    CHECK(read.has(subject_of(authority.root)));
    CHECK(read.has(subject_of(other)));
    CHECK_FALSE(read.has(subject_of(support::make_authority("Odd"))));
    CHECK(contains(read.why_unusable(subject_of(support::make_authority("Bound"))), "name constraints"));
    CHECK(contains(read.why_unusable(subject_of(support::make_authority("Odd"))), "Ed25519"));
    CHECK(read.why_unusable(subject_of(other)).empty());
    CHECK(contains(refusal({file_of(files.write("bound.pem", bound.pem))}), "can be read: it has a critical extension that mbedTLS "));
}

TEST_CASE("authorities: a file of one certificate without armour, and links to a file that was read") {
    const Authority& authority = Authority::instance();
    const support::Files files;
    mbedtls::Certificates parsed;
    REQUIRE(mbedtls_x509_crt_parse_file(parsed.get(), authority.root_file.c_str()) == 0);
    files.write("root.der", std::string(mbedtls::view(parsed.get()->raw)));
    REQUIRE(symlink(files.path("root.der").c_str(), files.path("12345678.0").c_str()) == 0);
    REQUIRE(symlink(files.path("nowhere").c_str(), files.path("0-dangling").c_str()) == 0);
    files.write("README", "no certificate\n");
    Authorities read({folder_of(files.path(""))});
    CHECK(count(read) == 1);
    CHECK(read.has(subject_of(authority.root)));
    CHECK_FALSE(read.revocations());
}

TEST_CASE("authorities: they are current as long as files and folders are as they were") {
    const Authority& authority = Authority::instance();
    const support::Files files;
    const std::string file = files.write("a.pem", authority.root.pem);
    Authorities of_file({file_of(file)}), of_folder({folder_of(files.path(""))}), none({});
    CHECK(of_file.is_current());
    CHECK(of_folder.is_current());
    files.write("b.pem", authority.root.pem);
    CHECK(of_file.is_current());
    CHECK_FALSE(of_folder.is_current());
    files.write("a.pem", support::make_authority("Other").pem);
    CHECK_FALSE(of_file.is_current());
    CHECK(none.is_current());
    CHECK(count(none) == 0);
}
