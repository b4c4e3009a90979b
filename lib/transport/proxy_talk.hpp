#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "types/proxy.hpp"

namespace hawser::transport {

/// What is said to a proxy, and heard from it, until it has connected us to our target. Sans-I/O.
class ProxyTalk {
public:
    enum class Status { incomplete, complete, failed };

    /// By HTTP's CONNECT (RFC 9110, section 9.3.6) or by SOCKS 5 (RFC 1928). It is the proxy that resolves a name.
    static std::unique_ptr<ProxyTalk> begin(const Proxy& proxy, const std::string& host, std::uint16_t port);
    virtual ~ProxyTalk() = default;

    /// What is to be sent now, once.
    std::string take_output() { return std::exchange(output_, {}); }
    /// Takes what the proxy said. Nothing may come behind its consent: the target has to wait for us.
    Status receive(std::string_view bytes);
    /// Why it failed: the rest of a sentence that begins with the proxy.
    const std::string& failure() const noexcept { return failure_; }
    /// Asking again will not change why it failed: the proxy refuses us, or the target, on purpose.
    bool is_refused() const noexcept { return is_refused_; }

protected:
    /// Takes whole answers out of input_.
    virtual Status advance() = 0;
    Status fail(std::string why);
    Status refuse(std::string why) {
        is_refused_ = true;
        return fail(std::move(why));
    }

    std::string input_, output_;

private:
    std::string failure_;
    bool is_refused_ = false;
};

}  // namespace hawser::transport
