#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <hawser/reactor.hpp>

#include "trial.hpp"

namespace hawser::check {

/// Tries cases, several at a time, and gathers the results in the order of the cases.
class Run {
public:
    Run(Reactor& reactor, Subject& subject, const std::vector<Case>& cases) : reactor_(reactor), subject_(subject), cases_(cases) {}

    /// Makes the connection for a trial that has begun.
    std::function<void(Trial&)> on_start{};
    std::function<void(const Trial&)> on_done{};
    /// After each result; the reactor stops after the last.
    std::function<void(const Result&)> on_result{};

    /// Begins the next case; null if there is none left.
    Trial* start();
    /// Keeps `jobs` trials under way until all are done.
    void keep_running(std::size_t jobs);
    /// The cases that have not begun have failed, and the reactor stops; none is under way.
    void give_up(const std::string& why);
    /// The trial of that id, if it is under way.
    Trial* find(const std::string& id);

    std::size_t running() const noexcept { return trials_.size(); }
    std::size_t done() const noexcept { return done_; }
    std::vector<Result> results() const;

private:
    void fill();
    void finish(Trial& trial);
    void keep(Result result);

    Reactor& reactor_;
    Subject& subject_;
    const std::vector<Case>& cases_;
    std::map<const Case*, std::unique_ptr<Trial>> trials_{};
    std::map<const Case*, Result> results_{};
    std::size_t next_ = 0;
    std::size_t done_ = 0;
    std::size_t jobs_ = 0;
    bool ever_connected_ = false;
};

}  // namespace hawser::check
