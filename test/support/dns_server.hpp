#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reactor/core.hpp"
#include "support/sockets.hpp"

namespace support {

/// A name server on loopback, run by the same loop as what asks it.
class DnsServer {
public:
    enum class Answer {
        addresses,  // those given, which may be none
        no_such_name,
        garbage,
        none,
    };
    struct Zone {
        Answer answer = Answer::addresses;
        std::vector<std::string> v4{}, v6{};
        std::optional<Answer> to_v6{};  // its answer to a question for IPv6, if it is another
    };

    explicit DnsServer(hawser::reactor::Core& core)
        : core_(core), socket_(check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket")) {
        sockaddr_storage storage;
        const socklen_t length = Address::literal("127.0.0.1", 0).to_sockaddr(storage);
        check(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&storage), length), "bind");
        core_.attach(socket_.get(), hawser::Readiness::readable, [this](hawser::Readiness) { serve(); });
    }
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;
    ~DnsServer() { core_.detach(socket_.get()); }

    /// "127.0.0.1:5353"
    std::string str() const { return Address::local_of(socket_.get()).str(); }
    /// What it answers for a name; for one without an entry: that there is none.
    Zone& operator[](const std::string& name) { return zones_[name]; }
    int questions() const { return questions_; }
    /// Whether it was asked for a name.
    bool was_asked(const std::string& name) const { return names_.contains(name); }

private:
    static constexpr std::size_t head_size = 12;  // RFC 1035, section 4.1.1

    void serve() {
        char packet[512];
        sockaddr_storage from;
        socklen_t length = sizeof from;
        const auto n = recvfrom(socket_.get(), packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &length);
        if (n <= ssize_t(head_size)) return;
        ++questions_;
        const std::string answer = answer_to(std::string(packet, std::size_t(n)));
        if (!answer.empty()) sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
    }

    std::string answer_to(const std::string& query) {
        std::string name;
        std::size_t at = head_size;
        for (; query[at] != '\0'; at += std::size_t(query[at]) + 1)
            name += (name.empty() ? "" : ".") + query.substr(at + 1, std::size_t(query[at]));
        names_.insert(name);
        const bool is_v6 = query[at + 2] == 28;  // AAAA (RFC 3596)
        const std::string question = query.substr(head_size, at + 5 - head_size);
        const auto zone = zones_.find(name);
        const Zone known = zone == zones_.end() ? Zone{Answer::no_such_name} : zone->second;
        const Answer kind = is_v6 ? known.to_v6.value_or(known.answer) : known.answer;
        if (kind == Answer::none) return {};
        if (kind == Answer::garbage) return query.substr(0, 5);
        const auto& addresses = is_v6 ? known.v6 : known.v4;
        const char code = kind == Answer::no_such_name ? '\3' : '\0';
        std::string out = query.substr(0, 2) + '\x81' + char('\x80' | code) + std::string("\0\1\0", 3) + char(addresses.size()) +
                          std::string(4, '\0') + question;
        for (const std::string& address : addresses) out += record(address, is_v6);
        return out;
    }

    static std::string record(const std::string& address, bool is_v6) {
        char bytes[16];
        inet_pton(is_v6 ? AF_INET6 : AF_INET, address.c_str(), bytes);
        const std::size_t size = is_v6 ? 16 : 4;
        // A pointer to the question's name, the type, class IN, one minute, the length (RFC 1035, section 4.1.3).
        std::string out("\xc0\x0c\0", 3);
        out += is_v6 ? '\x1c' : '\1';
        out.append("\0\1\0\0\0\x3c\0", 7);
        out += char(size);
        return out.append(bytes, size);
    }

    hawser::reactor::Core& core_;
    Descriptor socket_;
    std::map<std::string, Zone> zones_;
    std::set<std::string> names_;
    int questions_ = 0;
};

}  // namespace support
