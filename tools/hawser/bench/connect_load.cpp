#include "loads.hpp"

namespace hawser::bench {

namespace {

/// Each connection is closed as soon as it is open, and then made anew.
class ConnectLoad final : public Load {
public:
    using Load::Load;

protected:
    void on_open(Line& line) override {
        set_ready(line);
        line.client.close();
    }
    bool wants_end(const Disconnect& ending) const override { return ending.clean; }
};

}  // namespace

std::unique_ptr<Load> make_connect_load(Reactor& reactor, const Plan& plan) { return std::make_unique<ConnectLoad>(reactor, plan); }

}  // namespace hawser::bench
