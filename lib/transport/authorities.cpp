#include "transport/authorities.hpp"

#include <mbedtls/asn1.h>
#include <mbedtls/base64.h>

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>

#include <hawser/error.hpp>

#include "transport/tls_failure.hpp"
#include "types/text.hpp"

namespace hawser::transport {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view pem_begin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view pem_end = "-----END CERTIFICATE-----";

const unsigned char* bytes_of(std::string_view text) noexcept { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string cannot_read(const std::string& path, const std::error_code& error) {
    return "cannot read " + cited(path) + ": " + error.message();
}

std::string no_certificate(const std::string& path) { return cited(path) + " has no certificate that can be read"; }

/// Empty when it cannot be decoded.
std::string decode(std::string_view base64) {
    std::string bytes(base64.size(), '\0');
    std::size_t size = 0;
    auto* const to = reinterpret_cast<unsigned char*>(bytes.data());
    bytes.resize(mbedtls_base64_decode(to, bytes.size(), &size, bytes_of(base64), base64.size()) == 0 ? size : 0);
    return bytes;
}

/// The subject of a certificate that mbedTLS does not take (RFC 5280, section 4.1).
std::string subject_of(std::string& der) {
    constexpr int sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    const unsigned char* const end = at + der.size();
    std::size_t size = 0;
    const auto enters = [&](int tag) { return mbedtls_asn1_get_tag(&at, end, &size, tag) == 0; };
    if (!enters(sequence) || !enters(sequence)) return {};
    if (enters(MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED)) at += size;  // the version
    // The serial number, the algorithm, the issuer and the time.
    for (const int tag : {MBEDTLS_ASN1_INTEGER, sequence, sequence, sequence}) {
        if (!enters(tag)) return {};
        at += size;
    }
    const unsigned char* const subject = at;
    return enters(sequence) ? std::string(subject, subject + (at - subject) + size) : std::string();
}

/// Sorted; an error when the folder cannot be read.
std::vector<std::string> names_in(const std::string& folder, std::error_code& error) {
    std::vector<std::string> names;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        names.push_back(entry->path().string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

Authorities::Authorities(const CaSources& sources) {
    std::string first_failure;
    for (const CaSource& source : sources) {
        std::string why = source.is_folder ? load_folder(source) : load(source);
        if (why.empty()) continue;
        why = source.origin + ": " + why;
        if (!source.may_be_bad) throw Error(Errc::invalid_option, why);
        if (first_failure.empty()) first_failure = why;
    }
    if (is_empty() && !first_failure.empty()) throw Error(Errc::invalid_option, first_failure);
}

/// Returns what is wrong with the file, or empty.
std::string Authorities::load(const CaSource& source) try {
    const FileContent content(source.path);
    if (content.view().empty()) return cited(source.path) + " is empty";
    const std::size_t before = usable_count_;
    load_certificates(content.view());
    if (usable_count_ == before) return no_certificate(source.path) + (unusable_.empty() ? std::string() : ": " + unusable_.back().why);
    load_revocations(source, content.view());
    files_.emplace_back(source.path, content);
    return {};
} catch (const Error&) {
    throw;
} catch (const std::system_error& error) {
    return cannot_read(source.path, error.code());
}

std::string Authorities::load_folder(const CaSource& source) {
    std::error_code error;
    Names names = names_in(source.path, error);
    if (error) return cannot_read(source.path, error);
    const std::size_t before = usable_count_;
    Seen seen;
    for (const std::string& name : names) load_member(name, seen);
    folders_.emplace_back(source.path, std::move(names));
    return usable_count_ == before ? no_certificate(source.path) : std::string();
}

/// What a folder has besides certificates does not matter.
void Authorities::load_member(const std::string& path, Seen& seen) try {
    if (!fs::is_regular_file(path)) return;
    const FileContent content(path);
    if (!seen.emplace(content.status().st_dev, content.status().st_ino).second) return;
    load_certificates(content.view());
    files_.emplace_back(path, content);
} catch (const std::system_error&) {
    // Nor does what cannot be read.
}

void Authorities::load_certificates(std::string_view bytes) {
    if (bytes.find("-----BEGIN ") == std::string_view::npos) return load_certificate(std::string(bytes));
    for (std::size_t at = bytes.find(pem_begin); at != std::string_view::npos; at = bytes.find(pem_begin, at)) {
        at += pem_begin.size();
        load_certificate(decode(bytes.substr(at, bytes.find(pem_end, at) - at)));
    }
}

void Authorities::load_certificate(std::string der) {
    const int result = mbedtls_x509_crt_parse_der(certificates_.get(), bytes_of(der), der.size());
    if (result == MBEDTLS_ERR_X509_ALLOC_FAILED) throw std::bad_alloc();
    if (result == 0)
        ++usable_count_;
    else
        unusable_.push_back({subject_of(der), certificate_failure(result)});
}

void Authorities::load_revocations(const CaSource& source, std::string_view bytes) {
    if (bytes.find("-----BEGIN X509 CRL-----") == std::string_view::npos) return;
    // The NUL behind it counts.
    const int result = mbedtls_x509_crl_parse(revocations_.get(), bytes_of(bytes), bytes.size() + 1);
    if (result != 0)
        throw Error(Errc::invalid_option,
                    source.origin + ": the CRL in " + cited(source.path) + " cannot be read: " + mbedtls::error_text(result));
}

bool Authorities::has(std::string_view subject) const noexcept {
    for (const mbedtls_x509_crt* one = certificates_.get(); one && !is_empty(); one = one->next)
        if (mbedtls::view(one->subject_raw) == subject) return true;
    return false;
}

std::size_t Authorities::count(const mbedtls_x509_name& subject) const noexcept {
    std::size_t count = 0;
    for (const mbedtls_x509_crt* one = certificates_.get(); one && !is_empty(); one = one->next)
        count += mbedtls::is_same_name(one->subject, subject);
    return count;
}

std::string Authorities::why_unusable(std::string_view subject) const {
    const auto found = std::find_if(unusable_.begin(), unusable_.end(), [&](const Unusable& one) { return one.subject == subject; });
    return found != unusable_.end() ? found->why : std::string();
}

bool Authorities::is_current() {
    const bool has_names = std::all_of(folders_.begin(), folders_.end(), [](const auto& folder) {
        std::error_code error;
        return names_in(folder.first, error) == folder.second && !error;
    });
    return has_names && std::all_of(files_.begin(), files_.end(), [](FileMark& file) { return file.is_unchanged(); });
}

}  // namespace hawser::transport
