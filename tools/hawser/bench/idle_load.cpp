#include <algorithm>

#include "loads.hpp"

namespace hawser::bench {

namespace {

/// Each connection has one message echoed, unless that is of no bytes, and is held.
class IdleLoad final : public Load {
public:
    using Load::Load;

protected:
    void on_run() override {
        if (warm_ == 0) return open_rest();
        open_up_to(warm_);
    }
    void on_open(Line& line) override {
        if (plan().size == 0) return set_ready(line);
        send(line);
    }
    void on_echo(Line& line) override { set_ready(line); }
    void on_all_settled() override {
        if (is_rest_) return begin();
        open_rest();
    }
    void on_measured() override;

private:
    void open_rest() {
        is_rest_ = true;
        if (server()) resident_before_ = server()->resident_bytes();
        open_up_to(lines().size());
    }

    /// What a server allocates once, for its first connections, does not count.
    const std::size_t warm_ = std::min<std::size_t>(50, plan().connections / 10);
    bool is_rest_ = false;
    double resident_before_ = 0;
};

void IdleLoad::on_measured() {
    const auto held = static_cast<std::size_t>(std::count_if(lines().begin(), lines().end(), [](const Line& line) { return line.open; }));
    if (server() && held > warm_)
        report().rss_bytes_per_connection = (server()->resident_bytes() - resident_before_) / static_cast<double>(held - warm_);
}

}  // namespace

std::unique_ptr<Load> make_idle_load(Reactor& reactor, const Plan& plan) { return std::make_unique<IdleLoad>(reactor, plan); }

}  // namespace hawser::bench
