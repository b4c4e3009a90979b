#include "transport/proxy_talk.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "types/base64.hpp"
#include "types/refusal.hpp"
#include "types/text.hpp"

namespace hawser::transport {
namespace {

using Status = ProxyTalk::Status;

/// Of an answer to CONNECT, with the blank line.
constexpr std::size_t max_head_size = 8 * 1024;
/// Interim responses that may come before the answer (RFC 9110, section 15.2).
constexpr unsigned max_interim = 8;

class HttpConnect final : public ProxyTalk {
public:
    HttpConnect(const Uri& proxy, const std::string& host, std::uint16_t port) {
        const std::string target = (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
        output_ = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
        if (proxy.has_credentials())
            output_ += "Proxy-Authorization: Basic " + base64_encode(proxy.user() + ":" + proxy.password()) + "\r\n";
        output_ += "\r\n";
    }

private:
    Status advance() override {
        Status status = take_response();
        while (status == Status::incomplete && is_interim_) status = take_response();
        return status;
    }

    Status take_response() {
        is_interim_ = false;
        constexpr std::string_view version = "HTTP/1.";
        if (!input_.starts_with(version.substr(0, std::min(input_.size(), version.size())))) return fail("does not answer by HTTP");
        const std::size_t end = input_.find("\r\n\r\n");
        if ((end == std::string::npos ? input_.size() : end + 4) > max_head_size)
            return fail("answered with a head of more than " + std::to_string(max_head_size) + " bytes");
        if (end == std::string::npos) return Status::incomplete;
        const std::string_view line = std::string_view(input_).substr(0, input_.find("\r\n"));
        const std::string answer(line.substr(std::min(line.find(' ') + 1, line.size())));
        if (answer.size() < 3 || !std::all_of(answer.begin(), answer.begin() + 3, is_digit) || (answer.size() > 3 && answer[3] != ' '))
            return fail("answered with " + cited(line) + ", which is no HTTP");
        // The answer itself follows; a switch of protocols was not asked for.
        if (answer[0] == '1' && !answer.starts_with("101")) {
            if (++interim_count_ > max_interim) return fail("sends interim responses without end");
            input_.erase(0, end + 4);
            is_interim_ = true;
            return Status::incomplete;
        }
        // Any 2xx is consent, and has no body, whatever its fields say (RFC 9110, section 9.3.6).
        if (answer[0] == '2') {
            input_.erase(0, end + 4);
            return Status::complete;
        }
        std::string why = "answered " + cited(answer);
        return is_final_refusal(std::stoi(answer)) ? refuse(std::move(why)) : fail(std::move(why));
    }

    unsigned interim_count_ = 0;
    bool is_interim_ = false;  // what was taken last: there may be more behind it
};

class Socks5 final : public ProxyTalk {
public:
    Socks5(const Uri& proxy, const std::string& host, std::uint16_t port) : proxy_(proxy), host_(host), port_(port) {
        output_ = proxy.has_credentials() ? std::string("\5\2\0\2", 4) : std::string("\5\1\0", 3);
    }

private:
    enum class Step { method, authentication, connection };

    Status advance() override {
        while (true) {
            const std::size_t size = answer_size();
            if (!input_.empty() && byte(0) != (step_ == Step::authentication ? 1 : 5)) return fail("does not answer by SOCKS 5");
            if (step_ == Step::connection && input_.size() >= 2 && byte(1) != 0) return refused(byte(1));
            if (input_.size() < size) return Status::incomplete;
            if (step_ == Step::connection) return take_connection(size);
            const Status status = step_ == Step::method ? take_method() : take_authentication();
            if (status == Status::failed) return status;
            input_.erase(0, size);
        }
    }

    /// Of the answer that is awaited, as far as can be told.
    std::size_t answer_size() const {
        if (step_ != Step::connection) return 2;
        constexpr std::size_t least = 5;
        if (input_.size() < least) return least;
        switch (byte(3)) {
            case ipv4: return 4 + 4 + 2;
            case ipv6: return 4 + 16 + 2;
            default: return 4 + 1 + byte(4) + 2;
        }
    }

    Status take_method() {
        switch (byte(1)) {
            case 0: ask_for_connection(); return Status::incomplete;
            case 2:
                if (!proxy_.has_credentials()) break;
                step_ = Step::authentication;
                // RFC 1929, section 2.
                output_ = '\1' + counted(proxy_.user()) + counted(proxy_.password());
                return Status::incomplete;
            default: break;
        }
        return refuse("wants another way of authentication than " + std::string(proxy_.has_credentials() ? "a password" : "none"));
    }

    Status take_authentication() {
        if (byte(1) != 0) return refuse("refuses the user name or the password");
        ask_for_connection();
        return Status::incomplete;
    }

    Status refused(std::size_t reply) {
        constexpr std::array reasons = {"general failure",       "connection not allowed by its rules",
                                        "network unreachable",   "host unreachable",
                                        "connection refused",    "TTL expired",
                                        "command not supported", "address type not supported"};
        std::string why = "answered " + cited(reply <= reasons.size() ? reasons[reply - 1] : "reply " + std::to_string(reply));
        // RFC 1928, section 6: its rules, or what it cannot do at all.
        return reply == 2 || reply == 7 || reply == 8 ? refuse(std::move(why)) : fail(std::move(why));
    }

    Status take_connection(std::size_t size) {
        if (const unsigned type = byte(3); type != ipv4 && type != ipv6 && type != name)
            return fail("answered with an address of type " + std::to_string(type) + ", which is unknown");
        input_.erase(0, size);
        return Status::complete;
    }

    void ask_for_connection() {
        step_ = Step::connection;
        std::array<char, 16> address{};
        output_ = std::string("\5\1\0", 3);
        if (inet_pton(AF_INET, host_.c_str(), address.data()) == 1)
            output_ += static_cast<char>(ipv4) + std::string(address.data(), 4);
        else if (inet_pton(AF_INET6, host_.c_str(), address.data()) == 1)
            output_ += static_cast<char>(ipv6) + std::string(address.data(), 16);
        else
            output_ += static_cast<char>(name) + counted(host_);
        output_ += static_cast<char>(port_ >> 8);
        output_ += static_cast<char>(port_ & 0xFF);
    }

    static std::string counted(const std::string& text) { return static_cast<char>(text.size()) + text; }
    unsigned byte(std::size_t i) const { return static_cast<unsigned char>(input_[i]); }

    // Types of address.
    static constexpr unsigned ipv4 = 1, name = 3, ipv6 = 4;

    const Uri proxy_;
    const std::string host_;
    const std::uint16_t port_;
    Step step_ = Step::method;
};

}  // namespace

std::unique_ptr<ProxyTalk> ProxyTalk::begin(const Proxy& proxy, const std::string& host, std::uint16_t port) {
    // A zone means nothing to another host (RFC 6874, section 1).
    const std::string known_there = host.substr(0, host.find('%'));
    if (proxy.protocol == Proxy::Protocol::http) return std::make_unique<HttpConnect>(proxy.uri, known_there, port);
    return std::make_unique<Socks5>(proxy.uri, known_there, port);
}

ProxyTalk::Status ProxyTalk::receive(std::string_view bytes) {
    input_ += bytes;
    const Status status = advance();
    if (status == Status::complete && !input_.empty()) return fail("sent something behind its consent");
    return status;
}

ProxyTalk::Status ProxyTalk::fail(std::string why) {
    failure_ = std::move(why);
    return Status::failed;
}

}  // namespace hawser::transport
