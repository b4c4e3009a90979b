#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <map>
#include <set>
#include <string>

#include <hawser/reactor.hpp>
#include <hawser/uri.hpp>

#include "run.hpp"

namespace hawser::check {

/// Connects to a server that is checked.
class ServerSource {
public:
    /// Throws if the server cannot be reached.
    ServerSource(Run& run, const Uri& uri);

private:
    int dial() const;

    sockaddr_storage address_{};
    socklen_t size_ = 0;
};

/// Takes the connections of clients that are checked.
class ClientSource {
public:
    /// Listens on a port, 0 for any. With a command, that is started for each case, with {url} replaced.
    ClientSource(Reactor& reactor, Run& run, const std::string& port, std::string command);
    ~ClientSource();
    ClientSource(const ClientSource&) = delete;
    ClientSource& operator=(const ClientSource&) = delete;

    /// "ws://127.0.0.1:1234/".
    std::string url() const;

private:
    void accept();
    void assign(int descriptor);
    void watch_silence();
    void spawn(const Trial& trial);
    void end(const Trial& trial);

    Reactor& reactor_;
    Run& run_;
    std::string command_;
    int descriptor_ = -1;
    TimerId silence_ = 0;
    /// Connections whose request has not been seen.
    std::set<int> strangers_{};
    std::map<const Trial*, pid_t> processes_{};
};

}  // namespace hawser::check
